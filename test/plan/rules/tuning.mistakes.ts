import type { ClusterArgs } from "../../../components/plan";
import type { Mistake } from "./table";

const sysctls = (own: Record<string, string | null>) => (args: ClusterArgs) => (args.tuning = { sysctls: own });

export const tuningMistakes: Mistake[] = [
  {
    rule: "sysctl-unknown",
    what: "mistyped",
    make: sysctls({ "net.core.somaxcon": "1024" }),
    lines: ['tuning.sysctls["net.core.somaxcon"]: the tuning table has no such key; did you mean net.core.somaxconn?'],
  },
  {
    rule: "sysctl-value",
    what: "too much",
    make: sysctls({ "net.core.somaxconn": "70000" }),
    lines: [
      'tuning.sysctls["net.core.somaxconn"]: "70000": the value must be a whole number from 128 to 65535; change the value, or leave it out for the profile\'s',
    ],
  },
  {
    rule: "sysctl-value",
    what: "ports of one parity, a filter that breaks Cilium",
    make: sysctls({ "net.ipv4.ip_local_port_range": "10240 65534", "net.ipv4.conf.all.rp_filter": "1" }),
    lines: [
      'tuning.sysctls["net.ipv4.ip_local_port_range"]: "10240 65534": the value must be two ports from 1024 to 65535, the first lower, one even and one odd; change the value, or leave it out for the profile\'s',
      'tuning.sysctls["net.ipv4.conf.all.rp_filter"]: "1": the value must be 0 or 2: 1 breaks Cilium; change the value, or leave it out for the profile\'s',
    ],
  },
  {
    rule: "sysctl-value",
    what: "ports out of order",
    make: sysctls({ "net.ipv4.ip_local_reserved_ports": "6443,22" }),
    lines: [
      'tuning.sysctls["net.ipv4.ip_local_reserved_ports"]: "6443,22": the value must be ports and ranges, sorted, e.g. 6443,30000-32767; change the value, or leave it out for the profile\'s',
    ],
  },
  {
    rule: "sysctl-value",
    what: "keys that no profile sets, out of bounds",
    make: sysctls({
      "net.core.busy_poll": "101",
      "net.core.busy_read": "-1",
      "net.ipv4.tcp_notsent_lowat": "128k",
      "net.netfilter.nf_conntrack_max": "1000",
      "vm.max_map_count": "65530",
    }),
    lines: [
      'tuning.sysctls["net.core.busy_poll"]: "101": the value must be a whole number from 0 to 100; change the value, or leave it out',
      'tuning.sysctls["net.core.busy_read"]: "-1": the value must be a whole number from 0 to 100; change the value, or leave it out',
      'tuning.sysctls["net.ipv4.tcp_notsent_lowat"]: "128k": the value must be a whole number from 4096 to 4294967295; change the value, or leave it out',
      'tuning.sysctls["net.netfilter.nf_conntrack_max"]: "1000": the value must be a whole number from 32768 to 16777216; change the value, or leave it out',
      'tuning.sysctls["vm.max_map_count"]: "65530": the value must be a whole number from 262144 to 2147483647; change the value, or leave it out',
    ],
  },
  {
    rule: "sysctl-value",
    what: "buffers that shrink",
    make: sysctls({ "net.ipv4.tcp_rmem": "4096 131072 65536" }),
    lines: [
      'tuning.sysctls["net.ipv4.tcp_rmem"]: "4096 131072 65536": the value must be three sizes in bytes from 4096 to 1073741824, none below the one before, e.g. 4096 131072 16777216; change the value, or leave it out for the profile\'s',
    ],
  },
  {
    rule: "sysctl-required",
    what: "no forwarding",
    make: sysctls({ "net.ipv4.ip_forward": null }),
    lines: [
      'tuning.sysctls["net.ipv4.ip_forward"]: the key cannot be left to the system: kubeadm refuses to start without it; leave it out for the profile\'s value',
    ],
  },
  {
    rule: "ports-handed-out",
    what: "no reserved ports under the wide range",
    make: sysctls({ "net.ipv4.ip_local_reserved_ports": null }),
    lines: [
      'tuning.sysctls["net.ipv4.ip_local_reserved_ports"]: the kernel would hand out 10248-10259,30000-32767,51871 as source ports, which the cluster listens on; leave it out for the profile\'s value, or set a net.ipv4.ip_local_port_range without them',
    ],
  },
  {
    rule: "ports-handed-out",
    what: "some of the ports left out",
    make: sysctls({
      "net.ipv4.ip_local_port_range": "1024 65535",
      "net.ipv4.ip_local_reserved_ports": "2379-2380,6443,10250,30000-32000",
    }),
    lines: [
      'tuning.sysctls["net.ipv4.ip_local_reserved_ports"]: the kernel would hand out 2381,4240-4245,8472,9878-9893,9962-9964,10248-10249,10251-10259,32001-32767,51871 as source ports, which the cluster listens on; leave it out for the profile\'s value, or set a net.ipv4.ip_local_port_range without them',
    ],
  },
  {
    rule: "ports-handed-out",
    what: "the kernel's own range, where WireGuard's port lies",
    make: sysctls({ "net.ipv4.ip_local_port_range": null, "net.ipv4.ip_local_reserved_ports": null }),
    lines: [
      'tuning.sysctls["net.ipv4.ip_local_reserved_ports"]: the kernel would hand out 51871 as source ports, which the cluster listens on; leave it out for the profile\'s value, or set a net.ipv4.ip_local_port_range without them',
    ],
  },
  {
    rule: "bbr-one-switch",
    what: "by a sysctl, where the profile has none",
    make: (args) => (args.tuning = { profile: "minimal", sysctls: { "net.core.default_qdisc": "fq" } }),
    lines: [
      'tuning.sysctls["net.core.default_qdisc"]: BBR and its queue discipline are one choice; use tuning.bbr ("node-and-pod", "node" or "off"; default "off")',
    ],
  },
  {
    rule: "bbr-one-switch",
    what: "by a sysctl",
    make: sysctls({ "net.ipv4.tcp_congestion_control": "cubic", "net.core.default_qdisc": null }),
    lines: [
      'tuning.sysctls["net.ipv4.tcp_congestion_control"]: BBR and its queue discipline are one choice; use tuning.bbr ("node-and-pod", "node" or "off"; default "node-and-pod")',
      'tuning.sysctls["net.core.default_qdisc"]: BBR and its queue discipline are one choice; use tuning.bbr ("node-and-pod", "node" or "off"; default "node-and-pod")',
    ],
  },
  {
    rule: "bbr-one-switch",
    what: "by Helm",
    make: (args) => (args.cilium = { values: { bandwidthManager: { enabled: true, bbr: false } } }),
    lines: [
      'cilium.values.bandwidthManager: the bandwidth manager writes the nodes\' sysctls: it is part of one choice with BBR; use tuning.bbr ("node-and-pod", "node" or "off"; default "node-and-pod")',
    ],
  },
  {
    rule: "kubelet-planned",
    what: "a CPU policy beside the pool's",
    make: (args) => (args.kubernetes = { kubelet: { cpuManagerPolicy: "static", clusterDNS: ["10.0.0.10"] } }),
    lines: [
      "kubernetes.kubelet.cpuManagerPolicy: the plan sets this itself; use cpuIsolation of the pool",
      "kubernetes.kubelet.clusterDNS: the plan sets this itself; it is the tenth address of network.serviceCidr",
    ],
  },
  {
    rule: "preflight-name",
    what: "a sentence",
    make: (args) => (args.kubernetes = { ignorePreflightErrors: ["all errors"] }),
    lines: [
      'kubernetes.ignorePreflightErrors[0]: "all errors" is not the name of a preflight check; write e.g. "SystemVerification"',
    ],
  },
];

const forPods =
  (podSysctls: string[], tuning: ClusterArgs["tuning"] = {}) =>
  (args: ClusterArgs) =>
    (args.tuning = { ...tuning, podSysctls });

export const podSysctlMistakes: Mistake[] = [
  {
    rule: "pod-sysctl-unknown",
    what: "mistyped",
    make: forPods(["net.core.somaxcon", "net.ipv4.tcp_wmen"]),
    lines: [
      'tuning.podSysctls[0]: the tuning table has no key "net.core.somaxcon"; did you mean net.core.somaxconn?',
      'tuning.podSysctls[1]: the tuning table has no key "net.ipv4.tcp_wmen"; did you mean net.ipv4.tcp_wmem?',
    ],
  },
  {
    rule: "pod-sysctl-unknown",
    what: "strange",
    make: forPods(["kernel.msgmax"]),
    lines: [
      'tuning.podSysctls[0]: the tuning table has no key "kernel.msgmax"; those that pods may set are net.core.somaxconn, net.ipv4.conf.all.rp_filter, net.ipv4.ip_forward, net.ipv4.ip_local_port_range, net.ipv4.ip_local_reserved_ports, net.ipv4.tcp_congestion_control, net.ipv4.tcp_max_syn_backlog, net.ipv4.tcp_mtu_probing, net.ipv4.tcp_notsent_lowat, net.ipv4.tcp_rmem, net.ipv4.tcp_slow_start_after_idle, net.ipv4.tcp_tw_reuse, net.ipv4.tcp_wmem',
    ],
  },
  {
    rule: "pod-sysctl-of-the-node",
    what: "keys of the whole kernel",
    make: forPods(["net.core.netdev_max_backlog", "vm.max_map_count"]),
    lines: [
      "tuning.podSysctls[0]: net.core.netdev_max_backlog belongs to the node's whole kernel, and no pod can set it; leave it out: the node's value is in effect for pods too",
      "tuning.podSysctls[1]: vm.max_map_count belongs to the node's whole kernel, and no pod can set it; leave it out: the node's value is in effect for pods too",
    ],
  },
  {
    rule: "pod-sysctl-without-value",
    what: "left to the system by the profile, by an override, and without BBR",
    make: forPods(["net.core.somaxconn", "net.ipv4.conf.all.rp_filter", "net.ipv4.tcp_congestion_control"], {
      profile: "minimal",
      sysctls: { "net.ipv4.conf.all.rp_filter": null },
    }),
    lines: [
      "tuning.podSysctls[0]: the plan leaves net.core.somaxconn to the system, so it has no value for pods; give it one in tuning.sysctls, or leave it out",
      "tuning.podSysctls[1]: the plan leaves net.ipv4.conf.all.rp_filter to the system, so it has no value for pods; give it one in tuning.sysctls, or leave it out",
      "tuning.podSysctls[2]: the plan leaves net.ipv4.tcp_congestion_control to the system, so it has no value for pods; leave it out: BBR is off",
    ],
  },
  {
    rule: "pod-sysctl-kubelet",
    what: "a text in place of the kubelet's list",
    make: (args) => {
      args.tuning = { podSysctls: ["net.core.somaxconn"] };
      args.kubernetes = { kubelet: { allowedUnsafeSysctls: "kernel.msg*" } };
    },
    lines: [
      'kubernetes.kubelet.allowedUnsafeSysctls: it is no list of texts, and tuning.podSysctls is merged with it; write e.g. ["kernel.msg*"], or leave it out',
    ],
  },
];
