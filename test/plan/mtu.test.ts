import assert from "node:assert/strict";
import { type ClusterArgs, explain, planCluster } from "../../components/plan";
import {
  dsrRequestMtu,
  hetznerNetworkMtu,
  podMtu,
  vSwitchNetworkMtu,
  wireguardOverhead,
  type Wrapping,
} from "../../components/plan/mtu";
import { hostsCluster, smallCluster } from "./clusters";

const [newCilium, oldCilium] = ["1.20.2", "1.19.4"];
const plain: Wrapping = { tunnel: "none", encryption: "none", cilium: newCilium };

/** What is put around packets, in the columns of the table of docs/guide/mtu.md. */
const columns: ((underlay: number) => number)[] = [
  (underlay) => podMtu(underlay, plain),
  (underlay) => podMtu(underlay, { ...plain, tunnel: "vxlan" }),
  (underlay) => podMtu(underlay, { ...plain, tunnel: "geneve", underlayProtocol: "ipv6" }),
  (underlay) => podMtu(underlay, { ...plain, encryption: "wireguard" }),
  (underlay) => podMtu(underlay, { ...plain, encryption: "wireguard", cilium: oldCilium }),
  (underlay) => podMtu(underlay, { ...plain, encryption: "wireguard", tunnel: "vxlan" }),
  (underlay) => dsrRequestMtu(underlay, "opt"),
  (underlay) => dsrRequestMtu(underlay, "geneve"),
];

/** Underlay, then: native, overlay on IPv4, on IPv6, WireGuard, WireGuard before 1.19.5, WireGuard with an overlay, DSR by option, by Geneve. */
const table: [number, ...number[]][] = [
  [1400, 1400, 1350, 1330, 1305, 1320, 1255, 1392, 1338],
  [1450, 1450, 1400, 1380, 1355, 1370, 1305, 1442, 1388],
  [1500, 1500, 1450, 1430, 1405, 1420, 1355, 1492, 1438],
  [9000, 9000, 8950, 8930, 8905, 8920, 8855, 8992, 8938],
];

describe("MTU", () => {
  for (const [underlay, ...wanted] of table) {
    it(`of pods and of DSR's requests on a network of ${underlay} bytes`, () => {
      assert.deepEqual(
        columns.map((sum) => sum(underlay)),
        wanted,
      );
    });
  }

  it("of Hetzner's networks is 1450 bytes, with a vSwitch 1400", () => {
    assert.deepEqual([hetznerNetworkMtu, vSwitchNetworkMtu], [1450, 1400]);
  });

  it("loses 95 bytes to WireGuard from Cilium 1.19.5 on, 80 before", () => {
    const versions = ["1.16.1", "1.18.12", "1.19.4", "1.19.5", "1.19.6", "1.20.0-rc.1", "1.20.2", "1.21.0-pre.0"];
    assert.deepEqual(versions.map(wireguardOverhead), [80, 80, 80, 95, 95, 95, 95, 95]);
  });

  it("follows a vSwitch, for nodes and pods", () => {
    const args = smallCluster();
    args.underlay.vSwitch = { id: 4711, subnet: "10.0.2.0/24" };
    const plan = planCluster("prod", args);
    assert.deepEqual([plan.underlay.mtu, plan.cilium.values.MTU, plan.podMtu], [1400, 1400, 1400]);
    const decision = explain(plan, args).find(({ id }) => id === "mtu.nodes");
    assert.match(decision?.why ?? "", /vSwitch/);
  });

  const network = (network: ClusterArgs["network"]): ClusterArgs => ({ ...smallCluster(), network });

  it("is planned for pods, while Cilium is told the underlay's and takes the rest off itself", () => {
    const mtus = (args: ClusterArgs): unknown[] => {
      const { podMtu: planned, cilium, underlay } = planCluster("prod", args);
      return [underlay.mtu, cilium.values.MTU, planned];
    };
    assert.deepEqual(mtus(network({ encryption: "wireguard" })), [1450, 1450, 1355]);
    assert.deepEqual(mtus(network({ encryption: "wireguard", tunnel: "vxlan" })), [1450, 1450, 1305]);
    const hosts = hostsCluster();
    assert.deepEqual(
      mtus({ ...hosts, underlay: { ...hosts.underlay, mtu: 9000 }, network: { encryption: "wireguard" } }),
      [9000, 9000, 8905],
    );
  });

  it("is told as a sum", () => {
    const args = network({ encryption: "wireguard", tunnel: "geneve" });
    const decision = explain(planCluster("prod", args), args).find(({ id }) => id === "mtu.pods");
    assert.equal(decision?.value, "1450 - 145 = 1305");
    assert.match(decision.why, /WireGuard/);
  });
});

describe("encryption by WireGuard", () => {
  const plan = planCluster("prod", { ...smallCluster(), network: { encryption: "wireguard" } });

  it("is between pods of different nodes, and no other kind", () => {
    assert.deepEqual(plan.cilium.values.encryption, { enabled: true, nodeEncryption: false, type: "wireguard" });
    assert.ok(!("encryption" in planCluster("prod", smallCluster()).cilium.values));
  });

  it("has its kernel module loaded on every node, and its port kept from outgoing connections", () => {
    for (const { files } of plan.nodes) {
      const content = (name: string): string => files.find(({ path }) => path.endsWith(name))?.content ?? "";
      assert.match(content("modules-load.d/90-zerosteal.conf"), /^wireguard$/m);
      assert.match(content("sysctl.d/90-zerosteal.conf"), /^net\.ipv4\.ip_local_reserved_ports = .*51871/m);
    }
    const modules = planCluster("prod", smallCluster()).nodes[0]?.files.find(({ path }) =>
      path.includes("modules-load"),
    );
    assert.doesNotMatch(modules?.content ?? "wireguard", /wireguard/);
  });

  it("is wanted of every existing host before it is changed, whose own firewall lets it in from the other nodes", () => {
    const hosts = planCluster("prod", { ...hostsCluster(), network: { encryption: "wireguard" } });
    assert.ok(hosts.underlay.kind === "hosts");
    assert.deepEqual(hosts.underlay.preflight.modules, ["wireguard"]);
    const rules = hosts.nodes[0]?.files.find(({ path }) => path.endsWith("firewall.nft"))?.content ?? "";
    // All that the other nodes send by the private NIC, 51871/udp with it; and what comes out of WireGuard's device.
    assert.match(rules, /set nodes \{[^}]* elements = \{ 10\.20\.0\.10, 10\.20\.0\.11, 10\.20\.0\.12 \}/);
    assert.match(rules, /ip saddr @nodes iifname "eth1" accept/);
    assert.match(rules, /iifname \{ "cilium_\*", "lxc\*" \} accept/);
  });

  it("has Services by snat, also on one segment, where dsr would send requests past it", () => {
    const modeOf = (network: ClusterArgs["network"]): unknown =>
      (planCluster("prod", { ...hostsCluster(), network }).cilium.values.loadBalancer as { mode: string }).mode;
    assert.deepEqual([modeOf({}), modeOf({ encryption: "wireguard" })], ["dsr", "snat"]);
  });
});

describe("options of the data path", () => {
  it("are veth and no XDP, or what the arguments say", () => {
    const values = (network?: ClusterArgs["network"]): unknown[] => {
      const { bpf, loadBalancer } = planCluster("prod", { ...smallCluster(), network }).cilium.values as Record<
        string,
        Record<string, unknown>
      >;
      return [bpf?.datapathMode, loadBalancer?.acceleration];
    };
    assert.deepEqual(values(), ["veth", "disabled"]);
    assert.deepEqual(values({ datapath: "netkit", xdp: "best-effort" }), ["netkit", "best-effort"]);
  });

  it("are explained with their price", () => {
    const args: ClusterArgs = {
      ...smallCluster(),
      network: { encryption: "wireguard", datapath: "netkit", xdp: "best-effort" },
      accept: ["xdp-past-wireguard"],
    };
    const decisions = explain(planCluster("prod", args), args);
    for (const id of ["encryption", "datapath", "xdp"]) {
      const decision = decisions.find((candidate) => candidate.id === `network.${id}`);
      assert.match(decision?.why ?? "", /Price: /, id);
      assert.match(decision?.source ?? "", new RegExp(`^argument network\\.${id}; `));
    }
  });
});
