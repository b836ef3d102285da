import { createServer } from "node:net";
import path from "node:path";
import { checkSandboxRoom } from "../sandbox/images/room";
import { daemonPid } from "../sandbox/control";
import { foreignRoute, type Instance, instancesDir } from "../sandbox/instance";
import { run } from "../sandbox/run";

/** Room that an instance of three nodes takes beside the cache, MiB: disks of machines, logs, state. */
const instanceRoom = 4096;

/**
 * Refuses a machine on which no sandbox can be made or removed.
 * @throws one sentence that says what is wrong and what to do
 */
export function checkHost(): void {
  const elsewhere = "The library, its plan and its tests below the machine tiers need neither.";
  if (process.platform !== "linux") {
    throw new Error(
      `The sandbox boots Linux machines on this one, so it needs Linux; this is ${process.platform}. ${elsewhere}`,
    );
  }
  if (process.getuid?.() !== 0) {
    throw new Error(
      `The sandbox makes machines and networks, so it needs root: run it again by \`sudo\`. ${elsewhere}`,
    );
  }
}

/** Refuses a disk that cannot hold what is still to be made. */
export async function checkRoom(): Promise<void> {
  await checkSandboxRoom({}, { dir: path.dirname(instancesDir), mib: instanceRoom });
}

/**
 * Refuses an instance whose addresses or ports somebody else uses. One that already runs uses them itself.
 * @throws one sentence that says what is in the way and what to do
 */
export async function checkInstance(instance: Instance): Promise<void> {
  if (await daemonPid(instance)) return;
  const route = await foreignRoute(instance);
  const other = "Use another sandbox (--instance NAME), which takes the next free range and port.";
  if (route)
    throw new Error(
      `This host routes ${instance.publicRange}, the sandbox's public range, elsewhere: ${route}. ${other}`,
    );
  if (!(await portIsFree(instance.apiPort))) {
    throw new Error(
      `Port ${instance.apiPort} on 127.0.0.1, where the sandbox's cloud API listens, is in use. ${other}`,
    );
  }
  if (await portIsTaken(instance.mirrorPort)) {
    throw new Error(
      `Port ${instance.mirrorPort}, where the sandbox's mirror listens on an address of its own, is in use on all addresses of this ` +
        `host. End what listens there, or let it listen on one address: ss -ltnp sport = :${instance.mirrorPort}`,
    );
  }
}

function portIsFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}

/** Whether somebody listens on all addresses. The mirror's own address does not exist yet, so it cannot be tried. */
async function portIsTaken(port: number): Promise<boolean> {
  const listeners = await run("ss", ["-Hltn", `sport = :${port}`]);
  return listeners.split("\n").some((line) => /^(0\.0\.0\.0|\*|\[::\]):/.test(line.split(/\s+/)[3] ?? ""));
}
