import ipaddr from "ipaddr.js";

/** An IPv4 block as numbers: first address and prefix length. */
export interface Block {
  base: number;
  prefix: number;
}

const rfc1918 = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"];

/** The gateway of the public NIC: never usable in a private network. */
export const publicGateway = "172.31.1.1";

/**
 * Reads an IPv4 CIDR; host bits are cleared.
 * @returns null if the text is none
 */
export function parseBlock(text: string): Block | null {
  if (!/^\d{1,3}(\.\d{1,3}){3}\/\d{1,2}$/.test(text) || !ipaddr.IPv4.isValidCIDR(text)) return null;
  const [address, prefix] = ipaddr.IPv4.parseCIDR(text);
  const value = numberOf(address.toString());
  return value === null ? null : { base: value - (value % sizeOf(prefix)), prefix };
}

/** The block of a CIDR that is known to be valid. */
export function blockOf(text: string): Block {
  const block = parseBlock(text);
  if (!block) throw new Error(`${text} is not an IPv4 CIDR`);
  return block;
}

/**
 * Reads an IPv4 address.
 * @returns its number, null if the text is none
 */
export function numberOf(text: string): number | null {
  if (!ipaddr.IPv4.isValidFourPartDecimal(text)) return null;
  return ipaddr.IPv4.parse(text)
    .toByteArray()
    .reduce((sum, byte) => sum * 256 + byte, 0);
}

/** The dotted form of an address number. */
export function addressOf(value: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join(".");
}

/** The CIDR text of a block. */
export function formatBlock(block: Block): string {
  return `${addressOf(block.base)}/${block.prefix}`;
}

/** How many addresses a prefix length covers. */
export function sizeOf(prefix: number): number {
  return 2 ** (32 - prefix);
}

/** The last address of a block. */
export function lastOf(block: Block): number {
  return block.base + sizeOf(block.prefix) - 1;
}

export function overlaps(a: Block, b: Block): boolean {
  return a.base <= lastOf(b) && b.base <= lastOf(a);
}

/** Whether all of `inner` lies in `outer`. */
export function contains(outer: Block, inner: Block): boolean {
  return outer.base <= inner.base && lastOf(inner) <= lastOf(outer);
}

export function holds(block: Block, address: number): boolean {
  return block.base <= address && address <= lastOf(block);
}

/** Whether a block lies in one of the private ranges of RFC 1918. */
export function isPrivate(block: Block): boolean {
  return rfc1918.some((range) => contains(blockOf(range), block));
}

/**
 * Whether a text is an IPv4 or IPv6 CIDR without host bits, as firewall rules need it.
 * @returns a sentence about what is wrong, null if nothing is
 */
export function cidrProblem(text: string): string | null {
  if (!text.includes("/") || !ipaddr.isValidCIDR(text)) return `'${text}' is not a CIDR`;
  const [address, prefix] = ipaddr.parseCIDR(text);
  const network =
    address.kind() === "ipv4"
      ? ipaddr.IPv4.networkAddressFromCIDR(`${address.toString()}/${prefix}`)
      : ipaddr.IPv6.networkAddressFromCIDR(`${address.toString()}/${prefix}`);
  return network.toString() === address.toString()
    ? null
    : `'${text}' has host bits set, use '${network.toString()}/${prefix}'`;
}
