import { execa } from "execa";

/** A command of the host failed: what was run, how it ended, its last lines. */
export class CommandError extends Error {
  constructor(
    readonly command: string,
    readonly exitCode: number | undefined,
    readonly output: string,
  ) {
    super(`"${command}" ended with ${exitCode ?? "a signal"}${output ? `:\n${lastLines(output, 15)}` : ""}`);
    this.name = "CommandError";
  }
}

/**
 * Runs a program of the host and returns its standard output, trimmed.
 * @param stdin text for its standard input; default none
 * @throws CommandError with the last lines when it ends with another code than 0
 */
export async function run(program: string, args: string[], stdin = ""): Promise<string> {
  const result = await execa(program, args, { input: stdin, reject: false, all: true });
  if (result.failed) {
    throw new CommandError([program, ...args].join(" "), result.exitCode, result.all || result.shortMessage || "");
  }
  return result.stdout.trim();
}

/** Whether the command ends with 0. For questions, not for actions. */
export async function succeeds(program: string, args: string[]): Promise<boolean> {
  return !(await execa(program, args, { reject: false, stdin: "ignore" })).failed;
}

function lastLines(text: string, count: number): string {
  return text.trimEnd().split("\n").slice(-count).join("\n");
}
