import { execa } from "execa";
import { projectDir } from "../../../cli/engine";

/** Sandbox that the tests make and remove; never a person's own. */
export const instanceName = process.env.ZEROSTEAL_E2E_INSTANCE ?? "e2e";

/** How a run of the command line ended. */
export interface CliResult {
  exitCode: number;
  /** Standard output and standard error as they came. */
  output: string;
}

/** A run of the command line under way. */
export interface CliRun {
  result: Promise<CliResult>;
  /** What it has printed so far. */
  output(): string;
}

/** A run on a terminal of its own. */
export interface TerminalRun extends CliRun {
  /** Presses Ctrl-C. */
  interrupt(): void;
}

/** Starts `npm run COMMAND -- --instance NAME …`, as the README says. */
export function startCli(command: "up" | "down" | "workload", args: string[] = [], instance = instanceName): CliRun {
  const words = ["run", command, "--", "--instance", instance, ...args];
  const child = execa("npm", words, { cwd: projectDir, reject: false, all: true, stdin: "ignore" });
  return follow(child);
}

/** Starts the same on a terminal, where a key press reaches all of its programs as it does a person's. */
export function startOnTerminal(command: "up" | "down", args: string[] = []): TerminalRun {
  const line = ["npm", "run", command, "--", "--instance", instanceName, ...args].join(" ");
  const child = execa("script", ["--quiet", "--return", "--flush", "--command", line, "/dev/null"], {
    cwd: projectDir,
    // Plain lines also on a terminal.
    env: { CI: "1" },
    reject: false,
    all: true,
    stdin: "pipe",
  });
  return { ...follow(child), interrupt: () => void child.stdin.write("\x03") };
}

/** A program that runs: its output as it comes, and at its end. */
type Running = Promise<{ exitCode?: number; all: string }> & { all: NodeJS.ReadableStream };

function follow(child: Running): CliRun {
  let output = "";
  child.all.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const result = child.then((ended) => ({ exitCode: ended.exitCode ?? 128, output: ended.all }));
  return { result, output: () => output };
}

/** Runs `npm run COMMAND -- --instance NAME …` to its end. */
export function runCli(command: "up" | "down", args: string[] = [], instance = instanceName): Promise<CliResult> {
  return startCli(command, args, instance).result;
}
