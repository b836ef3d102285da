import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { open, readdir, readFile, rm } from "node:fs/promises";
import path from "node:path";
import pRetry from "p-retry";
import { HostDriver } from "./driver";
import { type Instance, listInstances } from "./instance";
import { allowBbr, recordKernelValues, restoreKernelValues } from "./kernelValues";
import { machineImages } from "./supplies";

/** Starts the sandbox's process unless it runs, and waits until its API answers. Machines that were on are booted again. */
export async function startSandbox(instance: Instance): Promise<void> {
  await recordKernelValues();
  await allowBbr();
  if (await daemonPid(instance)) return;
  await rm(path.join(instance.stateDir, "daemon.json"), { force: true });
  const log = await open(path.join(instance.stateDir, "daemon.log"), "a", 0o600);
  const loader = require.resolve("ts-node/register/transpile-only");
  const child = spawn(process.execPath, ["-r", loader, path.join(__dirname, "daemon.ts"), instance.name], {
    detached: true,
    stdio: ["ignore", log.fd, log.fd],
  });
  child.unref();
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
  const pid = await daemonPid(instance);
  if (!pid) return;
  process.kill(pid, "SIGTERM");
  await pRetry(
    async () => {
      if (await daemonPid(instance)) throw new Error("the sandbox's process does not end");
    },
    { retries: 100, minTimeout: 50, maxTimeout: 100 },
  );
}

/** Ends a sandbox whole: process, machines, networks, and what they changed on the host. Its folder goes last. Twice is fine. */
export async function endSandbox(instance: Instance): Promise<void> {
  await stopDaemon(instance);
  const driver = new HostDriver(instance, machineImages(instance.preload));
  await driver.removeEverything();
  await rm(instance.stateDir, { recursive: true, force: true });
  if ((await listInstances()).length === 0) await restoreKernelValues();
}

/** Whether any machine of the sandbox has a disk here. */
export async function hasMachines(instance: Instance): Promise<boolean> {
  const dir = path.join(instance.stateDir, "machines");
  return existsSync(dir) && (await readdir(dir)).length > 0;
}

/** Process id of the running daemon; undefined when it does not run. */
export async function daemonPid(instance: Instance): Promise<number | undefined> {
  const file = path.join(instance.stateDir, "daemon.json");
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
