import type { NetworkSpec } from "../cloud";
import { isBusy, requireIdleNetwork } from "./actions";
import { Body } from "./body";
import type { Call, Context, Route } from "./context";
import { ApiError, conflict, isProtected, messageOf } from "./errors";
import { commonSorts, listAnswer } from "./lists";
import { gatewayOf, readNetworkRange, readRoute, readSubnet } from "./networkRules";
import { byId, newObject, removeById, requireUniqueName } from "./objects";
import type { Project } from "./store";
import type { NetworkRecord, ServerRecord } from "./types";

/** Endpoints of networks, apart from their actions. */
export function networkRoutes(context: Context): Route[] {
  return [
    {
      method: "GET",
      path: "/networks",
      handler: (call) =>
        listAnswer(call, call.project.state.networks, {
          key: "networks",
          sorts: commonSorts,
          view: (network) => networkView(call.project, network),
        }),
    },
    { method: "POST", path: "/networks", handler: (call) => create(context, call) },
    {
      method: "GET",
      path: "/networks/:id",
      handler: (call) => ({ status: 200, body: { network: networkView(call.project, findNetwork(call)) } }),
    },
    { method: "PUT", path: "/networks/:id", handler: update },
    { method: "DELETE", path: "/networks/:id", handler: (call) => remove(context, call) },
  ];
}

/** The network in the path. @throws not_found */
export function findNetwork(call: Call): NetworkRecord {
  return byId(call.project.state.networks, call.params.id, "network");
}

/** Servers with a NIC in the network, also one that is just being plugged or unplugged. */
export function serversIn(project: Project, networkId: number): ServerRecord[] {
  return project.state.servers.filter((server) => server.attachments.some((nic) => nic.networkId === networkId));
}

/** A network as the API shows it. */
export function networkView(project: Project, network: NetworkRecord): object {
  const gateway = gatewayOf(network);
  const servers = serversIn(project, network.id).filter((server) =>
    server.attachments.some((nic) => nic.networkId === network.id && nic.state !== "attaching"),
  );
  return {
    id: network.id,
    name: network.name,
    ip_range: network.ipRange,
    subnets: network.subnets.map(({ type, ipRange, networkZone }) => ({
      type,
      ip_range: ipRange,
      network_zone: networkZone,
      gateway,
    })),
    routes: network.routes.map(({ destination, gateway: via }) => ({ destination, gateway: via })),
    servers: servers.map((server) => server.id),
    load_balancers: [],
    protection: { delete: network.deleteProtected },
    labels: network.labels,
    created: network.created,
    expose_routes_to_vswitch: network.exposeRoutesToVswitch,
  };
}

/** The one thing that the sandbox reads out of a label: the real cloud has no such networks, other providers have. Decided when it is made. */
const segmentLabel = "sandbox/segment";

async function create(context: Context, call: Call): Promise<{ status: number; body: object }> {
  const { project } = call;
  const network = readNetwork(context, call);
  project.state.networks.push(network);
  await project.save();
  try {
    await context.driver.createNetwork(networkSpec(network));
    if (network.routes.length > 0) await context.driver.setRoutes(network.id, network.routes);
  } catch (error) {
    removeById(project.state.networks, network.id);
    await project.save();
    throw new ApiError(503, "unavailable", `the network could not be made: ${messageOf(error)}`);
  }
  return { status: 201, body: { network: networkView(project, network) } };
}

/** A network as the driver takes it. */
export function networkSpec(network: NetworkRecord): NetworkSpec {
  const segment = network.labels[segmentLabel] === "l2" ? "l2" : "routed";
  return { networkId: network.id, ipRange: network.ipRange, gateway: gatewayOf(network), segment };
}

function readNetwork(context: Context, call: Call): NetworkRecord {
  const body = new Body(call.body);
  const name = body.requiredString("name");
  const shape: Pick<NetworkRecord, "ipRange" | "subnets" | "routes"> = {
    ipRange: readNetworkRange(body),
    subnets: [],
    routes: [],
  };
  for (const item of body.objects("subnets")) {
    const subnet = readSubnet(item, shape);
    if (subnet.ipRange !== "") shape.subnets.push(subnet);
  }
  for (const item of body.objects("routes")) {
    const route = readRoute(item, shape);
    if (route.destination !== "") shape.routes.push(route);
  }
  const labels = body.labels();
  const exposeRoutesToVswitch = body.boolean("expose_routes_to_vswitch") ?? false;
  body.check();
  requireUniqueName(call.project.state.networks, name);
  return {
    ...newObject(context, call, labels),
    name,
    ...shape,
    deleteProtected: false,
    exposeRoutesToVswitch,
    deleting: false,
  };
}

async function update(call: Call): Promise<{ status: number; body: object }> {
  const network = findNetwork(call);
  requireIdleNetwork(call.project, network.id);
  const body = new Body(call.body);
  const name = body.given("name") ? body.requiredString("name") : network.name;
  const labels = body.labels() ?? network.labels;
  const exposeRoutesToVswitch = body.boolean("expose_routes_to_vswitch") ?? network.exposeRoutesToVswitch;
  body.check();
  requireUniqueName(call.project.state.networks, name, network.id);
  Object.assign(network, { name, labels, exposeRoutesToVswitch });
  await call.project.save();
  return { status: 200, body: { network: networkView(call.project, network) } };
}

async function remove(context: Context, call: Call): Promise<{ status: number }> {
  const { project } = call;
  const network = findNetwork(call);
  if (network.deleteProtected) throw isProtected("network is delete protected");
  requireIdleNetwork(project, network.id);
  if (network.deleting) throw conflict("network is being deleted");
  const servers = serversIn(project, network.id);
  if (servers.some((server) => isBusy(project, "server", server.id))) {
    throw conflict("a server of the network is being changed by an action, try again");
  }
  network.deleting = true;
  await project.save();
  try {
    await finishNetworkDeletion(context, project, network);
  } catch (error) {
    await project.save();
    throw new ApiError(503, "unavailable", `the network could not be deleted: ${messageOf(error)}`);
  }
  return { status: 204 };
}

/** Unplugs all servers, then removes the network from the driver and the state. After a failure it can be tried again. */
export async function finishNetworkDeletion(context: Context, project: Project, network: NetworkRecord): Promise<void> {
  try {
    for (const server of serversIn(project, network.id)) {
      await context.driver.detach(network.id, server.id);
      server.attachments = server.attachments.filter((nic) => nic.networkId !== network.id);
    }
    await context.driver.destroyNetwork(network.id);
  } catch (error) {
    network.deleting = false;
    throw error;
  }
  removeById(project.state.networks, network.id);
  await project.save();
}
