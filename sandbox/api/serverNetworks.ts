import { attachmentSpec, planAttachment, plug, readWishes, requireNewAliases, unplug } from "./attachments";
import { ApiError, messageOf } from "./errors";
import { byId } from "./objects";
import type { ServerCall, ServerChange } from "./serverActions";
import type { Context } from "./context";
import type { AttachmentRecord, NetworkRecord, ServerRecord } from "./types";

/** Plugs a private NIC into the server. */
export function attachToNetwork({ context, project, server, body }: ServerCall): ServerChange {
  const id = body.requiredInteger("network");
  const wishes = readWishes(body);
  body.check();
  const network = byId(project.state.networks, id, "network");
  const nic = planAttachment(project, server, network, wishes);
  server.attachments.push(nic);
  return {
    command: "attach_to_network",
    others: [{ id, type: "network" }],
    work: async () => {
      try {
        await plug(context, server, nic);
      } catch (error) {
        await takeBack(context, server, nic, error);
      }
    },
    undo: () => void (server.attachments = server.attachments.filter((other) => other !== nic)),
  };
}

/** Unplugs a private NIC. */
export function detachFromNetwork(call: ServerCall): ServerChange {
  const { context, server } = call;
  const { nic, network } = readAttached(call);
  nic.state = "detaching";
  return {
    command: "detach_from_network",
    others: [{ id: network.id, type: "network" }],
    work: () => unplug(context, server, nic),
    undo: () => void (nic.state = "attached"),
  };
}

/** Replaces the alias addresses of a private NIC. */
export function changeAliasIps(call: ServerCall): ServerChange {
  const { context, project, server, body } = call;
  const { nic, network } = readAttached(call);
  if (!body.given("alias_ips")) body.refuse("alias_ips", "is required");
  const aliasIps = body.strings("alias_ips");
  body.check();
  requireNewAliases(project, network, nic, aliasIps);
  const old = nic.aliasIps;
  nic.aliasIps = aliasIps;
  return {
    command: "change_alias_ips",
    others: [{ id: network.id, type: "network" }],
    work: () => context.driver.attach(attachmentSpec(server, nic)),
    undo: () => void (nic.aliasIps = old),
  };
}

/** The network a request names, and the server's NIC in it. @throws not_found */
function readAttached({ project, server, body }: ServerCall): { nic: AttachmentRecord; network: NetworkRecord } {
  const id = body.requiredInteger("network");
  body.check();
  const network = byId(project.state.networks, id, "network");
  const nic = server.attachments.find((candidate) => candidate.networkId === id);
  if (!nic) throw new ApiError(404, "not_found", `server is not attached to network with ID '${id}'`);
  return { nic, network };
}

/** After a failed attach: unplugs whatever is there, so that the address is really free. @throws always */
async function takeBack(context: Context, server: ServerRecord, nic: AttachmentRecord, cause: unknown): Promise<never> {
  try {
    await context.driver.detach(nic.networkId, server.id);
  } catch (error) {
    throw new Error(`${messageOf(cause)}; taking the NIC back failed too: ${messageOf(error)}`, { cause: error });
  }
  throw cause;
}
