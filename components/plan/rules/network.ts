import { canonical, contains, firstWorkerNumber, isPrivate, overlaps, subrangeCount, type Cidr } from "../addresses";
import type { Finding } from "../problems";
import { defaults } from "../resolve";
import { hostsOf, interfacesOf } from "../underlay";
import { type Area, cidrOf, cidrsOf, examples, nodeAreas, type Range, rangesOf, subnetAreas } from "./ranges";
import { findingIf, items, type Rule, type Subject } from "./rule";

/** Addresses of a node's pod CIDR that no pod gets: first and last, Cilium's router and its health endpoint. */
const podAddressesTaken = 4;

const noIpv6 = "IPv6 is not built: the cloud's private networks have none, and no node would get an IPv6 pod CIDR";

/** The kubelet's own default. */
const defaultMaxPods = 110;

/** Rules about ranges and addresses. */
export const networkRules: Rule[] = [
  {
    id: "range-malformed",
    acceptable: false,
    why: "A range is an IPv4 address and a prefix length, with a zero host part.",
    check: (subject) =>
      rangesOf(subject, Object.keys(examples) as Area[]).flatMap(({ area, path, text, cidr }) => {
        if (cidr === undefined) {
          const message = `${JSON.stringify(text)} is not an IPv4 range`;
          return [{ path, message, fix: `write e.g. "${examples[area]}"${text.includes(":") ? `; ${noIpv6}` : ""}` }];
        }
        const wanted = canonical(cidr);
        return findingIf(wanted !== text, path, `${text} has a host part`, `write "${wanted}"`);
      }),
  },
  {
    id: "network-private",
    acceptable: false,
    why: "The cloud's networks take private ranges (RFC 1918) from /8 to /24.",
    check: (subject) => {
      const range = cidrOf(subject, "networkRange");
      if (range === undefined || hostsOf(subject.args)) return [];
      return findingIf(
        !isPrivate(range) || range.bits > 24,
        "underlay.networkRange",
        `${range.text} is not a private range of at least 256 addresses`,
        'use e.g. "10.0.0.0/8"',
      );
    },
  },
  insideRule("node-subnet-outside", subnetAreas, "A subnet's addresses are addresses of the network."),
  insideRule(
    "pod-cidr-outside",
    ["podCidr"],
    "Servers send to the network's gateway what lies in its range, all else to the Internet. A tunnel hides pods' addresses from both.",
    // The range of wrapped packets is nobody's business but the nodes'.
    ({ args }) => (args.network?.tunnel ?? defaults.tunnel) === "none",
  ),
  apartRule("pod-cidr-meets-nodes", "podCidr", subnetAreas, "The cloud refuses a route that meets a subnet."),
  apartRule("service-cidr-meets-nodes", "serviceCidr", subnetAreas, "A Service's address must be no node's."),
  apartRule("service-cidr-meets-pods", "serviceCidr", ["podCidr"], "A Service's address must be no pod's."),
  {
    id: "subnets-overlap",
    acceptable: false,
    why: "A network's subnets share no address; pools may share a subnet, which is made once.",
    check: (subject) => {
      const subnets = cidrsOf(subject, subnetAreas);
      return subnets.flatMap((one, index) =>
        subnets
          .slice(0, index)
          .filter(({ cidr, text, area }) => {
            const shared = text === one.text && nodeAreas.includes(area) && nodeAreas.includes(one.area);
            return !shared && overlaps(cidr, one.cidr);
          })
          .map((other) => overlapping(one, other)),
      );
    },
  },
  {
    id: "service-cidr-size",
    acceptable: false,
    why: "The API server takes service ranges of at most 20 host bits; cluster DNS has the tenth address.",
    check: (subject) => {
      const range = cidrOf(subject, "serviceCidr");
      if (range === undefined) return [];
      return findingIf(
        range.bits < 12 || range.bits > 24,
        "network.serviceCidr",
        `a service range of /${range.bits} is ${range.bits < 12 ? "more than the API server takes" : "too small"}`,
        "use /12 to /24",
      );
    },
  },
  {
    id: "node-pod-cidr-bits",
    acceptable: false,
    why: "Each node's part is cut from the pod CIDR.",
    check: (subject) => {
      const range = cidrOf(subject, "podCidr");
      const bits = subject.args.network?.nodePodCidrBits ?? defaults.nodePodCidrBits;
      if (range === undefined) return [];
      return findingIf(
        bits <= range.bits || bits > 28,
        "network.nodePodCidrBits",
        `parts of /${bits} cannot be cut from ${range.text} for several nodes`,
        `use a number from ${range.bits + 1} to 28`,
      );
    },
  },
  {
    id: "pod-addresses-few",
    acceptable: false,
    why: "The kubelet takes as many pods as it is told, and those without an address hang.",
    check: (subject) => {
      const bits = subject.args.network?.nodePodCidrBits ?? defaults.nodePodCidrBits;
      if (bits < 8 || bits > 28) return [];
      const given = subject.args.kubernetes?.kubelet?.maxPods;
      const maxPods = typeof given === "number" ? given : defaultMaxPods;
      const room = 2 ** (32 - bits) - podAddressesTaken;
      return findingIf(
        maxPods > room,
        "network.nodePodCidrBits",
        `a /${bits} has ${Math.max(0, room)} addresses for the ${maxPods} pods that a node takes`,
        "use a smaller number, or set kubernetes.kubelet.maxPods",
      );
    },
  },
  {
    id: "node-addresses-few",
    acceptable: false,
    why: "A node's number is the host part of its address.",
    check: (subject) => {
      if (hostsOf(subject.args)) return [];
      // The last address of a subnet is its broadcast address.
      return cidrsOf(subject, nodeAreas).flatMap(({ area, path, text, cidr }) =>
        roomFindings(subject, cidr, cidr.size - 2, path, "addresses", (subnet) =>
          area === "nodeSubnet" ? subnet === undefined || subnet === text : subnet === text,
        ),
      );
    },
  },
  {
    id: "pod-cidr-small",
    acceptable: false,
    why: "A node's number is the index of its part of the pod CIDR.",
    check: (subject) => {
      const range = cidrOf(subject, "podCidr");
      const bits = subject.args.network?.nodePodCidrBits ?? defaults.nodePodCidrBits;
      if (range === undefined || bits <= range.bits || bits > 28) return [];
      const last = subrangeCount(range, bits) - 1;
      return roomFindings(subject, range, last, "network.podCidr", `parts of /${bits}`);
    },
  },
  {
    id: "interface-name",
    acceptable: false,
    why: "The kernel's interface names have at most 15 characters; Cilium's patterns end in a plus sign.",
    check: ({ args }) =>
      (["publicInterface", "privateInterface"] as const).flatMap((field) => {
        const name = args.underlay?.[field];
        return findingIf(
          name !== undefined && !/^[a-z][a-z0-9._-]{0,14}\+?$/.test(name),
          `underlay.${field}`,
          `${JSON.stringify(name)} is not the name of an interface`,
          'write e.g. "enp7s0", or "enp+" for all that begin so',
        );
      }),
  },
  {
    id: "interfaces-same",
    acceptable: false,
    why: "The public and the private network have a NIC each.",
    check: ({ args }) => {
      const { public: own, private: other } = interfacesOf(args);
      return findingIf(
        // A host of somebody else may well have a single NIC.
        own === other && hostsOf(args) === undefined,
        "underlay.privateInterface",
        `${own} is the public interface too`,
        "name the NIC of the private network",
      );
    },
  },
];

/**
 * The highest node number of the pools, against the last that a range has room for.
 * @param holds whether a pool with this subnet of its own, or with none, has its nodes in the range
 */
function roomFindings(
  subject: Subject,
  range: Cidr,
  last: number,
  path: string,
  what: string,
  holds: (subnet: string | undefined) => boolean = () => true,
): Finding[] {
  const pools = items(subject.args.pools, "pools").map(({ item }) => ({
    name: item.name ?? "",
    subnet: item.subnet,
    last: (item.firstNumber ?? firstWorkerNumber) + Math.max(1, item.count ?? 1) - 1,
  }));
  const controlPlane = {
    name: "control-plane",
    subnet: undefined,
    last: 1 + Math.max(1, subject.args.controlPlane?.count ?? 1),
  };
  const inside = [controlPlane, ...pools].filter(({ subnet }) => holds(subnet));
  const worst = inside.reduce((a, b) => (b.last > a.last ? b : a), inside[0] ?? controlPlane);
  return findingIf(
    inside.length > 0 && worst.last > last,
    path,
    `${range.text} has ${what} for node numbers up to ${last}, and pool "${worst.name}" reaches ${worst.last}`,
    "choose a wider range, or smaller pools with lower numbers",
  );
}

function insideRule(
  id: string,
  areas: readonly Area[],
  why: string,
  applies: (subject: Subject) => boolean = () => true,
): Rule {
  return {
    id,
    acceptable: false,
    why,
    check: (subject) => {
      const outer = cidrOf(subject, "networkRange");
      if (outer === undefined || !applies(subject)) return [];
      return cidrsOf(subject, areas).flatMap(({ path, text, cidr }) =>
        findingIf(
          !contains(outer, cidr),
          path,
          `${text} does not lie inside the private network ${outer.text}`,
          "choose a range inside it, or set underlay.networkRange",
        ),
      );
    },
  };
}

function apartRule(id: string, one: Area, others: readonly Area[], why: string): Rule {
  return {
    id,
    acceptable: false,
    why,
    check: (subject) =>
      cidrsOf(subject, [one]).flatMap((range) =>
        cidrsOf(subject, others)
          .filter(({ cidr }) => overlaps(range.cidr, cidr))
          .map((other) => overlapping(range, other)),
      ),
  };
}

function overlapping(range: Range, other: Range): Finding {
  return {
    path: range.path,
    message: `${range.text} overlaps ${other.text} (${other.path})`,
    fix: "choose ranges that share no address",
  };
}
