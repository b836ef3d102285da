import { apiPort } from "./kubeadm";
import { deepMerge, type JsonObject } from "./merge";
import type { BbrScope, Tunnel } from "./types";
import { minorOf } from "./versions";

/** Where the chart is installed, and its release's name. */
export const ciliumNamespace = "kube-system";
export const ciliumRelease = "cilium";

/** What the Helm values of a cluster depend on. */
export interface CiliumFacts {
  cluster: string;
  version: string;
  apiName: string;
  podCidr: string;
  nodeSubnet: string;
  /** MTU between the nodes, bytes. */
  mtu: number;
  tunnel: Tunnel;
  interfaces: { public: string; private: string };
  bbr: BbrScope;
  controlPlanes: number;
  /** Memory of the smallest node. */
  leastMemoryGiB: number;
}

/**
 * Helm values for a network with a gateway between the nodes, a source check, and one route a node (Hetzner Cloud).
 *
 * - Routes: the gateway sends a node's pod CIDR to that node, so Cilium adds none (`autoDirectNodeRoutes` fails where the next
 *   hop is a gateway). Only the pod CIDR is left unmasqueraded: other private addresses would drop a pod's source.
 * - With a tunnel the gateway sees nodes' addresses only. Conntrack stays on then: the outer packets pass the host's stack.
 * - Services: snat, since the source check drops what DSR sends (the client's address from the backend's node).
 * - Devices: both NICs are named, so that pods reach the outside; NodePorts answer on the nodes' subnet alone. Left to itself
 *   Cilium was seen to pick one NIC, and an MTU of 1500 on a path of 1450.
 * - Hubble stays on; its certificates come from a CronJob, which renews them. Helm's own would expire unseen after a year.
 */
export function hetznerValues(facts: CiliumFacts): JsonObject {
  return {
    MTU: facts.mtu,
    autoDirectNodeRoutes: false,
    bandwidthManager: bandwidthManager(facts.bbr),
    bpf: {
      distributedLRU: { enabled: true },
      // Room for some 6,000 Services of 10 endpoints; the chart's 65536 ends near 3,000, and then Services go missing.
      lbMapMax: 131072,
      mapDynamicSizeRatio: mapRatio(facts.leastMemoryGiB),
      masquerade: true,
    },
    bpfClockProbe: true,
    cluster: { name: facts.cluster },
    devices: [facts.interfaces.public, facts.interfaces.private],
    enableIPv4Masquerade: true,
    endpointRoutes: { enabled: false },
    hubble: { tls: { auto: { method: "cronJob" } } },
    installNoConntrackIptablesRules: facts.tunnel === "none",
    ipam: { mode: "kubernetes" },
    ipv4NativeRoutingCIDR: facts.podCidr,
    k8s: { requireIPv4PodCIDR: true },
    k8sServiceHost: facts.apiName,
    k8sServicePort: apiPort,
    kubeProxyReplacement: true,
    kubeProxyReplacementHealthzBindAddr: "0.0.0.0:10256",
    loadBalancer: { acceleration: "disabled", mode: "snat" },
    nodePort: { addresses: [facts.nodeSubnet], directRoutingDevice: facts.interfaces.private },
    // By control planes, not by nodes: a new worker must not change the release, and one API server has no need of two.
    operator: { replicas: Math.min(2, facts.controlPlanes) },
    rollOutCiliumPods: true,
    ...routing(facts.tunnel),
    upgradeCompatibility: minorOf(facts.version),
  };
}

/**
 * Values whose choice belongs to another argument or to the underlay, and why; overriding one is a problem. Dotted paths; a path
 * stands for all below it.
 */
export const plannedValues: Readonly<Record<string, string>> = {
  MTU: "the underlay has it",
  "cluster.name": "it is the cluster's name",
  devices: "underlay.publicInterface and underlay.privateInterface name them",
  "ipam.mode": "the pod CIDRs of the plan are the only source",
  ipv4NativeRoutingCIDR: "network.podCidr has it",
  k8sServiceHost: "it is the planned name of the API",
  k8sServicePort: "it is the planned port of the API",
  kubeProxyReplacement: "there is no kube-proxy in this cluster",
  "nodePort.directRoutingDevice": "underlay.privateInterface names it",
  routingMode: "use network.tunnel",
  tunnelProtocol: "use network.tunnel",
};

/** Final values: the plan's, then the user's. */
export function mergeValues(planned: JsonObject, own: JsonObject = {}): JsonObject {
  return sortKeys(deepMerge(planned, own));
}

function routing(tunnel: Tunnel): JsonObject {
  return tunnel === "none" ? { routingMode: "native" } : { routingMode: "tunnel", tunnelProtocol: tunnel };
}

/**
 * The bandwidth manager by BBR scope. Its `bbr: false` would write cubic back over the node's sysctl, so for the node alone, and
 * for none, it stays off as a whole.
 */
function bandwidthManager(bbr: BbrScope): JsonObject {
  const both = bbr === "node-and-pod";
  return { bbr: both, enabled: both };
}

/**
 * Share of a node's memory for connection tracking and NAT. Upstream's tuning guide says 0.08; small machines cannot spare that.
 */
function mapRatio(memoryGiB: number): number {
  if (memoryGiB < 8) return 0.01;
  return memoryGiB < 16 ? 0.02 : 0.08;
}

function sortKeys(object: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(object).sort(([a], [b]) => (a < b ? -1 : 1)));
}
