import { apiPort } from "./kubeadm";
import { deepMerge, type JsonObject } from "./merge";
import type { BbrScope } from "./types";
import { serviceMapSize } from "./serviceMaps";
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
  interfaces: { public: string; private: string };
  bbr: BbrScope;
  controlPlanes: number;
  /** Memory of the smallest node. */
  leastMemoryGiB: number;
  /** Services to expect, and backends of each. */
  services: { count: number; endpoints: number };
}

/**
 * Helm values for a network with a gateway between the nodes, a source check, and one route a node (Hetzner Cloud).
 *
 * - Routes: the gateway sends a node's pod CIDR to that node, so Cilium adds none (`autoDirectNodeRoutes` fails where the next
 *   hop is a gateway). Only the pod CIDR is left unmasqueraded: other private addresses would drop a pod's source.
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
      // The chart's 65536 ends near 3,000 Services of 10 endpoints, and then Services go missing.
      lbMapMax: serviceMapSize(facts.services.count, facts.services.endpoints),
      mapDynamicSizeRatio: mapRatio(facts.leastMemoryGiB),
      masquerade: true,
    },
    bpfClockProbe: true,
    cluster: { name: facts.cluster },
    devices: [facts.interfaces.public, facts.interfaces.private],
    enableIPv4Masquerade: true,
    endpointRoutes: { enabled: false },
    hubble: { tls: { auto: { method: "cronJob" } } },
    installNoConntrackIptablesRules: true,
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
    routingMode: "native",
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
  encryption: "none, since its headers would make the pods' MTU smaller than the plan's",
  "ipam.mode": "the pod CIDRs of the plan are the only source",
  ipv4NativeRoutingCIDR: "network.podCidr has it",
  "k8s.apiServerURLs": "k8sServiceHost is the planned name of the API",
  k8sServiceHost: "it is the planned name of the API",
  k8sServiceHostRef: "k8sServiceHost is the planned name of the API, and the chart takes one of the two",
  k8sServicePort: "it is the planned port of the API",
  kubeProxyReplacement: "there is no kube-proxy in this cluster",
  "nodePort.directRoutingDevice": "underlay.privateInterface names it",
  routingMode: "this underlay routes pod CIDRs by itself",
  tunnelProtocol: "none, since a tunnel's headers would make the pods' MTU smaller than the plan's",
  underlayProtocol: "the private network has IPv4 alone, and another protocol changes the pods' MTU",
};

/** Final values: the plan's, then the user's. */
export function mergeValues(planned: JsonObject, own: JsonObject = {}): JsonObject {
  return sortKeys(deepMerge(planned, own));
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
