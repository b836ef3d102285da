import type { HetznerUnderlayArgs } from "./hetznerTypes";
import type { HostsUnderlayArgs } from "./hostsTypes";
import type { TuningArgs } from "./tuningTypes";

export type * from "./hetznerTypes";
export type * from "./hostsTypes";
export type * from "./planTypes";
export type * from "./tuningTypes";

/** One problem of the arguments: where it is, what is wrong, what to do. */
export interface Problem {
  /** Rule id, stable, for `accept` and for tests, e.g. `pod-cidr-overlaps-nodes`. */
  rule: string;
  /** Path of the argument, e.g. `pools[0].count`. */
  path: string;
  /** One sentence: what was found and what is wrong with it. */
  message: string;
  /** One sentence: what to do. */
  fix: string;
  /** Whether `accept` may turn this refusal into a warning. */
  acceptable: boolean;
}

/** How the CPUs of a pool's nodes are shared between pods and the system. */
export type CpuIsolation = "none" | "static" | "strict";

/** How pods' packets travel between nodes: as they are, or wrapped in packets of the nodes. */
export type Tunnel = "none" | "vxlan" | "geneve";

/** Whether pods' packets between nodes are encrypted. */
export type Encryption = "none" | "wireguard";

/** Kind of device that a pod's network interface is. */
export type Datapath = "veth" | "netkit";

/** Whether Services are answered in the NIC's driver. */
export type Xdp = "disabled" | "best-effort";

/** A Kubernetes taint. */
export interface Taint {
  /** Qualified name, e.g. `example.com/dedicated`. */
  key: string;
  /** Default: none. */
  value?: string;
  /** What happens to pods that do not tolerate it. */
  effect: "NoSchedule" | "PreferNoSchedule" | "NoExecute";
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
  extract?: {
    /** Folder, absolute. */
    to: string;
    /** How many leading folders of each member's name to drop. */
    stripComponents: number;
    /** Names as the archive has them. */
    members: string[];
  };
}

/** Replaces the upstream table of node artifacts, for air-gapped installs and mirrors. */
export interface ArtifactSource {
  /** Prefix for relative URLs, e.g. `http://mirror.internal:8080/`. */
  baseUrl: string;
  /** Everything that a node installs, for its architecture. */
  manifest: NodeArtifact[];
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
  labels?: Record<string, string>;
  /** Taints of its Nodes, from before they join. Default: none. */
  taints?: Taint[];
}

/** Where machines and their private network come from. */
export type UnderlayArgs = HetznerUnderlayArgs | HostsUnderlayArgs;

/** Arguments of a cluster, all plain values: topology never depends on an Output. */
export interface ClusterArgs {
  /** Where machines and their private network come from. */
  underlay: UnderlayArgs;
  /** Who may reach the nodes' public addresses. Both lists must be given and not be empty: nothing is open by default. */
  access: {
    /** CIDRs that may reach SSH, e.g. `["203.0.113.7/32"]`. The machine that runs the update must be among them. */
    ssh: string[];
    /** CIDRs that may reach the Kubernetes API, likewise. */
    api: string[];
  };
  /** The nodes that run the API, etcd and the controllers. */
  controlPlane: {
    /** How many. Default 1, which is all that is supported. */
    count?: number;
    /** Server type of the cloud, e.g. `ccx13`. Required with `hetzner`; with `hosts` the machine says what it has. */
    serverType?: string;
  };
  /** Pools of workers. Default: none. */
  pools?: PoolArgs[];
  /** Address ranges of pods and Services, and how many Services to make room for. */
  network?: {
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
  };
  /** Kubernetes itself. */
  kubernetes?: {
    /** Version without a leading `v`. Default: `defaultVersions.kubernetes`, which changes only with a release of this library. */
    version?: string;
    /** Deep-merged into the KubeletConfiguration document, and written as a drop-in of every node, so that a change is an in-place update. */
    kubelet?: Record<string, unknown>;
    /** Names for kubeadm's `ignorePreflightErrors`. */
    ignorePreflightErrors?: string[];
  };
  /** The data plane. */
  cilium?: {
    /** Version without a leading `v`. Default: `defaultVersions.cilium`. */
    version?: string;
    /** Chart name in `repository`, an OCI reference, or a path of a folder or .tgz. Default: upstream's chart. */
    chart?: string;
    /** Helm repository URL; unset with a path or an OCI reference. */
    repository?: string;
    /** Deep-merged last into the Helm values. Removed or unknown keys are problems. */
    values?: Record<string, unknown>;
  };
  /** Kernel settings. */
  tuning?: TuningArgs;
  /** Where nodes fetch their programs. Default: upstream's addresses with their checksums. */
  artifacts?: ArtifactSource;
  /** Registry host -> mirror URL, written to containerd's certs.d, e.g. `{ "registry.k8s.io": "http://10.1.1.1:5000" }`. With http, whoever is on the way chooses what nodes run: images come by name. */
  registryMirrors?: Record<string, string>;
  /** Rule ids whose refusal is accepted; each is repeated as a warning. */
  accept?: string[];
}
