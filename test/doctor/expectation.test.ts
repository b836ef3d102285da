import assert from "node:assert/strict";
import { readPlan } from "../../cli/doctor";
import { expectationOf, taintText } from "../../components/doctor/expectation";
import { type ClusterArgs, planCluster } from "../../components/plan";

describe("expectation from a plan", () => {
  const args: ClusterArgs = {
    underlay: { kind: "hetzner", location: "fsn1" },
    access: { ssh: ["192.0.2.0/24"], api: ["192.0.2.0/24"] },
    controlPlane: { serverType: "ccx13" },
    pools: [{ name: "web", count: 2, serverType: "ccx13" }],
  };
  const plan = planCluster("lab", args);
  const wanted = expectationOf(plan);

  it("has every node with its address, pod CIDR and taints", () => {
    assert.deepEqual(
      wanted.nodes.map((node) => [node.name, node.privateAddress, node.podCidr]),
      plan.nodes.map((node) => [node.name, node.privateAddress, node.podCidr]),
    );
    assert.deepEqual(wanted.nodes[0]?.taints, ["node-role.kubernetes.io/control-plane:NoSchedule"]);
    assert.equal(taintText({ key: "dedicated", value: "db", effect: "NoExecute" }), "dedicated=db:NoExecute");
  });

  it("has the data path of this underlay", () => {
    const { devices, ...modes } = wanted.cilium;
    assert.deepEqual(modes, {
      kubeProxyReplacement: true,
      routingMode: "native",
      hostRouting: "BPF",
      masquerading: "BPF",
      nativeRoutingCidr: plan.podCidr,
      loadBalancerMode: "snat",
      deviceMode: "veth",
      encryption: "none",
      bandwidthManager: "on with bbr",
      nodePortAddresses: ["10.0.0.0/24"],
    });
    const { containerd, kernel } = wanted.versions;
    assert.deepEqual([containerd, kernel], [plan.versions.containerd, "5.18"]);
    assert.equal(devices.length, 2);
    assert.deepEqual(wanted.mtu, { node: 1450, pod: 1450 });
    assert.deepEqual(
      wanted.cloudRoutes?.routes,
      plan.nodes.map((node) => node.route),
    );
    assert.equal(wanted.cloudRoutes.networkName, "lab");
    assert.equal(expectationOf(plan, { networkName: "other" }).cloudRoutes?.networkName, "other");
  });

  it("wants smaller pod packets, tunnel mode and no routes with an overlay", () => {
    const wanted = expectationOf(planCluster("lab", { ...args, network: { tunnel: "vxlan" } }));
    assert.deepEqual(wanted.mtu, { node: 1450, pod: 1400 });
    assert.equal(wanted.cilium.routingMode, "tunnel");
    assert.deepEqual(wanted.cloudRoutes?.routes, []);
  });

  it("wants WireGuard with its smaller pod packets, and netkit, where they are planned", () => {
    const plan = planCluster("lab", { ...args, network: { encryption: "wireguard", datapath: "netkit" } });
    const wanted = expectationOf(plan);
    assert.deepEqual(wanted.mtu, { node: 1450, pod: 1355 });
    assert.deepEqual([wanted.cilium.encryption, wanted.cilium.deviceMode], ["wireguard", "netkit"]);
  });

  it("follows Cilium's values", () => {
    const withValues = (values: Record<string, unknown>) =>
      expectationOf({ ...plan, cilium: { ...plan.cilium, values: { ...plan.cilium.values, ...values } } }).cilium;
    assert.equal(withValues({ bpf: { masquerade: false } }).masquerading, "iptables");
    assert.equal(withValues({ bpf: { masquerade: false } }).hostRouting, "Legacy");
    assert.equal(withValues({ bpf: { masquerade: "true", hostLegacyRouting: true } }).hostRouting, "Legacy");
    assert.equal(withValues({ kubeProxyReplacement: "false" }).kubeProxyReplacement, false);
    assert.equal(withValues({ routingMode: undefined }).routingMode, "tunnel");
    assert.equal(withValues({ loadBalancer: { mode: "dsr" } }).loadBalancerMode, "dsr");
    assert.equal(withValues({ encryption: { enabled: true } }).encryption, "ipsec");
    assert.equal(withValues({ encryption: { enabled: false, type: "wireguard" } }).encryption, "none");
    assert.deepEqual(withValues({ devices: "eth0, enp+" }).devices, ["eth0", "enp+"]);
    assert.deepEqual(withValues({ devices: undefined }).devices, []);
  });

  it("has every kernel setting of the plan", () => {
    assert.deepEqual(
      wanted.sysctls.map(({ key, value }) => [key, value]),
      plan.sysctls.map(({ key, value }) => [key, value]),
    );
  });

  it("has the keys of another profile, and those that an override adds, with what pods inherit of them", () => {
    const tuned = expectationOf(
      planCluster("lab", {
        ...args,
        tuning: {
          profile: "throughput",
          sysctls: { "net.core.busy_poll": "50" },
          podSysctls: ["net.core.somaxconn"],
        },
      }),
    );
    const entry = (name: string) => tuned.sysctls.filter(({ key }) => key === name);
    assert.deepEqual(entry("net.core.busy_poll"), [
      { key: "net.core.busy_poll", value: "50", podsInherit: false, namespaced: false },
    ]);
    assert.deepEqual(entry("net.ipv4.tcp_rmem"), [
      { key: "net.ipv4.tcp_rmem", value: "4096 131072 41943040", podsInherit: true, namespaced: true },
    ]);
    // What pods may set is a permission: a pod that does not ask keeps the kernel's value.
    assert.equal(entry("net.core.somaxconn")[0]?.podsInherit, false);
  });

  it("is what the command line makes of a plan's file", () => {
    assert.deepEqual(readPlan(JSON.stringify(plan), "plan.json"), wanted);
  });
});
