import { hasLabels, peersOverlap } from "./overlap";
import { type Edge, isPods, type Peer, type PolicySubject, values } from "./subject";

/** Port of DNS, the only one that Cilium's DNS proxy serves. */
export const dnsPort = 53;

/** What a source's lookups may be, and what to do where that is not enough. */
interface SourceDns {
  /** Whether they pass Cilium's DNS proxy. */
  visible: boolean;
  /** Names that may be looked up. */
  names: string[];
  fix: string;
}

/** What the source of an edge may look up: by its own edges to DNS, else by the baseline of its namespace, else by the graph's own rule. */
export function dnsOf(edge: Edge, subject: PolicySubject): SourceDns {
  const own = ownDnsEdges(edge.from, subject);
  if (own.length > 0)
    return {
      visible: subject.l7Proxy,
      names: own.flatMap(({ dns }) => values(dns ?? [])),
      fix: `add it to ${own[0]?.path ?? ""}.dns`,
    };
  const covered = coverOf(edge.from, subject);
  if (covered)
    return {
      visible: covered.value.dnsVisible ?? true,
      names: ["*"],
      fix: "leave dns.visible of that namespace's baseline at true",
    };
  const fix = subject.l7Proxy
    ? "leave dns.visible out"
    : "run Cilium with l7Proxy, or name the destinations by cidrs in a ServiceGraph";
  return { visible: subject.dns.visible, names: ["*"], fix };
}

/** Edges that say what a source may look up. */
export function ownDnsEdges(from: Peer | undefined, { edges }: PolicySubject): Edge[] {
  return edges.filter(({ dns, from: other }) => dns !== undefined && samePeer(from, other));
}

/** The baseline of a source's namespace. */
export function coverOf(
  from: Peer | undefined,
  { covered }: PolicySubject,
): PolicySubject["covered"][number] | undefined {
  return isPods(from) ? covered.find(({ value }) => value.namespace === from.namespace) : undefined;
}

/** Whether the graph allows a source its lookups by a rule of its own. */
export function hasDnsRule(from: Peer | undefined, subject: PolicySubject): boolean {
  const byGraph = subject.component === "ServiceGraph";
  return byGraph && isPods(from) && coverOf(from, subject) === undefined && ownDnsEdges(from, subject).length === 0;
}

/** Whether a policy for the destination of an edge would be one for the pods of DNS. */
export function reachesDns({ to }: Edge, { dns }: PolicySubject): boolean {
  if (!isPods(to) || to.namespace !== dns.namespace) return false;
  return hasLabels(to.labels, dns.labels) || hasLabels(dns.labels, to.labels);
}

/** Whether two peers are written alike, and so are the same pods. */
export function samePeer(a: Peer | undefined, b: Peer | undefined): boolean {
  return isPods(a) && isPods(b) && peersOverlap(a, b) && Object.keys(a.labels).length === Object.keys(b.labels).length;
}
