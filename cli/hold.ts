import { lock } from "proper-lockfile";
import type { Instance } from "../sandbox/instance";

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
