import type { Reason } from "./reason";

/** MTU of a Hetzner Cloud network, bytes. Its public NICs have 1500: what leaves a node by the private one must fit 1450. */
export const hetznerNetworkMtu = 1450;

/**
 * MTU of the pods' routes on an underlay with native routing: the underlay's own, since nothing is wrapped around a packet.
 * @param underlayMtu bytes, of the network between the nodes
 */
export function podMtu(underlayMtu: number): number {
  return underlayMtu;
}

/** Why the MTUs are what they are. */
export const mtuReasons = {
  underlay: {
    why: "Hetzner's private networks carry 1450 bytes, while the public NICs have 1500.",
    source: "Hetzner Cloud documentation, networks",
  },
  pod: {
    why: "Native routing wraps nothing around a packet, so nothing is taken off the network's own MTU; VXLAN would cost 50 bytes, WireGuard 80.",
    source: "Cilium documentation, routing: native routing",
  },
} as const satisfies Record<string, Reason>;
