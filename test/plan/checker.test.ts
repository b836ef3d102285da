import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import path from "node:path";
import { type ClusterArgs, type ClusterPlan, type NodePlan, planCluster } from "../../components/plan";
import { type CheckName, checks, mistakesOf } from "./checker";
import { rangeOf, readRange } from "./checker/ranges";
import { hostsCluster, namedClusters, smallCluster } from "./clusters";

/** A way to break a plan that a check must see. */
interface Sabotage {
  check: CheckName;
  what: string;
  hosts?: true;
  break: (plan: ClusterPlan) => unknown;
}

const last = (plan: ClusterPlan): NodePlan => plan.nodes.at(-1) ?? assert.fail();

const hostsOf = (plan: ClusterPlan): Extract<ClusterPlan["underlay"], { kind: "hosts" }> =>
  plan.underlay.kind === "hosts" ? plan.underlay : assert.fail();

const cloudOf = (plan: ClusterPlan): Extract<ClusterPlan["underlay"], { kind: "hetzner" }> =>
  plan.underlay.kind === "hetzner" ? plan.underlay : assert.fail();

/** Replaces text in a node's kubeadm document, file or object. */
const edit =
  (field: "kubeadm" | "nodeObject" | "userData", from: string | RegExp, to: string) =>
  (plan: ClusterPlan): void => {
    const broken = plan.nodes.filter((node) => node[field].search(from) >= 0);
    assert.ok(broken.length > 0, `nothing to break: ${String(from)}`);
    for (const node of broken) node[field] = node[field].replace(from, to);
  };

const editFile =
  (file: string, from: string | RegExp, to: string) =>
  (plan: ClusterPlan): void => {
    const found = plan.nodes.flatMap((node) => node.files.filter((own) => own.path.endsWith(file)));
    assert.ok(
      found.some(({ content }) => content.search(from) >= 0),
      `nothing to break in ${file}`,
    );
    for (const own of found) own.content = own.content.replace(from, to);
  };

const setValue =
  (key: string, value: unknown) =>
  (plan: ClusterPlan): void => {
    const path = key.split(".");
    const parent = path.slice(0, -1).reduce<Record<string, unknown>>((object, part) => {
      return (object[part] ??= {}) as Record<string, unknown>;
    }, plan.cilium.values);
    parent[path.at(-1) ?? key] = value;
  };

const sabotages: Sabotage[] = [
  { check: "names", what: "a node twice", break: (plan) => (last(plan).name = plan.nodes[1]?.name ?? "") },
  { check: "names", what: "a node too few", break: (plan) => plan.nodes.pop() },
  { check: "names", what: "capitals", break: (plan) => (plan.name = "Small") },
  { check: "areas", what: "Services among pods", break: (plan) => (plan.serviceCidr = "10.244.0.0/16") },
  { check: "areas", what: "pods outside the network", break: (plan) => (plan.podCidr = "172.16.0.0/16") },
  { check: "areas", what: "a host part", break: (plan) => (plan.podCidr = "10.244.0.1/16") },
  { check: "areas", what: "multicast", break: (plan) => (plan.serviceCidr = "224.0.0.0/16") },
  { check: "areas", what: "another gateway", break: (plan) => (cloudOf(plan).gateway = "10.0.0.254") },
  { check: "areas", what: "another DNS", break: (plan) => (plan.clusterDns = "10.96.0.11") },
  { check: "privateAddresses", what: "one address twice", break: (plan) => (last(plan).privateAddress = "10.0.0.11") },
  { check: "privateAddresses", what: "outside", break: (plan) => (last(plan).privateAddress = "10.0.1.12") },
  { check: "privateAddresses", what: "broadcast", break: (plan) => (last(plan).privateAddress = "10.0.0.255") },
  { check: "privateAddresses", what: "the gateway's", break: (plan) => (last(plan).privateAddress = "10.0.0.1") },
  { check: "podCidrs", what: "one range inside another", break: (plan) => (last(plan).podCidr = "10.244.11.128/25") },
  { check: "podCidrs", what: "outside", break: (plan) => (last(plan).podCidr = "10.245.12.0/24") },
  { check: "podCidrs", what: "too small", break: (plan) => (last(plan).podCidr = "10.244.12.0/26") },
  { check: "routes", what: "a route less", break: (plan) => delete last(plan).route },
  {
    check: "routes",
    what: "another gateway",
    break: (plan) => Object.assign(last(plan).route ?? {}, { gateway: "10.0.0.2" }),
  },
  {
    check: "routes",
    what: "out of the network",
    break: (plan) => Object.assign(last(plan).route ?? {}, { destination: "172.16.0.0/24" }),
  },
  {
    check: "routes",
    what: "a route on one segment",
    hosts: true,
    break: (plan) => (last(plan).route = { destination: last(plan).podCidr, gateway: last(plan).privateAddress }),
  },
  { check: "placement", what: "a node in no group", break: (plan) => plan.placementGroups.pop() },
  { check: "mtu", what: "a tunnel that costs nothing", break: (plan) => (plan.tunnel = "vxlan") },
  { check: "mtu", what: "1500 on Hetzner", break: (plan) => Object.assign(plan.underlay, { mtu: 1500 }) },
  {
    check: "mtu",
    what: "WireGuard that costs nothing",
    break: setValue("encryption", { enabled: true, type: "wireguard" }),
  },
  {
    check: "machines",
    what: "one machine for two nodes",
    hosts: true,
    break: (plan) => (hostsOf(plan).machines["prod-web-2"] = hostsOf(plan).machines["prod-web-1"] ?? assert.fail()),
  },
  {
    check: "machines",
    what: "Services' addresses around a node",
    hosts: true,
    break: (plan) => (hostsOf(plan).serviceObjects = [{ spec: { blocks: [{ cidr: "10.20.0.0/28" }] } }]),
  },
  {
    check: "machines",
    what: "Services' addresses elsewhere",
    hosts: true,
    break: (plan) => (hostsOf(plan).serviceObjects = [{ spec: { blocks: [{ cidr: "10.21.0.0/28" }] } }]),
  },
  {
    check: "machines",
    what: "announcements behind a router",
    hosts: true,
    break: (plan) => (hostsOf(plan).segment = "routed"),
  },
  {
    check: "kubeadm",
    what: "another address of the API",
    break: edit("kubeadm", /advertiseAddress: "10.0.0.2"/, 'advertiseAddress: "10.0.0.3"'),
  },
  { check: "kubeadm", what: "other pods", break: edit("kubeadm", /podSubnet: .*/, 'podSubnet: "10.245.0.0/16"') },
  { check: "kubeadm", what: "kube-proxy", break: edit("kubeadm", "disabled: true", "disabled: false") },
  { check: "kubeadm", what: "a token", break: edit("kubeadm", "JOIN_TOKEN", "abcdef.0123456789abcdef") },
  {
    check: "kubeadm",
    what: "another node's address",
    break: edit("kubeadm", 'value: "10.0.0.12"', 'value: "10.0.0.11"'),
  },
  { check: "kubeadm", what: "no YAML", break: edit("kubeadm", "skipPhases:", "skipPhases: [") },
  {
    check: "kubeadm",
    what: "a certificate without the API's name",
    break: edit("kubeadm", /- "api\.small.*\n/, '- "other"\n'),
  },
  {
    check: "nodeObjects",
    what: "another node's pods",
    break: edit("nodeObject", '"podCIDR": "10.244.12.0/24"', '"podCIDR": "10.244.11.0/24"'),
  },
  {
    check: "nodeObjects",
    what: "a worker as control plane",
    break: edit("nodeObject", "node-role.kubernetes.io/worker", "node-role.kubernetes.io/control-plane"),
  },
  {
    check: "nodeObjects",
    what: "a malformed label",
    break: edit("nodeObject", '"zerosteal/pool": "web"', '"zerosteal/pool": "web", "a b": "c"'),
  },
  { check: "files", what: "another API's address", break: editFile("/hosts", "10.0.0.2 ", "10.0.0.3 ") },
  {
    check: "files",
    what: "a file that is not listed",
    break: (plan) => last(plan).files.push({ path: "/z", mode: "0644", content: "x\n" }),
  },
  {
    check: "files",
    what: "pods that reach the metadata service",
    break: editFile("metadata-guard.service", /from [0-9./]+ to/g, "from 10.245.0.0/16 to"),
  },
  {
    check: "kubelets",
    what: "static where none was asked for",
    break: editFile("40-zerosteal-cpu.conf", '"none"', '"static"'),
  },
  { check: "userData", what: "past the limit", break: (plan) => (last(plan).userData += "#".repeat(40_000)) },
  { check: "userData", what: "no place for the host key", break: edit("userData", "ONE_TIME_HOST_KEY", "") },
  { check: "userData", what: "another file's text", break: edit("userData", "version = 3", "version = 2") },
  {
    check: "userData",
    what: "a file that is not there",
    break: edit("userData", 'path: "/etc/zerosteal/hosts"', 'path: "/etc/hosts"'),
  },
  { check: "helmValues", what: "another MTU", break: setValue("MTU", 1500) },
  { check: "helmValues", what: "the whole network as native", break: setValue("ipv4NativeRoutingCIDR", "10.0.0.0/8") },
  { check: "helmValues", what: "DSR past a source check", break: setValue("loadBalancer.mode", "dsr") },
  { check: "helmValues", what: "one switch of BBR alone", break: (plan) => (plan.bbr = "node") },
  {
    check: "agentStarts",
    what: "DSR by Geneve without its tunnel protocol",
    hosts: true,
    break: setValue("loadBalancer.dsrDispatch", "geneve"),
  },
  { check: "agentStarts", what: "direct routes in a tunnel", hosts: true, break: setValue("routingMode", "tunnel") },
  {
    check: "agentStarts",
    what: "rules without conntrack and masquerading by iptables",
    break: setValue("bpf.masquerade", false),
  },
  { check: "chartVersion", what: "a key of later charts", break: (plan) => (plan.versions.cilium = "1.16.1") },
  { check: "serviceRoom", what: "the chart's own size", break: setValue("bpf.lbMapMax", 65536) },
  { check: "serviceRoom", what: "far too large", break: setValue("bpf.lbMapMax", 16777216) },
  {
    check: "sysctls",
    what: "a file with other values",
    break: editFile("90-zerosteal.conf", "somaxconn = 65535", "somaxconn = 128"),
  },
  {
    check: "sysctls",
    what: "ports handed out",
    break: (plan) => (plan.sysctls = plan.sysctls.filter(({ key }) => !key.endsWith("reserved_ports"))),
  },
  { check: "artifacts", what: "a kubelet of another version", break: (plan) => (plan.versions.kubernetes = "1.36.5") },
  {
    check: "artifacts",
    what: "a password in an address",
    break: (plan) => Object.assign(plan.artifacts[0] ?? {}, { url: "https://u:p@x/y" }),
  },
  {
    check: "artifacts",
    what: "no loopback plugin",
    break: (plan) => (plan.artifacts = plan.artifacts.filter(({ name }) => name !== "cni-plugins")),
  },
  { check: "versions", what: "two versions of Cilium", break: (plan) => (plan.cilium.version = "1.19.6") },
  { check: "versions", what: "a Kubernetes without v1beta4", break: (plan) => (plan.versions.kubernetes = "1.30.0") },
  {
    check: "access",
    what: "SSH for all",
    break: (plan) => Object.assign(plan.firewall[0] ?? {}, { sourceCidrs: ["0.0.0.0/0"] }),
  },
  {
    check: "access",
    what: "a node shut out",
    hosts: true,
    break: editFile("firewall.nft", "10.20.0.12", "10.20.0.13"),
  },
];

function planned(hosts: boolean): { plan: ClusterPlan; args: ClusterArgs } {
  const args = hosts ? hostsCluster() : smallCluster();
  return { plan: structuredClone(planCluster(hosts ? "prod" : "small", args)), args };
}

describe("the checker of plans", () => {
  for (const [name, args] of Object.entries(namedClusters)) {
    it(`finds nothing in the cluster ${name}`, () => assert.deepEqual(mistakesOf(planCluster(name, args), args), []));
  }

  for (const { check, what, hosts = false, break: sabotage } of sabotages) {
    it(`${check} sees ${what}`, () => {
      const { plan, args } = planned(hosts);
      sabotage(plan);
      const found = checks[check]({ plan, args, whole: true });
      assert.notEqual(found.length, 0, mistakesOf(plan, args).join("; "));
    });
  }

  it("shows each of its checks failing", () => {
    assert.deepEqual([...new Set(sabotages.map(({ check }) => check))].sort(), Object.keys(checks).sort());
  });

  it("takes nothing but types from the code that it judges", () => {
    const folder = path.join(__dirname, "checker");
    const files = [path.join(__dirname, "checker.ts"), ...readdirSync(folder).map((file) => path.join(folder, file))];
    for (const file of files) {
      const imports = readFileSync(file, "utf8").match(/^import [^;]*components[^;]*;$/gm) ?? [];
      for (const line of imports) assert.match(line, /^import type /, file);
    }
  });

  it("reads ranges by itself", () => {
    assert.deepEqual(rangeOf("10.0.0.0/8"), { text: "10.0.0.0/8", first: 167772160, last: 184549375, bits: 8 });
    for (const text of ["10.0.0.0", "10.0.0.1/8", "10.0.0.0/33", "010.0.0.0/8", "10.0.0/8", "256.0.0.0/8", "::/0"])
      assert.equal(readRange(text), undefined, text);
  });
});
