import type { MachineSpec } from "../cloud";
import { plug } from "./attachments";
import { findServerType, imageById } from "./catalogue";
import type { Context } from "./context";
import { removeById } from "./objects";
import type { Project } from "./store";
import type { ServerRecord } from "./types";

/**
 * Makes the machine of a server, switched off, with its firewall rules and private NICs in place before its first boot.
 * Does nothing that is already done, so it also serves to bring back what a crash left half-made.
 */
export async function makeMachine(context: Context, project: Project, server: ServerRecord): Promise<void> {
  await context.driver.createMachine(machineSpec(project, server));
  server.machineMade = true;
  await context.firewalls.apply(project, server);
  for (const nic of server.attachments) await plug(context, server, nic);
}

/** Removes machine and NICs from the driver, then the server and what belongs to it from the state. */
export async function unmakeMachine(context: Context, project: Project, server: ServerRecord): Promise<void> {
  for (const nic of server.attachments) await context.driver.detach(nic.networkId, server.id);
  await context.driver.destroyMachine(server.id);
  context.firewalls.forget(server.id);
  const { state } = project;
  for (const firewall of state.firewalls) firewall.serverIds = firewall.serverIds.filter((id) => id !== server.id);
  for (const id of [server.ipv4Id, server.ipv6Id]) if (id !== null) removeById(state.primaryIps, id);
  removeById(state.servers, server.id);
}

/** A server as the driver takes it. */
export function machineSpec(project: Project, server: ServerRecord): MachineSpec {
  const type = findServerType(server.serverType);
  const address = project.state.primaryIps.find((record) => record.id === server.ipv4Id);
  if (!type || !address) throw new Error(`server ${server.name} has no known type or no public address`);
  return {
    serverId: server.id,
    name: server.name,
    image: imageById(server.imageId).name,
    publicAddress: address.ip,
    cores: type.cores,
    memoryGiB: type.memory,
    userData: server.userData,
    sshKeys: server.sshKeys,
    start: false,
  };
}
