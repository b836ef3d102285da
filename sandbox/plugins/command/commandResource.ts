import { randomBytes } from "node:crypto";
import { type DiffResult, diffBags, equalValues } from "../core/diff";
import type { Call, CheckFailure, ResourceHandler } from "../core/provider";
import { type Bag, hasUnknown, type JsonBag, open, redact, revealBag, secretTexts, unknown } from "../core/values";
import { goQuote } from "../core/goText";
import { type Logging, type Output, OutputCollector } from "./output";

/** One execution of a command. */
export interface Run {
  command: string;
  inputs: JsonBag;
  /** What the last run printed; empty on create. */
  previous: Output;
  output: OutputCollector;
  call: Call;
}

/** How the two kinds of commands differ. */
export interface CommandKind {
  /** Completes and validates inputs. */
  check(inputs: Bag): { inputs: Bag; failures: CheckFailure[] };
  /** Runs a command to its end; throws what went wrong, without the output. */
  run(run: Run): Promise<void>;
}

/**
 * The life of a command resource: create runs `create`, any changed input runs `update` or, without one, `create`
 * again, delete runs `delete`, changed triggers replace. There is nothing to read back.
 */
export function commandResource(kind: CommandKind): ResourceHandler {
  return {
    check: async ({ news }) => kind.check(news),
    diff: async ({ oldInputs, inputs, state, ignoreChanges }) => {
      const kept = Object.fromEntries(ignoreChanges.flatMap((name) => (name in state ? [[name, state[name]]] : [])));
      return diffCommands(oldInputs, { ...inputs, ...kept } as Bag);
    },
    create: async ({ inputs, preview, ...call }) => {
      if (preview) return { id: "", state: { ...inputs, stdout: unknown, stderr: unknown } };
      const output = await execute(kind, call, inputs, open(inputs.create ?? null), none);
      return { id: `${call.name}${randomBytes(4).toString("hex")}`, state: { ...inputs, ...output } };
    },
    read: async ({ id, state, oldInputs }) => ({ id, state, inputs: oldInputs }),
    update: async ({ inputs, state, preview, ...call }) => {
      const { stdout = "", stderr = "" } = state;
      if (preview) {
        return { ...inputs, ...(changed(state, inputs) ? { stdout: unknown, stderr: unknown } : { stdout, stderr }) };
      }
      const previous = previousOutput(state);
      const command = open(inputs.update ?? null) ?? open(inputs.create ?? null);
      return { ...inputs, ...(await execute(kind, call, inputs, command, previous, state)) };
    },
    delete: async ({ state, ...call }) => {
      await execute(kind, call, state, open(state.delete ?? null), previousOutput(state));
    },
  };
}

const none: Output = { stdout: "", stderr: "" };

function previousOutput(state: Bag): Output {
  const { stdout, stderr } = revealBag({ stdout: state.stdout ?? "", stderr: state.stderr ?? "" });
  return { stdout: String(stdout ?? ""), stderr: String(stderr ?? "") };
}

function diffCommands(oldInputs: Bag, inputs: Bag): DiffResult {
  const visible = (bag: Bag) => Object.fromEntries(Object.entries(bag).filter(([key]) => !key.startsWith("__")));
  const changes = diffBags(visible(oldInputs), visible(inputs));
  // Single triggers (`triggers[0]`) are turned into replacements by the option that the SDK sets.
  return {
    changes: changes.map((change) => ({ ...change, replace: change.path === "triggers" })),
    deleteBeforeReplace: false,
  };
}

/** Whether the outputs may change: an input is unknown, or differs from the recorded one. */
function changed(state: Bag, inputs: Bag): boolean {
  if (hasUnknown(inputs)) return true;
  const recorded = Object.keys(state).filter((key) => key !== "stdout" && key !== "stderr" && !key.startsWith("__"));
  return recorded.some((key) => !equalValues(state[key], inputs[key]));
}

async function execute(
  kind: CommandKind,
  call: Call,
  inputs: Bag,
  command: unknown,
  previous: Output,
  oldState: Bag = {},
): Promise<Output> {
  if (typeof command !== "string") return previous;
  const plain = revealBag(inputs);
  const secrets = secretsOf(inputs, oldState);
  const output = new OutputCollector(plain.logging as Logging | undefined, call.log, secrets);
  try {
    await kind.run({ command, inputs: plain, previous, output, call });
  } catch (error) {
    if (!(error instanceof CommandFailure))
      throw new Error(redact((error as Error).message, secrets), { cause: error });
    const text = `${error.message}: running ${goQuote(redact(command, secrets))}:\n${output.everything()}`;
    throw new Error(redact(text, secrets), { cause: error });
  }
  return output.result();
}

/** The command was started and did not end well; the error text then shows the command and its output. */
export class CommandFailure extends Error {}

/** What must not appear in a message. Host, user and host key of a connection are no secrets though it is one. */
function secretsOf(inputs: Bag, oldState: Bag): string[] {
  const { connection, ...others } = inputs;
  return [
    ...secretTexts(others),
    ...secretTexts({ stdout: oldState.stdout ?? null, stderr: oldState.stderr ?? null }),
    ...credentials(connection === undefined ? null : open(connection)),
  ];
}

function credentials(connection: unknown): string[] {
  if (connection === null || typeof connection !== "object") return [];
  const fields = revealBag(connection as Bag);
  const own = [fields.privateKey, fields.password, fields.privateKeyPassword];
  return [...own.filter((field) => typeof field === "string"), ...credentials(fields.proxy ?? null)];
}
