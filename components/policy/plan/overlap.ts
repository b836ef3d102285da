import ipaddr from "ipaddr.js";
import { type Edge, isPods, type Peer, type PortRange, values } from "./subject";

/** Entities that are outside the cluster; the others are in it. */
const outside = ["world"];

/** Whether two edges certainly share connections: a source, a destination, a port and a protocol of both. */
export function edgesOverlap(a: Edge, b: Edge): boolean {
  return (
    peersOverlap(a.from, b.from) &&
    peersOverlap(a.to, b.to) &&
    (a.protocol === b.protocol || a.protocol === "ANY" || b.protocol === "ANY") &&
    a.ports.some((port) => b.ports.some((other) => portsOverlap(port, other)))
  );
}

/** Whether two peers certainly share members. Labels of which neither list has the other may or may not, and count as apart. */
export function peersOverlap(a: Peer | undefined, b: Peer | undefined): boolean {
  if (a?.kinds.length !== 1 || b?.kinds.length !== 1) return false;
  if (isPods(a) && isPods(b))
    return a.namespace === b.namespace && (hasLabels(a.labels, b.labels) || hasLabels(b.labels, a.labels));
  return oneWay(a, b) || oneWay(b, a);
}

function oneWay(a: Peer, b: Peer): boolean {
  const [kind] = a.kinds;
  switch (kind) {
    case "entities":
      return values(a.entities).some((entity) => entityHas(entity, b));
    case "cidrs":
      return (
        b.kinds[0] === "cidrs" && values(a.cidrs).some((one) => values(b.cidrs).some((two) => rangesOverlap(one, two)))
      );
    case "fqdns":
      return b.kinds[0] === "fqdns" && values(a.fqdns).some((name) => values(b.fqdns).includes(name));
    case "labels":
    case "all":
    case undefined:
      break;
  }
  return false;
}

function entityHas(entity: string, peer: Peer): boolean {
  if (entity === "all") return true;
  const [kind] = peer.kinds;
  if (kind === "labels" || kind === "all") return entity === "cluster";
  if (kind === "entities")
    return values(peer.entities).some(
      (other) => other === entity || (entity === "cluster" && other !== "all" && !outside.includes(other)),
    );
  return entity === "world";
}

/** Whether labels include all of others. */
export function hasLabels(labels: Record<string, string>, wanted: Record<string, string>): boolean {
  return Object.entries(wanted).every(([key, value]) => labels[key] === value);
}

function portsOverlap(a: PortRange, b: PortRange): boolean {
  return a.first === 0 || b.first === 0 || (a.first <= b.last && b.first <= a.last);
}

function rangesOverlap(a: string, b: string): boolean {
  if (!isCidr(a) || !isCidr(b)) return false;
  const [first, firstBits] = ipaddr.parseCIDR(a);
  const [second, secondBits] = ipaddr.parseCIDR(b);
  return first.kind() === second.kind() && first.match(second, Math.min(firstBits, secondBits));
}

/** Whether a text is a range of addresses as Cilium takes it: an address and the length of its prefix. */
export function isCidr(text: string): boolean {
  return /^[0-9a-fA-F:.]+\/\d{1,3}$/.test(text) && ipaddr.isValidCIDR(text);
}
