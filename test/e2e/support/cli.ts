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
  /** Presses Ctrl-C: as on a terminal, every process of the foreground group gets the signal. */
  interrupt(): void;
}

/** Starts `npm run COMMAND -- --instance NAME …`, as the README says. */
export function startCli(command: "up" | "down", args: string[] = [], instance = instanceName): CliRun {
  const child = execa("npm", ["run", command, "--", "--instance", instance, ...args], {
    cwd: projectDir,
    reject: false,
    all: true,
    detached: true,
    stdin: "ignore",
  });
  let output = "";
  child.all.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const result = child.then((ended) => ({ exitCode: ended.exitCode ?? 128, output: ended.all }));
  return {
    result,
    output: () => output,
    interrupt: () => {
      if (child.pid) process.kill(-child.pid, "SIGINT");
    },
  };
}

/** Runs `npm run COMMAND -- --instance NAME …` to its end. */
export function runCli(command: "up" | "down", args: string[] = [], instance = instanceName): Promise<CliResult> {
  return startCli(command, args, instance).result;
}
