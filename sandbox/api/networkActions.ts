import { actionView, requireIdleNetwork } from "./actions";
import * as addresses from "./addresses";
import { Body } from "./body";
import type { Answer, Call, Context, Route } from "./context";
import { ApiError, conflict, invalidField, refused } from "./errors";
import { newRangeProblem, readNetworkRange, readRoute, readSubnet } from "./networkRules";
import { findNetwork, networkSpec, serversIn } from "./networks";
import type { ActionPlan } from "./actions";
import type { Project } from "./store";
import type { NetworkRecord, RouteRecord, SubnetRecord } from "./types";

type Change = (context: Context, call: Call, network: NetworkRecord) => Omit<ActionPlan, "resources">;

/** Actions of networks. */
export function networkActionRoutes(context: Context): Route[] {
  const changes: Record<string, Change> = {
    add_subnet: addSubnet,
    delete_subnet: deleteSubnet,
    add_route: addRoute,
    delete_route: deleteRoute,
    change_ip_range: changeIpRange,
    change_protection: changeProtection,
  };
  return Object.entries(changes).map(([name, change]) => ({
    method: "POST" as const,
    path: `/networks/:id/actions/${name}`,
    handler: (call: Call) => act(context, call, change),
  }));
}

async function act(context: Context, call: Call, change: Change): Promise<Answer> {
  const network = findNetwork(call);
  requireIdleNetwork(call.project, network.id);
  if (network.deleting) throw conflict("network is being deleted");
  const plan = change(context, call, network);
  const action = context.actions.start(call, { ...plan, resources: [{ id: network.id, type: "network" }] });
  await context.actions.settle(call.project, action);
  return { status: 201, body: { action: actionView(action.record) } };
}

const addSubnet: Change = (_context, call, network) => {
  const body = new Body(call.body);
  const subnet = readSubnet(body, network);
  body.check();
  network.subnets.push(subnet);
  return {
    command: "add_subnet",
    undo: () => {
      withdraw(network.subnets, subnet);
    },
  };
};

const deleteSubnet: Change = (_context, call, network) => {
  const body = new Body(call.body);
  const wanted = body.requiredString("ip_range");
  body.check();
  const index = network.subnets.findIndex((subnet) => subnet.ipRange === canonical(wanted));
  const subnet = network.subnets[index];
  if (!subnet) throw new ApiError(404, "not_found", `subnet ${wanted} not found`);
  if (isUsed(call.project, network, subnet)) {
    throw refused("service_error", "cannot remove subnet because servers are attached to it");
  }
  network.subnets.splice(index, 1);
  return { command: "delete_subnet", undo: () => void network.subnets.splice(index, 0, subnet) };
};

const addRoute: Change = (context, call, network) => {
  const body = new Body(call.body);
  const route = readRoute(body, network);
  body.check();
  network.routes.push(route);
  return {
    command: "add_route",
    work: () => context.driver.setRoutes(network.id, network.routes),
    undo: () => {
      withdraw(network.routes, route);
    },
  };
};

const deleteRoute: Change = (context, call, network) => {
  const body = new Body(call.body);
  const destination = canonical(body.requiredString("destination"));
  const gateway = body.requiredString("gateway");
  body.check();
  const same = (route: RouteRecord): boolean => route.destination === destination && route.gateway === gateway;
  const index = network.routes.findIndex(same);
  const route = network.routes[index];
  if (!route) throw new ApiError(404, "not_found", `route to ${destination} via ${gateway} not found`);
  network.routes.splice(index, 1);
  return {
    command: "delete_route",
    work: () => context.driver.setRoutes(network.id, network.routes),
    undo: () => void network.routes.splice(index, 0, route),
  };
};

const changeIpRange: Change = (context, call, network) => {
  const body = new Body(call.body);
  const ipRange = readNetworkRange(body);
  body.check();
  const problem = newRangeProblem(network, ipRange);
  if (problem) throw invalidField("ip_range", problem);
  requireNoForeignOverlap(call.project, network, ipRange);
  const old = network.ipRange;
  network.ipRange = ipRange;
  return {
    command: "change_ip_range",
    work: () => context.driver.createNetwork(networkSpec(network)),
    undo: () => void (network.ipRange = old),
  };
};

const changeProtection: Change = (_context, call, network) => {
  const body = new Body(call.body);
  const value = body.boolean("delete") ?? network.deleteProtected;
  body.check();
  const old = network.deleteProtected;
  network.deleteProtected = value;
  return { command: "change_protection", undo: () => void (network.deleteProtected = old) };
};

/** A server's networks must not overlap, so a network must not grow into another one of its servers. */
function requireNoForeignOverlap(project: Project, network: NetworkRecord, ipRange: string): void {
  const others = serversIn(project, network.id).flatMap((server) => server.attachments.map((nic) => nic.networkId));
  const clash = project.state.networks.find(
    ({ id, ipRange: other }) =>
      id !== network.id &&
      others.includes(id) &&
      addresses.overlaps(addresses.blockOf(other), addresses.blockOf(ipRange)),
  );
  if (clash) throw refused("networks_overlap", `network ${clash.name} of an attached server overlaps`);
}

function isUsed(project: Project, network: NetworkRecord, subnet: SubnetRecord): boolean {
  const block = addresses.blockOf(subnet.ipRange);
  const used = project.state.servers
    .flatMap((server) => server.attachments)
    .filter((nic) => nic.networkId === network.id)
    .flatMap((nic) => [nic.ip, ...nic.aliasIps]);
  return used.some((ip) => addresses.holds(block, addresses.numberOf(ip) ?? -1));
}

function canonical(cidr: string): string {
  const block = addresses.parseBlock(cidr);
  return block ? addresses.formatBlock(block) : cidr;
}

function withdraw<Item>(items: Item[], item: Item): void {
  const index = items.indexOf(item);
  if (index >= 0) items.splice(index, 1);
}
