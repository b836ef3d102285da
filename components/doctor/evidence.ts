import type { Certificate, KubeletReading, MachineReading, WindowReading } from "./evidenceMachine";

export type * from "./evidenceMachine";

/** Something that was looked for: seen with its value, or the reason why it could not be seen. */
export type Seen<T> = { value: T } | { unseen: string };

/** The value, or undefined where it was not seen. */
export function valueOf<T>(seen: Seen<T>): T | undefined {
  return "value" in seen ? seen.value : undefined;
}

/** A Node object, as far as checks read it. */
export interface NodeEvidence {
  name: string;
  ready: boolean;
  /** The kubelet's own words on Ready. */
  readyMessage: string;
  /** Whether its kubelet has been silent for longer than a restart takes: waiting will not mend it. */
  lost: boolean;
  networkUnavailable: boolean;
  /** `key[=value]:effect`, sorted. */
  taints: string[];
  podCidr?: string;
  internalIp?: string;
  externalIps: string[];
  kubeletVersion: string;
  /** As the node tells them: `containerd://2.3.4`, `6.12.5-amd64`. */
  containerRuntimeVersion: string;
  kernelVersion: string;
}

/** What `cilium-dbg status -o json` says on one node. */
export interface CiliumStatus {
  version: string;
  kubeProxyReplacement: string;
  /** Devices with Cilium's programs, by name. */
  devices: string[];
  directRoutingDevice: string;
  /** Addresses of that device. */
  directRoutingAddresses: string[];
  /** `Native` or `Tunnel`. */
  routingMode: string;
  /** `BPF` or `Legacy`. */
  hostRouting: string;
  /** `BPF`, `iptables` or `disabled`. */
  masquerading: string;
  /** Destinations that are not masqueraded. */
  nativeRoutingCidr: string;
  /** NodePort mode: `SNAT`, `DSR`, `Hybrid`, or empty where NodePort is off. */
  loadBalancerMode: string;
  /** Kind of the pods' devices: `veth`, `netkit` or `netkit-l2`; empty where the agent does not tell. */
  deviceMode: string;
  /** `Disabled`, `Wireguard`, `IPsec`, …; agents without encryption leave it out. */
  encryption: string;
  /** Nodes that WireGuard has a key of; 0 without it. */
  encryptionPeers: number;
  /** `off`, `on`, `on with bbr`. */
  bandwidthManager: string;
}

/** What an agent found out about another node or its own. It looks at each some times in four minutes. */
export interface HealthPeer {
  node: string;
  /** What did not answer, and how: `ICMP of the node: Connection timed out`. */
  faults: string[];
  /** The same of before this run. */
  earlierFaults: string[];
}

/** An agent's counters at both ends of a window of some seconds, and what it knows meanwhile. */
export interface AgentWindow {
  /** Packets that were dropped since the node's programs were loaded, by reason. */
  drops: { first: Record<string, number>; last: Record<string, number> };
  /** Share of each map that is taken, 0 to 1. */
  pressure: Record<string, number>;
  health: Seen<HealthPeer[]>;
}

/** One agent of the Cilium DaemonSet. */
export interface CiliumAgent {
  node: string;
  pod: string;
  ready: boolean;
  status: Seen<CiliumStatus>;
  window: Seen<AgentWindow>;
}

/** A kernel setting as a file of /proc/sys. `writable` is the file's mode, not the caller's mount. */
export interface SysctlReading {
  present: boolean;
  writable: boolean;
  value: string;
}

/** Who said no to a packet: see checks/mtu.ts. */
export interface PingResult {
  sent: number;
  received: number;
  /** Lines `local error: message too long` or a full send queue: the sender's own kernel refused. */
  refusedLocally: boolean;
  /** `From ADDRESS … Frag needed`: who asked for smaller packets, and the MTU that was named. */
  refusedBy?: { address: string; mtu: number };
  /** Text of any other complaint, e.g. `Destination Host Unreachable`. */
  complaint?: string;
  /** Round trip of each answer, milliseconds; absent without one. */
  milliseconds?: number[];
}

/** One fresh TCP connect. */
export interface ConnectResult {
  ok: boolean;
  milliseconds: number;
  error?: string;
}

/** One lookup. */
export interface LookupResult {
  /** Addresses of the answer; empty when there was none. */
  addresses: string[];
  milliseconds: number;
  error?: string;
}

/** What the sender believes about a destination. */
export interface RouteReading {
  device: string;
  /** Bytes: of the route, else of its device. */
  mtu: number;
}

/** How many packet filter lines of a kube-proxy one tool saw. */
export interface RuleCount {
  tool: string;
  lines: number;
  error?: string;
}

/** What the probe on the node's own network saw. Maps are keyed by the name of the other node. */
export interface HostProbe {
  /** The machine's init lives outside the kernel's first PID namespace. */
  machineIsContainer: boolean;
  machine: MachineReading;
  /** Programs that run there and set the clock. */
  timeServices: string[];
  /** Of the control plane's processes; none on other nodes. */
  certificates: Certificate[];
  /** IPv4 addresses of this node. */
  addresses: string[];
  resolvers: string[];
  sysctls: Record<string, SysctlReading>;
  kubeProxyRules: RuleCount[];
  /** Keyed by `host:port`. */
  connects: Record<string, ConnectResult>;
  routes: Record<string, RouteReading>;
  /** Small packets. */
  reach: Record<string, PingResult>;
  /** What each `host:port` answered that was asked whether its API is ready: an HTTP status, or a complaint. */
  readyz: Record<string, string>;
  /** Kinds of queues by device, without those that only hold others. */
  qdiscs: Record<string, string[]>;
  /** Packets of exactly the node MTU. */
  exact: Record<string, PingResult>;
}

/** What the probe on the pod network saw. Maps are keyed by the name of the other node. */
export interface PodProbe {
  address: string;
  nameservers: string[];
  sysctls: Record<string, SysctlReading>;
  lookups: LookupResult[];
  apiConnects: ConnectResult[];
  /** Keyed by `host:port`. */
  connects: Record<string, ConnectResult>;
  /** Small packets to the other node's probe pod. */
  reach: Record<string, PingResult>;
  /** To the other node's probe pod. */
  routes: Record<string, RouteReading>;
  /** Packets of exactly the pod MTU, and one byte more, to the other node's probe pod. */
  exact: Record<string, PingResult>;
  oneMore: Record<string, PingResult>;
  /** One byte more than the node MTU, to the other node itself. */
  nodeOneMore: Record<string, PingResult>;
}

/** Both probes of one node. */
export interface NodeProbes {
  node: string;
  host: Seen<HostProbe>;
  pod: Seen<PodProbe>;
  window: Seen<WindowReading>;
  /** Why a probe pod does not run although the node is Ready. */
  notStarted: string[];
}

/** Everything that checks read. Collected once, judged by pure functions. */
export interface Evidence {
  /** Name of the cluster in the kubeconfig. */
  contextCluster: string;
  server: string;
  /** When it was collected, milliseconds since 1970. */
  takenAt: number;
  /** Of the kubeconfig's user; none where it signs in otherwise. */
  ownCertificates: Certificate[];
  nodes: NodeEvidence[];
  kubeProxy: Seen<{ daemonSet: boolean; configMap: boolean; pods: number }>;
  /** The Service kubernetes.default. */
  apiService: Seen<{ clusterIp: string; port: number }>;
  /** Each `host:port` by which nodes themselves reach the API. */
  apiEndpoints: Seen<string[]>;
  /** Node ports of Services, and each public `address:port` of them that let this machine in. */
  nodePorts: Seen<{ ports: number[]; tried: number; open: string[] }>;
  agents: Seen<CiliumAgent[]>;
  /** By the node's name. */
  kubelets: Record<string, Seen<KubeletReading>>;
  probes: NodeProbes[];
  /** Why the probe pods could not be removed; undefined: they are. */
  leftBehind?: string;
  /** Each `host:port` that may stand for the outside, the best first; `asked` when the caller named it. */
  egressTargets: { target: string; asked: boolean }[];
  cloud: Seen<{ networkName: string; found: boolean; routes: { destination: string; gateway: string }[] }>;
}

/** The probes of one node, or undefined. */
export function probesOf(evidence: Evidence, node: string): NodeProbes | undefined {
  return evidence.probes.find((probes) => probes.node === node);
}
