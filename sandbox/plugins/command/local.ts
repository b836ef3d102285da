import { spawn } from "node:child_process";
import type { CheckFailure } from "../core/provider";
import { type Bag, open } from "../core/values";
import { CommandFailure, type CommandKind, type Run } from "./commandResource";

/** `command:local:Command`: a command on the machine that runs Pulumi. */
export const localCommand: CommandKind = {
  check: (inputs) => {
    const failures = checkLogging(inputs);
    for (const field of ["assetPaths", "archivePaths"]) {
      if (inputs[field] !== undefined)
        failures.push({ property: field, reason: `the sandbox's stand-in has no ${field}` });
    }
    return { inputs, failures };
  },
  run: async (run) => {
    const failure = await execute(run);
    if (failure !== undefined) throw new CommandFailure(failure);
  },
};

/** Both kinds of commands know the same values of `logging`. */
export function checkLogging(inputs: Bag): CheckFailure[] {
  const logging = open(inputs.logging ?? null);
  if (typeof logging !== "string" || ["stdout", "stderr", "stdoutAndStderr", "none"].includes(logging)) return [];
  const reason = `"${logging}" is no kind of logging; use stdout, stderr, stdoutAndStderr or none`;
  return [{ property: "logging", reason }];
}

/** Resolves to undefined when the command ended with status 0, otherwise to how it ended. */
function execute({ command, inputs, previous, output, call }: Run): Promise<string | undefined> {
  const interpreter = inputs.interpreter as string[] | undefined;
  const [program, ...args] = interpreter?.length ? [...interpreter, command] : ["/bin/sh", "-c", command];
  const env = { ...process.env, ...(inputs.environment as { [name: string]: string } | undefined) };
  if (inputs.addPreviousOutputInEnv !== false) {
    if (previous.stdout !== "") env.PULUMI_COMMAND_STDOUT = previous.stdout;
    if (previous.stderr !== "") env.PULUMI_COMMAND_STDERR = previous.stderr;
  }
  return new Promise((resolve) => {
    const cwd = typeof inputs.dir === "string" ? inputs.dir : process.cwd();
    const child = spawn(program, args, { cwd, env });
    const kill = () => child.kill("SIGKILL");
    const finish = (failure: string | undefined) => {
      call.signal.removeEventListener("abort", kill);
      resolve(failure);
    };
    call.signal.addEventListener("abort", kill, { once: true });
    child.stdout.on("data", (chunk: Buffer) => output.stdout(chunk));
    child.stderr.on("data", (chunk: Buffer) => output.stderr(chunk));
    // A command that does not read its input may close it first; its exit status tells whether that mattered.
    child.stdin.on("error", () => undefined);
    child.stdin.end(typeof inputs.stdin === "string" ? inputs.stdin : "");
    child.once("error", (error: NodeJS.ErrnoException) => finish(startFailure(program, cwd, error)));
    child.once("close", (code, signal) => {
      if (code === 0) finish(undefined);
      else finish(signal === null ? `exit status ${code}` : `signal: ${signalWords[signal] ?? signal}`);
    });
  });
}

const signalWords: { [signal: string]: string } = {
  SIGKILL: "killed",
  SIGTERM: "terminated",
  SIGINT: "interrupt",
  SIGHUP: "hangup",
  SIGSEGV: "segmentation fault",
};

function startFailure(program: string, dir: string, error: NodeJS.ErrnoException): string {
  if (error.code !== "ENOENT") return `fork/exec ${program}: ${error.message}`;
  if (program.includes("/")) return `fork/exec ${program}: no such file or directory (directory ${dir})`;
  return `exec: "${program}": executable file not found in $PATH`;
}
