import { actionView, requireUnlocked, type ActionPlan } from "./actions";
import { Body } from "./body";
import type { Answer, Call, Context, Route } from "./context";
import { invalidInput, isProtected, notEmulated, refused } from "./errors";
import { makeMachine } from "./machines";
import { byId } from "./objects";
import { requireRoomInGroup } from "./placementGroups";
import { readImage, readServerType, readUserData } from "./serverRequest";
import { attachToNetwork, changeAliasIps, detachFromNetwork } from "./serverNetworks";
import { findServer, observedStatus } from "./serverView";
import { findServerType, isOffered } from "./catalogue";
import type { Project } from "./store";
import type { ServerRecord, ServerStatus } from "./types";

/** What an action of a server does; the server is the first of its resources. */
export type ServerChange = Omit<ActionPlan, "resources"> & {
  /** Further resources, e.g. the network. */
  others?: ActionPlan["resources"];
  /** Further keys of the reply. */
  extra?: object;
};

/** What a change looks at. */
export interface ServerCall {
  context: Context;
  project: Project;
  server: ServerRecord;
  body: Body;
  /** Status of the machine when the request came. */
  status: string;
}

type Change = (call: ServerCall) => ServerChange;

/** Actions the real API has and this sandbox does not. */
const notEmulatedActions = [
  "enable_rescue",
  "disable_rescue",
  "enable_backup",
  "disable_backup",
  "create_image",
  "attach_iso",
  "detach_iso",
  "change_dns_ptr",
  "request_console",
  "reset_password",
];

/** Actions of servers. */
export function serverActionRoutes(context: Context): Route[] {
  const changes: Record<string, Change> = {
    poweron: powerOn,
    poweroff: (call) => switchOff(call, "stop_server", (id) => context.driver.powerOff(id)),
    shutdown: (call) => switchOff(call, "shutdown_server", (id) => context.driver.shutdown(id)),
    reboot: (call) => restart(call, "reboot_server", (id) => context.driver.reboot(id)),
    reset: (call) =>
      restart(call, "reset_server", async (id) => {
        await context.driver.powerOff(id);
        await context.driver.powerOn(id);
      }),
    attach_to_network: attachToNetwork,
    detach_from_network: detachFromNetwork,
    change_alias_ips: changeAliasIps,
    change_protection: changeProtection,
    change_type: changeType,
    rebuild,
    add_to_placement_group: addToPlacementGroup,
    remove_from_placement_group: removeFromPlacementGroup,
  };
  for (const name of notEmulatedActions) {
    changes[name] = () => {
      throw notEmulated(`the server action ${name}`);
    };
  }
  return Object.entries(changes).map(([name, change]) => ({
    method: "POST" as const,
    path: `/servers/:id/actions/${name}`,
    handler: (call: Call) => act(context, call, change),
  }));
}

async function act(context: Context, call: Call, change: Change): Promise<Answer> {
  const { project } = call;
  const status = await observedStatus(context, findServer(call));
  const server = findServer(call);
  requireUnlocked(project, server.id);
  const { others, extra, ...plan } = change({ context, project, server, body: new Body(call.body), status });
  const resources = [{ id: server.id, type: "server" as const }, ...(others ?? [])];
  const action = context.actions.start(call, { ...plan, resources });
  await context.actions.settle(project, action);
  return { status: 201, body: { ...extra, action: actionView(action.record) } };
}

const powerOn: Change = ({ context, project, server }) => ({
  command: "start_server",
  ...transition(server, "starting", "on", "running", async () => {
    if (!server.machineMade) await makeMachine(context, project, server);
    await context.driver.powerOn(server.id);
  }),
});

function switchOff({ server }: ServerCall, command: string, work: (id: number) => Promise<void>): ServerChange {
  return { command, ...transition(server, "stopping", "off", "off", () => work(server.id)) };
}

/** A machine that is off is started: the real API's reset does that too. */
function restart(
  { context, server, status }: ServerCall,
  command: string,
  work: (id: number) => Promise<void>,
): ServerChange {
  const doIt = (): Promise<void> => (status === "off" ? context.driver.powerOn(server.id) : work(server.id));
  return { command, ...transition(server, status === "off" ? "starting" : "running", "on", "running", doIt) };
}

/** Notes what the server is to become, and what it is once the work is done. */
function transition(
  server: ServerRecord,
  during: ServerStatus,
  power: "on" | "off",
  after: ServerStatus,
  work: () => Promise<void>,
): Pick<ServerChange, "work" | "undo"> {
  const old = { status: server.status, power: server.power };
  Object.assign(server, { status: during, power });
  return {
    work: async () => {
      await work();
      server.status = after;
    },
    undo: () => Object.assign(server, old),
  };
}

const changeProtection: Change = ({ server, body }) => {
  const value = {
    deleteProtected: body.boolean("delete") ?? server.deleteProtected,
    rebuildProtected: body.boolean("rebuild") ?? server.rebuildProtected,
  };
  if (value.deleteProtected !== value.rebuildProtected) {
    const messages = ["delete and rebuild protection must have the same value"];
    throw invalidInput(["delete", "rebuild"].map((name) => ({ name, messages })));
  }
  body.check();
  const old = { deleteProtected: server.deleteProtected, rebuildProtected: server.rebuildProtected };
  Object.assign(server, value);
  return { command: "change_protection", undo: () => Object.assign(server, old) };
};

const changeType: Change = ({ context, project, server, body, status }) => {
  const type = readServerType(body);
  const upgradeDisk = body.boolean("upgrade_disk");
  if (!body.given("upgrade_disk")) body.refuse("upgrade_disk", "is required");
  body.check();
  if (status !== "off") throw refused("server_not_stopped", "server must be stopped");
  const old = findServerType(server.serverType);
  if (!type || !isOffered(type, context.settings.architectures, context.now())) {
    throw refused("invalid_server_type", "server type is not available");
  }
  if (type.architecture !== old?.architecture)
    throw refused("invalid_server_type", "server type has another architecture");
  if (type.disk < server.primaryDiskSize) throw refused("invalid_server_type", "disk of the server type is too small");
  const before = { serverType: server.serverType, primaryDiskSize: server.primaryDiskSize };
  Object.assign(server, { serverType: type.name }, upgradeDisk ? { primaryDiskSize: type.disk } : {});
  const change = transition(server, "migrating", "on", "running", async () => {
    await makeMachine(context, project, server);
    await context.driver.powerOn(server.id);
  });
  const undo = (): void => {
    change.undo?.();
    Object.assign(server, before);
  };
  return { command: "change_server_type", work: change.work, undo };
};

const rebuild: Change = ({ context, project, server, body }) => {
  const type = findServerType(server.serverType);
  const image = readImage(body, type, context.now());
  const userData = body.given("user_data") ? readUserData(body) : server.userData;
  body.check();
  if (server.rebuildProtected) throw isProtected("server is rebuild protected");
  const old = { imageId: server.imageId, userData: server.userData };
  Object.assign(server, { imageId: image?.id ?? server.imageId, userData });
  const change = transition(server, "rebuilding", "on", "running", async () => {
    await context.driver.destroyMachine(server.id);
    server.machineMade = false;
    context.firewalls.forget(server.id);
    await makeMachine(context, project, server);
    await context.driver.powerOn(server.id);
  });
  const undo = (): void => {
    change.undo?.();
    Object.assign(server, old);
  };
  return { command: "rebuild_server", work: change.work, undo, extra: { root_password: null } };
};

const addToPlacementGroup: Change = ({ project, server, body, status }) => {
  const id = body.requiredInteger("placement_group");
  body.check();
  const group = byId(project.state.placementGroups, id, "placement_group");
  if (server.placementGroupId !== null)
    throw refused("already_in_placement_group", "server is already in a placement group");
  if (status !== "off") throw refused("server_not_stopped", "server must be stopped");
  requireRoomInGroup(project, group.id);
  server.placementGroupId = group.id;
  return {
    command: "add_to_placement_group",
    others: [{ id: group.id, type: "placement_group" }],
    undo: () => void (server.placementGroupId = null),
  };
};

const removeFromPlacementGroup: Change = ({ server }) => {
  const id = server.placementGroupId;
  if (id === null) throw refused("not_in_placement_group", "server is not in a placement group");
  server.placementGroupId = null;
  return {
    command: "remove_from_placement_group",
    others: [{ id, type: "placement_group" }],
    undo: () => void (server.placementGroupId = id),
  };
};
