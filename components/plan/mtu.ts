/** MTU of a Hetzner Cloud network, bytes. Its public NICs have 1500: what leaves a node by the private one must fit 1450. */
export const hetznerNetworkMtu = 1450;

/**
 * MTU of the pods' routes on an underlay with native routing: the underlay's own, since nothing is wrapped around a packet.
 * @param underlayMtu bytes, of the network between the nodes
 */
export function podMtu(underlayMtu: number): number {
  return underlayMtu;
}
