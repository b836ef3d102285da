import ipaddr from "ipaddr.js";
import type { Reason } from "./reason";

/**
 * Addresses of a cluster, all derived from one number per node.
 *
 * A node's number is the host part of its private address and the index of its pod CIDR: number 11 in `10.0.0.0/24` and
 * `10.244.0.0/16` gives 10.0.0.11 with the pods 10.244.11.0/24. Control plane n has the number 1 + n (the first address of the
 * network is the gateway); the workers of a pool have `firstNumber`, `firstNumber + 1`, … So an address depends on nothing
 * but the node's own pool and index: growing, adding, removing or reordering pools moves no other node. Numbers that run into
 * another pool's are a problem of the plan, never a silent move.
 */
export const firstControlPlaneNumber = 2;

/** Highest number of a control plane: numbers 2 to 10 are theirs. */
export const lastControlPlaneNumber = 10;

/** Number of the first worker of a pool that gives no `firstNumber`. */
export const firstWorkerNumber = lastControlPlaneNumber + 1;

/** Why addresses follow from a node's number. */
export const numberReason: Reason = {
  why: "A node's number is the host part of its address and the index of its pod CIDR: growing or removing another pool moves no node.",
  source: "docs/decisions/planned-pod-cidrs.md",
};

/** An IPv4 range. */
export interface Cidr {
  /** As written, e.g. `10.0.0.0/24`. */
  text: string;
  /** First address as a number. */
  first: number;
  /** Prefix length. */
  bits: number;
  /** Number of addresses. */
  size: number;
}

/**
 * Reads an IPv4 range in dotted form. The host part is dropped: compare `canonical(cidr)` with the text to refuse one.
 * @returns undefined when the text is not an IPv4 range
 */
export function parseCidr(text: string): Cidr | undefined {
  if (!ipaddr.IPv4.isValidCIDRFourPartDecimal(text)) return undefined;
  const [address, bits] = ipaddr.IPv4.parseCIDR(text);
  const size = 2 ** (32 - bits);
  const value = toNumber(address);
  return { text, first: value - (value % size), bits, size };
}

/** The range as it should be written: its first address and prefix length. */
export function canonical(cidr: Cidr): string {
  return `${toText(cidr.first)}/${cidr.bits}`;
}

/** Whether two ranges share an address. */
export function overlaps(a: Cidr, b: Cidr): boolean {
  return a.first < b.first + b.size && b.first < a.first + a.size;
}

/** Whether the outer range holds every address of the inner one. */
export function contains(outer: Cidr, inner: Cidr): boolean {
  return outer.first <= inner.first && inner.first + inner.size <= outer.first + outer.size;
}

/** Whether a range lies in one of the private ranges of RFC 1918. */
export function isPrivate(cidr: Cidr): boolean {
  return ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"].some((text) => contains(mustParse(text), cidr));
}

/**
 * The address at a position of a range; position 0 is its first address.
 * @throws RangeError when the range has no such position
 */
export function addressAt(cidr: Cidr, position: number): string {
  if (position < 0 || position >= cidr.size) throw new RangeError(`${cidr.text} has no address number ${position}`);
  return toText(cidr.first + position);
}

/**
 * The subrange at an index, when a range is cut into ranges of the given prefix length.
 * @throws RangeError when the range has no such subrange
 */
export function subrangeAt(cidr: Cidr, bits: number, index: number): string {
  const size = 2 ** (32 - bits);
  if (index < 0 || (index + 1) * size > cidr.size) throw new RangeError(`${cidr.text} has no /${bits} number ${index}`);
  return `${toText(cidr.first + index * size)}/${bits}`;
}

/** How many subranges of a prefix length a range has; 0 when it is smaller than one. */
export function subrangeCount(cidr: Cidr, bits: number): number {
  return Math.floor(cidr.size / 2 ** (32 - bits));
}

/**
 * Reads a range that is known to be valid.
 * @throws RangeError otherwise: a mistake of the caller, not of a person
 */
export function mustParse(text: string): Cidr {
  const cidr = parseCidr(text);
  if (cidr === undefined) throw new RangeError(`${JSON.stringify(text)} is not an IPv4 range`);
  return cidr;
}

/** Whether a text is an IPv4 or IPv6 range whose host part is zero; for ranges outside the cluster. */
export function isCanonicalRange(text: string): boolean {
  if (parseCidr(text) !== undefined) return canonical(mustParse(text)) === text;
  if (!ipaddr.IPv6.isValidCIDR(text)) return false;
  const [address] = ipaddr.IPv6.parseCIDR(text);
  return ipaddr.IPv6.networkAddressFromCIDR(text).toNormalizedString() === address.toNormalizedString();
}

function toNumber(address: ipaddr.IPv4): number {
  return address.octets.reduce((sum, octet) => sum * 256 + octet, 0);
}

function toText(value: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join(".");
}
