import type { Finding } from "../../../plan/problems";
import { findingIf } from "../../../plan/rules/rule";
import { coverOf, hasDnsRule, samePeer } from "../dns";
import { edgesOverlap, peersOverlap } from "../overlap";
import type { Edge, PolicySubject } from "../subject";
import { eachEdge, type PolicyRule } from "./rule";

/** Rules about edges whose requests or lookups are judged. */
export const l7Rules: PolicyRule[] = [
  {
    id: "l7-without-proxy",
    severity: "refusal",
    why: "With l7Proxy off nothing in the cluster can read requests or lookups, and Cilium refuses the whole policy.",
    check: eachEdge((edge, { l7Proxy }) =>
      judgedFields(edge).flatMap((field) =>
        findingIf(
          !l7Proxy,
          `${edge.path}.${field}`,
          "the cluster's Cilium runs with l7Proxy: false, so nothing there can read requests or lookups",
          `leave ${field} out, or run Cilium with its proxy`,
        ),
      ),
    ),
  },
  {
    id: "http-and-dns",
    severity: "refusal",
    why: "Cilium refuses a rule with both.",
    check: eachEdge((edge) =>
      findingIf(
        edge.http !== undefined && edge.dns !== undefined,
        `${edge.path}.dns`,
        "http is given too, and a connection is one or the other",
        "give an edge to each",
      ),
    ),
  },
  {
    id: "http-needs-tcp",
    severity: "refusal",
    why: "Envoy reads requests from TCP alone; Cilium refuses others.",
    check: eachEdge(({ http, protocol, path }) =>
      findingIf(
        http !== undefined && protocol !== "TCP",
        `${path}.protocol`,
        `http goes over TCP, and ${protocol} is given`,
        "leave protocol out, or http",
      ),
    ),
  },
  {
    id: "l7-needs-one-port",
    severity: "refusal",
    why: "Requests and lookups are read on named ports: Cilium refuses port 0, and a range would take other protocols into the proxy.",
    check: eachEdge((edge) =>
      judgedFields(edge).flatMap((field) =>
        edge.ports.flatMap(({ first, last, path }) =>
          findingIf(
            first === 0 || last !== first,
            path,
            `${first === 0 ? "port 0" : `the range ${first} to ${last}`} does not go with ${field}`,
            "name each port, and give what is not judged an edge of its own",
          ),
        ),
      ),
    ),
  },
  {
    id: "l7-voided",
    severity: "refusal",
    why: "What one policy lets through no other takes back: beside a plain rule for the same peers and port a filter of requests has no effect.",
    check: (subject) =>
      subject.edges
        .filter((edge) => judgedFields(edge).length > 0)
        .flatMap((edge) => [...voidingEdges(edge, subject), ...voidingDns(edge, subject)]),
  },
];

/** The fields by which an edge judges more than addresses and ports. */
function judgedFields({ http, dns }: Edge): ("http" | "dns")[] {
  return [...(http === undefined ? [] : ["http" as const]), ...(dns === undefined ? [] : ["dns" as const])];
}

/** Edges that let through unseen what this one judges. */
function voidingEdges(edge: Edge, { edges }: PolicySubject): Finding[] {
  return judgedFields(edge).flatMap((field) =>
    edges
      .filter((other) => other !== edge && other[field] === undefined && edgesOverlap(edge, other))
      .map((other) => ({
        path: `${edge.path}.${field}`,
        message: `has no effect: ${other.path} lets the same source reach the same port unseen`,
        fix: `narrow ${other.path}, or give it ${field} too`,
      })),
  );
}

/** Rules for DNS, written by the graph or by a baseline, that let through the lookups which this edge judges. */
function voidingDns(edge: Edge, subject: PolicySubject): Finding[] {
  if (edge.dns === undefined) return [];
  const path = `${edge.path}.dns`;
  const cover = coverOf(edge.from, subject);
  if (cover)
    return [
      {
        path,
        message: `has no effect: the baseline of ${cover.value.namespace ?? ""} lets every name be looked up`,
        fix: "leave it out",
      },
    ];
  return subject.edges
    .filter(({ from }) => hasDnsRule(from, subject) && peersOverlap(from, edge.from) && !samePeer(from, edge.from))
    .map((other) => ({
      path,
      message: `has no effect: the source of ${other.path} has pods in common, and is allowed every lookup`,
      fix: "give that source an edge to DNS with the same names",
    }));
}
