/** Which sockets use BBR: those of nodes and pods, of nodes only, or none (the kernel's own default stays). */
export type BbrScope = "node-and-pod" | "node" | "off";

/**
 * What the nodes' kernel settings are chosen for. `latency`: answers without delay under bursts. `throughput`: the same, and socket
 * buffers for long, fast paths. `minimal`: only what a cluster does not work without, or what protects it; no BBR.
 */
export type TuningProfile = "latency" | "throughput" | "minimal";

/**
 * Memory in pages of 2 MiB: for all programs, for those that ask for it (`madvise`), for none, or as the system has it.
 */
export type HugePages = "always" | "madvise" | "never" | "system";

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
  sysctls?: Record<string, string | null>;
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

/** One kernel setting of a cluster's nodes. */
export interface SysctlEntry {
  /** Dotted name, e.g. `net.core.somaxconn`. */
  key: string;
  /** As the kernel prints it. Ranges are tab-separated there; here with a single space. */
  value: string;
  why: string;
  source: string;
  /**
   * Whether a new pod's network namespace starts with the node's value. (It inherits from the kernel's initial namespace: where a
   * node is a container, that is the host's value, not the node's.)
   */
  podsInherit: boolean;
  /** False: one value for the whole machine's kernel; in a container it belongs to the host. */
  namespaced: boolean;
  /** Pods may set it themselves: `tuning.podSysctls` names it. Absent: it does not. */
  podsMaySet?: true;
}
