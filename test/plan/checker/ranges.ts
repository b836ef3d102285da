/** An IPv4 range as the checker reads it: whole numbers, nothing of the code that it judges. */
export interface Range {
  text: string;
  first: number;
  last: number;
  bits: number;
}

/** An IPv4 address as a number; undefined when the text is none in its one usual spelling. */
export function readAddress(text: string): number | undefined {
  const parts = text.split(".");
  if (parts.length !== 4 || !parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256))
    return undefined;
  return parts.reduce((sum, part) => sum * 256 + Number(part), 0);
}

/** A range with a zero host part; undefined when the text is none. */
export function readRange(text: string): Range | undefined {
  const [address = "", bits = "", ...rest] = text.split("/");
  const first = readAddress(address);
  if (first === undefined || rest.length > 0 || !/^(0|[1-9]\d?)$/.test(bits) || Number(bits) > 32) return undefined;
  const size = 2 ** (32 - Number(bits));
  return first % size === 0 ? { text, first, last: first + size - 1, bits: Number(bits) } : undefined;
}

/** A range that must be one. */
export function rangeOf(text: string): Range {
  return readRange(text) ?? { text: `${text} (no range)`, first: -1, last: -2, bits: -1 };
}

export const within = (inner: Range, outer: Range): boolean => outer.first <= inner.first && inner.last <= outer.last;

export const meets = (a: Range, b: Range): boolean => a.first <= b.last && b.first <= a.last;

export const has = (range: Range, address: number | undefined): boolean =>
  address !== undefined && range.first <= address && address <= range.last;

/** Neighbours in order that share an address: of many ranges, without comparing each with each. */
export function firstOverlap(ranges: Range[]): [Range, Range] | undefined {
  const sorted = [...ranges].sort((a, b) => a.first - b.first);
  const index = sorted.findIndex((range, at) => at > 0 && range.first <= (sorted[at - 1]?.last ?? -1));
  const [before, after] = [sorted[index - 1], sorted[index]];
  return index > 0 && before && after ? [before, after] : undefined;
}

/** RFC 1918. */
export const privateRanges = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"].map(rangeOf);

/** Where no machine, pod or Service can have an address: this host, loopback, link-local, multicast and what lies above it. */
export const unusableRanges = ["0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/3"].map(rangeOf);

/** Whether a range lies in one of RFC 1918. */
export const isPrivateRange = (range: Range): boolean => privateRanges.some((outer) => within(range, outer));
