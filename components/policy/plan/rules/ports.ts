import { findingIf } from "../../../plan/rules/rule";
import { edgesOverlap, peersOverlap } from "../overlap";
import type { Edge, Peer } from "../subject";
import { eachEdge, type PolicyRule, repeated } from "./rule";

/** Most ports that Cilium takes in one entry. */
export const portLimit = 40;

const lastPort = 65535;

/** Rules about ports, and about edges as a whole. */
export const portRules: PolicyRule[] = [
  {
    id: "edge-ports",
    severity: "refusal",
    why: "Two places for ports would contradict each other, and an edge without one would open all of them.",
    check: eachEdge(({ path, portGiven, portsGiven, ports }) => [
      ...findingIf(portGiven && portsGiven, `${path}.ports`, "port is given too", "leave one of the two out"),
      ...findingIf(
        !portGiven && !portsGiven,
        `${path}.port`,
        "no port is named",
        "give the port of the pods behind the Service, or 0 for all of them",
      ),
      ...findingIf(
        portsGiven && ports.length === 0,
        `${path}.ports`,
        "an empty list lets nothing through",
        "give at least one port",
      ),
    ]),
  },
  {
    id: "port-number",
    severity: "refusal",
    why: "A port has 16 bits.",
    check: eachEdge(({ ports }) =>
      ports.flatMap(({ first, path }) =>
        findingIf(first < 0 || first > lastPort, path, `${first} is not a port`, `use 1 to ${lastPort}, or 0 for all`),
      ),
    ),
  },
  {
    id: "port-range",
    severity: "refusal",
    why: "Cilium passes over a range that ends before it begins, and one that begins with 0 would be every port.",
    check: eachEdge(({ ports }) =>
      ports.flatMap(({ first, last, path }) =>
        findingIf(
          last !== first && (last < first || first === 0 || last > lastPort),
          `${path}.endPort`,
          `${first} to ${last} is not a range of ports`,
          `let it end between ${first < 1 ? 1 : first} and ${lastPort}, and begin with 1 or more`,
        ),
      ),
    ),
  },
  {
    id: "too-many-ports",
    severity: "refusal",
    why: `Cilium's schema takes at most ${portLimit} ports in one entry.`,
    check: eachEdge(({ ports, path }) =>
      findingIf(
        ports.length > portLimit,
        `${path}.ports`,
        `${ports.length} ports are more than the ${portLimit} of one entry`,
        "write ranges, or give an edge to each part",
      ),
    ),
  },
  {
    id: "edge-twice",
    severity: "refusal",
    why: "Of two edges that say the same, one is forgotten when the other is changed.",
    check: ({ edges }) =>
      repeated(edges, sameEdge).map(({ item, earlier }) => ({
        path: item.path,
        message: `lets the same through as ${earlier.path}`,
        fix: "leave one out; requests of both go into one http list",
      })),
  },
  {
    id: "graph-empty",
    severity: "refusal",
    why: "A list without edges is most likely one that was not filled, and it protects nothing.",
    check: ({ emptyList }) =>
      findingIf(emptyList, "allow", "an empty list writes no policy", "name an edge, or leave the list out"),
  },
  {
    id: "namespace-covered-twice",
    severity: "refusal",
    why: "A namespace has one baseline; two would say different things of it.",
    check: ({ covered }) =>
      repeated(
        covered.filter(({ value }) => value.namespace !== undefined),
        (a, b) => a.value.namespace === b.value.namespace,
      ).map(({ item, earlier }) => ({
        path: item.path,
        message: `${item.value.namespace ?? ""} is in ${earlier.path} too`,
        fix: "leave one out",
      })),
  },
];

/** Whether two edges let the same through, apart from their requests. */
function sameEdge(a: Edge, b: Edge): boolean {
  const ports = (edge: Edge): string => JSON.stringify(edge.ports.map(({ first, last }) => [first, last]).sort());
  const alike = a.protocol === b.protocol && ports(a) === ports(b) && edgesOverlap(a, b);
  return alike && samePeers(a.from, b.from) && samePeers(a.to, b.to);
}

function samePeers(a: Peer | undefined, b: Peer | undefined): boolean {
  if (!peersOverlap(a, b)) return false;
  const members = (peer: Peer | undefined): string =>
    JSON.stringify([
      Object.entries(peer?.labels ?? {}).sort(),
      ...[peer?.entities, peer?.cidrs, peer?.fqdns].map((list) => list?.map(({ value }) => value).sort()),
    ]);
  return members(a) === members(b);
}
