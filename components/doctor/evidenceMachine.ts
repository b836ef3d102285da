/** Interrupts of a NIC: one for each queue and way. */
export interface NicInterrupt {
  nic: string;
  irq: string;
  /** As the driver calls it, e.g. `virtio1-input.0`. */
  name: string;
  /** CPUs that it does interrupt, as a list. */
  cpus: string;
}

/** CPUs, interrupts and memory of a node, as its kernel shows them. */
export interface MachineReading {
  /** CPUs that the kernel keeps from its scheduler (isolcpus), as a list; empty: none. */
  isolated: string;
  /** Each core's threads as a list; those of one thread too. */
  cores: string[];
  /** Transparent huge pages; empty where the kernel has none. */
  hugePages: string;
  interrupts: NicInterrupt[];
  /** CPUs on which the probe, a pod without CPUs of its own, may run; and those of the kubelet's process. Empty: not seen. */
  probeCpus: string;
  kubeletCpus: string;
}

/** Time of all CPUs since boot, hundredths of a second. */
export interface CpuTicks {
  busy: number;
  idle: number;
  steal: number;
  /** Part of `idle` in which something waited for a disk. */
  ioWait?: number;
}

/** Packets that CPUs took from backlogs since boot, those that found a backlog full, and rounds that ended with work left. */
export interface SoftnetCounts {
  packets: number;
  dropped: number;
  squeezed: number;
}

/** Packets that were cut since boot, those that could not be, and those whose pieces did not come together again. */
export interface FragmentCounts {
  created: number;
  notCut: number;
  notJoined: number;
}

/** A histogram since a program's start: for each upper bound in seconds how many there were up to it. */
export type Histogram = { upTo: number; count: number }[];

/** What the etcd of a node says of itself. */
export interface EtcdReading {
  healthy: boolean;
  hasLeader: boolean;
  isLeader: boolean;
  isLearner: boolean;
  /** Other members that it exchanges messages with. */
  activePeers: number;
  /** Durations of writes to its log, and of commits to its database. */
  fsync: Histogram;
  commit: Histogram;
}

/** How many milliseconds a node's clock is before this program's: no less and no more than that. */
export interface ClockReading {
  atLeast: number;
  atMost: number;
}

/** Counters of a node at both ends of a window of some seconds. */
export interface WindowReading {
  ticks: { first: CpuTicks; last: CpuTicks };
  softnet: { first: SoftnetCounts; last: SoftnetCounts };
  fragments: { first: FragmentCounts; last: FragmentCounts };
  /** Absent where no etcd answers. */
  etcd?: { first: EtcdReading; last: EtcdReading };
  /** Absent where the probe did not tell its time. */
  clock?: ClockReading;
  /** Milliseconds of fresh connections by `host:port`, and why others failed. */
  roundTrips: Record<string, { milliseconds: number[]; error?: string }>;
}

/** A certificate of the control plane. `ends` in milliseconds since 1970. */
export interface Certificate {
  file: string;
  ends: number;
}

/** What a kubelet runs with. */
export interface KubeletReading {
  /** Its CPU manager's policy, `none` or `static`. */
  policy: string;
  reserved: string;
  /** Options of the policy that are on, sorted. */
  options: string[];
}
