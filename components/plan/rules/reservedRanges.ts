import { addressAt, contains, mustParse, overlaps } from "../addresses";
import { hostsOf } from "../underlay";
import { type Area, cidrOf, cidrsOf, examples, nodeAreas } from "./ranges";
import { findingIf, type Rule } from "./rule";

/** This host, loopback, link-local (with the metadata service), multicast and what lies above it. */
const unusableRanges = ["0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/3"];

/** Rules about addresses that are somebody's already, or nobody's. */
export const reservedRangeRules: Rule[] = [
  {
    id: "range-reserved",
    acceptable: false,
    why: "172.31.1.1 is the gateway of the servers' public side; that of the private network renews the nodes' leases, and a Service would take its place.",
    check: (subject) => {
      if (hostsOf(subject.args)) return [];
      const network = cidrOf(subject, "networkRange");
      const gateway = network && addressAt(network, Math.min(1, network.size - 1));
      return [
        ...cidrsOf(subject, [...nodeAreas, "podCidr"]).map((range) => ({
          ...range,
          address: "172.31.1.1",
          whose: "the servers' public side",
        })),
        ...cidrsOf(subject, gateway === undefined ? [] : ["serviceCidr"]).map((range) => ({
          ...range,
          address: gateway ?? "",
          whose: "the private network",
        })),
      ].flatMap(({ path, text, cidr, address, whose }) =>
        findingIf(
          contains(cidr, mustParse(`${address}/32`)),
          path,
          `${text} holds ${address}, the gateway of ${whose}`,
          "choose a range without it",
        ),
      );
    },
  },
  {
    id: "range-unusable",
    acceptable: false,
    why: "No machine, pod or Service can have an address that stands for this host, loopback, link-local or multicast.",
    check: (subject) =>
      cidrsOf(subject, Object.keys(examples) as Area[]).flatMap(({ area, path, text, cidr }) => {
        const other = unusableRanges.find((range) => overlaps(mustParse(range), cidr));
        return findingIf(
          other !== undefined,
          path,
          `${text} meets ${other ?? ""}, where nobody can have an address`,
          `use e.g. "${examples[area]}"`,
        );
      }),
  },
];
