import { isPortList, isPortRange, reservedPorts } from "./ports";
import { always, forThroughput, onlyOverride, type SysctlRow, tuned } from "./sysctlRow";
import type { BbrScope } from "./tuningTypes";

const article = "Kubernetes Networking Deep Dive (the article behind this project)";
const ipSysctl = "Linux Documentation/networking/ip-sysctl.rst";
const netSysctl = "Linux Documentation/admin-guide/sysctl/net.rst";
const withBbr: readonly BbrScope[] = ["node-and-pod", "node"];

// 1 Gbit/s over 150 ms of round trip is 18.75 MB under way. The kernel counts up to half of a buffer as overhead: twice that, rounded.
const largestBuffer = 40 * 1024 * 1024;

const bufferSentence =
  "must be three sizes in bytes from 4096 to 1073741824, none below the one before, e.g. 4096 131072 16777216";

/** The tuning table. Node files, the doctor and the documentation derive from it. Sorted by key. */
export const sysctlTable: readonly SysctlRow[] = [
  {
    key: "fs.inotify.max_user_instances",
    profiles: always(
      "8192",
      "The system's 128 run out with a few dozen pods, since the kubelet and many programs watch files as the same user.",
    ),
    source: "kubespray and kubeone set the same",
    podsInherit: false,
    namespaced: false,
    range: { least: 128, most: 1048576 },
  },
  {
    key: "fs.inotify.max_user_watches",
    profiles: onlyOverride(
      "Files that the programs of one user may watch. The kernel sizes it by the machine's memory; each used watch costs about 1 KiB of it.",
    ),
    source: "Linux Documentation/admin-guide/sysctl/fs.rst; kubespray and kubeone set 1048576",
    podsInherit: false,
    namespaced: false,
    range: { least: 8192, most: 16777216 },
  },
  {
    key: "net.core.busy_poll",
    profiles: onlyOverride(
      "Microseconds that poll and select look at the NIC's queue before they sleep: saves an interrupt's delay, and burns the CPU meanwhile.",
    ),
    source: netSysctl,
    podsInherit: false,
    namespaced: false,
    range: { least: 0, most: 100 },
  },
  {
    key: "net.core.busy_read",
    profiles: onlyOverride(
      "Microseconds that a blocking read looks at the NIC's queue before it sleeps: saves an interrupt's delay, and burns the CPU meanwhile.",
    ),
    source: netSysctl,
    podsInherit: false,
    namespaced: false,
    range: { least: 0, most: 100 },
  },
  {
    key: "net.core.default_qdisc",
    profiles: always(
      "fq",
      "BBR paces its packets; fq does that in the queue, where it costs less CPU than the timers inside TCP.",
    ),
    source: article,
    podsInherit: false,
    namespaced: false,
    bbr: withBbr,
    range: { sentence: "is one choice with BBR", accepts: () => false },
    module: "sch_fq",
  },
  {
    key: "net.core.netdev_max_backlog",
    profiles: tuned(
      "5000",
      "Room for bursts between the NIC and a busy CPU, where packets go through the backlog queue.",
      "A cluster works with the kernel's 1000: a larger burst costs retransmissions.",
    ),
    source: article,
    podsInherit: false,
    namespaced: false,
    range: { least: 1000, most: 1000000 },
  },
  {
    key: "net.core.rmem_max",
    profiles: forThroughput(
      String(largestBuffer),
      "Programs that size their receive buffers themselves may ask for as much as TCP's own sizing takes.",
    ),
    source: netSysctl,
    podsInherit: false,
    namespaced: false,
    range: { least: 212992, most: 1073741824 },
  },
  {
    key: "net.core.somaxconn",
    profiles: tuned(
      "65535",
      "Upper bound of a listener's accept queue: a burst of new connections is not refused. Pods start with the kernel's default.",
      "A cluster works with the kernel's 4096.",
    ),
    source: article,
    podsInherit: false,
    namespaced: true,
    range: { least: 128, most: 65535 },
  },
  {
    key: "net.core.wmem_max",
    profiles: forThroughput(
      String(largestBuffer),
      "Programs that size their send buffers themselves may ask for as much as TCP's own sizing takes.",
    ),
    source: netSysctl,
    podsInherit: false,
    namespaced: false,
    range: { least: 212992, most: 1073741824 },
  },
  {
    key: "net.ipv4.conf.all.rp_filter",
    profiles: always(
      "0",
      "With 1 the kernel drops pod packets whose way back is another interface, whatever the interface's own setting says.",
    ),
    source: "Cilium documentation, system requirements; the effective value is the greater of `all` and the interface",
    podsInherit: true,
    namespaced: true,
    range: { sentence: "must be 0 or 2: 1 breaks Cilium", accepts: (value) => value === "0" || value === "2" },
  },
  {
    key: "net.ipv4.ip_forward",
    profiles: always("1", "A node forwards its pods' packets; kubeadm refuses to start without it."),
    source: "kubeadm preflight check FileContent--proc-sys-net-ipv4-ip_forward",
    podsInherit: true,
    namespaced: true,
    range: { sentence: "must be 1: kubeadm refuses to start without it", accepts: (value) => value === "1" },
    required: "kubeadm refuses to start without it",
  },
  {
    key: "net.ipv4.ip_local_port_range",
    profiles: tuned(
      "10240 65535",
      "Twice the kernel's source ports for outgoing connections. The article's 1024 would hand out the ports of etcd, the API and the kubelet.",
      "A cluster works with the kernel's 32768 to 60999.",
    ),
    source: `${article}, narrowed; ${ipSysctl}: first and last port of different parity`,
    podsInherit: false,
    namespaced: true,
    range: {
      sentence: "must be two ports from 1024 to 65535, the first lower, one even and one odd",
      accepts: isPortRange,
    },
    safeForPods: "always",
  },
  {
    key: "net.ipv4.ip_local_reserved_ports",
    profiles: {
      ...always(
        reservedPorts,
        "The ports of etcd, Cilium, the API, the kubelet and NodePorts lie in the port range; none may be taken as a source port.",
      ),
      minimal: {
        value: reservedPorts,
        why: "WireGuard's port lies in the kernel's own port range, and the others in a wider one; none may be taken as a source port.",
      },
    },
    source: "Cilium and Kubernetes port lists; kubespray reserves the NodePorts",
    podsInherit: false,
    namespaced: true,
    range: { sentence: "must be ports and ranges, sorted, e.g. 6443,30000-32767", accepts: isPortList },
    safeForPods: "always",
  },
  {
    key: "net.ipv4.tcp_congestion_control",
    profiles: always("bbr", "Holds throughput on paths that lose packets, where the usual cubic backs off."),
    source: article,
    podsInherit: true,
    namespaced: true,
    bbr: withBbr,
    range: { sentence: "is one choice with the queue discipline", accepts: () => false },
    module: "tcp_bbr",
  },
  {
    key: "net.ipv4.tcp_max_syn_backlog",
    profiles: tuned(
      "8192",
      "Half-open connections that a listener keeps before it falls back to SYN cookies; somaxconn alone does not raise it.",
      "A cluster works with the kernel's own number, and with SYN cookies beyond it.",
    ),
    source: ipSysctl,
    podsInherit: false,
    namespaced: true,
    range: { least: 128, most: 1048576 },
  },
  {
    key: "net.ipv4.tcp_mtu_probing",
    profiles: tuned(
      "1",
      "A connection through a path with a smaller MTU that sends no ICMP recovers instead of hanging.",
      "The cluster's own paths have the planned MTU; only connections to the outside can meet such a path.",
    ),
    source: ipSysctl,
    podsInherit: false,
    namespaced: true,
    range: { least: 0, most: 2 },
  },
  {
    key: "net.ipv4.tcp_notsent_lowat",
    profiles: onlyOverride(
      "Bytes that may wait unsent in a socket: with 131072 an urgent HTTP/2 answer passes those that wait, at the price of more wakeups.",
    ),
    source: ipSysctl,
    podsInherit: false,
    namespaced: true,
    range: { least: 4096, most: 4294967295 },
  },
  {
    key: "net.ipv4.tcp_rmem",
    profiles: forThroughput(
      `4096 131072 ${largestBuffer}`,
      "Receive buffers that grow to twice what 1 Gbit/s has under way in 150 ms (18.75 MB), as up to half of a buffer is overhead.",
    ),
    source: ipSysctl,
    podsInherit: true,
    namespaced: true,
    range: { sentence: bufferSentence, accepts: isBufferSizes },
    safeForPods: "1.32",
  },
  {
    key: "net.ipv4.tcp_slow_start_after_idle",
    profiles: tuned(
      "0",
      "A kept-alive connection answers at full speed after a pause. Cilium's BBR sets the same on the node.",
      "A cluster works with the kernel's 1: a pause costs a few round trips.",
    ),
    source: ipSysctl,
    podsInherit: false,
    namespaced: true,
    range: { least: 0, most: 1 },
  },
  {
    key: "net.ipv4.tcp_tw_reuse",
    profiles: tuned(
      "1",
      "A node that opens many connections to one address reuses ports in TIME-WAIT, protected by timestamps.",
      "The kernel's 2 does the same on loopback alone, and its documentation asks for advice before a change.",
    ),
    source: article,
    podsInherit: false,
    namespaced: true,
    range: { least: 0, most: 2 },
  },
  {
    key: "net.ipv4.tcp_wmem",
    profiles: forThroughput(
      `4096 16384 ${largestBuffer}`,
      "Send buffers that grow to twice what 1 Gbit/s has under way in 150 ms (18.75 MB), as up to half of a buffer is overhead.",
    ),
    source: ipSysctl,
    podsInherit: true,
    namespaced: true,
    range: { sentence: bufferSentence, accepts: isBufferSizes },
    safeForPods: "1.32",
  },
  {
    key: "net.netfilter.nf_conntrack_max",
    profiles: onlyOverride(
      "Connections that the kernel tracks. Cilium keeps its own in BPF maps, so only firewall rules of the node itself need it; each costs some 300 bytes.",
    ),
    source: "Linux Documentation/networking/nf_conntrack-sysctl.rst",
    podsInherit: false,
    namespaced: false,
    range: { least: 32768, most: 16777216 },
    module: "nf_conntrack",
  },
  {
    key: "vm.max_map_count",
    profiles: onlyOverride(
      "Memory areas of one process: Elasticsearch and its like want 262144. Some systems have more already, and programs may count on that.",
    ),
    source: "Linux Documentation/admin-guide/sysctl/vm.rst; Elasticsearch documentation",
    podsInherit: false,
    namespaced: false,
    range: { least: 262144, most: 2147483647 },
  },
];

function isBufferSizes(value: string): boolean {
  if (!/^[1-9]\d{3,9} [1-9]\d{3,9} [1-9]\d{3,9}$/.test(value)) return false;
  const [least = 0, usual = 0, most = 0] = value.split(" ").map(Number);
  return 4096 <= least && least <= usual && usual <= most && most <= 1073741824;
}
