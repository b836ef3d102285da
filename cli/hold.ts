import { mkdir } from "node:fs/promises";
import path from "node:path";
import { lock } from "proper-lockfile";
import { type Instance, instancesDir } from "../sandbox/instance";

/** Tries for the lock of all instances, for longer than that of a run that was killed stands. Choosing takes well under a second. */
const claimRetries = { retries: 200, minTimeout: 100, maxTimeout: 100 };

/** Does something that no other run may do at the same time: choosing what a new instance gets. */
export async function alone<T>(work: () => Promise<T>): Promise<T> {
  await mkdir(instancesDir, { recursive: true, mode: 0o700 });
  const lockfilePath = path.join(instancesDir, ".lock");
  const release = await lock(instancesDir, { lockfilePath, stale: 15_000, update: 5_000, retries: claimRetries });
  try {
    return await work();
  } finally {
    await release();
  }
}

/**
 * Makes this process the only one that changes the instance.
 * @returns gives it up
 * @throws one sentence when another run is under way
 */
export async function holdInstance(instance: Instance): Promise<() => Promise<void>> {
  try {
    return await lock(instance.stateDir, { stale: 15_000, update: 5_000 });
  } catch (error) {
    if ((error as { code?: string }).code !== "ELOCKED") throw error;
    throw new Error(
      `Another run works on the sandbox "${instance.name}"; wait until it ends, or use another one with --instance NAME. ` +
        "After a run that was killed this passes within 15 s.",
      { cause: error },
    );
  }
}
