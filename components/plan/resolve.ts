import type {
  BbrScope,
  ClusterArgs,
  CpuIsolation,
  Datapath,
  Encryption,
  HugePages,
  Taint,
  TuningProfile,
  Tunnel,
  Xdp,
} from "./types";
import { firstWorkerNumber } from "./addresses";
import { controlPlanePool } from "./names";
import type { Reason } from "./reason";
import type { Tuning } from "./sysctl";
import { profileBbr, profileHugePages } from "./sysctlRow";
import { defaultVersions } from "./versions";

/** Defaults of the arguments that have one. */
export const defaults = {
  networkRange: "10.0.0.0/8",
  nodeSubnet: "10.0.0.0/24",
  image: "debian-13",
  publicInterface: "eth0",
  privateInterface: "enp7s0",
  hostPrivateInterface: "eth1",
  hostMtu: 1500,
  hostUser: "root",
  sshPort: 22,
  controlPlaneCount: 1,
  podCidr: "10.244.0.0/16",
  serviceCidr: "10.96.0.0/12",
  nodePodCidrBits: 24,
  tunnel: "none",
  encryption: "none",
  datapath: "veth",
  xdp: "disabled",
  profile: "latency",
  expectedServices: 5000,
  expectedEndpointsPerService: 10,
  chart: "cilium",
  repository: "https://helm.cilium.io/",
} as const;

/** Why the ranges and the image have these defaults, and what their values must do. */
export const defaultReasons = {
  networkRange: {
    why: "The private network holds nodes and pods, so that its gateway routes both.",
    source: "Hetzner Cloud documentation, networks",
  },
  nodeSubnet: {
    why: "The nodes' private addresses, apart from pods and Services: the cloud refuses a route that meets a subnet.",
    source: "Hetzner Cloud documentation, networks",
  },
  podCidr: {
    why: "Inside the private network and outside its subnets: the gateway then has a route for each node's part.",
    source: "docs/decisions/planned-pod-cidrs.md",
  },
  nodePodCidrBits: {
    why: "Each node's part of the pod CIDR; a /24 has room for the kubelet's 110 pods twice over.",
    source: "Kubernetes documentation, considerations for large clusters",
  },
  serviceCidr: {
    why: "ClusterIPs exist only in the nodes' eBPF maps: the range meets neither nodes nor pods, and the cloud needs no route to it.",
    source: "kubeadm's own default is 10.96.0.0/12",
  },
  image: {
    why: "A stock image whose kernel has what the plan needs: BBR, fq and cgroup v2.",
    source: "Debian 13 release notes: Linux 6.12",
  },
} as const satisfies Record<string, Reason>;

/** What each BBR scope is for. */
export const bbrReasons: Readonly<Record<BbrScope, Reason>> = {
  "node-and-pod": {
    why: "Connections of nodes and pods hold their throughput on paths that lose packets. Sysctls and Cilium's bandwidth manager are set as one.",
    source: "Cilium documentation, bandwidth manager: BBR for pods",
  },
  node: {
    why: "Only the nodes' own connections use BBR; Cilium's bandwidth manager stays off, as it would write the same sysctls.",
    source: "argument tuning.bbr",
  },
  off: { why: "The kernel's own congestion control stays.", source: "argument tuning.bbr" },
};

/** What each choice of huge pages is for. */
export const hugePageReasons: Readonly<Record<HugePages, Reason>> = {
  always: {
    why: "All programs get pages of 2 MiB: fewer misses in the address caches, and stalls while the kernel makes pages whole.",
    source: "Linux Documentation/admin-guide/mm/transhuge.rst",
  },
  madvise: {
    why: "Only programs that ask for pages of 2 MiB get them: nobody else waits while the kernel makes pages whole.",
    source: "Linux Documentation/admin-guide/mm/transhuge.rst; databases such as Redis and MongoDB ask for it",
  },
  never: { why: "No program gets pages of 2 MiB.", source: "argument tuning.transparentHugePages" },
  system: { why: "As the system's image has it.", source: "docs/decisions/tuning-profiles.md" },
};

/** A pool of nodes with defaults filled in; the control plane is one too. */
export interface ResolvedPool {
  name: string;
  role: "control-plane" | "worker";
  count: number;
  firstNumber: number;
  serverType?: string;
  /** Subnet of its own; absent: the underlay's. */
  subnet?: string;
  cpuIsolation: CpuIsolation;
  labels: Record<string, string>;
  taints: Taint[];
}

/** Taint of control plane nodes, as kubeadm sets it. */
export const controlPlaneTaint: Taint = { key: "node-role.kubernetes.io/control-plane", effect: "NoSchedule" };

/** The pools of valid arguments, control plane first. */
export function resolvePools(args: ClusterArgs): ResolvedPool[] {
  const workers = (args.pools ?? []).map((pool): ResolvedPool => ({
    name: pool.name,
    role: "worker",
    count: pool.count,
    firstNumber: pool.firstNumber ?? firstWorkerNumber,
    serverType: pool.serverType,
    subnet: pool.subnet,
    cpuIsolation: pool.cpuIsolation ?? "none",
    labels: pool.labels ?? {},
    taints: pool.taints ?? [],
  }));
  const controlPlane: ResolvedPool = {
    name: controlPlanePool,
    role: "control-plane",
    count: args.controlPlane.count ?? defaults.controlPlaneCount,
    firstNumber: 2,
    serverType: args.controlPlane.serverType,
    cpuIsolation: "none",
    labels: {},
    taints: [controlPlaneTaint],
  };
  return [controlPlane, ...workers];
}

/** Arguments about tuning, of which any part may be absent. */
export interface TuningSource {
  tuning?: {
    profile?: TuningProfile;
    bbr?: BbrScope;
    transparentHugePages?: HugePages;
    sysctls?: Record<string, string | null | undefined>;
    podSysctls?: (string | undefined)[];
  };
}

/** Kernel settings, defaults filled in: without `tuning.bbr` the profile decides about BBR. */
export function resolveTuning({ tuning }: TuningSource): Tuning {
  const profile = tuning?.profile ?? defaults.profile;
  return {
    profile,
    bbr: tuning?.bbr ?? profileBbr[profile],
    hugePages: tuning?.transparentHugePages ?? profileHugePages[profile],
    sysctls: tuning?.sysctls ?? {},
    podSysctls: tuning?.podSysctls?.filter((key) => key !== undefined) ?? [],
  };
}

/** How packets go, defaults filled in. */
export function resolveDataPath({
  tunnel = defaults.tunnel,
  encryption = defaults.encryption,
  datapath = defaults.datapath,
  xdp = defaults.xdp,
}: Partial<NonNullable<ClusterArgs["network"]>> = {}): {
  tunnel: Tunnel;
  encryption: Encryption;
  datapath: Datapath;
  xdp: Xdp;
} {
  return { tunnel, encryption, datapath, xdp };
}

/** How many Services to expect, and endpoints of each. */
export function resolveServices(network: Partial<NonNullable<ClusterArgs["network"]>> = {}): {
  count: number;
  endpoints: number;
} {
  return {
    count: network.expectedServices ?? defaults.expectedServices,
    endpoints: network.expectedEndpointsPerService ?? defaults.expectedEndpointsPerService,
  };
}

/** Versions of valid arguments. */
export function resolveVersions(args: ClusterArgs): { kubernetes: string; cilium: string } {
  return {
    kubernetes: args.kubernetes?.version ?? defaultVersions.kubernetes,
    cilium: args.cilium?.version ?? defaultVersions.cilium,
  };
}

/** Chart of valid arguments: a path or an OCI reference has no repository. */
export function resolveChart(args: ClusterArgs): { chart: string; repository?: string } {
  const chart = args.cilium?.chart ?? defaults.chart;
  if (isChartLocation(chart)) return { chart };
  return { chart, repository: args.cilium?.repository ?? defaults.repository };
}

/** Whether a chart is named by where it lies (path, archive or OCI reference), not by its name in a repository. */
export function isChartLocation(chart: string): boolean {
  return /^(oci:\/\/|\.{0,2}\/)/.test(chart) || chart.endsWith(".tgz");
}
