import { unplug } from "./attachments";
import type { Context } from "./context";
import { messageOf } from "./errors";
import { makeMachine, unmakeMachine } from "./machines";
import { finishNetworkDeletion, networkSpec } from "./networks";
import type { Project } from "./store";
import type { NetworkRecord, ServerRecord } from "./types";

/** What reconcile could not bring to what the state says. */
export interface ReconcileProblem {
  /** e.g. `server web-1` */
  resource: string;
  message: string;
}

/**
 * Brings the driver to what the state says: networks with their routes, machines with NICs and firewall rules, power.
 * Ends what was interrupted: deletions are finished, actions that were running succeed or fail by the outcome.
 * @returns problems, empty if all went well; one resource's problem does not stop the others
 */
export async function reconcile(context: Context): Promise<ReconcileProblem[]> {
  const problems: ReconcileProblem[] = [];
  for (const project of context.store.all()) problems.push(...(await reconcileProject(context, project)));
  return problems;
}

async function reconcileProject(context: Context, project: Project): Promise<ReconcileProblem[]> {
  const { state } = project;
  if (state.servers.length + state.networks.length + state.actions.length === 0) return [];
  const failed = new Map<string, ReconcileProblem>();
  const attempt = async (
    type: "server" | "network",
    item: { id: number; name: string },
    work: () => Promise<void>,
  ): Promise<void> => {
    try {
      await work();
    } catch (error) {
      failed.set(`${type} ${item.id}`, { resource: `${type} ${item.name}`, message: messageOf(error) });
    }
  };
  // Also those being deleted: servers may still be plugged into them.
  for (const network of state.networks) await attempt("network", network, () => restoreNetwork(context, network));
  await Promise.all(
    [...state.servers].map((server) => attempt("server", server, () => restoreServer(context, project, server))),
  );
  for (const network of state.networks.filter(({ deleting }) => deleting)) {
    await attempt("network", network, () => finishNetworkDeletion(context, project, network));
  }
  endActions(context, project, failed);
  await project.save();
  return [...failed.values()];
}

async function restoreNetwork(context: Context, network: NetworkRecord): Promise<void> {
  await context.driver.createNetwork(networkSpec(network));
  await context.driver.setRoutes(network.id, network.routes);
}

async function restoreServer(context: Context, project: Project, server: ServerRecord): Promise<void> {
  const { status } = server;
  // What is to be seen if anything below fails: no server may stay in a state that only an action ends.
  server.status = "off";
  if (status === "deleting") return unmakeMachine(context, project, server);
  for (const nic of server.attachments.filter((candidate) => candidate.state === "detaching")) {
    await unplug(context, server, nic);
  }
  context.firewalls.forget(server.id);
  await makeMachine(context, project, server);
  if (server.power === "on") {
    await context.driver.powerOn(server.id);
    server.status = "running";
  } else {
    if (await context.driver.isRunning(server.id)) await context.driver.powerOff(server.id);
    server.status = "off";
  }
}

/** An interrupted action came to its end by the reconciliation, unless one of its resources failed. */
function endActions(context: Context, project: Project, failed: Map<string, ReconcileProblem>): void {
  for (const action of project.state.actions.filter(({ status }) => status === "running")) {
    const problem = action.resources
      .map(({ type, id }) => failed.get(`${type} ${id}`))
      .find((found) => found !== undefined);
    context.actions.finish(project, action, problem ? { code: "interrupted", message: problem.message } : null);
  }
}
