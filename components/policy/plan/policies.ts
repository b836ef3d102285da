import type { JsonObject } from "../../plan/merge";
import { edgeName, peerWords } from "./names";
import { dnsRule, egressRules, ingressRules, podSelector, policyObject } from "./render";
import { type Edge, isPods, type Peer, type PolicySubject } from "./subject";
import type { PolicyObject } from "./types";

/** Address under which clouds hand out a machine's data and, with it, its secrets. */
export const metadataAddress = "169.254.169.254/32";

/** The policies of a graph: for each edge one where it leaves and one where it arrives, as far as these are pods; of lookups the first alone. */
export function graphPolicies(subject: PolicySubject): PolicyObject[] {
  return subject.edges.flatMap((edge) => {
    // Without problems every edge has both ends.
    const { from, to } = edge as Edge & { from: Peer; to: Peer };
    const write = (peer: Peer, side: "egress" | "ingress", rules: JsonObject[]): PolicyObject => {
      const spec = { description: edgeWords(edge, subject), endpointSelector: podSelector(peer), [side]: rules };
      return policyObject(`${subject.name}-${edgeName(edge, subject)}-${side}`, peer.namespace, subject, spec, true);
    };
    return [
      ...(isPods(from) ? [write(from, "egress", egressRules(edge, subject))] : []),
      // The pods of DNS are everybody's: a policy for them would close them to all other sources.
      ...(isPods(to) && edge.dns === undefined ? [write(to, "ingress", ingressRules(edge, subject))] : []),
    ];
  });
}

/** The policies of a baseline: what is allowed first, and one alone that denies the rest, so that it can come last. */
export function baselinePolicies(subject: PolicySubject): PolicyObject[] {
  const write = (role: keyof typeof baselineWords, spec: JsonObject): PolicyObject =>
    policyObject(
      `${subject.name}-${role}`,
      subject.namespace,
      subject,
      { description: baselineWords[role], endpointSelector: {}, ...spec },
      role === "default-deny",
    );
  return [
    write("allow-dns", { egress: [dnsRule(subject)] }),
    ...(subject.edges.length > 0
      ? [write("allow-destinations", { egress: subject.edges.flatMap((edge) => egressRules(edge, subject)) })]
      : []),
    // A denial is no default that could be off, so in audit it is left out.
    ...(subject.audit ? [] : [write("deny-metadata", { egressDeny: [{ toCIDR: [metadataAddress] }] })]),
    // An empty rule takes its direction and allows nothing in it.
    write("default-deny", { ingress: [{}], egress: [{}] }),
  ];
}

/** What the policies of a baseline are for, by role. */
export const baselineWords = {
  "allow-dns": "Every pod may look names up.",
  "allow-destinations": "Every pod may reach the named destinations.",
  "deny-metadata": "No pod may reach the machine's metadata, whatever else is allowed.",
  "default-deny": "What no other policy allows is denied, both ways.",
} as const;

/** An edge in one sentence. */
export function edgeWords({ from, to, ports, protocol, http, dns }: Edge, { namespace }: PolicySubject): string {
  const numbers = ports.map(({ first, last }) =>
    first === 0 ? "every port" : first === last ? `${first}` : `${first} to ${last}`,
  );
  const judged =
    http === undefined ? "" : `, for ${http.length === 1 ? "one kind" : `${http.length} kinds`} of request`;
  const lookups = dns === undefined ? "" : ", for named lookups";
  const [source, destination] = [from, to].map((peer) => (peer === undefined ? "" : peerWords(peer, namespace)));
  return `${source ?? ""} may reach ${destination ?? ""} on ${numbers.join(", ")} of ${protocol}${judged}${lookups}.`;
}
