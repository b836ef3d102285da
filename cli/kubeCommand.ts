import { Option } from "commander";
import { readFile } from "node:fs/promises";
import { interruptible } from "../components/doctor/interrupt";
import { CannotRun } from "../components/doctor/kube";
import { exitCodes } from "../components/doctor/report";

/** The option of every command that looks at a cluster. */
export function kubeconfigOption(): Option {
  return new Option("--kubeconfig <file>", "kubeconfig of the cluster").env("KUBECONFIG");
}

/** Text of the kubeconfig that was given. @throws CannotRun without one, or when it cannot be read */
export async function readKubeconfig(file: string | undefined): Promise<string> {
  if (!file) throw new CannotRun("Which cluster? Give --kubeconfig FILE, or set KUBECONFIG.");
  return readText(file, "kubeconfig");
}

/** Text of a file that was given. @throws CannotRun when it cannot be read */
export async function readText(file: string, what: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    throw new CannotRun(`The ${what} ${file} ${code === "ENOENT" ? "does not exist" : `cannot be read (${code})`}.`);
  }
}

/** Tells steps on stderr with the time that has passed: for people, or when asked for. */
export function stepTeller(always = false): (step: string) => void {
  const startedAt = Date.now();
  return (step) => {
    const elapsed = ((Date.now() - startedAt) / 1000).toFixed(1);
    if (process.stderr.isTTY || always) process.stderr.write(`${elapsed.padStart(6)} s  ${step}\n`);
  };
}

/**
 * Runs a command that looks at a cluster: Ctrl-C ends it, and what it could not do is one sentence on stderr.
 * @param work gives the exit code
 */
export async function exitCodeOf(work: (signal: AbortSignal) => Promise<number>): Promise<number> {
  try {
    const code = await interruptible(work);
    if (code !== "interrupted") return code;
    process.stderr.write("Interrupted; what was made in the cluster is removed.\n");
    return exitCodes.interrupted;
  } catch (error) {
    // Anything else is a fault of this program: its stack helps who mends it, and 1 would say that the cluster is not healthy.
    const told = error instanceof CannotRun ? error.message : error instanceof Error ? error.stack : error;
    process.stderr.write(`${String(told)}\n`);
    return exitCodes.couldNotRun;
  }
}
