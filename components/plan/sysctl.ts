import type { BbrScope, SysctlEntry } from "./types";

/** A row of the tuning table: an entry, plus what an override may say. */
export interface SysctlRow extends SysctlEntry {
  /** Part of the profile under these BBR scopes only; absent: always. */
  bbr?: readonly BbrScope[];
  /** Values an override may have: whole numbers between two bounds, or what a sentence of its own says. */
  range: { least: number; most: number } | { sentence: string; accepts: (value: string) => boolean };
  /** Why `null` (leave the key to the system) is refused; absent: it is allowed. */
  required?: string;
}

/** Ports that the cluster itself listens on above 1023; the kernel must not hand them out as source ports. Sorted and merged, as the kernel prints them. */
export const reservedPorts = "2379-2381,4240-4245,6443,8472,9878-9893,9962-9964,10248-10259,30000-32767,51871";

const article = "Kubernetes Networking Deep Dive (the article behind this project)";
const ipSysctl = "Linux Documentation/networking/ip-sysctl.rst";
const withBbr: readonly BbrScope[] = ["node-and-pod", "node"];

/** The tuning table. Node files, the doctor and the documentation derive from it. Sorted by key. */
export const sysctlProfile: readonly SysctlRow[] = [
  {
    key: "fs.inotify.max_user_instances",
    value: "8192",
    why: "The system's 128 run out with a few dozen pods, since the kubelet and many programs watch files as the same user.",
    source: "kubespray and kubeone set the same",
    podsInherit: false,
    namespaced: false,
    range: { least: 128, most: 1048576 },
  },
  {
    key: "net.core.default_qdisc",
    value: "fq",
    why: "BBR paces its packets; fq does that in the queue, where it costs less CPU than the timers inside TCP.",
    source: article,
    podsInherit: false,
    namespaced: false,
    bbr: withBbr,
    range: { sentence: "is one choice with BBR", accepts: () => false },
  },
  {
    key: "net.core.netdev_max_backlog",
    value: "5000",
    why: "Room for bursts between the NIC and a busy CPU, where packets go through the backlog queue.",
    source: article,
    podsInherit: false,
    namespaced: false,
    range: { least: 1000, most: 1000000 },
  },
  {
    key: "net.core.somaxconn",
    value: "65535",
    why: "Upper bound of a listener's accept queue: a burst of new connections is not refused. Pods start with the kernel's default.",
    source: article,
    podsInherit: false,
    namespaced: true,
    range: { least: 128, most: 65535 },
  },
  {
    key: "net.ipv4.conf.all.rp_filter",
    value: "0",
    why: "With 1 the kernel drops pod packets whose way back is another interface, whatever the interface's own setting says.",
    source: "Cilium documentation, system requirements; the effective value is the greater of `all` and the interface",
    podsInherit: true,
    namespaced: true,
    range: { sentence: "must be 0 or 2: 1 breaks Cilium", accepts: (value) => value === "0" || value === "2" },
  },
  {
    key: "net.ipv4.ip_forward",
    value: "1",
    why: "A node forwards its pods' packets; kubeadm refuses to start without it.",
    source: "kubeadm preflight check FileContent--proc-sys-net-ipv4-ip_forward",
    podsInherit: true,
    namespaced: true,
    range: { sentence: "must be 1: kubeadm refuses to start without it", accepts: (value) => value === "1" },
    required: "kubeadm refuses to start without it",
  },
  {
    key: "net.ipv4.ip_local_port_range",
    value: "10240 65535",
    why: "Twice the kernel's source ports for outgoing connections. The article's 1024 would hand out the ports of etcd, the API and the kubelet.",
    source: `${article}, narrowed; ${ipSysctl}: first and last port of different parity`,
    podsInherit: false,
    namespaced: true,
    range: {
      sentence: "must be two ports from 1024 to 65535, the first lower, one even and one odd",
      accepts: isPortRange,
    },
  },
  {
    key: "net.ipv4.ip_local_reserved_ports",
    value: reservedPorts,
    why: "The ports of etcd, Cilium, the API, the kubelet and NodePorts lie in the port range; none may be taken as a source port.",
    source: "Cilium and Kubernetes port lists; kubespray reserves the NodePorts",
    podsInherit: false,
    namespaced: true,
    range: { sentence: "must be ports and ranges, sorted, e.g. 6443,30000-32767", accepts: isPortList },
  },
  {
    key: "net.ipv4.tcp_congestion_control",
    value: "bbr",
    why: "Holds throughput on paths that lose packets, where the usual cubic backs off.",
    source: article,
    podsInherit: true,
    namespaced: true,
    bbr: withBbr,
    range: { sentence: "is one choice with the queue discipline", accepts: () => false },
  },
  {
    key: "net.ipv4.tcp_max_syn_backlog",
    value: "8192",
    why: "Half-open connections that a listener keeps before it falls back to SYN cookies; somaxconn alone does not raise it.",
    source: ipSysctl,
    podsInherit: false,
    namespaced: true,
    range: { least: 128, most: 1048576 },
  },
  {
    key: "net.ipv4.tcp_mtu_probing",
    value: "1",
    why: "A connection through a path with a smaller MTU that sends no ICMP recovers instead of hanging.",
    source: ipSysctl,
    podsInherit: false,
    namespaced: true,
    range: { least: 0, most: 2 },
  },
  {
    key: "net.ipv4.tcp_slow_start_after_idle",
    value: "0",
    why: "A kept-alive connection answers at full speed after a pause. Cilium's BBR sets the same on the node.",
    source: ipSysctl,
    podsInherit: false,
    namespaced: true,
    range: { least: 0, most: 1 },
  },
  {
    key: "net.ipv4.tcp_tw_reuse",
    value: "1",
    why: "A node that opens many connections to one address reuses ports in TIME-WAIT, protected by timestamps.",
    source: article,
    podsInherit: false,
    namespaced: true,
    range: { least: 0, most: 2 },
  },
];

/**
 * The sysctls of a cluster's nodes: the table's rows for a BBR scope, with overrides.
 * @param overrides key to value; `null` leaves the key to the system. Keys that are no row are ignored: a rule refuses them.
 */
export function sysctlsFor(bbr: BbrScope, overrides: Record<string, string | null> = {}): SysctlEntry[] {
  return sysctlProfile
    .filter((row) => (row.bbr === undefined || row.bbr.includes(bbr)) && overrides[row.key] !== null)
    .map(({ key, value, why, source, podsInherit, namespaced }) => {
      const override = Object.hasOwn(overrides, key) ? overrides[key] : undefined;
      return {
        key,
        value: override ?? value,
        why: override === undefined ? why : "Set by tuning.sysctls.",
        source,
        podsInherit,
        namespaced,
      };
    });
}

/** Kernel modules that the profile needs, sorted. */
export function modulesFor(bbr: BbrScope): string[] {
  return bbr === "off" ? ["overlay"] : ["overlay", "sch_fq", "tcp_bbr"];
}

/** Whether a row takes a value. */
export function acceptsValue(row: SysctlRow, value: string): boolean {
  if ("accepts" in row.range) return row.range.accepts(value);
  return /^(0|[1-9]\d{0,9})$/.test(value) && Number(value) >= row.range.least && Number(value) <= row.range.most;
}

/** What a row takes, as the end of a sentence. */
export function rangeSentence(row: SysctlRow): string {
  if ("sentence" in row.range) return row.range.sentence;
  return `must be a whole number from ${row.range.least} to ${row.range.most}`;
}

function isPortRange(value: string): boolean {
  const match = /^(\d{1,5}) (\d{1,5})$/.exec(value);
  if (match === null) return false;
  const [first, last] = [Number(match[1]), Number(match[2])];
  return first >= 1024 && first < last && last <= 65535 && first % 2 !== last % 2;
}

function isPortList(value: string): boolean {
  let last = 0;
  return value.split(",").every((part) => {
    const match = /^([1-9]\d{0,4})(?:-([1-9]\d{0,4}))?$/.exec(part);
    if (match === null) return false;
    const [from, to] = [Number(match[1]), Number(match[2] ?? match[1])];
    const inOrder = from > last && from <= to && to <= 65535;
    last = to;
    return inOrder;
  });
}
