import { readScript } from "./nodeFiles";
import type { HostsUnderlayPlan, NodePlan } from "./types";

const firstLook = readScript("firstLook.sh");
const preflight = readScript("preflight.sh");

/**
 * POSIX shell that looks whether a machine can run a step at all: Linux, the programs that carry every step, and sudo for another user than
 * root. A prelude of the preflight, which needs all of these itself.
 */
export function firstLookScript(underlay: HostsUnderlayPlan, node: NodePlan): string {
  return `${assignments({ NODE_NAME: node.name, LOGIN_USER: underlay.user })}${firstLook}`;
}

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
    GUARDED: underlay.preflight.guarded.join(" "),
    RESOLV_CONF: underlay.preflight.resolvConf,
    ROOT: root,
  };
  return `${assignments(facts)}${preflight}`;
}

/** Shell variables, quoted. */
function assignments(facts: Record<string, string>): string {
  return Object.entries(facts)
    .map(([name, value]) => `${name}='${value.replace(/'/g, `'\\''`)}'\n`)
    .join("");
}

/** Bash that takes off a machine what the library put on it; for a node that leaves while its machine stays. */
export const dismantleScript: string = readScript("dismantle.sh");
