import type { JsonObject } from "../../plan/merge";
import { hasDnsRule } from "./dns";
import { fqdnSelector } from "./fqdn";
import { patternOf } from "./regex";
import { type Edge, type HttpRule, isPods, type Peer, type PolicySubject, values } from "./subject";
import type { PolicyObject } from "./types";

/** Label by which Cilium knows a pod's namespace; without it a selector means the namespace of the policy. */
const namespaceLabel = "k8s:io.kubernetes.pod.namespace";

/**
 * A policy object.
 * @param denies whether its pods lose, in its directions, what no policy allows; in audit they never do
 */
export function policyObject(
  name: string,
  namespace: string,
  { audit }: PolicySubject,
  spec: JsonObject,
  denies: boolean,
): PolicyObject {
  const harmless = { enableDefaultDeny: { ingress: false, egress: false } };
  return {
    apiVersion: "cilium.io/v2",
    kind: "CiliumNetworkPolicy",
    metadata: { name, namespace },
    spec: { ...spec, ...(denies && !audit ? {} : harmless) },
  };
}

/** What is selected when a policy's own namespace is meant. */
export function podSelector(peer: Peer): JsonObject {
  return peer.kinds[0] === "all" ? {} : { matchLabels: sorted(peer.labels) };
}

/** What the source's policy lets out: the edge, and lookups where nothing else allows them. */
export function egressRules(edge: Edge, subject: PolicySubject): JsonObject[] {
  const to = edge.to as Peer;
  // Requests are judged where the pods of the destination are; twice would cost twice.
  const judged = isPods(to) ? {} : requestRules(edge, subject);
  const rules = edge.dns === undefined ? judged : { rules: { dns: dnsRules(values(edge.dns), subject) } };
  return [
    { ...peerSelector(to, "to"), toPorts: [{ ports: portList(edge), ...rules }] },
    ...(hasDnsRule(edge.from, subject) ? [dnsRule(subject)] : []),
  ];
}

/** What the destination's policy lets in. */
export function ingressRules(edge: Edge, subject: PolicySubject): JsonObject[] {
  const toPorts = [{ ports: portList(edge), ...requestRules(edge, subject) }];
  return [{ ...peerSelector(edge.from as Peer, "from"), toPorts }];
}

/** Lookups of every name, seen by Cilium's DNS proxy where there is one. */
export function dnsRule({ dns }: PolicySubject): JsonObject {
  const ports = ["UDP", "TCP"].map((protocol) => ({ port: "53", protocol }));
  return {
    toEndpoints: [{ matchLabels: sorted({ ...dns.labels, [namespaceLabel]: dns.namespace }) }],
    toPorts: [{ ports, ...(dns.visible ? { rules: { dns: [{ matchPattern: "*" }] } } : {}) }],
  };
}

function peerSelector(peer: Peer, direction: "from" | "to"): JsonObject {
  const [kind] = peer.kinds;
  switch (kind) {
    case "entities":
      return { [`${direction}Entities`]: values(peer.entities) };
    case "cidrs":
      return { [`${direction}CIDR`]: values(peer.cidrs) };
    case "fqdns":
      return { toFQDNs: values(peer.fqdns).map(fqdnSelector) };
    case "labels":
    case "all":
    case undefined:
      break;
  }
  const matchLabels = sorted({ ...peer.labels, [namespaceLabel]: peer.namespace });
  return { [`${direction}Endpoints`]: [{ matchLabels }] };
}

function portList({ ports, protocol }: Edge): JsonObject[] {
  return ports.map(({ first, last }) => ({
    port: String(first),
    ...(last === first ? {} : { endPort: last }),
    protocol,
  }));
}

function requestRules({ http }: Edge, { audit }: PolicySubject): { rules?: JsonObject } {
  if (http === undefined) return {};
  // A filter of requests denies even where default deny is off, so in audit every request passes, and is seen.
  return { rules: { http: [...http.map(renderHttp), ...(audit ? [{}] : [])] } };
}

function dnsRules(names: string[], { audit }: PolicySubject): JsonObject[] {
  return [...names.map(fqdnSelector), ...(audit && !names.includes("*") ? [{ matchPattern: "*" }] : [])];
}

function renderHttp(rule: HttpRule): JsonObject {
  return Object.fromEntries(
    (["method", "path", "host"] as const).flatMap((field) => {
      const pattern = patternOf(rule, field);
      return pattern === undefined ? [] : [[field, pattern]];
    }),
  );
}

function sorted(labels: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)));
}
