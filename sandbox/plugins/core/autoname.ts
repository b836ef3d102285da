import { createHash } from "node:crypto";

/**
 * The name that Pulumi gives to a resource without one: `<name>-<hex digits>`, the same at preview and update.
 * @param name resource name
 * @param seed the engine's seed for this resource
 * @param digits how many hex digits follow
 */
export function autoname(name: string, seed: Uint8Array, digits = 7): string {
  return `${name}-${createHash("sha256").update(seed).update(name).digest("hex").slice(0, digits)}`;
}
