import { readScript } from "./nodeFiles";
import type { HostsUnderlayPlan, NodePlan } from "./types";

const preflight = readScript("preflight.sh");

/**
 * Bash that looks whether a machine can become its node, names every problem at once and changes nothing.
 * @param root prefix of the files that it looks at; default none
 */
export function preflightScript(underlay: HostsUnderlayPlan, node: NodePlan, root = ""): string {
  const { cpus = 0, memoryGiB = 0 } = underlay.machines[node.name] ?? {};
  const facts = {
    NODE_NAME: node.name,
    PRIVATE_ADDRESS: node.privateAddress,
    PRIVATE_INTERFACE: underlay.interfaces.private,
    PUBLIC_INTERFACE: underlay.interfaces.public,
    CPUS: String(cpus),
    MEMORY_GIB: String(memoryGiB),
    MTU: String(underlay.mtu),
    KERNEL: underlay.preflight.kernel,
    MODULES: underlay.preflight.modules.join(" "),
    CLOCK_URL: underlay.preflight.clockUrl,
    ROOT: root,
  };
  const head = Object.entries(facts).map(([name, value]) => `${name}='${value.replace(/'/g, `'\\''`)}'\n`);
  return `${head.join("")}${preflight}`;
}

/** Bash that takes off a machine what the library put on it; for a node that leaves while its machine stays. */
export const dismantleScript = readScript("dismantle.sh");
