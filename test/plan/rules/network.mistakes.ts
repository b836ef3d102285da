import type { Mistake } from "./table";

export const networkMistakes: Mistake[] = [
  {
    rule: "range-malformed",
    what: "no range",
    make: (args) => (args.network = { podCidr: "10.244/16" }),
    lines: ['network.podCidr: "10.244/16" is not an IPv4 range; write e.g. "10.244.0.0/16"'],
  },
  {
    rule: "range-malformed",
    what: "IPv6",
    make: (args) => (args.network = { serviceCidr: "fd00::/112" }),
    lines: [
      'network.serviceCidr: "fd00::/112" is not an IPv4 range; write e.g. "10.96.0.0/12"; IPv6 is not built: the cloud\'s private networks have none, and no node would get an IPv6 pod CIDR',
    ],
  },
  {
    rule: "range-malformed",
    what: "two families",
    make: (args) => (args.network = { podCidr: "10.244.0.0/16,fd00::/104" }),
    lines: [
      'network.podCidr: "10.244.0.0/16,fd00::/104" is not an IPv4 range; write e.g. "10.244.0.0/16"; IPv6 is not built: the cloud\'s private networks have none, and no node would get an IPv6 pod CIDR',
    ],
  },
  {
    rule: "range-malformed",
    what: "a host part",
    make: (args) => (args.underlay.nodeSubnet = "10.0.0.1/24"),
    lines: ['underlay.nodeSubnet: 10.0.0.1/24 has a host part; write "10.0.0.0/24"'],
  },
  {
    rule: "network-private",
    what: "public addresses",
    make: (args) => {
      args.underlay.networkRange = "8.0.0.0/8";
      args.underlay.nodeSubnet = "8.0.0.0/24";
      args.network = { podCidr: "8.244.0.0/16" };
    },
    lines: ['underlay.networkRange: 8.0.0.0/8 is not a private range of at least 256 addresses; use e.g. "10.0.0.0/8"'],
  },
  {
    rule: "network-private",
    what: "too small",
    make: (args) => {
      args.underlay.networkRange = "10.0.0.0/25";
      args.underlay.nodeSubnet = "10.0.0.0/25";
    },
    lines: [
      'underlay.networkRange: 10.0.0.0/25 is not a private range of at least 256 addresses; use e.g. "10.0.0.0/8"',
      "network.podCidr: 10.244.0.0/16 does not lie inside the private network 10.0.0.0/25; choose a range inside it, or set underlay.networkRange",
    ],
  },
  {
    rule: "node-subnet-outside",
    what: "elsewhere",
    make: (args) => (args.underlay.nodeSubnet = "192.168.1.0/24"),
    lines: [
      "underlay.nodeSubnet: 192.168.1.0/24 does not lie inside the private network 10.0.0.0/8; choose a range inside it, or set underlay.networkRange",
    ],
  },
  {
    rule: "pod-cidr-outside",
    what: "elsewhere",
    make: (args) => (args.network = { podCidr: "172.16.0.0/16" }),
    lines: [
      "network.podCidr: 172.16.0.0/16 does not lie inside the private network 10.0.0.0/8; choose a range inside it, or set underlay.networkRange",
    ],
  },
  {
    rule: "pod-cidr-meets-nodes",
    what: "around them",
    make: (args) => (args.network = { podCidr: "10.0.0.0/16" }),
    lines: [
      "network.podCidr: 10.0.0.0/16 overlaps 10.0.0.0/24 (underlay.nodeSubnet); choose ranges that share no address",
    ],
  },
  {
    rule: "service-cidr-meets-nodes",
    what: "around them",
    make: (args) => (args.network = { serviceCidr: "10.0.0.0/16" }),
    lines: [
      "network.serviceCidr: 10.0.0.0/16 overlaps 10.0.0.0/24 (underlay.nodeSubnet); choose ranges that share no address",
      "network.serviceCidr: 10.0.0.0/16 holds 10.0.0.1, the gateway of the private network; choose a range without it",
    ],
  },
  {
    rule: "service-cidr-meets-pods",
    what: "inside them",
    make: (args) => (args.network = { serviceCidr: "10.244.8.0/22" }),
    lines: [
      "network.serviceCidr: 10.244.8.0/22 overlaps 10.244.0.0/16 (network.podCidr); choose ranges that share no address",
    ],
  },
  {
    rule: "range-reserved",
    what: "the public gateway among the nodes",
    make: (args) => {
      args.underlay.networkRange = "172.16.0.0/12";
      args.underlay.nodeSubnet = "172.31.1.0/24";
      args.network = { podCidr: "172.20.0.0/16" };
    },
    lines: [
      "underlay.nodeSubnet: 172.31.1.0/24 holds 172.31.1.1, the gateway of the servers' public side; choose a range without it",
    ],
  },
  {
    rule: "range-reserved",
    what: "the private gateway among the Services",
    make: (args) => {
      args.underlay.nodeSubnet = "10.1.0.0/24";
      args.network = { serviceCidr: "10.0.0.0/16" };
    },
    lines: [
      "network.serviceCidr: 10.0.0.0/16 holds 10.0.0.1, the gateway of the private network; choose a range without it",
    ],
  },
  {
    rule: "range-unusable",
    what: "loopback and multicast",
    make: (args) => (args.network = { tunnel: "vxlan", podCidr: "127.0.0.0/16", serviceCidr: "239.0.0.0/16" }),
    lines: [
      'network.podCidr: 127.0.0.0/16 meets 127.0.0.0/8, where nobody can have an address; use e.g. "10.244.0.0/16"',
      'network.serviceCidr: 239.0.0.0/16 meets 224.0.0.0/3, where nobody can have an address; use e.g. "10.96.0.0/12"',
    ],
  },
  {
    rule: "service-cidr-size",
    what: "too wide",
    make: (args) => (args.network = { serviceCidr: "172.0.0.0/11" }),
    lines: ["network.serviceCidr: a service range of /11 is more than the API server takes; use /12 to /24"],
  },
  {
    rule: "service-cidr-size",
    what: "too small",
    make: (args) => (args.network = { serviceCidr: "10.96.0.0/26" }),
    lines: ["network.serviceCidr: a service range of /26 is too small; use /12 to /24"],
  },
  {
    rule: "node-pod-cidr-bits",
    what: "the whole range",
    make: (args) => (args.network = { nodePodCidrBits: 16 }),
    lines: [
      "network.nodePodCidrBits: parts of /16 cannot be cut from 10.244.0.0/16 for several nodes; use a number from 17 to 28",
    ],
  },
  {
    rule: "node-pod-cidr-bits",
    what: "next to nothing",
    make: (args) => (args.network = { nodePodCidrBits: 30 }),
    lines: [
      "network.nodePodCidrBits: parts of /30 cannot be cut from 10.244.0.0/16 for several nodes; use a number from 17 to 28",
    ],
  },
  {
    rule: "pod-addresses-few",
    what: "a /26",
    make: (args) => (args.network = { nodePodCidrBits: 26 }),
    lines: [
      "network.nodePodCidrBits: a /26 has 60 addresses for the 110 pods that a node takes; use a smaller number, or set kubernetes.kubelet.maxPods",
    ],
  },
  {
    rule: "pod-addresses-few",
    what: "more pods than a /24 has",
    make: (args) => (args.kubernetes = { kubelet: { maxPods: 300 } }),
    lines: [
      "network.nodePodCidrBits: a /24 has 252 addresses for the 300 pods that a node takes; use a smaller number, or set kubernetes.kubelet.maxPods",
    ],
  },
  {
    rule: "node-addresses-few",
    what: "a /29",
    make: (args) => (args.underlay.nodeSubnet = "10.0.0.0/29"),
    lines: [
      'underlay.nodeSubnet: 10.0.0.0/29 has addresses for node numbers up to 6, and pool "web" reaches 12; choose a wider range, or smaller pools with lower numbers',
    ],
  },
  {
    rule: "pod-cidr-small",
    what: "a /21",
    make: (args) => (args.network = { podCidr: "10.244.0.0/21" }),
    lines: [
      'network.podCidr: 10.244.0.0/21 has parts of /24 for node numbers up to 7, and pool "web" reaches 12; choose a wider range, or smaller pools with lower numbers',
    ],
  },
  {
    rule: "interface-name",
    what: "a slash",
    make: (args) => (args.underlay.privateInterface = "eth/1"),
    lines: [
      'underlay.privateInterface: "eth/1" is not the name of an interface; write e.g. "enp7s0", or "enp+" for all that begin so',
    ],
  },
  {
    rule: "interfaces-same",
    what: "one NIC",
    make: (args) => (args.underlay.privateInterface = "eth0"),
    lines: ["underlay.privateInterface: eth0 is the public interface too; name the NIC of the private network"],
  },
];
