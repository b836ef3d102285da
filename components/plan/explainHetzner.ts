import { countries } from "./catalogue";
import type { Decision } from "./explain";
import type { Reason } from "./reason";
import { defaultReasons } from "./resolve";
import type { ClusterArgs, ClusterPlan, HetznerUnderlayArgs, HetznerUnderlayPlan } from "./types";

type Chosen = (id: string, value: unknown, path: string, reason: Reason) => Decision;

const reasons = {
  location: {
    why: "All nodes are in one place, so that packets between them are under way for less than a millisecond.",
    source: "Hetzner Cloud documentation, locations",
  },
  bounded: {
    why: "All nodes, and what they store, are in a place that underlay.allowedLocations allows; any other is refused.",
    source: "argument underlay.allowedLocations",
  },
  existing: {
    why: "A network that is there already: subnets and routes go into it and leave it with the cluster; the network itself is never changed or deleted.",
    source: "docs/decisions/existing-network.md",
  },
  own: { why: "A network of the cluster's own, which goes with it.", source: "docs/decisions/existing-network.md" },
  limits: {
    why: "Of the network's 100 servers and load balancers, 100 routes and 50 subnets, with those of others that were told of.",
    source: "Hetzner Cloud documentation, networks: limits",
  },
  vSwitch: {
    why: "Dedicated servers are coupled to the network; their packets and the cloud's have one MTU.",
    source: "argument underlay.vSwitch",
  },
} as const satisfies Record<string, Reason>;

/** Decisions about the place and the network of a cluster in Hetzner Cloud. */
export function hetznerDecisions(
  plan: ClusterPlan,
  underlay: HetznerUnderlayPlan,
  args: ClusterArgs,
  chosen: Chosen,
): Decision[] {
  const { location, networkZone, existingNetwork, networkRange, vSwitch } = underlay;
  const given = args.underlay as HetznerUnderlayArgs;
  const place = `${location} (${countries[location] ?? "unknown country"}, ${networkZone})`;
  const allowed = given.allowedLocations;
  return [
    chosen(
      "location",
      allowed === undefined ? place : `${place}, of the allowed ${allowed.join(", ")}`,
      "underlay.location",
      allowed === undefined ? reasons.location : reasons.bounded,
    ),
    chosen(
      "network.name",
      existingNetwork === undefined ? plan.name : `${existingNetwork}, there already`,
      "underlay.existingNetwork",
      existingNetwork === undefined ? reasons.own : reasons.existing,
    ),
    chosen("network.range", networkRange, "underlay.networkRange", defaultReasons.networkRange),
    { id: "network.limits", topic: "Network", value: limits(plan, underlay, given), ...reasons.limits },
    ...(vSwitch === undefined ? [] : [chosen("network.vswitch", vSwitch.subnet, "underlay.vSwitch", reasons.vSwitch)]),
  ];
}

/** What is taken of each limit. */
function limits(plan: ClusterPlan, underlay: HetznerUnderlayPlan, given: HetznerUnderlayArgs): string {
  const { otherAttachments = 0, otherSubnets = [] } = given;
  const routes = plan.nodes.filter(({ route }) => route !== undefined).length + underlay.otherRoutes.length;
  const subnets = underlay.subnets.length + otherSubnets.length + (underlay.vSwitch === undefined ? 0 : 1);
  return `${plan.nodes.length + otherAttachments} attachments, ${routes} routes, ${subnets} subnets`;
}
