import fc from "fast-check";
import type { ClusterArgs, HetznerUnderlayArgs, HostArgs, HostsUnderlayArgs, PoolArgs } from "../../components/plan";

/** A cluster as somebody may ask for it. */
export interface Asked {
  name: string;
  args: ClusterArgs;
}

/** A change of arguments; it may well make them bad. */
export type Change = (asked: Asked) => unknown;

/** Mostly the first, seldom one of the others. */
export function seldom<T>(often: fc.Arbitrary<T>, ...rare: T[]): fc.Arbitrary<T> {
  return rare.length === 0 ? often : fc.oneof({ weight: 4, arbitrary: often }, fc.constantFrom(...rare));
}

/** One of several values, as an arbitrary. */
export const oneOf = <T>(...values: T[]): fc.Arbitrary<T> => fc.constantFrom(...values);

/** Pools of at most three nodes in all, with numbers that do not meet; names count up. */
const pools: fc.Arbitrary<PoolArgs[]> = fc
  .array(fc.record({ count: fc.integer({ min: 0, max: 2 }), room: fc.integer({ min: 0, max: 9 }) }), { maxLength: 2 })
  .map((seeds) => {
    let next = 11;
    return seeds.map(({ count, room }, index): PoolArgs => {
      const pool = { name: ["web", "batch"][index] ?? "more", count, firstNumber: next };
      next += Math.max(1, count) + room;
      return pool;
    });
  });

const access = { ssh: ["203.0.113.7/32"], api: ["203.0.113.0/24", "2001:db8::/64"] };

/** Servers of the cloud. */
export const inCloud: fc.Arbitrary<Asked> = fc
  .record({ pools, location: oneOf("fsn1", "nbg1", "hel1"), type: oneOf("ccx13", "ccx23", "cpx42", "cx43") })
  .map(({ pools: own, location, type }) => ({
    name: "prod",
    args: {
      underlay: { kind: "hetzner", location },
      access: structuredClone(access),
      controlPlane: { serverType: "ccx13" },
      pools: own.map((pool) => ({ ...pool, serverType: type })),
    },
  }));

/** A machine whose every part is its own. */
export function machine(index: number): HostArgs {
  const key = Buffer.from(String(index).padStart(32, "m")).toString("base64").replace(/=/g, "A");
  return {
    address: `203.0.113.${20 + index}`,
    privateAddress: `10.20.0.${10 + index}`,
    hostKey: `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA${key}`,
    cpus: 4,
    memoryGiB: 8,
  };
}

/** Existing machines, on one segment or behind routers. */
export const onHosts: fc.Arbitrary<Asked> = fc
  .record({
    pools,
    segment: oneOf("l2" as const, "routed" as const),
    tunnel: oneOf("vxlan" as const, "geneve" as const),
  })
  .map(({ pools: own, segment, tunnel }) => ({
    name: "prod",
    args: {
      underlay: { kind: "hosts", segment, nodeSubnet: "10.20.0.0/24", machines: machinesOf(own) },
      access: structuredClone(access),
      controlPlane: {},
      pools: own,
      network: segment === "routed" ? { tunnel } : {},
    },
  }));

function machinesOf(own: PoolArgs[]): Record<string, HostArgs> {
  const keys = own.flatMap(({ name, count }) => Array.from({ length: count }, (_, index) => `${name}-${index + 1}`));
  return Object.fromEntries(["control-plane-1", ...keys].map((key, index) => [key, machine(index)]));
}

/** Either kind. */
export const anywhere = fc.oneof(inCloud, onHosts);

/** Good arguments with up to three changes, of which most families make about half bad. */
export function changed(base: fc.Arbitrary<Asked>, change: fc.Arbitrary<Change>, most = 3): fc.Arbitrary<Asked> {
  return fc.tuple(base, fc.array(change, { minLength: 1, maxLength: most })).map(([asked, changes]) => {
    for (const one of changes) one(asked);
    return asked;
  });
}

/** The cloud's arguments, if it is one. */
export function cloudOf({ args }: Asked): HetznerUnderlayArgs | undefined {
  return args.underlay.kind === "hetzner" ? args.underlay : undefined;
}

/** The hosts' arguments, if they are hosts. */
export function hostsOf({ args }: Asked): HostsUnderlayArgs | undefined {
  return args.underlay.kind === "hosts" ? args.underlay : undefined;
}

/** An IPv4 range of a prefix length, at a position that wraps around inside the outer range. */
export function rangeIn(outer: string, bits: number, position: number): string {
  const [address = "", outerBits = ""] = outer.split("/");
  const first = address.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
  const count = 2 ** Math.max(0, bits - Number(outerBits));
  const value = first + (position % count) * 2 ** (32 - bits);
  return `${[2 ** 24, 2 ** 16, 2 ** 8, 1].map((unit) => Math.floor(value / unit) % 256).join(".")}/${bits}`;
}
