import type { Finding } from "../../../plan/problems";
import { findingIf } from "../../../plan/rules/rule";
import { isCidr } from "../overlap";
import { type Edge, isPods, type Peer, peerKinds } from "../subject";
import { coversName, isFqdn } from "../fqdn";
import { dnsOf } from "../dns";
import { eachEdge, failing, type PolicyRule } from "./rule";

/** Rules about who is at the ends of an edge. */
export const peerRules: PolicyRule[] = [
  {
    id: "peer-empty",
    severity: "refusal",
    why: "A peer without a selector selects nobody, or in Cilium's own form everybody.",
    check: eachPeer((peer) =>
      findingIf(peer.kinds.length === 0, peer.path, "names nobody", `give one of ${peerKinds.join(", ")}`),
    ),
  },
  {
    id: "peer-mixed",
    severity: "refusal",
    why: "Cilium refuses a rule with selectors of two kinds.",
    check: eachPeer((peer) =>
      findingIf(
        peer.kinds.length > 1,
        peer.path,
        `${peer.kinds.join(" and ")} do not go into one rule`,
        "give an edge to each",
      ),
    ),
  },
  {
    id: "peer-selects-everything",
    severity: "refusal",
    why: "An empty selector is easily written by mistake, and selects every pod of the namespace.",
    check: eachPeer((peer) =>
      findingIf(
        peer.kinds.includes("labels") && Object.keys(peer.labels).length === 0,
        `${peer.path}.labels`,
        "no label selects nothing in particular: Cilium would take every pod",
        'give a label, e.g. { app: "web" }, or all: true if every pod of the namespace is meant',
      ),
    ),
  },
  {
    id: "peer-list-empty",
    severity: "refusal",
    why: "An empty list selects nobody, and the edge would let nothing through.",
    check: eachPeer((peer) =>
      (["entities", "cidrs", "fqdns"] as const).flatMap((kind) =>
        findingIf(
          peer.kinds.includes(kind) && peer[kind].length === 0,
          `${peer.path}.${kind}`,
          "an empty list selects nobody",
          "name at least one, or leave the edge out",
        ),
      ),
    ),
  },
  {
    id: "peer-namespace-unused",
    severity: "refusal",
    why: "What is not a pod has no namespace, so it would be passed over in silence.",
    check: eachPeer((peer) =>
      findingIf(
        peer.ownNamespace && peer.kinds.length === 1 && !isPods(peer),
        `${peer.path}.namespace`,
        `${peer.kinds.join()} have no namespace`,
        "leave it out",
      ),
    ),
  },
  {
    id: "edge-without-pods",
    severity: "refusal",
    why: "A policy is written for pods; with none at either end there is nowhere to write it.",
    check: eachEdge(({ from, to, path }) =>
      findingIf(
        from?.kinds.length === 1 && to?.kinds.length === 1 && !isPods(from) && !isPods(to),
        path,
        "neither end is pods",
        "name one end by labels, or by all: true",
      ),
    ),
  },
  {
    id: "cidr-form",
    severity: "refusal",
    why: "Cilium refuses a policy with a malformed range.",
    check: eachPeer((peer) =>
      failing(peer.cidrs, isCidr, (text) => `${text} is not a range of addresses`, 'write it like "198.51.100.0/24"'),
    ),
  },
  {
    id: "fqdn-form",
    severity: "refusal",
    why: "Cilium refuses a policy with letters that no DNS name has.",
    check: eachPeer((peer) =>
      failing(
        peer.fqdns,
        isFqdn,
        (text) => `${text} is not a DNS name or a pattern of one`,
        'write it like "api.example.com" or "*.example.com", without scheme, port and path',
      ),
    ),
  },
  {
    id: "fqdn-everything",
    severity: "refusal",
    why: "A pattern of wildcards alone is every name there is, which reads like a list and is none.",
    check: eachPeer((peer) =>
      failing(
        peer.fqdns,
        (name) => !/^[*.]+$/.test(name),
        (text) => `${text} is every name outside`,
        'name the destinations; if the whole outside is meant, say entities: ["world"] in a ServiceGraph',
      ),
    ),
  },
  {
    id: "fqdn-in-cluster",
    severity: "refusal",
    why: "Cilium knows pods by their labels: a name that leads to one is never matched.",
    check: eachPeer((peer) =>
      failing(
        peer.fqdns,
        (name) => !/(^|\.)svc(\.|$)|\.cluster\.local\.?$/.test(name),
        (text) => `${text} is a name of the cluster, whose pods are not matched by name`,
        "name the pods behind it by their labels",
      ),
    ),
  },
  {
    id: "fqdn-source",
    severity: "refusal",
    why: "Cilium learns names from lookups of pods, which says nothing of who connects to them.",
    check: eachEdge(({ from }) =>
      findingIf(
        from?.kinds.includes("fqdns") ?? false,
        `${from?.path ?? ""}.fqdns`,
        "a source has no name",
        "give its addresses as cidrs",
      ),
    ),
  },
  {
    id: "fqdn-needs-dns",
    severity: "refusal",
    why: "Cilium learns the addresses of a name from the answers that pass its DNS proxy; without that the name stays unreachable.",
    check: eachEdge((edge, subject) => {
      if (!edge.to?.kinds.includes("fqdns")) return [];
      const { visible, names, fix } = dnsOf(edge, subject);
      if (!visible)
        return [
          {
            path: `${edge.to.path}.fqdns`,
            message: "the names are never seen, since the source's lookups do not pass Cilium's DNS proxy",
            fix,
          },
        ];
      return failing(
        edge.to.fqdns,
        (name) => names.some((pattern) => coversName(pattern, name)),
        (text) => `${text} is not among the names that the source may look up`,
        fix,
      );
    }),
  },
];

/** Findings of a check on both ends of every edge; a baseline's own end is not the caller's. */
function eachPeer(check: (peer: Peer) => Finding[]): PolicyRule["check"] {
  return eachEdge(({ from, to }: Edge) => [from, to].flatMap((peer) => (peer === undefined ? [] : check(peer))));
}
