import type { HetznerUnderlayArgs } from "../plan/types";

/** Machines and private network from a Hetzner Cloud project. */
export function hetzner(args: Omit<HetznerUnderlayArgs, "kind">): HetznerUnderlayArgs {
  return { kind: "hetzner", ...args };
}
