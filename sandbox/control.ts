import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { open, readdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import pRetry from "p-retry";
import { HostDriver } from "./driver";
import { type Instance, listInstances } from "./instance";
import { allowBbr, recordKernelValues, restoreKernelValues } from "./kernelValues";
import { machineImages } from "./supplies";

/** Files with the daemon's process id: written when it is started, and by itself when its API answers. */
const started = "daemon.pid";
const ready = "daemon.json";

/** Starts the sandbox's process unless it runs, and waits until its API answers. Machines that were on are booted again. */
export async function startSandbox(instance: Instance): Promise<void> {
  await recordKernelValues();
  await allowBbr();
  if (await daemonPid(instance)) return;
  // One that a run cut off while it started, and that answers nobody yet.
  await stopDaemon(instance);
  const log = await open(path.join(instance.stateDir, "daemon.log"), "a", 0o600);
  const loader = require.resolve("ts-node/register/transpile-only");
  const child = spawn(process.execPath, ["-r", loader, path.join(__dirname, "daemon.ts"), instance.name], {
    detached: true,
    stdio: ["ignore", log.fd, log.fd],
  });
  child.unref();
  await writeFile(path.join(instance.stateDir, started), JSON.stringify({ pid: child.pid }));
  await log.close();
  let ended = false;
  child.once("exit", () => (ended = true));
  await pRetry(
    async () => {
      if (await daemonPid(instance)) return;
      const reason = new Error(`the sandbox's process did not start; its last lines:\n${await lastLines(instance)}`);
      if (ended) throw Object.assign(reason, { final: true });
      throw reason;
    },
    { retries: 300, minTimeout: 100, maxTimeout: 200, shouldRetry: ({ error }) => !("final" in error) },
  );
}

/** Ends the sandbox's process; machines go on. */
export async function stopDaemon(instance: Instance): Promise<void> {
  const running = async (): Promise<number | undefined> =>
    (await livingPid(instance, ready)) ?? (await livingPid(instance, started));
  const pid = await running();
  if (pid) process.kill(pid, "SIGTERM");
  await pRetry(
    async () => {
      if (await running()) throw new Error("the sandbox's process does not end");
    },
    { retries: 100, minTimeout: 50, maxTimeout: 100 },
  );
  for (const file of [ready, started]) await rm(path.join(instance.stateDir, file), { force: true });
}

/** Ends a sandbox whole: process, machines, networks, and what they changed on the host. Its folder goes last. Twice is fine. */
export async function endSandbox(instance: Instance): Promise<void> {
  await stopDaemon(instance);
  const driver = new HostDriver(instance, machineImages(instance));
  await driver.removeEverything();
  // Before the folder: what fails here is tried again by the next `down`.
  if ((await listInstances()).every((name) => name === instance.name)) await restoreKernelValues();
  await rm(instance.stateDir, { recursive: true, force: true });
}

/** Whether any machine of the sandbox has a disk here. */
export async function hasMachines(instance: Instance): Promise<boolean> {
  const dir = path.join(instance.stateDir, "machines");
  return existsSync(dir) && (await readdir(dir)).length > 0;
}

/** Process id of the daemon once its API answers; undefined when it does not run. */
export function daemonPid(instance: Instance): Promise<number | undefined> {
  return livingPid(instance, ready);
}

/** Process id in a file of the instance, if that process lives and is the instance's daemon. */
async function livingPid(instance: Instance, name: string): Promise<number | undefined> {
  const file = path.join(instance.stateDir, name);
  if (!existsSync(file)) return undefined;
  const { pid } = JSON.parse(await readFile(file, "utf8")) as { pid: number };
  // After a reboot of the host the number may belong to somebody else.
  const commandLine = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
  return commandLine.includes("daemon.ts") && commandLine.includes(`\0${instance.name}\0`) ? pid : undefined;
}

async function lastLines(instance: Instance): Promise<string> {
  const text = await readFile(path.join(instance.stateDir, "daemon.log"), "utf8").catch(() => "");
  return text.trimEnd().split("\n").slice(-15).join("\n");
}
