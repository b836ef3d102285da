import { execa } from "execa";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import type { Engine } from "./engine";

/** What the engine tells while it works: one resource begins or ends. */
export interface ResourceEvent {
  kind: "begin" | "end" | "failed";
  /** Logical name. */
  name: string;
  /** Pulumi type, e.g. `hcloud:index/server:Server`. */
  type: string;
  /** create, update, delete, replace, same, refresh, … */
  op: string;
  urn: string;
}

/** Result of an update. */
export interface UpdateResult {
  /** Number of resources by operation, e.g. `{ create: 40 }`. */
  changes: Record<string, number>;
  /** Messages of the engine about what failed, in order, one per resource. */
  errors: { resource: string; message: string }[];
  exitCode: number;
  /** Whether the doctor ran within. */
  doctorRan: boolean;
  /** Whether it was asked to stop before its end. */
  stopped: boolean;
}

/** An operation of the engine that can be stopped. */
export interface RunningOperation {
  result: Promise<UpdateResult>;
  /** Stops it: once lets steps under way end, twice drops them. */
  stop(): void;
}

interface EngineEvent {
  diagnosticEvent?: { urn?: string; message: string; severity: string; ephemeral?: boolean };
  resourcePreEvent?: { metadata: StepMetadata };
  resOutputsEvent?: { metadata: StepMetadata };
  resOpFailedEvent?: { metadata: StepMetadata };
  summaryEvent?: { resourceChanges: Record<string, number> };
}

interface StepMetadata {
  op: string;
  urn: string;
  type: string;
}

/**
 * Starts `pulumi up`, `refresh` or `destroy` and reports its steps as they happen.
 * @param args command and flags, e.g. ["up", "--yes"]
 */
export function startOperation(
  engine: Engine,
  args: string[],
  onEvent: (event: ResourceEvent) => void,
): RunningOperation {
  let stop = (): void => undefined;
  const asked = { toStop: false };
  const result = (async (): Promise<UpdateResult> => {
    const dir = await mkdtemp(path.join(os.tmpdir(), "zerosteal-"));
    const log = path.join(dir, "events");
    try {
      // PULUMI_DEBUG_COMMANDS unlocks --event-log, as Pulumi's own Automation API does.
      // In a process group of its own: a Ctrl-C on the terminal reaches the engine once, from here, and its plugins not at all.
      const child = execa(
        engine.pulumi,
        [...args, "--non-interactive", "--event-log", log, "--stack", engine.stack, "--config-file", engine.configFile],
        {
          cwd: engine.programDir,
          env: { ...engine.env, PULUMI_DEBUG_COMMANDS: "true" },
          reject: false,
          all: true,
          detached: true,
          stdin: "ignore",
        },
      );
      stop = () => child.kill("SIGINT");
      const follower = new EventFollower(log, onEvent);
      const timer = setInterval(() => void follower.read(), 200);
      const ended = await child;
      clearInterval(timer);
      await follower.read();
      const exitCode = ended.exitCode ?? 1;
      if (exitCode !== 0 && follower.errors.length === 0) {
        follower.errors.push({ resource: "", message: ended.all.trim().split("\n").slice(-15).join("\n") });
      }
      const { changes, doctorRan } = follower;
      const errors = causes(follower.errors);
      return { changes, errors, exitCode, doctorRan, stopped: asked.toStop && exitCode !== 0 };
    } finally {
      await rm(dir, { recursive: true, force: true });
    }
  })();
  return {
    result,
    stop: () => {
      asked.toStop = true;
      stop();
    },
  };
}

/** Reads the engine's event log as it grows: one JSON document a line. */
class EventFollower {
  readonly errors: UpdateResult["errors"] = [];
  changes: Record<string, number> = {};
  doctorRan = false;
  private position = 0;
  private reading: Promise<void> = Promise.resolve();

  constructor(
    private readonly file: string,
    private readonly onEvent: (event: ResourceEvent) => void,
  ) {}

  read(): Promise<void> {
    this.reading = this.reading.then(() => this.readOn());
    return this.reading;
  }

  private async readOn(): Promise<void> {
    const text = await readFile(this.file, "utf8").catch(() => "");
    const complete = text.lastIndexOf("\n") + 1;
    const lines = text.slice(this.position, complete).split("\n").filter(Boolean);
    this.position = Math.max(this.position, complete);
    for (const line of lines) this.take(JSON.parse(line) as EngineEvent);
  }

  private take(event: EngineEvent): void {
    const { diagnosticEvent: diagnostic, resourcePreEvent, resOutputsEvent, resOpFailedEvent, summaryEvent } = event;
    if (resourcePreEvent) this.tell("begin", resourcePreEvent.metadata);
    if (resOutputsEvent) this.tell("end", resOutputsEvent.metadata);
    if (resOpFailedEvent) this.tell("failed", resOpFailedEvent.metadata);
    if (summaryEvent) this.changes = summaryEvent.resourceChanges;
    // "update failed" of the engine itself says no more than the resources that failed.
    if (
      diagnostic?.severity === "error" &&
      !diagnostic.ephemeral &&
      !/^(update|refresh|destroy) failed$/.test(plain(diagnostic.message))
    ) {
      this.errors.push({ resource: logicalName(diagnostic.urn ?? ""), message: plain(diagnostic.message) });
    }
  }

  private tell(kind: ResourceEvent["kind"], { op, urn, type }: StepMetadata): void {
    const name = logicalName(urn);
    if (kind === "end" && name.startsWith("doctor-") && op !== "same") this.doctorRan = true;
    this.onEvent({ kind, name, type, op, urn });
  }
}

/** Errors without those that only follow from others: where the control plane failed, its cluster has no provider. */
function causes(errors: UpdateResult["errors"]): UpdateResult["errors"] {
  const own = errors.filter(({ message }) => !message.startsWith("unknown provider "));
  return own.length > 0 ? own : errors;
}

/** Last part of a URN. */
export function logicalName(urn: string): string {
  return urn.split("::").slice(3).join("::");
}

/** The engine marks colours in angle brackets. */
function plain(message: string): string {
  return message.replace(/<\{%[^%]*%\}>/g, "").trim();
}
