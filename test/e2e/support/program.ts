import { execa } from "execa";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { type Engine, projectDir, pulumi } from "../../../cli/engine";
import { prepareEngine, prepareSupplies, prepareTools } from "../../../cli/prepare";
import { sandboxCluster, writeStackConfig } from "../../../cli/stackConfig";
import { startSandbox } from "../../../sandbox/control";
import { chooseInstance, saveInstance } from "../../../sandbox/instance";
import { instanceName } from "./cli";
import type { StateResource } from "./cluster";

/** How a command of the engine ended. */
export interface EngineResult {
  exitCode: number;
  stdout: string;
  stderr: string;
}

/** Runs a `pulumi` command that runs the program. */
export async function engineCommand(engine: Engine, args: string[]): Promise<EngineResult> {
  const { exitCode, stdout, stderr } = await execa(
    engine.pulumi,
    [...args, "--non-interactive", "--stack", engine.stack, "--config-file", engine.configFile],
    { cwd: projectDir, env: { ...engine.env, PULUMI_DEBUG_COMMANDS: "true" }, reject: false, stdin: "ignore" },
  );
  return { exitCode: exitCode ?? 128, stdout, stderr };
}

/** One step of an operation that is not "same". */
export interface Step {
  op: string;
  urn: string;
  type: string;
}

/** Runs an operation of the engine and reads its steps from the event log, those that change nothing left out. */
export async function engineSteps(engine: Engine, args: string[]): Promise<EngineResult & { steps: Step[] }> {
  const dir = await mkdtemp(path.join(os.tmpdir(), "zerosteal-"));
  try {
    const log = path.join(dir, "events");
    const result = await engineCommand(engine, [...args, "--event-log", log]);
    return { ...result, steps: stepsOf(await readFile(log, "utf8")) };
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

function stepsOf(log: string): Step[] {
  const events = log
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line) as { resOutputsEvent?: { metadata: Step } });
  return events.flatMap((event) => {
    const step = event.resOutputsEvent?.metadata;
    return step && step.op !== "same" ? [{ op: step.op, urn: step.urn, type: step.type }] : [];
  });
}

/** A registration as the first preview shows it. */
export interface Planned {
  urn: string;
  inputs: Record<string, unknown>;
}

interface Preview {
  steps: { urn: string; newState?: { inputs?: Record<string, unknown> } }[];
}

/**
 * Previews the cluster of a sandbox that has nothing yet: its settings are written as `up` writes them. The cloud answers what it sells;
 * there is no machine and no Kubernetes to ask.
 */
export async function firstPreview(workers: number): Promise<Planned[]> {
  const instance = await chooseInstance(instanceName);
  await saveInstance(instance);
  const tools = await prepareTools(instance, () => undefined);
  await startSandbox(instance);
  const supplies = await prepareSupplies(instance, () => undefined);
  const engine = await prepareEngine(instance, tools);
  await writeStackConfig(engine, {
    "zerosteal:name": instance.name,
    "zerosteal:cluster": sandboxCluster(instance, supplies, { workers }),
    "zerosteal:doctor": { egressTarget: `${instance.hostAddress}:${instance.mirrorPort}` },
  });
  const { exitCode, stdout, stderr } = await engineCommand(engine, ["preview", "--json"]);
  if (exitCode !== 0) throw new Error(`the first preview ended with ${exitCode}:\n${stdout.slice(-3000)}\n${stderr}`);
  const { steps } = JSON.parse(stdout) as Preview;
  return steps.map(({ urn, newState }) => ({ urn, inputs: newState?.inputs ?? {} }));
}

/** The state's resources with secrets shown as the preview shows them: marked, not told. */
export async function appliedResources(engine: Engine): Promise<StateResource[]> {
  const { deployment } = JSON.parse(await pulumi(engine, ["stack", "export"])) as {
    deployment: { resources: StateResource[] };
  };
  return JSON.parse(JSON.stringify(deployment.resources), (_key, value: unknown) =>
    isSecret(value) ? "[secret]" : value,
  ) as StateResource[];
}

function isSecret(value: unknown): boolean {
  return typeof value === "object" && value !== null && "ciphertext" in value;
}

/** What the engine writes where it does not know a value yet. */
const unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/**
 * Compares planned inputs with applied ones.
 * @returns `unknown`: paths that the preview could not know; `different`: known values that came out otherwise
 */
export function compareInputs(
  planned: unknown,
  applied: unknown,
  path = "",
): { unknown: string[]; different: string[] } {
  if (planned === unknown) return { unknown: [path], different: [] };
  if (typeof planned === "object" && planned !== null && typeof applied === "object" && applied !== null) {
    const keys = [...new Set([...Object.keys(planned), ...Object.keys(applied)])];
    const parts = keys.map((key) =>
      compareInputs(
        (planned as Record<string, unknown>)[key],
        (applied as Record<string, unknown>)[key],
        `${path}.${key}`,
      ),
    );
    return { unknown: parts.flatMap((part) => part.unknown), different: parts.flatMap((part) => part.different) };
  }
  return { unknown: [], different: planned === applied ? [] : [`${path}: ${show(planned)} became ${show(applied)}`] };
}

function show(value: unknown): string {
  return value === undefined ? "nothing" : JSON.stringify(value).slice(0, 120);
}
