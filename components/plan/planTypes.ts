import type { JsonObject } from "./merge";
import type { CpuIsolation, Datapath, Encryption, HostArgs, NodeArtifact, Problem, Taint, Tunnel, Xdp } from "./types";
import type { BbrScope, HugePages, SysctlEntry } from "./tuningTypes";

/** A file that a node carries. */
export interface NodeFile {
  path: string;
  /** Octal text, e.g. `0644`. */
  mode: string;
  content: string;
}

/** One network route of the underlay: packets to a node's pods go to that node. */
export interface RoutePlan {
  destination: string;
  gateway: string;
}

/** CPUs of a node. */
export interface CpuPlan {
  isolation: CpuIsolation;
  /** vCPUs. */
  cores: number;
  /** Whether the host gives them to nobody else. */
  dedicated: boolean;
  /** Kept for the system, as the kernel writes a list, e.g. `0-1`; empty without isolation. A machine that shows threads rounds up to whole cores. */
  reserved: string;
}

/** One node, planned whole. */
export interface NodePlan {
  /** Server name = Kubernetes node name = logical name of its resources. */
  name: string;
  role: "control-plane" | "worker";
  /** `control-plane` or the pool's name. */
  pool: string;
  /** Position in its pool, from 1. */
  index: number;
  /** Host part of its private address and index of its pod CIDR. */
  number: number;
  /** Server type of the cloud; absent with `hosts`. */
  serverType?: string;
  /** Subnet of its address; absent with `hosts`. */
  subnet?: string;
  /** Name of the placement group that spreads it over hosts; absent with `hosts`. */
  placementGroup?: string;
  cpu: CpuPlan;
  privateAddress: string;
  podCidr: string;
  /** What the underlay must route to this node. Absent with a tunnel, and on one segment, where Cilium makes the routes. */
  route?: RoutePlan;
  labels: Record<string, string>;
  taints: Taint[];
  /** Files for cloud-init and for the tuning step, sorted by path. No secret in them. */
  files: NodeFile[];
  /** Script that puts the files into effect; idempotent; the same for all nodes, and itself one of `files`. */
  setupScript: string;
  /** cloud-init user data with `ONE_TIME_HOST_KEY` in place of the private host key. At most 32 KiB. Empty with `hosts`. */
  userData: string;
  /** kubeadm document: InitConfiguration + ClusterConfiguration + KubeletConfiguration, or JoinConfiguration with `JOIN_TOKEN` and `CA_CERT_HASH` in place. */
  kubeadm: string;
  /**
   * The Node object as JSON, with `PROVIDER_ID` (the server's id) in place. A worker's is created before its join; the control
   * plane's own Node, which the kubelet registers during init, is patched with it: nobody else gives out pod CIDRs.
   */
  nodeObject: string;
}

/** A group of servers that the cloud keeps on different hosts. Holds at most 10. */
export interface PlacementGroupPlan {
  name: string;
  /** Names of its nodes. */
  nodes: string[];
}

/** A rule of the cloud firewall, public side only, inbound. */
export interface FirewallRulePlan {
  description: string;
  protocol: "tcp" | "udp" | "icmp";
  port?: string;
  sourceCidrs: string[];
}

/** What every underlay has: the capabilities that the data path is chosen by. */
interface UnderlayCapabilities {
  nodeSubnet: string;
  /** Who is next on the way from one node to another: the node itself, or a gateway. */
  nextHop: "direct" | "gateway";
  /** Whether packets are dropped whose source is no address of the sending machine. */
  sourceCheck: boolean;
  /** MTU of the private network, bytes. */
  mtu: number;
  /** Names or Cilium patterns of the nodes' NICs. */
  interfaces: { public: string; private: string };
}

/** Machines and network of a Hetzner Cloud project. */
export interface HetznerUnderlayPlan extends UnderlayCapabilities {
  kind: "hetzner";
  location: string;
  networkZone: string;
  /** Name or id of a network that is there already; absent: one is made. */
  existingNetwork?: string;
  networkRange: string;
  gateway: string;
  /** Subnets to make for nodes, the control plane's first. */
  subnets: string[];
  /** Subnet of a coupled vSwitch; made where its number is known. */
  vSwitch?: { id?: number; subnet: string };
  /** Destinations of routes that others have in the network. */
  otherRoutes: string[];
  image: string;
}

/** Existing machines. */
export interface HostsUnderlayPlan extends UnderlayCapabilities {
  kind: "hosts";
  segment: "l2" | "routed";
  /** SSH user. */
  user: string;
  /** Each node's machine by the node's name. */
  machines: Record<string, Required<HostArgs>>;
  /** What the preflight wants of every machine. */
  preflight: {
    kernel: string;
    modules: string[];
    clockUrl: string;
    /** Addresses that pods are kept from, which can be no resolver of theirs. */
    guarded: string[];
    /** File of the pods' resolvers; empty: as kubeadm chooses. */
    resolvConf: string;
  };
  /** Kubernetes objects that give addresses to Services of type LoadBalancer; absent without a range for them. */
  serviceObjects?: JsonObject[];
}

/** Where machines and their private network come from. */
export type UnderlayPlan = HetznerUnderlayPlan | HostsUnderlayPlan;

/** Everything about a cluster that is known before anything is created. */
export interface ClusterPlan {
  /** Cluster name: DNS label, at most 32 characters. */
  name: string;
  /** On every cloud object of the cluster. */
  labels: Record<string, string>;
  versions: { kubernetes: string; cilium: string; containerd: string; runc: string };
  underlay: UnderlayPlan;
  tunnel: Tunnel;
  encryption: Encryption;
  /** Kind of the pods' devices; cannot change under running pods. */
  datapath: Datapath;
  xdp: Xdp;
  podCidr: string;
  serviceCidr: string;
  clusterDns: string;
  /** MTU of the pods' routes, bytes. */
  podMtu: number;
  /** Name and port of the API: in each node's /etc/hosts and in the certificates. */
  api: { name: string; port: number; privateAddress: string };
  /** Control planes first, then workers pool by pool. */
  nodes: NodePlan[];
  placementGroups: PlacementGroupPlan[];
  /** What every node installs, URLs absolute. */
  artifacts: NodeArtifact[];
  firewall: FirewallRulePlan[];
  sysctls: SysctlEntry[];
  bbr: BbrScope;
  transparentHugePages: HugePages;
  cilium: {
    namespace: string;
    release: string;
    chart: string;
    repository?: string;
    version: string;
    values: Record<string, unknown>;
  };
  /** Refusals that `accept` turned into warnings. */
  warnings: Problem[];
}
