import { hostsCluster } from "../clusters";
import type { Mistake } from "./table";

export const encryptionMistakes: Mistake[] = [
  {
    rule: "dsr-past-wireguard",
    what: "an IP option",
    make: (args) => {
      args.network = { encryption: "wireguard" };
      args.cilium = { values: { loadBalancer: { mode: "hybrid" } } };
    },
    lines: [
      'cilium.values.loadBalancer.mode: hybrid needs an underlay without source checks; Hetzner Cloud networks drop it; use snat, or externalTrafficPolicy: Local (or accept: ["dsr-needs-unchecked-sources"])',
      'cilium.values.loadBalancer.mode: hybrid sends requests to Services from node to node in clear, beside network.encryption: wireguard; leave it out for snat, or use dsrDispatch: geneve (or accept: ["dsr-past-wireguard"])',
    ],
  },
  {
    rule: "encryption-off",
    what: "strict mode without encryption",
    make: (args) => (args.cilium = { values: { encryption: { strictMode: { egress: { enabled: true } } } } }),
    lines: [
      'cilium.values.encryption.strictMode.egress.enabled: nothing is encrypted, so it does nothing; set network.encryption to "wireguard", or leave it out',
    ],
  },
  {
    rule: "xdp-past-wireguard",
    what: "both",
    make: (args) => (args.network = { encryption: "wireguard", xdp: "best-effort" }),
    lines: [
      'network.xdp: best-effort sends requests to Services on to other nodes past WireGuard; leave it out, or network.encryption (or accept: ["xdp-past-wireguard"])',
    ],
  },
  {
    rule: "xdp-needs-small-packets",
    what: "jumbo packets",
    make: (args) => {
      const hosts = hostsCluster();
      Object.assign(args, hosts, { underlay: { ...hosts.underlay, mtu: 9000 }, network: { xdp: "best-effort" } });
    },
    lines: [
      'network.xdp: a network of 9000 bytes is more than the 3498 that XDP takes; leave it out, or lower the MTU of the NICs and underlay.mtu (or accept: ["xdp-needs-small-packets"])',
    ],
  },
];

/** Mistakes about routes that Cilium makes itself. */
export const routeMistakes: Mistake[] = [
  {
    rule: "skip-unreachable-needs-auto-routes",
    what: "on one segment, with the routes off",
    make: (args) => {
      Object.assign(args, { pools: undefined, network: undefined }, hostsCluster());
      args.cilium = { values: { autoDirectNodeRoutes: false, directRoutingSkipUnreachable: true } };
    },
    lines: [
      "cilium.values.directRoutingSkipUnreachable: there are no automatic routes of which some could be left out; leave it out",
    ],
  },
  {
    rule: "skip-unreachable-needs-auto-routes",
    what: "in a tunnel",
    make: (args) => {
      Object.assign(args, { pools: undefined }, hostsCluster(), { network: { tunnel: "vxlan" } });
      args.cilium = { values: { directRoutingSkipUnreachable: true } };
    },
    lines: [
      "cilium.values.directRoutingSkipUnreachable: there are no automatic routes of which some could be left out; leave it out",
    ],
  },
];

export const netkitMistakes: Mistake[] = [
  {
    rule: "netkit-needs-kernel",
    what: "an older image",
    make: (args) => {
      args.underlay.image = "debian-12";
      args.network = { datapath: "netkit" };
    },
    lines: [
      "network.datapath: netkit needs kernel 6.8 or newer, and debian-12 has 6.1; set underlay.image to debian-13 or ubuntu-24.04 or ubuntu-26.04, or leave it out",
    ],
  },
  {
    rule: "netkit-needs-kernel",
    what: "an older image, by Cilium's own value",
    make: (args) => {
      args.underlay.image = "debian-12";
      args.cilium = { values: { bpf: { datapathMode: "netkit-l2" } } };
      args.accept = ["cilium-value-planned"];
    },
    lines: [
      "cilium.values.bpf.datapathMode: netkit-l2 needs kernel 6.8 or newer, and debian-12 has 6.1; set underlay.image to debian-13 or ubuntu-24.04 or ubuntu-26.04, or leave it out",
    ],
  },
  {
    rule: "kernel-unknown",
    what: "netkit on a snapshot",
    make: (args) => {
      args.underlay.image = "123456";
      args.network = { datapath: "netkit" };
    },
    lines: [
      'underlay.image: netkit needs kernel 6.8 or newer, and that of 123456 is not known here; look it up, or use debian-13 or ubuntu-24.04 or ubuntu-26.04 (or accept: ["kernel-unknown"])',
    ],
  },
  {
    rule: "netkit-without-tproxy",
    what: "both",
    make: (args) => {
      args.network = { datapath: "netkit" };
      args.cilium = { values: { bpf: { tproxy: true } } };
    },
    lines: ["cilium.values.bpf.tproxy: true does not go with netkit (network.datapath); leave one of the two out"],
  },
  {
    rule: "netkit-needs-bpf-routing",
    what: "the host's stack",
    make: (args) => {
      args.network = { datapath: "netkit" };
      args.tuning = { bbr: "off" };
      args.cilium = { values: { bpf: { hostLegacyRouting: true } } };
      args.accept = ["masquerade-needs-bpf"];
    },
    lines: [
      'cilium.values.bpf.hostLegacyRouting: netkit needs host routing by BPF, and true takes it away; leave it out, or set network.datapath to "veth"',
    ],
  },
];
