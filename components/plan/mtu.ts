import type { Reason } from "./reason";
import type { Tunnel } from "./types";

/** MTU of a Hetzner Cloud network, bytes. Its public NICs have 1500: what leaves a node by the private one must fit 1450. */
export const hetznerNetworkMtu = 1450;

/**
 * Bytes that an overlay puts around a pod's packet on an IPv4 underlay: IPv4 20, UDP 8, VXLAN or Geneve 8, the inner Ethernet header 14
 * (Cilium, pkg/mtu, TunnelOverheadIPv4).
 */
export const tunnelOverhead = 50;

/**
 * MTU of the pods' routes: with native routing the underlay's own, since nothing is wrapped around a packet; with an overlay that much
 * less. Cilium does the same sum from the underlay's MTU, so that is what its `MTU` value must say.
 * @param underlayMtu bytes, of the network between the nodes
 */
export function podMtu(underlayMtu: number, tunnel: Tunnel): number {
  return tunnel === "none" ? underlayMtu : underlayMtu - tunnelOverhead;
}

/** Why the MTUs are what they are. */
export const mtuReasons = {
  underlay: {
    why: "Hetzner's private networks carry 1450 bytes, while the public NICs have 1500.",
    source: "Hetzner Cloud documentation, networks",
  },
  hosts: {
    why: "What the network between the machines carries; the preflight compares it with their NICs, and the doctor proves it with packets.",
    source: "argument underlay.mtu",
  },
  pod: {
    why: "Native routing wraps nothing around a packet, so nothing is taken off the network's own MTU; VXLAN and Geneve take 50 bytes.",
    source: "Cilium, pkg/mtu",
  },
} as const satisfies Record<string, Reason>;
