import { endSandbox } from "../sandbox/control";
import { findInstance, type Instance } from "../sandbox/instance";
import { pulumiHome } from "./engine";
import { holdInstance } from "./hold";
import { endOrphans } from "./orphans";
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
    await runPhases([{ title: `Remove the sandbox ${name}`, run: () => remove(instance) }]);
  } finally {
    // The folder that carries the lock is gone.
    await release().catch(() => undefined);
  }
  return 0;
}

async function remove(instance: Instance): Promise<void> {
  await endOrphans(pulumiHome(instance));
  await endSandbox(instance);
}
