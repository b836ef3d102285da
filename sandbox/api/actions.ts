import { conflict, locked, messageOf } from "./errors";
import { timestamp, type Call } from "./context";
import type { Project } from "./store";
import type { ActionRecord, ResourceType } from "./types";

/** What an action does. */
export interface ActionPlan {
  command: string;
  /** The first one is the subject: while the action runs, an exclusive one locks it. */
  resources: { id: number; type: ResourceType }[];
  /** Default true. */
  exclusive?: boolean;
  /** The driver's part. Without it the action succeeds at once. */
  work?: () => Promise<void>;
  /** Takes back what the handler noted in the state, after the work failed. */
  undo?: () => void;
}

/** An action under way. */
export interface Started {
  record: ActionRecord;
  /** Resolves to whether it succeeded; never rejects. */
  done: Promise<boolean>;
}

/** An action's error with a code of its own. */
class ActionFailure extends Error {
  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

/** Starts actions and brings them to their end. */
export class Actions {
  /**
   * @param settled whether replies wait for the end of their actions
   * @param now clock
   * @param log takes a line about an error that no client sees
   */
  constructor(
    private readonly settled: boolean,
    private readonly now: () => Date,
    private readonly log: (line: string) => void,
  ) {}

  /** Notes the action; its work begins once the state is durable. */
  start(call: Call, plan: ActionPlan): Started {
    const { project, actionFault } = call;
    const record = this.note(project, plan);
    if (actionFault) {
      const fail = (): Promise<void> => Promise.reject(new ActionFailure(actionFault.code, actionFault.message));
      return { record, done: this.run(project, record, { ...plan, work: fail }) };
    }
    if (plan.work) return { record, done: this.run(project, record, plan) };
    this.finish(project, record, null);
    return { record, done: Promise.resolve(true) };
  }

  /** Resolves when the state is durable and, in settled mode, the actions are at their end. Call it before a reply. */
  async settle(project: Project, ...started: Started[]): Promise<void> {
    await project.save();
    if (this.settled) await Promise.all(started.map((action) => action.done));
  }

  /** Ends a running action. @param error null for success */
  finish(project: Project, record: ActionRecord, error: { code: string; message: string } | null): void {
    const { actions } = project.state;
    // Ended actions are kept in the order of their ends: the last to end is the last to be forgotten.
    actions.splice(actions.indexOf(record), 1);
    actions.push(record);
    record.status = error ? "error" : "success";
    record.error = error;
    record.progress = 100;
    record.finished = timestamp(this.now());
  }

  private note(project: Project, plan: ActionPlan): ActionRecord {
    const record: ActionRecord = {
      id: project.nextId(),
      command: plan.command,
      status: "running",
      progress: 0,
      started: timestamp(this.now()),
      finished: null,
      resources: plan.resources,
      error: null,
      exclusive: plan.exclusive ?? true,
    };
    project.state.actions.push(record);
    return record;
  }

  private async run(project: Project, record: ActionRecord, plan: ActionPlan): Promise<boolean> {
    let error: ActionRecord["error"] = null;
    try {
      await project.save();
      await plan.work?.();
    } catch (thrown) {
      error = { code: thrown instanceof ActionFailure ? thrown.code : "action_failed", message: messageOf(thrown) };
      plan.undo?.();
    }
    this.finish(project, record, error);
    try {
      await project.save();
    } catch (thrown) {
      this.log(`the end of action ${record.id} (${record.command}) could not be saved: ${messageOf(thrown)}`);
    }
    return error === null;
  }
}

/** An action as the API shows it. */
export function actionView(record: ActionRecord): object {
  const { id, command, status, progress, started, finished, resources, error } = record;
  return { id, command, status, progress, started, finished, resources, error };
}

/** Whether an exclusive action runs whose subject is this resource. */
export function isBusy(project: Project, type: ResourceType, id: number): boolean {
  return project.state.actions.some(({ status, exclusive, resources: [subject] }) => {
    return status === "running" && exclusive && subject?.type === type && subject.id === id;
  });
}

/** @throws locked while an action runs on the server */
export function requireUnlocked(project: Project, serverId: number): void {
  if (isBusy(project, "server", serverId)) throw locked();
}

/** @throws conflict while another change of the network runs */
export function requireIdleNetwork(project: Project, networkId: number): void {
  if (isBusy(project, "network", networkId)) throw conflict("network is being changed by another action, try again");
}
