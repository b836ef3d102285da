import type { Client, ClientChannel } from "ssh2";
import type { CheckFailure } from "../core/provider";
import { type Bag, type JsonBag, open, Secret, unknown } from "../core/values";
import { CommandFailure, type CommandKind, type Run } from "./commandResource";
import { dial } from "./connection";
import { checkLogging } from "./local";

interface Environment {
  [name: string]: string;
}

/** `command:remote:Command`: a command over SSH. */
export const remoteCommand: CommandKind = {
  check: (inputs) => {
    const failures = checkLogging(inputs);
    return { inputs: { ...inputs, connection: completeConnection(inputs.connection, failures) }, failures };
  },
  run: async (run) => {
    const { call, inputs } = run;
    const client = await dial(inputs.connection as JsonBag, { signal: call.signal, log: call.log });
    // A connection that breaks shows in the channel's end; without a listener the process would die.
    client.on("error", () => undefined);
    try {
      await execute(client, run, await acceptedEnvironment(client, run));
    } finally {
      client.end();
    }
  },
};

/** The defaults of the SDK, for programs in languages whose SDK leaves them out. The whole connection is a secret. */
function completeConnection(connection: Bag[string] | undefined, failures: CheckFailure[]): Secret {
  const opened = open(connection ?? null);
  if (opened === unknown) return new Secret(unknown);
  if (opened === null || typeof opened !== "object" || Array.isArray(opened)) {
    failures.push({ property: "connection", reason: "Missing required field 'connection'" });
    return new Secret(opened);
  }
  const complete = withDefaults(opened, "connection", failures);
  const proxy = open(complete.proxy ?? null);
  if (proxy !== null && proxy !== unknown) complete.proxy = withDefaults(proxy as Bag, "connection.proxy", failures);
  return new Secret(complete);
}

function withDefaults(fields: Bag, path: string, failures: CheckFailure[]): Bag {
  if ((fields.host ?? null) === null) {
    failures.push({ property: `${path}.host`, reason: `Missing required field '${path}.host'` });
  }
  return { user: "root", port: 22, dialErrorLimit: 10, perDialTimeout: 15, ...fields };
}

/**
 * Finds out which variables the server lets through. A refused one of the program is an error, a refused one of the
 * last run's output only a warning.
 */
async function acceptedEnvironment(client: Client, run: Run): Promise<Environment> {
  const { inputs, previous, call } = run;
  const wanted = (inputs.environment ?? {}) as Environment;
  const offered: Environment = {};
  if (inputs.addPreviousOutputInEnv !== false && previous.stdout !== "")
    offered.PULUMI_COMMAND_STDOUT = previous.stdout;
  if (inputs.addPreviousOutputInEnv !== false && previous.stderr !== "")
    offered.PULUMI_COMMAND_STDERR = previous.stderr;
  const all = { ...wanted, ...offered };
  if (Object.keys(all).length === 0) return {};
  const accepted = await environmentSeen(client, all);
  for (const name of Object.keys(wanted).filter((key) => !accepted.has(key))) {
    call.log.error(refusal(name));
    throw new Error(`could not set environment variable "${name}": ssh: setenv failed`);
  }
  for (const name of Object.keys(offered).filter((key) => !accepted.has(key))) call.log.warning(refusal(name));
  return Object.fromEntries(Object.entries(all).filter(([name]) => accepted.has(name)));
}

function refusal(name: string): string {
  return (
    `Unable to set '${name}'. This only works if your SSH server is configured to accept these variables via ` +
    `AcceptEnv. Alternatively, if a Bash-like shell runs the command on the remote host, you could prefix the command ` +
    `itself with the variables in the form 'VAR=value command'`
  );
}

/** SSH clients may send variables without hearing of a refusal, so what arrives is looked at. */
async function environmentSeen(client: Client, sent: Environment): Promise<Set<string>> {
  const channel = await openSession(client, "env -0", sent);
  const chunks: Buffer[] = [];
  channel.on("data", (chunk: Buffer) => chunks.push(chunk));
  channel.end();
  await ended(channel);
  const seen = new Set(Buffer.concat(chunks).toString().split("\0"));
  return new Set(Object.keys(sent).filter((name) => seen.has(`${name}=${sent[name]}`)));
}

async function execute(client: Client, { command, inputs, output }: Run, env: Environment): Promise<void> {
  const channel = await openSession(client, command, env);
  channel.on("data", (chunk: Buffer) => output.stdout(chunk));
  channel.stderr.on("data", (chunk: Buffer) => output.stderr(chunk));
  // A command that does not read its input may close it first; its exit status tells whether that mattered.
  channel.on("error", () => undefined);
  channel.end(typeof inputs.stdin === "string" ? inputs.stdin : "");
  const failure = await ended(channel);
  if (failure !== undefined) throw new CommandFailure(failure);
}

function openSession(client: Client, command: string, env: Environment): Promise<ClientChannel> {
  return new Promise((resolve, reject) => {
    const lost = () => reject(new Error("ssh: connection closed"));
    client.once("close", lost);
    client.exec(command, { env }, (error, channel) => {
      client.removeListener("close", lost);
      if (error) reject(new Error(`ssh: ${error.message}`));
      else resolve(channel);
    });
  });
}

const signalNumbers: { [name: string]: number } = {
  HUP: 1, INT: 2, QUIT: 3, ILL: 4, ABRT: 6, FPE: 8, KILL: 9, SEGV: 11, PIPE: 13, ALRM: 14, TERM: 15,
}; // prettier-ignore

/** Waits for the end of a command. Undefined: status 0; otherwise how it ended. */
function ended(channel: ClientChannel): Promise<string | undefined> {
  return new Promise((resolve) => {
    let end: string | undefined = "wait: remote command exited without exit status or exit signal";
    channel.on("exit", (code: number | null, signal?: string) => {
      if (code === 0) end = undefined;
      else if (code !== null) end = `Process exited with status ${code}`;
      else
        end = `Process exited with status ${128 + (signalNumbers[signalName(signal)] ?? 0)} from signal ${signalName(signal)}`;
    });
    channel.on("close", () => resolve(end));
  });
}

const signalName = (signal: string | undefined): string => (signal ?? "").replace(/^SIG/, "");
