import { accepted, type Case, type Check, encrypts, get, repeated, same, unless } from "./finding";
import { rangeOf } from "./ranges";

/** Ports that etcd, Cilium, the API, the kubelet, NodePorts and WireGuard listen on, by their own documentation. */
const listening = [
  2379, 2380, 2381, 4240, 4244, 4245, 6443, 8472, 9878, 9890, 9962, 10250, 10256, 10259, 30000, 32767, 51871,
];

/** First and last minor (1.x) of a chart that has a key, as Cilium's charts 1.16 to 1.20 were read. */
const chartKeys: Readonly<Record<string, [from: number, to: number]>> = {
  "externalIPs.enabled": [0, 16],
  "hostPort.enabled": [0, 17],
  enableCiliumEndpointSlice: [0, 17],
  enableRuntimeDeviceDetection: [0, 17],
  "nodePort.enabled": [0, 18],
  "bpf.distributedLRU": [17, 99],
  "bpf.lbModeAnnotation": [17, 99],
  k8sServiceHostRef: [18, 99],
  "k8s.apiServerURLs": [18, 99],
  policyDenyResponse: [19, 99],
  k8sClusterNetworkPolicy: [20, 99],
};

/** Helm values: those that follow from the rest of the plan do. */
export const helmValues: Check = (given) => {
  const { plan } = given;
  const { underlay, tunnel } = plan;
  const native = tunnel === "none";
  const nics = [...new Set([underlay.interfaces.public, underlay.interfaces.private])];
  const wanted: Record<string, unknown> = {
    MTU: underlay.mtu,
    routingMode: native ? "native" : "tunnel",
    tunnelProtocol: native ? undefined : tunnel,
    ipv4NativeRoutingCIDR: plan.podCidr,
    autoDirectNodeRoutes: native && underlay.kind === "hosts" && underlay.segment === "l2",
    "ipam.mode": "kubernetes",
    "k8s.requireIPv4PodCIDR": true,
    kubeProxyReplacement: true,
    k8sServiceHost: `api.${plan.name}.zerosteal.internal`,
    k8sServicePort: 6443,
    "cluster.name": plan.name,
    devices: nics,
    "nodePort.addresses": [
      ...new Set([underlay.nodeSubnet, ...(given.args.pools ?? []).flatMap(({ subnet }) => subnet ?? [])]),
    ],
    "nodePort.directRoutingDevice": underlay.interfaces.private,
    "bpf.masquerade": true,
    enableIPv4Masquerade: true,
    // Past WireGuard DSR would carry requests in clear.
    "loadBalancer.mode": native && !checksSources(given) && !encrypts(plan.cilium.values) ? "dsr" : "snat",
    ...chosenValues(given),
    "bandwidthManager.enabled": plan.bbr === "node-and-pod",
    "bandwidthManager.bbr": plan.bbr === "node-and-pod",
    installNoConntrackIptablesRules: native,
  };
  const { values } = plan.cilium;
  return [
    ...Object.entries(wanted)
      .filter(([key]) => !isOwn(given, key))
      .flatMap(([key, value]) =>
        unless(same(get(values, key), value), `${key} is ${JSON.stringify(get(values, key))}`),
      ),
    ...unless(same(Object.keys(values), Object.keys(values).sort()), "values out of order"),
  ];
};

/** Values that stand for one argument each. */
function chosenValues({ args: { network = {} } }: Case): Record<string, unknown> {
  const { encryption, datapath = "veth", xdp = "disabled" } = network;
  const wireguard = encryption === "wireguard";
  return {
    "loadBalancer.acceleration": xdp,
    "bpf.datapathMode": datapath,
    "encryption.enabled": wireguard ? true : undefined,
    "encryption.type": wireguard ? "wireguard" : undefined,
  };
}

/** Whether a value is the user's own, which is his to answer for. */
function isOwn(given: Case, key: string): boolean {
  return get(given.args.cilium?.values ?? {}, key) !== undefined || accepted(given, `cilium.values.${key}`);
}

function checksSources({ args }: Case): boolean {
  const { underlay } = args;
  if (underlay.kind === "hetzner") return true;
  return underlay.sourceCheck ?? underlay.segment === "routed";
}

/** What Cilium's agent exits at, whatever made the values. */
export const agentStarts: Check = (given) => {
  const value = (key: string): unknown => get(given.plan.cilium.values, key);
  const on = (key: string): boolean => String(value(key)) === "true";
  const native = value("routingMode") === "native";
  const masquerading = on("bpf.masquerade") || String(value("enableIPv4Masquerade")) === "false";
  const exits: Record<string, boolean> = {
    "native routing without a CIDR": native && value("ipv4NativeRoutingCIDR") === undefined,
    "direct routes with a tunnel": on("autoDirectNodeRoutes") && !native,
    "unreachable nodes without direct routes": on("directRoutingSkipUnreachable") && !on("autoDirectNodeRoutes"),
    "rules without conntrack where they cannot be":
      on("installNoConntrackIptablesRules") && !(native && on("kubeProxyReplacement") && masquerading),
    "BBR in pods": on("bandwidthManager.bbr") && (!on("bpf.masquerade") || on("bpf.hostLegacyRouting")),
    "IPv6 without addresses": on("ipv6.enabled"),
  };
  return [...Object.keys(exits).filter((sentence) => exits[sentence] === true), ...dispatchMistakes(given, native)];
};

function dispatchMistakes({ plan: { cilium } }: Case, native: boolean): string[] {
  const mode = get(cilium.values, "loadBalancer.mode");
  if (mode !== "dsr" && mode !== "hybrid") return [];
  const geneve = get(cilium.values, "tunnelProtocol") === "geneve";
  const dispatch = get(cilium.values, "loadBalancer.dsrDispatch") ?? "opt";
  return [
    ...unless(native || geneve, "DSR in VXLAN"),
    ...unless(dispatch !== "opt" || native, "DSR by option in a tunnel"),
    ...unless(dispatch !== "geneve" || geneve, "DSR by Geneve without it"),
    ...unless(dispatch === "opt" || dispatch === "geneve", `DSR by ${JSON.stringify(dispatch)}`),
  ];
}

/** Keys: only such as the chart of this version has. */
export const chartVersion: Check = ({ plan }) => {
  const minor = Number(plan.versions.cilium.split(".")[1]);
  return Object.entries(chartKeys).flatMap(([key, [from, to]]) =>
    unless(
      get(plan.cilium.values, key) === undefined || (from <= minor && minor <= to),
      `the chart of ${plan.versions.cilium} has no ${key}`,
    ),
  );
};

/** Room for Services: an entry each and one for each endpoint, twice. */
export const serviceRoom: Check = (given) => {
  const { plan, args } = given;
  const { expectedServices = 5000, expectedEndpointsPerService = 10 } = args.network ?? {};
  const size = get(plan.cilium.values, "bpf.lbMapMax");
  if (isOwn(given, "bpf.lbMapMax")) return [];
  const entries = 2 * expectedServices * (1 + expectedEndpointsPerService);
  return [
    ...unless(typeof size === "number" && Number.isInteger(Math.log2(size)), `maps of ${String(size)}`),
    ...unless(Number(size) >= entries && Number(size) >= 65536, `${String(size)} for ${entries} entries`),
    ...unless(Number(size) < Math.max(65537, 2 * entries), `${String(size)} is twice what ${entries} need`),
  ];
};

/** Kernel settings: once each, in the node's file as in the plan, and no source port that somebody listens on. */
export const sysctls: Check = ({ plan }) => {
  const value = (key: string): string | undefined => plan.sysctls.find((entry) => entry.key === key)?.value;
  const [first = 0, last = 0] = (value("net.ipv4.ip_local_port_range") ?? "32768 60999").split(" ").map(Number);
  const kept = (value("net.ipv4.ip_local_reserved_ports") ?? "").split(",").map((part) => part.split("-").map(Number));
  const lost = listening.filter(
    (port) => first <= port && port <= last && !kept.some(([from = 0, to = from]) => from <= port && port <= to),
  );
  const file = plan.nodes[0]?.files.find(({ path }) => path === "/etc/sysctl.d/90-zerosteal.conf")?.content ?? "";
  const lines = file.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return [
    ...repeated(
      plan.sysctls.map(({ key }) => key),
      "sysctl",
    ),
    ...unless(
      same(
        lines,
        plan.sysctls.map((entry) => `${entry.key} = ${entry.value}`),
      ),
      "the node has other values",
    ),
    ...unless((value("net.ipv4.tcp_congestion_control") === "bbr") === (plan.bbr !== "off"), "BBR on the node"),
    ...unless((value("net.core.default_qdisc") === "fq") === (plan.bbr !== "off"), "fq on the node"),
    ...unless(value("net.ipv4.ip_forward") === "1", "nodes do not forward"),
    ...unless(value("net.ipv4.conf.all.rp_filter") !== "1", "rp_filter breaks Cilium"),
    ...unless(first >= 1024 && last <= 65535 && first < last && first % 2 !== last % 2, "the range of source ports"),
    ...unless(lost.length === 0, `source ports that are listened on: ${lost.join()}`),
  ];
};

/** Artifacts: all that a node needs, each from an address, with a checksum, of the cluster's version. */
export const artifacts: Check = ({ plan }) => {
  const installed = plan.artifacts.flatMap(({ installTo, extract, version }) =>
    (extract
      ? extract.members.map((member) => [extract.to, ...member.split("/").slice(extract.stripComponents)].join("/"))
      : [installTo ?? ""]
    ).map((path) => ({ path, version })),
  );
  const versionOf = (path: string): string | undefined => installed.find((file) => file.path === path)?.version;
  const table = plan.nodes[0]?.files.find(({ path }) => path === "/etc/zerosteal/artifacts.tsv")?.content ?? "";
  const rows = table.split("\n").slice(0, -1);
  return [
    ...["kubeadm", "kubectl", "kubelet"].flatMap((tool) =>
      unless(versionOf(`/usr/local/bin/${tool}`) === plan.versions.kubernetes, `${tool} of another version`),
    ),
    ...unless(versionOf("/usr/local/bin/containerd") === plan.versions.containerd, "containerd"),
    ...unless(versionOf("/usr/local/sbin/runc") === plan.versions.runc, "runc"),
    ...["/usr/local/bin/containerd-shim-runc-v2", "/opt/cni/bin/loopback"].flatMap((path) =>
      unless(versionOf(path) !== undefined, `nothing installs ${path}`),
    ),
    ...plan.artifacts.flatMap(({ name, url, sha256 }) => [
      ...unless(/^https?:\/\/[^\s@"']+$/.test(url), `${name} from ${url}`),
      ...unless(/^[0-9a-f]{64}$/.test(sha256), `${name}'s checksum`),
    ]),
    ...unless(rows.length === plan.artifacts.length, `${rows.length} rows`),
    ...rows.flatMap((row) => {
      const [, , sum = "", url = "", kind = "", target = "", ...rest] = row.split("\t");
      const fits = sum.length === 64 && url.startsWith("http") && /^(file|tar)$/.test(kind) && target.startsWith("/");
      return unless(fits && rest.length === 2, `row ${row}`);
    }),
  ];
};

/** Versions: Kubernetes that knows the documents, and Cilium as asked for. */
export const versions: Check = ({ plan, args }) => {
  const minor = Number(/^1\.(\d+)\.\d+/.exec(plan.versions.kubernetes)?.[1] ?? "0");
  return [
    ...unless(minor >= 31, `Kubernetes ${plan.versions.kubernetes} does not know v1beta4`),
    ...unless(
      args.kubernetes?.version === undefined || args.kubernetes.version === plan.versions.kubernetes,
      "Kubernetes",
    ),
    ...unless(args.cilium?.version === undefined || args.cilium.version === plan.versions.cilium, "Cilium"),
    ...unless(plan.cilium.version === plan.versions.cilium, "two versions of Cilium"),
    ...unless(
      (plan.cilium.repository === undefined) === /^(oci:|[./])|\.tgz$/.test(plan.cilium.chart),
      "the repository",
    ),
  ];
};

/** Access: two ports, from the ranges that were given, as the cloud or the hosts' own firewall takes them. */
export const access: Check = ({ plan, args }) => {
  const open = plan.firewall.map(({ protocol, port, sourceCidrs }) => ({ protocol, port, sourceCidrs }));
  const rules = plan.nodes[0]?.files.find(({ path }) => path === "/etc/zerosteal/firewall.nft")?.content;
  const ranges = [...args.access.ssh, ...args.access.api];
  const wide = ranges.filter((range) => range.endsWith("/0"));
  return [
    ...unless(
      same(open, [
        { protocol: "tcp", port: "22", sourceCidrs: args.access.ssh },
        { protocol: "tcp", port: "6443", sourceCidrs: args.access.api },
      ]),
      "another firewall",
    ),
    ...unless(args.access.ssh.length > 0 && args.access.api.length > 0, "nobody gets in"),
    ...unless(
      wide.length === 0 || plan.warnings.some(({ rule }) => rule === "access-open-to-all"),
      `${wide.join()} unsaid`,
    ),
    ...ranges.flatMap((range) => unless(range.includes(":") || rangeOf(range).bits >= 0, `${range} is no range`)),
    ...unless((rules === undefined) === (plan.underlay.kind === "hetzner"), "a host's firewall"),
    ...unless(
      plan.underlay.kind === "hosts" || open.every(({ sourceCidrs }) => sourceCidrs.length <= 100),
      "more ranges than the cloud takes",
    ),
    ...(rules === undefined
      ? []
      : [
          ...unless(rules.includes("policy drop;"), "the host's firewall is open"),
          ...plan.nodes.flatMap(({ privateAddress }) =>
            unless(rules.includes(privateAddress), `${privateAddress} is shut out`),
          ),
          ...ranges
            .filter((range) => wide.length === 0 && !rules.includes(range))
            .map((range) => `${range} is shut out`),
        ]),
  ];
};
