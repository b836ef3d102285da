import { readdir, readFile } from "node:fs/promises";
import path from "node:path";

/** A process, as /proc tells it. */
interface Process {
  pid: number;
  parent: number;
  /** As it was started, e.g. `/…/bin/…/pulumi`. */
  program: string;
}

/**
 * Ends the language hosts, each with its program, of an engine that was killed. They have process groups of their own, so that what kills
 * the engine leaves them behind.
 * @param home the PULUMI_HOME whose programs are meant; language hosts of engines that still run are left alone
 * @returns how many were ended
 */
export async function endOrphans(home: string): Promise<number> {
  const all = await processes();
  const ours = (process: Process | undefined, program: RegExp): boolean =>
    process?.program.startsWith(path.join(home, "bin/")) === true && program.test(path.basename(process.program));
  const orphans = all.filter((host) => {
    const parent = all.find(({ pid }) => pid === host.parent);
    return ours(host, /^pulumi-language-/) && !ours(parent, /^pulumi$/);
  });
  for (const { pid } of orphans) endGroup(pid);
  return orphans.length;
}

async function processes(): Promise<Process[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name)).map(Number);
  const found = pids.map(async (pid): Promise<Process | undefined> => {
    try {
      const [command, status] = await Promise.all(
        ["cmdline", "status"].map((file) => readFile(`/proc/${pid}/${file}`, "utf8")),
      );
      return {
        pid,
        parent: Number(/^PPid:\s*(\d+)/m.exec(status ?? "")?.[1]),
        program: (command ?? "").split("\0")[0] ?? "",
      };
    } catch {
      // It ended while the list was read.
      return undefined;
    }
  });
  return (await Promise.all(found)).filter((process) => process !== undefined);
}

function endGroup(pid: number): void {
  try {
    process.kill(-pid, "SIGKILL");
  } catch (error) {
    // It ended by itself.
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
