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
