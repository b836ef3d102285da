import type { HetznerUnderlayArgs, HostsUnderlayArgs } from "../plan/types";

/** Machines and private network from a Hetzner Cloud project. */
export function hetzner(args: Omit<HetznerUnderlayArgs, "kind">): HetznerUnderlayArgs {
  return { kind: "hetzner", ...args };
}

/** Existing machines of any provider, reached by SSH. */
export function hosts(args: Omit<HostsUnderlayArgs, "kind">): HostsUnderlayArgs {
  return { kind: "hosts", ...args };
}
