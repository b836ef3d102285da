import type { Edge, Peer, PolicySubject } from "./subject";

/** Longest part that a peer has in a name. */
const peerNameLimit = 63;

/** Label keys under which workloads carry their name, the first that is there. */
const nameLabels = ["app", "k8s:app", "app.kubernetes.io/name", "k8s-app"];

/** Name of an edge: the given one, else one made of its ends and its first port; stable as long as these are. */
export function edgeName(edge: Edge, { namespace }: Pick<PolicySubject, "namespace">): string {
  if (edge.name !== undefined) return edge.name;
  const [port] = edge.ports;
  const range = port === undefined ? "" : port.last === port.first ? `-${port.first}` : `-${port.first}-${port.last}`;
  const protocol = edge.protocol === "TCP" ? "" : `-${edge.protocol.toLowerCase()}`;
  return `${nameOfPeer(edge.from, namespace)}-to-${nameOfPeer(edge.to, namespace)}${range}${protocol}`;
}

/** A peer in words, for descriptions, e.g. `backend-api` or `world`. */
export function peerWords(peer: Peer, namespace: string): string {
  const where = peer.namespace === namespace || !isNamespaced(peer) ? "" : ` of ${peer.namespace}`;
  if (peer.kinds[0] === "all") return `every pod${where}`;
  return `${peerText(peer)}${where}`;
}

function nameOfPeer(peer: Peer | undefined, namespace: string): string {
  if (peer === undefined) return "x";
  const where = isNamespaced(peer) && peer.namespace !== namespace ? `${peer.namespace}-` : "";
  const text = peer.kinds[0] === "all" ? "all" : peerText(peer);
  const name = `${where}${text}`
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .slice(0, peerNameLimit)
    .replace(/^-+|-+$/g, "");
  return name || "x";
}

function isNamespaced(peer: Peer): boolean {
  return peer.kinds[0] === "labels" || peer.kinds[0] === "all";
}

function peerText({ labels, entities, cidrs, fqdns }: Peer): string {
  const key = nameLabels.find((candidate) => labels[candidate]) ?? Object.keys(labels).sort()[0];
  if (key !== undefined) return labels[key] || key;
  return [entities, cidrs, fqdns].flatMap((items) => items.map(({ value }) => value)).join(", ");
}
