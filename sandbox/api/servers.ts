import { actionView, requireUnlocked } from "./actions";
import { planAttachment } from "./attachments";
import { Body } from "./body";
import type { Answer, Call, Context, Route } from "./context";
import { ApiError, isProtected, limitExceeded, messageOf } from "./errors";
import { requireFirewallLimits } from "./firewallRules";
import { commonSorts, listAnswer } from "./lists";
import { makeMachine, unmakeMachine } from "./machines";
import { newObject, requireUniqueName } from "./objects";
import { requireRoomInGroup } from "./placementGroups";
import { newPrimaryIp } from "./primaryIps";
import { readServerName, readServerRequest, type ServerRequest } from "./serverRequest";
import { findServer, observedStatus, serverView } from "./serverView";
import type { ServerRecord } from "./types";

/** Endpoints of servers, apart from their actions. */
export function serverRoutes(context: Context): Route[] {
  return [
    { method: "GET", path: "/servers", handler: (call) => list(context, call) },
    { method: "POST", path: "/servers", handler: (call) => create(context, call) },
    {
      method: "GET",
      path: "/servers/:id",
      handler: async (call) => ({
        status: 200,
        body: { server: await serverView(context, call.project, findServer(call)) },
      }),
    },
    { method: "PUT", path: "/servers/:id", handler: (call) => update(context, call) },
    { method: "DELETE", path: "/servers/:id", handler: (call) => remove(context, call) },
  ];
}

async function list(context: Context, call: Call): Promise<Answer> {
  const { servers } = call.project.state;
  const wantsStatus = call.query.has("status");
  const statuses = new Map<number, string>();
  if (wantsStatus) {
    for (const server of servers) statuses.set(server.id, await observedStatus(context, server));
  }
  return listAnswer(call, servers, {
    key: "servers",
    sorts: commonSorts,
    filters: { status: (server) => statuses.get(server.id) ?? null },
    view: (server) => serverView(context, call.project, server),
  });
}

async function create(context: Context, call: Call): Promise<Answer> {
  const { project } = call;
  const request = readServerRequest(context, call, new Body(call.body));
  const server = addServer(context, call, request);
  const resources = [{ id: server.id, type: "server" as const }];
  const made = context.actions.start(call, {
    command: "create_server",
    resources,
    work: async () => {
      await makeMachine(context, project, server);
      server.status = request.start ? "starting" : "off";
    },
    // The NICs keep their addresses: the driver may have them already, and a later power-on makes the machine after all.
    undo: () => Object.assign(server, { status: "off", power: "off" }),
  });
  const next = request.start
    ? [
        context.actions.start(call, {
          command: "start_server",
          resources,
          work: async () => {
            if (!(await made.done)) throw new Error("the server could not be created");
            await context.driver.powerOn(server.id);
            server.status = "running";
          },
          undo: () => Object.assign(server, { status: "off", power: "off" }),
        }),
      ]
    : [];
  await context.actions.settle(project, made, ...next);
  return {
    status: 201,
    body: {
      server: await serverView(context, project, server),
      action: actionView(made.record),
      next_actions: next.map((action) => actionView(action.record)),
      // Machines of this sandbox take keys only, so there is never a password to tell.
      root_password: null,
    },
  };
}

/** Adds a server to the state with everything it holds from the start: addresses, NICs, firewalls. */
function addServer(context: Context, call: Call, request: ServerRequest): ServerRecord {
  const { project } = call;
  const { state } = project;
  requireUniqueName(state.servers, request.name, undefined, "server name is already used");
  if (state.servers.length >= context.settings.serverLimit) throw limitExceeded("server_limit", "server limit reached");
  if (request.placementGroupId !== null) requireRoomInGroup(project, request.placementGroupId);
  const server: ServerRecord = {
    ...newObject(context, call, request.labels),
    name: request.name,
    serverType: request.type.name,
    location: request.location.name,
    imageId: request.image.id,
    status: "initializing",
    power: request.start ? "on" : "off",
    machineMade: false,
    userData: request.userData,
    sshKeys: request.sshKeys,
    ipv4Id: 0,
    ipv6Id: null,
    attachments: [],
    deleteProtected: false,
    rebuildProtected: false,
    primaryDiskSize: request.type.disk,
    placementGroupId: request.placementGroupId,
  };
  for (const network of request.networks) {
    server.attachments.push(planAttachment(project, server, network, { aliasIps: [] }));
  }
  const ipv4 = newPrimaryIp(context, project, "ipv4", server.location, server.id);
  const ipv6 = request.ipv6 ? newPrimaryIp(context, project, "ipv6", server.location, server.id) : null;
  Object.assign(server, { ipv4Id: ipv4.id, ipv6Id: ipv6?.id ?? null });
  const before = { servers: [...state.servers], firewalls: state.firewalls.map((item) => [...item.serverIds]) };
  state.servers.push(server);
  for (const firewall of new Set(request.firewalls)) firewall.serverIds.push(server.id);
  try {
    requireFirewallLimits(project);
  } catch (error) {
    state.servers = before.servers;
    state.firewalls.forEach((firewall, index) => (firewall.serverIds = before.firewalls[index] ?? []));
    throw error;
  }
  state.primaryIps.push(ipv4, ...(ipv6 ? [ipv6] : []));
  return server;
}

async function update(context: Context, call: Call): Promise<Answer> {
  const { project } = call;
  const server = findServer(call);
  const body = new Body(call.body);
  const name = body.given("name") ? readServerName(body) : server.name;
  const labels = body.labels() ?? server.labels;
  body.check();
  requireUniqueName(project.state.servers, name, server.id, "server name is already used");
  const old = { name: server.name, labels: server.labels };
  Object.assign(server, { name, labels });
  try {
    requireFirewallLimits(project);
  } catch (error) {
    Object.assign(server, old);
    throw error;
  }
  await project.save();
  try {
    // Firewalls choose servers by label: new labels may mean other rules.
    await context.firewalls.apply(project, server);
  } catch (error) {
    const message = `the labels are stored, but the server's firewalls could not be applied: ${messageOf(error)}; repeat the request`;
    throw new ApiError(503, "unavailable", message);
  }
  return { status: 200, body: { server: await serverView(context, project, server) } };
}

async function remove(context: Context, call: Call): Promise<Answer> {
  const { project } = call;
  const server = findServer(call);
  if (server.deleteProtected) throw isProtected("server is delete protected");
  requireUnlocked(project, server.id);
  const { status, power } = server;
  Object.assign(server, { status: "deleting", power: "off" });
  const action = context.actions.start(call, {
    command: "delete_server",
    resources: [{ id: server.id, type: "server" }],
    work: () => unmakeMachine(context, project, server),
    undo: () => Object.assign(server, { status, power }),
  });
  await context.actions.settle(project, action);
  return { status: 200, body: { action: actionView(action.record) } };
}
