import { type Percentiles, percentiles } from "../doctor/percentiles";

/** Where packets of a handshake were seen: in the client's pod, on both nodes' way to each other, in the server's pod. */
export const capturePoints = ["clientPod", "clientNode", "serverNode", "serverPod"] as const;
export type CapturePoint = (typeof capturePoints)[number];

/** The parts that a handshake's time is split into, from the client outwards. */
export const handshakeParts = ["client node", "wire", "server node", "server pod"] as const;
export type HandshakePart = (typeof handshakeParts)[number];

/** One SYN or SYN-ACK as tcpdump saw it. */
export interface SeenPacket {
  /** Nanoseconds, of the clock of the machine that saw it. */
  at: bigint;
  kind: "syn" | "syn-ack";
  /** Port of the client: what tells handshakes of one pair of pods apart. */
  clientPort: number;
}

/** One handshake, split. Milliseconds. */
export interface Handshake {
  total: number;
  parts: Partial<Record<HandshakePart, number>>;
  /** How many further SYNs the client had to send. */
  repeats: number;
}

/** What a capture came to. */
export interface CaptureReport {
  /** Handshakes seen whole at every point. */
  handshakes: number;
  /** Handshakes that the client began and that got no SYN-ACK. */
  unanswered: number;
  /** SYNs that were sent again. */
  repeats: number;
  total: Percentiles;
  parts: { part: HandshakePart; share: number; percentiles: Percentiles }[];
  /** The part that took most of the time, all handshakes together. */
  most: HandshakePart;
}

/**
 * Reads tcpdump's lines (`-n -tt --time-stamp-precision=nano`); what is no SYN of a connection to the port is left out.
 * @param port the server's
 */
export function parsePackets(text: string, port: number): SeenPacket[] {
  return text.split("\n").flatMap((line) => {
    const match = /^(\d+)\.(\d{9}) IP \S+\.(\d+) > \S+\.(\d+): Flags \[(S[.]?)[A-Z]*\]/.exec(line);
    if (!match) return [];
    const [, seconds = "", nanoseconds = "", from, to, flags] = match;
    const kind = flags === "S" ? "syn" : "syn-ack";
    const [server, client] = kind === "syn" ? [to, from] : [from, to];
    if (Number(server) !== port) return [];
    return [{ at: BigInt(seconds) * 1_000_000_000n + BigInt(nanoseconds), kind, clientPort: Number(client) }];
  });
}

/** Milliseconds between the first SYN and the first SYN-ACK of each client port at one point; undefined without an answer. */
function gapsAt(packets: SeenPacket[]): Map<number, { gap?: number; syns: number }> {
  const seen = new Map<number, { syn?: bigint; answer?: bigint; syns: number }>();
  for (const { at, kind, clientPort } of packets) {
    const entry = seen.get(clientPort) ?? { syns: 0 };
    if (kind === "syn") {
      entry.syn ??= at;
      entry.syns += 1;
    } else if (entry.syn !== undefined) entry.answer ??= at;
    seen.set(clientPort, entry);
  }
  return new Map(
    [...seen].map(([clientPort, { syn, answer, syns }]) => {
      const gap = syn === undefined || answer === undefined ? undefined : Number(answer - syn) / 1e6;
      return [clientPort, { gap, syns }];
    }),
  );
}

/**
 * Splits the time from SYN to SYN-ACK. Each point's gap is taken with that machine's own clock, so clocks need not agree: what the
 * client's pod waits longer than its node was the node, what one node waits longer than the other was the wire, and so on.
 * @param seen packets by point; the nodes' points are empty when both pods are on one node
 */
export function splitHandshakes(seen: Record<CapturePoint, SeenPacket[]>): {
  handshakes: Handshake[];
  unanswered: number;
} {
  const gaps = Object.fromEntries(capturePoints.map((point) => [point, gapsAt(seen[point])])) as Record<
    CapturePoint,
    ReturnType<typeof gapsAt>
  >;
  const sameNode = seen.clientNode.length === 0 && seen.serverNode.length === 0;
  const handshakes: Handshake[] = [];
  let unanswered = 0;
  for (const [clientPort, { gap: total, syns }] of gaps.clientPod) {
    if (total === undefined) {
      unanswered += syns > 0 ? 1 : 0;
      continue;
    }
    const [clientNode, serverNode, serverPod] = [gaps.clientNode, gaps.serverNode, gaps.serverPod].map(
      (at) => at.get(clientPort)?.gap,
    );
    const parts = sameNode ? splitOnOneNode(total, serverPod) : split(total, clientNode, serverNode, serverPod);
    if (parts) handshakes.push({ total, parts, repeats: Math.max(0, syns - 1) });
  }
  return { handshakes, unanswered };
}

function split(
  total: number,
  clientNode?: number,
  serverNode?: number,
  serverPod?: number,
): Handshake["parts"] | undefined {
  if (clientNode === undefined || serverNode === undefined || serverPod === undefined) return undefined;
  return {
    "client node": total - clientNode,
    wire: clientNode - serverNode,
    "server node": serverNode - serverPod,
    "server pod": serverPod,
  };
}

function splitOnOneNode(total: number, serverPod?: number): Handshake["parts"] | undefined {
  return serverPod === undefined ? undefined : { "client node": total - serverPod, "server pod": serverPod };
}

/**
 * Sums a capture up. Undefined when no handshake was seen whole at every point.
 */
export function captureReport(seen: Record<CapturePoint, SeenPacket[]>): CaptureReport | undefined {
  const { handshakes, unanswered } = splitHandshakes(seen);
  if (handshakes.length === 0) return undefined;
  const sum = (values: number[]): number => values.reduce((total, value) => total + value, 0);
  const whole = sum(handshakes.map(({ total }) => total));
  const parts = handshakeParts.flatMap((part) => {
    const values = handshakes.flatMap((handshake) => handshake.parts[part] ?? []);
    if (values.length === 0) return [];
    return [{ part, share: sum(values) / whole, percentiles: percentiles(values) }];
  });
  const most = parts.reduce((longest, candidate) => (candidate.share > longest.share ? candidate : longest));
  return {
    handshakes: handshakes.length,
    unanswered,
    repeats: sum(handshakes.map(({ repeats }) => repeats)),
    total: percentiles(handshakes.map(({ total }) => total)),
    parts,
    most: most.part,
  };
}
