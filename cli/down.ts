import { endSandbox } from "../sandbox/control";
import { findInstance } from "../sandbox/instance";
import { holdInstance } from "./hold";
import { runPhases } from "./phases";
import { checkHost } from "./preflight";

/** Removes a sandbox whole: cluster, machines, networks, state, and what they changed on this host. Twice is fine. */
export async function down(name: string): Promise<number> {
  checkHost();
  const instance = await findInstance(name);
  if (!instance) {
    console.log(`There is no sandbox "${name}"; nothing to remove.`);
    return 0;
  }
  const release = await holdInstance(instance);
  try {
    await runPhases([{ title: `Remove the sandbox ${name}`, run: () => endSandbox(instance) }]);
  } finally {
    // The folder that carries the lock is gone.
    await release().catch(() => undefined);
  }
  return 0;
}
