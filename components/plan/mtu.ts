import semver from "semver";
import type { Reason } from "./reason";
import type { Encryption, Tunnel } from "./types";

/** MTU of a Hetzner Cloud network, bytes. Its public NICs have 1500: what leaves a node by the private one must fit 1450. */
export const hetznerNetworkMtu = 1450;

/** MTU of a Hetzner Cloud network that a vSwitch is coupled to, for all its servers. */
export const vSwitchNetworkMtu = 1400;

/** Protocol of the packets between nodes that pods' packets are wrapped in. */
export type UnderlayProtocol = "ipv4" | "ipv6";

/**
 * Bytes that an overlay puts around a pod's packet: IP 20 or 40, UDP 8, VXLAN or Geneve 8, the inner Ethernet header 14
 * (Cilium, pkg/mtu, TunnelOverheadIPv4 and TunnelOverheadIPv6).
 */
export const tunnelOverhead: Readonly<Record<UnderlayProtocol, number>> = { ipv4: 50, ipv6: 70 };

/** Bytes that DSR adds to a request on its way to the backend's node: an IP option, or a Geneve header with DSR's own option. */
export const dsrOverhead = { opt: 8, geneve: 62 } as const;

/** What is put around a pod's packet on its way to another node. */
export interface Wrapping {
  tunnel: Tunnel;
  encryption: Encryption;
  /** Version of Cilium, exact: it decides about WireGuard's share. */
  cilium: string;
  /** Default `ipv4`, which is what every plan has. */
  underlayProtocol?: UnderlayProtocol;
}

/**
 * Bytes that Cilium takes off for WireGuard: IP 40, UDP 8, WireGuard 32, and since 1.19.5 also the at most 15 bytes by which WireGuard
 * fills a packet up to 16; without them a full packet left the node in two parts (cilium/cilium issue 23917).
 */
export function wireguardOverhead(cilium: string): number {
  return semver.gte(cilium, "1.19.5-0") ? 95 : 80;
}

/**
 * MTU of the pods' routes: the underlay's, less what is put around a packet. Cilium does the same sum from the underlay's MTU, so that
 * is what its `MTU` value must say.
 * @param underlayMtu bytes, of the network between the nodes
 */
export function podMtu(underlayMtu: number, wrapping: Wrapping): number {
  const { tunnel, encryption, cilium, underlayProtocol = "ipv4" } = wrapping;
  const forTunnel = tunnel === "none" ? 0 : tunnelOverhead[underlayProtocol];
  return underlayMtu - forTunnel - (encryption === "wireguard" ? wireguardOverhead(cilium) : 0);
}

/**
 * Largest request that DSR forwards whole, bytes. No MTU of a pod's route: Cilium leaves that as it is, and a larger request is answered
 * with "fragmentation needed" or lost.
 * @param underlayMtu bytes, of the network between the nodes
 */
export function dsrRequestMtu(underlayMtu: number, dispatch: keyof typeof dsrOverhead): number {
  return underlayMtu - dsrOverhead[dispatch];
}

/** Why the MTUs are what they are. */
export const mtuReasons = {
  underlay: {
    why: "Hetzner's private networks carry 1450 bytes, while the public NICs have 1500.",
    source: "Hetzner Cloud documentation, networks",
  },
  vSwitch: {
    why: "A network that a vSwitch is coupled to carries 1400 bytes, for the cloud's servers too.",
    source: "argument underlay.vSwitch; Hetzner documentation, vSwitch",
  },
  hosts: {
    why: "What the network between the machines carries; the preflight compares it with their NICs, and the doctor proves it with packets.",
    source: "argument underlay.mtu",
  },
  pod: {
    why: "Native routing wraps nothing around a packet, so nothing is taken off the network's own MTU; VXLAN and Geneve take 50 bytes.",
    source: "docs/guide/mtu.md; Cilium, pkg/mtu",
  },
  podEncrypted: {
    why: "WireGuard takes the bytes of its longest headers and of its filling; a tunnel inside of it takes its 50 besides.",
    source: "docs/guide/mtu.md; Cilium, pkg/mtu",
  },
} as const satisfies Record<string, Reason>;
