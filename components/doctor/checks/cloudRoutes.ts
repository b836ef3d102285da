import { overlaps, parseCidr } from "../../plan/addresses";
import type { NodeEvidence } from "../evidence";
import type { CheckResult, Expectation } from "../types";
import { findings, leavesLast, withoutPlan, type Check } from "./result";

const { ok, failed, unseen } = findings("cloud-routes");

/** Each node's pod CIDR has exactly its planned route in the private network, and there is no other. */
export const cloudRoutes: Check = {
  id: "cloud-routes",
  title: "the network's routes are the nodes' pod CIDRs",
  settles: false,
  idle: "The underlay has no routes of its own that could be read.",
  run(expectation, evidence) {
    if (!expectation) return [unseen("cluster", "one route a node", withoutPlan)];
    const wanted = expectation.cloudRoutes;
    if (!wanted) return [];
    if ("unseen" in evidence.cloud) return [unseen("cluster", `${wanted.routes.length} routes`, evidence.cloud.unseen)];
    const { found, routes } = evidence.cloud.value;
    if (!found) {
      const hint = "Is the token of the right cloud project?";
      return [failed("cluster", `network ${wanted.networkName}`, "no network of this name", hint)];
    }
    const nodes = expectation.nodes.map((node) => {
      const route = wanted.routes.find((candidate) => candidate.gateway === node.privateAddress);
      const live = evidence.nodes.find((candidate) => candidate.name === node.name);
      return route ? judge(node, route, live, routes) : [];
    });
    const extra = unplanned(wanted, routes);
    return [
      ...nodes.flat(),
      ...extra.map((route) => (expectation.unplanned === "unseen" ? leaving(route) : leftover(route))),
    ];
  },
};

type CloudRoutes = NonNullable<Expectation["cloudRoutes"]>;

interface Route {
  destination: string;
  gateway: string;
}

function judge(
  node: Expectation["nodes"][number],
  wanted: Route,
  live: NodeEvidence | undefined,
  routes: Route[],
): CheckResult[] {
  const text = describe(wanted);
  const route = routes.find((candidate) => candidate.destination === wanted.destination);
  const hint = "Run the deployment again with a refresh; it makes the planned route.";
  if (!route) return [failed(node.name, text, "no route", hint)];
  if (route.gateway !== wanted.gateway) return [failed(node.name, text, describe(route), hint)];
  if (live?.podCidr !== undefined && live.podCidr !== route.destination) {
    const found = `${text}, but the node's pods are in ${live.podCidr}`;
    return [
      failed(node.name, text, found, "Remove the Node object and join the node again with the planned pod CIDR."),
    ];
  }
  return [ok(node.name, text, describe(route))];
}

/**
 * Routes that nobody told of. A default route is left alone, it is how people add a NAT gateway; in a network of others, all that leads to no
 * pod's address.
 */
function unplanned({ routes: wanted, others = [], within }: CloudRoutes, routes: Route[]): Route[] {
  const known = ["0.0.0.0/0", ...others, ...wanted.map(({ destination }) => destination)];
  const range = within === undefined ? undefined : parseCidr(within);
  return routes.filter(({ destination }) => {
    const cidr = parseCidr(destination);
    const foreign = range !== undefined && cidr !== undefined && !overlaps(range, cidr);
    return !known.includes(destination) && !foreign;
  });
}

function leaving(route: Route): CheckResult {
  return unseen("cluster", "only planned routes", leavesLast, describe(route));
}

function leftover(route: Route): CheckResult {
  return failed(
    "cluster",
    "only planned routes",
    describe(route),
    "A leftover of a removed node, or made by hand: remove it, as it may lead packets to the wrong machine.",
  );
}

function describe(route: Route): string {
  return `${route.destination} via ${route.gateway}`;
}
