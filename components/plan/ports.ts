/** Ports that the cluster itself listens on above 1023; the kernel must not hand them out as source ports. Sorted and merged, as the kernel prints them. */
export const reservedPorts = "2379-2381,4240-4245,6443,8472,9878-9893,9962-9964,10248-10259,30000-32767,51871";

/** Source ports of a kernel that nobody tuned (`net.ipv4.ip_local_port_range`). */
export const kernelPortRange = "32768 60999";

/** Whether a text is a range for source ports: two ports from 1024, the first lower, of different parity as the kernel wants them. */
export function isPortRange(value: string): boolean {
  const match = /^(\d{1,5}) (\d{1,5})$/.exec(value);
  if (match === null) return false;
  const [first, last] = [Number(match[1]), Number(match[2])];
  return first >= 1024 && first < last && last <= 65535 && first % 2 !== last % 2;
}

/** Whether a text is a list of ports and port ranges, sorted, as the kernel prints it. */
export function isPortList(value: string): boolean {
  let last = 0;
  return value.split(",").every((part) => {
    const match = /^([1-9]\d{0,4})(?:-([1-9]\d{0,4}))?$/.exec(part);
    if (match === null) return false;
    const [from, to] = [Number(match[1]), Number(match[2] ?? match[1])];
    const inOrder = from > last && from <= to && to <= 65535;
    last = to;
    return inOrder;
  });
}

/**
 * The cluster's ports that the kernel would hand out as source ports.
 * @param range first and last source port, as `isPortRange` accepts them
 * @param reserved ports kept out of the range, as `isPortList` accepts them; undefined: none
 * @returns a list like `reservedPorts`; empty when there is none
 */
export function portsHandedOut(range: string, reserved: string | undefined): string {
  const [first = 0, last = 0] = range.split(" ").map(Number);
  const kept = reserved === undefined ? [] : rangesOf(reserved);
  const inReach = rangesOf(reservedPorts).flatMap(([from, to]): PortRange[] =>
    from > last || to < first ? [] : [[Math.max(from, first), Math.min(to, last)]],
  );
  return inReach
    .flatMap((range) => kept.reduce<PortRange[]>((left, hole) => left.flatMap((part) => without(part, hole)), [range]))
    .map(([from, to]) => (from === to ? String(from) : `${from}-${to}`))
    .join(",");
}

/** First and last port. */
type PortRange = readonly [from: number, to: number];

function rangesOf(list: string): PortRange[] {
  return list.split(",").map((part): PortRange => {
    const [from = 0, to = from] = part.split("-").map(Number);
    return [from, to];
  });
}

/** What is left of a range when another is taken out: nothing, one part or two. */
function without([from, to]: PortRange, [holeFrom, holeTo]: PortRange): PortRange[] {
  if (holeTo < from || to < holeFrom) return [[from, to]];
  const parts: PortRange[] = [
    [from, holeFrom - 1],
    [holeTo + 1, to],
  ];
  return parts.filter(([first, last]) => first <= last);
}
