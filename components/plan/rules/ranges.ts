import { type Cidr, parseCidr } from "../addresses";
import { defaults } from "../resolve";
import { hetznerOf } from "../underlay";
import { items, type Subject } from "./rule";

/** What a range of the arguments is for. */
export type Area = "networkRange" | "nodeSubnet" | "poolSubnet" | "vSwitch" | "otherSubnet" | "podCidr" | "serviceCidr";

/** Subnets that nodes have their addresses in. */
export const nodeAreas: readonly Area[] = ["nodeSubnet", "poolSubnet"];

/** All subnets of the network. */
export const subnetAreas: readonly Area[] = [...nodeAreas, "vSwitch", "otherSubnet"];

/** A range of the arguments, given or by default. */
export interface Range {
  area: Area;
  /** Where it stands in the arguments. */
  path: string;
  text: string;
  /** Absent when it is malformed, which has a rule of its own. */
  cidr?: Cidr;
}

/** A well-formed range to show in place of a malformed one. */
export const examples: Readonly<Record<Area, string>> = {
  networkRange: defaults.networkRange,
  nodeSubnet: defaults.nodeSubnet,
  poolSubnet: "10.0.1.0/24",
  vSwitch: "10.0.2.0/24",
  otherSubnet: "10.0.3.0/24",
  podCidr: defaults.podCidr,
  serviceCidr: defaults.serviceCidr,
};

/** Ranges of the arguments that are for one of these. */
export function rangesOf(subject: Subject, areas: readonly Area[]): Range[] {
  return allRanges(subject)
    .filter(({ area }) => areas.includes(area))
    .map((range) => ({ ...range, cidr: parseCidr(range.text) }));
}

/** The same of those that are well-formed. */
export function cidrsOf(subject: Subject, areas: readonly Area[]): (Range & { cidr: Cidr })[] {
  return rangesOf(subject, areas).flatMap(({ cidr, ...range }) => (cidr === undefined ? [] : [{ ...range, cidr }]));
}

/** The well-formed range of an area that has one at most. */
export function cidrOf(subject: Subject, area: Area): Cidr | undefined {
  return cidrsOf(subject, [area])[0]?.cidr;
}

/** Every range that the arguments' underlay has: existing hosts have no network and no subnets but their own. */
function allRanges({ args }: Subject): Range[] {
  const hetzner = hetznerOf(args);
  const ofCloud: Range[] = [];
  if (hetzner !== undefined) {
    const { networkRange = defaults.networkRange, vSwitch, otherSubnets } = hetzner;
    ofCloud.push({ area: "networkRange", path: "underlay.networkRange", text: networkRange });
    for (const { item, path } of items(args.pools, "pools")) {
      if (item.subnet !== undefined) ofCloud.push({ area: "poolSubnet", path: `${path}.subnet`, text: item.subnet });
    }
    const path = "underlay.vSwitch.subnet";
    if (vSwitch?.subnet !== undefined) ofCloud.push({ area: "vSwitch", path, text: vSwitch.subnet });
    for (const { item, path } of items(otherSubnets, "underlay.otherSubnets"))
      ofCloud.push({ area: "otherSubnet", path, text: item });
  }
  const { podCidr = defaults.podCidr, serviceCidr = defaults.serviceCidr } = args.network ?? {};
  return [
    { area: "nodeSubnet", path: "underlay.nodeSubnet", text: args.underlay?.nodeSubnet ?? defaults.nodeSubnet },
    ...ofCloud,
    { area: "podCidr", path: "network.podCidr", text: podCidr },
    { area: "serviceCidr", path: "network.serviceCidr", text: serviceCidr },
  ];
}
