/* Made by `npm run docs` from the library's arguments. Change it there. */

/** Arguments of a cluster, all plain values: topology never depends on an Output. */
export interface ClusterSettings {
  /** Who may reach the nodes' public addresses. Both lists must be given and not be empty: nothing is open by default. */
  access: ClusterAccessArgs;
  /** The nodes that run the API, etcd and the controllers. */
  controlPlane: ClusterControlPlaneArgs;
  /** Pools of workers. Default: none. */
  pools?: PoolArgs[];
  /** Address ranges of pods and Services, and how many Services to make room for. */
  network?: ClusterNetworkArgs;
  /** Kubernetes itself. */
  kubernetes?: ClusterKubernetesArgs;
  /** The data plane. */
  cilium?: ClusterCiliumArgs;
  /** Kernel settings. */
  tuning?: TuningArgs;
  /** Where nodes fetch their programs. Default: upstream's addresses with their checksums. */
  artifacts?: ArtifactSource;
  /** Registry host -> mirror URL, written to containerd's certs.d, e.g. `{ "registry.k8s.io": "http://10.1.1.1:5000" }`. With http, whoever is on the way chooses what nodes run: images come by name. */
  registryMirrors?: { [key: string]: string };
  /** Rule ids whose refusal is accepted; each is repeated as a warning. */
  accept?: string[];
}

/** Who may reach the nodes' public addresses. Both lists must be given and not be empty: nothing is open by default. */
export interface ClusterAccessArgs {
  /** CIDRs that may reach SSH, e.g. `["203.0.113.7/32"]`. The machine that runs the update must be among them. */
  ssh: string[];
  /** CIDRs that may reach the Kubernetes API, likewise. */
  api: string[];
}

/** The nodes that run the API, etcd and the controllers. */
export interface ClusterControlPlaneArgs {
  /** How many. Default 1, which is all that is supported. */
  count?: number;
  /** Server type of the cloud, e.g. `ccx13`. Required with `hetzner`; with `hosts` the machine says what it has. */
  serverType?: string;
}

/** Arguments of a pool of workers. */
export interface PoolArgs {
  /** DNS label, at most 20 characters; part of the node names `<cluster>-<pool>-<index>`. */
  name: string;
  /** How many workers. Whole number from 0. */
  count: number;
  /**
   * Node number of the pool's first worker, 11 or higher; default 11. Worker i has the number `firstNumber + i - 1`, which is the
   * host part of its private address and the index of its pod CIDR (see `addresses.ts`). It is part of the pool's identity: keep
   * it for good. A second pool must give its own, with room for the first to grow.
   */
  firstNumber?: number;
  /** Server type of the cloud, e.g. `ccx23`. Required with `hetzner`; with `hosts` each machine says what it has. */
  serverType?: string;
  /**
   * Subnet of the pool's nodes, inside the private network, e.g. `10.0.1.0/24`. Default: `underlay.nodeSubnet`. Pools may share one. A worker's
   * address is its number's in there. With `hetzner` only: hosts say where they are. It cannot change under running nodes.
   */
  subnet?: string;
  /**
   * Default `none`. `static`: Guaranteed pods with whole CPUs get them alone, and the CPUs reserved for the system take the interrupts.
   * `strict`: besides, no pod runs on the reserved CPUs and no daemon elsewhere, and where CPUs are threads pods get whole cores, so
   * they must ask for an even number; needs dedicated CPUs. `isolcpus` on a machine's kernel command line is refused.
   */
  cpuIsolation?: CpuIsolation;
  /** Labels of its Nodes, beside those that the plan gives. Default: none. */
  labels?: { [key: string]: string };
  /** Taints of its Nodes, from before they join. Default: none. */
  taints?: Taint[];
}

/** How the CPUs of a pool's nodes are shared between pods and the system. */
export const CpuIsolation = {
  None: "none",
  Static: "static",
  Strict: "strict",
} as const;
export type CpuIsolation = (typeof CpuIsolation)[keyof typeof CpuIsolation];

/** A Kubernetes taint. */
export interface Taint {
  /** Qualified name, e.g. `example.com/dedicated`. */
  key: string;
  /** Default: none. */
  value?: string;
  /** What happens to pods that do not tolerate it. */
  effect: TaintEffect;
}

/** What happens to pods that do not tolerate it. */
export const TaintEffect = {
  NoSchedule: "NoSchedule",
  PreferNoSchedule: "PreferNoSchedule",
  NoExecute: "NoExecute",
} as const;
export type TaintEffect = (typeof TaintEffect)[keyof typeof TaintEffect];

/** Address ranges of pods and Services, and how many Services to make room for. */
export interface ClusterNetworkArgs {
  /**
   * Range of the pods' addresses, of which each node has its part. Default `10.244.0.0/16`. Must lie outside the nodes' subnet and, with
   * native routing on Hetzner Cloud, inside the private network.
   */
  podCidr?: string;
  /** Range of the Services' ClusterIPs. Default `10.96.0.0/12`. */
  serviceCidr?: string;
  /** Prefix length of each node's part of the pod CIDR. Default 24. */
  nodePodCidrBits?: number;
  /**
   * Default `none`: native routing, by one network route a node on Hetzner Cloud, by Cilium's own routes on one segment. `vxlan` and `geneve` wrap pods' packets instead: no routes are made and
   * the pod CIDR may lie anywhere, at the price of 50 bytes a packet and more CPU. Choose before the first pod runs: it cannot change
   * under running pods.
   */
  tunnel?: Tunnel;
  /**
   * Default `none`. `wireguard` encrypts what pods send to pods of other nodes, at the price of CPU on both and of 95 bytes a packet (80 before
   * Cilium 1.19.5), with a tunnel 145. Packets to and from the nodes themselves, and within a node, stay as they are. UDP port 51871 is used
   * between the nodes.
   */
  encryption?: Encryption;
  /**
   * Default `veth`. `netkit` leaves out the queue between pod and node, so that a pod's path is as short as the node's own; upstream calls it beta.
   * Needs kernel 6.8 and host routing by BPF. Choose before the first pod runs: an agent does not start beside pods of the other kind.
   */
  datapath?: Datapath;
  /**
   * Default `disabled`. `best-effort` answers Services that have their backend on another node in the driver of each NIC that can. Virtio NICs need
   * spare queues for it and may be slower than without; what the driver sends on is seen by no tcpdump. Measure before you keep it.
   */
  xdp?: Xdp;
  /** Services to make room for in Cilium's maps, each counted once for every port, thrice with a NodePort. Default 5000. Past the room Services go missing. A change that makes the maps larger interrupts connections: say early what you expect. */
  expectedServices?: number;
  /** Average number of endpoints of a Service, which take room in the same maps. Default 10. */
  expectedEndpointsPerService?: number;
}

/** How pods' packets travel between nodes: as they are, or wrapped in packets of the nodes. */
export const Tunnel = {
  None: "none",
  Vxlan: "vxlan",
  Geneve: "geneve",
} as const;
export type Tunnel = (typeof Tunnel)[keyof typeof Tunnel];

/** Whether pods' packets between nodes are encrypted. */
export const Encryption = {
  None: "none",
  Wireguard: "wireguard",
} as const;
export type Encryption = (typeof Encryption)[keyof typeof Encryption];

/** Kind of device that a pod's network interface is. */
export const Datapath = {
  Veth: "veth",
  Netkit: "netkit",
} as const;
export type Datapath = (typeof Datapath)[keyof typeof Datapath];

/** Whether Services are answered in the NIC's driver. */
export const Xdp = {
  Disabled: "disabled",
  BestEffort: "best-effort",
} as const;
export type Xdp = (typeof Xdp)[keyof typeof Xdp];

/** Kubernetes itself. */
export interface ClusterKubernetesArgs {
  /** Version without a leading `v`. Default: `defaultVersions.kubernetes`, which changes only with a release of this library. */
  version?: string;
  /** Deep-merged into the KubeletConfiguration document, and written as a drop-in of every node, so that a change is an in-place update. */
  kubelet?: { [key: string]: any };
  /** Names for kubeadm's `ignorePreflightErrors`. */
  ignorePreflightErrors?: string[];
}

/** The data plane. */
export interface ClusterCiliumArgs {
  /** Version without a leading `v`. Default: `defaultVersions.cilium`. */
  version?: string;
  /** Chart name in `repository`, an OCI reference, or a path of a folder or .tgz. Default: upstream's chart. */
  chart?: string;
  /** Helm repository URL; unset with a path or an OCI reference. */
  repository?: string;
  /** Deep-merged last into the Helm values. Removed or unknown keys are problems. */
  values?: { [key: string]: any };
}

/** Kernel settings of nodes, and which of them pods may set for themselves. */
export interface TuningArgs {
  /** Column of the tuning table that the nodes get. Default `latency`. */
  profile?: TuningProfile;
  /** Which sockets use BBR. Default: the profile's, `node-and-pod` for `latency` and `throughput`, `off` for `minimal`. */
  bbr?: BbrScope;
  /**
   * Per-key override of the profile, in the kernel's own units; `null` leaves the key to the system. A key of the table that no
   * profile sets gets its value here. Default: none.
   */
  sysctls?: { [key: string]: any };
  /**
   * Transparent huge pages. Default: `madvise` for `latency` and `throughput`, since making pages whole stalls programs at moments that
   * they do not choose; `system` for `minimal`.
   */
  transparentHugePages?: HugePages;
  /**
   * Keys of the table that pods may set in their own `securityContext`, since most of a node's values do not reach pods: a listener
   * in a pod stays at the kernel's `net.core.somaxconn`. Those that Kubernetes counts as unsafe join the kubelet's
   * `allowedUnsafeSysctls`; `podSecurityContext(plan)` has the values. Keys of the whole kernel are refused. Default: none.
   */
  podSysctls?: string[];
}

/**
 * What the nodes' kernel settings are chosen for. `latency`: answers without delay under bursts. `throughput`: the same, and socket
 * buffers for long, fast paths. `minimal`: only what a cluster does not work without, or what protects it; no BBR.
 */
export const TuningProfile = {
  Latency: "latency",
  Throughput: "throughput",
  Minimal: "minimal",
} as const;
export type TuningProfile = (typeof TuningProfile)[keyof typeof TuningProfile];

/** Which sockets use BBR: those of nodes and pods, of nodes only, or none (the kernel's own default stays). */
export const BbrScope = {
  NodeAndPod: "node-and-pod",
  Node: "node",
  Off: "off",
} as const;
export type BbrScope = (typeof BbrScope)[keyof typeof BbrScope];

/**
 * Memory in pages of 2 MiB: for all programs, for those that ask for it (`madvise`), for none, or as the system has it.
 */
export const HugePages = {
  Always: "always",
  Madvise: "madvise",
  Never: "never",
  System: "system",
} as const;
export type HugePages = (typeof HugePages)[keyof typeof HugePages];

/** Replaces the upstream table of node artifacts, for air-gapped installs and mirrors. */
export interface ArtifactSource {
  /** Prefix for relative URLs, e.g. `http://mirror.internal:8080/`. */
  baseUrl: string;
  /** Everything that a node installs, for its architecture. */
  manifest: NodeArtifact[];
}

/** A downloadable file of a node, as plain data. */
export interface NodeArtifact {
  /** Name of the tool, e.g. `kubelet`. */
  name: string;
  /** Version without a leading `v`, e.g. `1.36.4`. */
  version: string;
  /** Where to fetch it: absolute, or relative to `artifacts.baseUrl`. */
  url: string;
  /** SHA-256 of the fetched file, 64 hex digits. */
  sha256: string;
  /** A single file: where it goes. Exclusive with `extract`. */
  installTo?: string;
  /** A tar archive: which members go into which folder. Exclusive with `installTo`. */
  extract?: NodeArtifactExtractArgs;
}

/** A tar archive: which members go into which folder. Exclusive with `installTo`. */
export interface NodeArtifactExtractArgs {
  /** Folder, absolute. */
  to: string;
  /** How many leading folders of each member's name to drop. */
  stripComponents: number;
  /** Names as the archive has them. */
  members: string[];
}

/** Where machines and their private network come from: a Hetzner Cloud project. */
export interface HetznerUnderlay {
  /** Location of all nodes, e.g. `fsn1`. */
  location: string;
  /**
   * Where data may be: locations (`fsn1`), network zones (`eu-central`) or countries (`DE`). A plan for any other location is refused, so that the list
   * can be kept apart from the choice and reviewed. Default: anywhere.
   */
  allowedLocations?: string[];
  /**
   * Name or id of a network that the project has already. The nodes' subnets and the pods' routes go into it and are removed with the cluster; the
   * network itself, and what others have in it, stays. `networkRange` must say its range: an update compares it with the cloud's answer.
   * Default: a network of its own is made, named like the cluster.
   */
  existingNetwork?: string;
  /** IPv4 range of the private network. Default `10.0.0.0/8`. */
  networkRange?: string;
  /** Subnet of the control plane, and of pools that name no other, inside `networkRange`. Default `10.0.0.0/24`. */
  nodeSubnet?: string;
  /**
   * A vSwitch that couples dedicated servers to the network; all its servers then have an MTU of 1400. Default: none. Say it also when the vSwitch is there
   * already: the MTU is what counts.
   */
  vSwitch?: HetznerUnderlayVSwitchArgs;
  /** Subnets of others in the network; nodes and pods keep out of them. Default: none. */
  otherSubnets?: string[];
  /**
   * Destinations of routes that others have in the network, e.g. `["0.0.0.0/0"]` for a NAT gateway: they count for the network's 100, and the doctor
   * does not call them left over. Default: none.
   */
  otherRoutes?: string[];
  /** How many servers and load balancers of others are attached to the network; they count for its 100. Default 0. */
  otherAttachments?: number;
  /** System image of the nodes. Default `debian-13`. */
  image?: string;
  /** Name or Cilium pattern (`enp+`) of the NIC with the public address. Default `eth0`. */
  publicInterface?: string;
  /** Name or Cilium pattern of the NIC in the private network. Default `enp7s0`, as all server types of today have it; older ones: `ens10`. */
  privateInterface?: string;
}

/**
 * A vSwitch that couples dedicated servers to the network; all its servers then have an MTU of 1400. Default: none. Say it also when the vSwitch is there
 * already: the MTU is what counts.
 */
export interface HetznerUnderlayVSwitchArgs {
  /** Number of the vSwitch, whose subnet is made then. Default: its subnet is there already, in an existing network. */
  id?: number;
  /** Its subnet, inside `networkRange`, e.g. `10.0.2.0/24`. */
  subnet: string;
}

/** Existing machines of any provider, reached by SSH. Nothing of theirs is created or deleted; what the library put on them goes when they leave. */
export interface HostsUnderlay {
  /**
   * How the private addresses reach each other. `l2`: one segment, every node answers ARP of every other, so Cilium makes the pods' routes
   * itself and Services use DSR. `routed`: a router is between them.
   */
  segment: HostsUnderlaySegment;
  /** IPv4 range of the nodes' private addresses, e.g. `10.20.0.0/24`. On `l2` it is the segment's own, as the NICs have it. */
  nodeSubnet: string;
  /** MTU of the path between private addresses, bytes. Default 1500. The preflight and the doctor prove it. */
  mtu?: number;
  /**
   * Whether the network between the nodes drops packets whose source is no address of the sending machine. Default: `false` on `l2`, `true` on
   * `routed`. Many providers check even within a segment: ask yours, since with DSR a backend answers with the Service's address.
   */
  sourceCheck?: boolean;
  /**
   * `routed` without a tunnel only: says that your routers carry each node's pod CIDR to that node (`zerosteal plan` lists them). Default
   * `none`, which is refused there, since pods of different nodes would not reach each other.
   */
  podRoutes?: HostsUnderlayPodRoutes;
  /**
   * `l2` only: range of addresses on the segment that Services of type LoadBalancer get, e.g. `10.20.0.192/27`. Free of machines and of
   * DHCP. Cilium gives them out and answers ARP for them from a worker; when that one dies, another answers within 10 s. Default: none,
   * and such Services stay pending.
   */
  serviceAddresses?: string;
  /** Name or Cilium pattern (`enp+`) of the NIC with the default route. Default `eth0`. May be the private one too. */
  publicInterface?: string;
  /** Name or Cilium pattern of the NIC with the private address. Default `eth1`. The preflight compares it with what it finds. */
  privateInterface?: string;
  /** SSH user: root, or one who may run `sudo -n`. Default `root`. */
  user?: string;
  /** The machines by the last part of their node's name: `control-plane-1`, `<pool>-1`, `<pool>-2`, … One for each node that the pools count. */
  machines: { [key: string]: HostArgs };
}

/**
 * How the private addresses reach each other. `l2`: one segment, every node answers ARP of every other, so Cilium makes the pods' routes
 * itself and Services use DSR. `routed`: a router is between them.
 */
export const HostsUnderlaySegment = {
  L2: "l2",
  Routed: "routed",
} as const;
export type HostsUnderlaySegment = (typeof HostsUnderlaySegment)[keyof typeof HostsUnderlaySegment];

/**
 * `routed` without a tunnel only: says that your routers carry each node's pod CIDR to that node (`zerosteal plan` lists them). Default
 * `none`, which is refused there, since pods of different nodes would not reach each other.
 */
export const HostsUnderlayPodRoutes = {
  None: "none",
  Declared: "declared",
} as const;
export type HostsUnderlayPodRoutes = (typeof HostsUnderlayPodRoutes)[keyof typeof HostsUnderlayPodRoutes];

/** One existing machine. */
export interface HostArgs {
  /** Address or name by which the program reaches it, e.g. `203.0.113.10`. The control plane's is in the kubeconfig. */
  address: string;
  /** Its IPv4 address in `nodeSubnet`. */
  privateAddress: string;
  /**
   * Its public SSH host key, e.g. `ssh-ed25519 AAAA…`, as `ssh-keyscan -t ed25519 ADDRESS` shows it; compare it with the provider's console.
   * A machine that shows another is not talked to.
   */
  hostKey: string;
  /** TCP port of SSH. Default 22. */
  sshPort?: number;
  /** vCPUs. The preflight compares it with what the machine has. */
  cpus: number;
  /** Memory, GiB, rounded up to what the provider sells. */
  memoryGiB: number;
  /** Whether the provider gives the vCPUs to nobody else. Default `false`. */
  dedicatedCpus?: boolean;
}

/** What the doctor needs besides the plan. */
export interface DoctorSettings {
  /** Image of the probe pods. Default: the doctor's own. */
  image?: string;
  /** `host:port` outside of the cluster that pods must reach. Default: the API's address or a node's resolver, if the node itself reaches it. */
  egressTarget?: string;
  /** Seconds in which a new cluster may settle before a finding counts. Default 240. */
  settleSeconds?: number;
}
