import ipaddr from "ipaddr.js";
import { isPrivate, parseCidr } from "../plan/addresses";

/** Who is let in, by what they are let in to. A source that is no range counts as the whole world. */
export type Sources = ReadonlyMap<string, readonly string[]>;

/** As much of all addresses as is more than anybody's own: a /8, and of IPv6 a /16. */
const large = { ipv4: 2 ** -8, ipv6: 2 ** -16 } as const;

/** Whether more is let in than before, and that the whole world or a large part of it; in words. Ranges are summed up. */
export function opened(before: Sources, after: Sources): string | undefined {
  const words = [...after].flatMap(([to, sources]) =>
    (["ipv4", "ipv6"] as const).flatMap((kind) => {
      const share = shareOf(sources, kind);
      if (share < large[kind] || share <= shareOf(before.get(to) ?? [], kind)) return [];
      return [share >= 1 ? "lets the whole world in" : "lets large parts of the world in"];
    }),
  );
  return words.sort().at(-1);
}

/** Which part of all addresses some ranges are together; private ones do not count. */
function shareOf(sources: readonly string[], kind: "ipv4" | "ipv6"): number {
  const ranges = [...new Set(sources)].map(rangeOf);
  if (ranges.includes(undefined)) return 1;
  const own = ranges.filter((range) => range?.[0].kind() === kind) as Range[];
  // Of two ranges that share an address, one holds the other.
  const outer = own.filter((range, index) => !own.some((other, at) => at !== index && holds(other, range, at < index)));
  return outer.reduce((sum, [, bits]) => sum + 2 ** -bits, 0);
}

type Range = readonly [address: ipaddr.IPv4 | ipaddr.IPv6, bits: number];

/** Undefined for what is no range; nobody's address in place of a private range. */
function rangeOf(text: string): Range | undefined {
  const whole = text.includes("/") ? text : `${text}/${text.includes(":") ? 128 : 32}`;
  if (!ipaddr.isValidCIDR(whole)) return undefined;
  const [address, bits] = ipaddr.parseCIDR(whole);
  const cidr = parseCidr(whole);
  const own = cidr === undefined ? address.range() === "uniqueLocal" && bits >= 7 : isPrivate(cidr);
  return [address, own ? Infinity : bits];
}

function holds([outer, bits]: Range, [inner, innerBits]: Range, first: boolean): boolean {
  if (bits > innerBits || (bits === innerBits && !first) || bits === Infinity) return false;
  return inner.kind() === "ipv4"
    ? (inner as ipaddr.IPv4).match(outer, bits)
    : (inner as ipaddr.IPv6).match(outer, bits);
}
