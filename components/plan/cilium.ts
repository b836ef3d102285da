import { apiPort } from "./kubeadm";
import { deepMerge, type JsonObject } from "./merge";
import type { Reasons } from "./reason";
import { announcementReasons, announcementValues } from "./serviceAddresses";
import type { BbrScope, Datapath, Encryption, Tunnel, UnderlayPlan, Xdp } from "./types";
import { plannedMode } from "./loadBalancerMode";
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
  nodeSubnets: string[];
  underlay: UnderlayPlan;
  /** MTU between the nodes, bytes. */
  mtu: number;
  tunnel: Tunnel;
  encryption: Encryption;
  datapath: Datapath;
  xdp: Xdp;
  interfaces: { public: string; private: string };
  bbr: BbrScope;
  controlPlanes: number;
  /** Memory of the smallest node. */
  leastMemoryGiB: number;
  /** Services to expect, and backends of each. */
  services: { count: number; endpoints: number };
}

/**
 * Helm values by what the underlay can.
 *
 * - Routes: a gateway sends a node's pod CIDR to that node, so Cilium adds none (`autoDirectNodeRoutes` fails where the next
 *   hop is a gateway); on one segment Cilium adds them. Only the pod CIDR is left unmasqueraded: other private addresses would drop a pod's source.
 * - With a tunnel the gateway sees nodes' addresses only. Conntrack stays on then: the outer packets pass the host's stack.
 * - Services: snat where a source check drops what DSR sends (the Service's address from the backend's node), in a tunnel, and with
 *   WireGuard, past which DSR would carry requests from node to node in clear; dsr elsewhere.
 * - Encryption: WireGuard between pods of different nodes; not between the nodes themselves, which upstream calls beta.
 * - Devices: both NICs are named, so that pods reach the outside; NodePorts answer on the nodes' subnets alone. Left to itself
 *   Cilium was seen to pick one NIC, and an MTU of 1500 on a path of 1450.
 * - Hubble stays on; its certificates come from a CronJob, which renews them. Helm's own would expire unseen after a year.
 */
export function ciliumValues(facts: CiliumFacts): JsonObject {
  return {
    MTU: facts.mtu,
    autoDirectNodeRoutes: facts.tunnel === "none" && facts.underlay.nextHop === "direct",
    bandwidthManager: bandwidthManager(facts.bbr),
    bpf: {
      datapathMode: facts.datapath,
      distributedLRU: { enabled: true },
      // The chart's 65536 ends near 3,000 Services of 10 endpoints, and then Services go missing.
      lbMapMax: serviceMapSize(facts.services.count, facts.services.endpoints),
      mapDynamicSizeRatio: mapRatio(facts.leastMemoryGiB),
      masquerade: true,
    },
    bpfClockProbe: true,
    cluster: { name: facts.cluster },
    // A text: older charts take no number here.
    cni: { resources: { requests: { cpu: "0" } } },
    devices: [...new Set([facts.interfaces.public, facts.interfaces.private])],
    enableIPv4Masquerade: true,
    ...encryptionValues(facts.encryption),
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
    loadBalancer: { acceleration: facts.xdp, mode: plannedMode(facts.underlay.sourceCheck, facts) },
    nodePort: { addresses: facts.nodeSubnets, directRoutingDevice: facts.interfaces.private },
    // By control planes, not by nodes: a new worker must not change the release, and one API server has no need of two.
    operator: { replicas: Math.min(2, facts.controlPlanes) },
    rollOutCiliumPods: true,
    ...routingValues(facts.tunnel),
    upgradeCompatibility: minorOf(facts.version),
    ...(facts.underlay.kind === "hosts"
      ? {
          // The article's flag, and the chart's default: a person who compares the two finds it.
          ipv4: { enabled: true },
          ...(facts.underlay.serviceObjects === undefined ? {} : announcementValues),
        }
      : {}),
  };
}

/** The chart's own type is IPsec, so the type is named. */
function encryptionValues(encryption: Encryption): JsonObject {
  return encryption === "none" ? {} : { encryption: { enabled: true, nodeEncryption: false, type: encryption } };
}

const performance = "Cilium documentation, tuning guide";
const kubeProxyFree = "Cilium documentation, Kubernetes without kube-proxy";
const routing = "Cilium documentation, routing: native routing";
const masquerading = "Cilium documentation, masquerading";

/** Why each value of `ciliumValues` is what it is. Dotted paths, one for each value: a test holds the two together. */
export const valueReasons: Reasons = {
  ...announcementReasons,
  "ipv4.enabled": { why: "Nodes and pods have IPv4 addresses.", source: "Cilium chart, values.yaml" },
  MTU: {
    why: "Named, or Cilium takes what it finds on the devices: 1500 of the public NIC on a path of 1450, or less of a tunnel somebody adds.",
    source: "docs/decisions/devices.md; Hetzner Cloud documentation, networks",
  },
  autoDirectNodeRoutes: {
    why: "On one segment Cilium routes each node's pods to that node. Where a gateway is between the nodes, it refuses such a route.",
    source: routing,
  },
  "bandwidthManager.bbr": {
    why: "Pods' sockets use BBR only with Cilium's bandwidth manager; it follows tuning.bbr, so that node and pods are one choice.",
    source: "Cilium documentation, bandwidth manager",
  },
  "bandwidthManager.enabled": {
    why: "Needed for BBR in pods. Without BBR there it would write cubic over the node's own setting, so it is off as a whole.",
    source: "Cilium documentation, bandwidth manager",
  },
  "bpf.datapathMode": {
    why: "By network.datapath. netkit saves a pod's packet the queue between pod and node; veth runs on every kernel and beside every feature.",
    source: `${performance}; docs/decisions/data-path-options.md`,
  },
  "bpf.distributedLRU.enabled": {
    why: "Each CPU keeps its own list of least recent connections: no lock is shared between CPUs under load.",
    source: performance,
  },
  "bpf.lbMapMax": {
    why: "Room for some 6,000 Services of 10 endpoints; the chart's 65536 ends near 3,000, and then Services go missing.",
    source: "Cilium documentation, eBPF maps",
  },
  "bpf.mapDynamicSizeRatio": {
    why: "Share of the smallest node's memory for connection tracking and NAT: 0.08 as upstream says from 16 GiB, less where memory is small.",
    source: performance,
  },
  "bpf.masquerade": {
    why: "Without it Cilium falls back to the host's network stack, and with that the fast path and BBR in pods are gone.",
    source: `${performance}; ${masquerading}`,
  },
  bpfClockProbe: {
    why: "The data path reads the cheaper clock of the kernel's ticks wherever the kernel has it.",
    source: performance,
  },
  "cluster.name": { why: "The cluster's own name.", source: "argument name" },
  "cni.resources.requests.cpu": {
    why: "The chart asks 100m for a container that runs once; it would keep a node's last whole CPU from a pod that wants it alone.",
    source: "Cilium chart, values.yaml; docs/decisions/cpu-isolation.md",
  },
  devices: {
    why: "Left to itself Cilium was seen to take one NIC; without the public one pods do not reach the outside.",
    source: "docs/decisions/devices.md",
  },
  enableIPv4Masquerade: {
    why: "Pods reach the outside by the node's address. Said outright, it also arms the chart's own check of the native routing CIDR.",
    source: masquerading,
  },
  "encryption.enabled": { why: "By network.encryption.", source: "argument network.encryption" },
  "encryption.nodeEncryption": {
    why: "Packets of the nodes themselves stay as they are: upstream calls their encryption beta, and their TCP would not learn the smaller MTU.",
    source: "cilium/cilium issues 37919, 46100, 47176",
  },
  "encryption.type": {
    why: "The chart's own type is IPsec, which switches off the bandwidth manager and with it BBR in pods.",
    source: "Cilium documentation, WireGuard transparent encryption",
  },
  "endpointRoutes.enabled": {
    why: "A route for each pod was reported to take packets off the fast path between NIC and pod.",
    source: "imroc.cc, notes on Cilium on Tencent Kubernetes Engine",
  },
  "hubble.tls.auto.method": {
    why: "A CronJob renews the certificates; Helm's own would expire unseen after a year.",
    source: "Cilium chart: certificates of 365 days",
  },
  installNoConntrackIptablesRules: {
    why: "Cilium tracks connections itself; the kernel need not do it again for pods' packets, unless a tunnel's outer packets pass its stack.",
    source: performance,
  },
  "ipam.mode": {
    why: "Addresses come from each Node's planned pod CIDR, the same that the cloud's routes carry.",
    source: "docs/decisions/planned-pod-cidrs.md",
  },
  ipv4NativeRoutingCIDR: {
    why: "Only traffic to pods keeps a pod's address. With the whole network, other private addresses would get a source that the cloud drops.",
    source: "docs/decisions/snat.md; Cilium documentation, masquerading",
  },
  "k8s.requireIPv4PodCIDR": {
    why: "An agent waits for its Node's planned pod CIDR instead of starting without one.",
    source: "docs/decisions/planned-pod-cidrs.md",
  },
  k8sServiceHost: {
    why: "Without kube-proxy the API's ClusterIP works only once Cilium runs, so Cilium itself needs another way to the API.",
    source: `${kubeProxyFree}; docs/decisions/api-name.md`,
  },
  k8sServicePort: { why: "The port of the planned API name.", source: kubeProxyFree },
  kubeProxyReplacement: {
    why: "Services are answered from eBPF maps at the socket or the NIC, not by rules that are searched for each new connection.",
    source: kubeProxyFree,
  },
  kubeProxyReplacementHealthzBindAddr: {
    why: "Answers where kube-proxy would: load balancers ask this port whether a node takes traffic.",
    source: kubeProxyFree,
  },
  "loadBalancer.acceleration": {
    why: "By network.xdp. On virtio NICs it lacks queues and was reported to take Hetzner nodes off the network; its packets vanish from tcpdump.",
    source: "hetznercloud/hcloud-cloud-controller-manager issue 241; docs/decisions/data-path-options.md",
  },
  "loadBalancer.mode": {
    why: "dsr where no network checks sources: the backend's node answers the client itself. Elsewhere that answer would be dropped, so snat; so too with WireGuard, past which DSR would send requests in clear.",
    source: "docs/decisions/snat.md",
  },
  "nodePort.addresses": {
    why: "NodePorts answer on the nodes' subnet alone, never on the public addresses.",
    source: "docs/decisions/devices.md",
  },
  "nodePort.directRoutingDevice": {
    why: "Packets between nodes leave by the private NIC; with two devices Cilium cannot know which one that is.",
    source: "docs/decisions/devices.md",
  },
  "operator.replicas": {
    why: "By control planes, at most 2: a new worker must not change the release, and one API server has no need of two.",
    source: "Cilium chart: replicas must not share a node",
  },
  rollOutCiliumPods: {
    why: "Agents restart when their configuration changes; else a change would wait for the next restart.",
    source: "Cilium chart, values.yaml",
  },
  routingMode: {
    why: "By network.tunnel. Natively the cloud's routes carry each node's pod CIDR: no header, the whole MTU. In a tunnel no routes are needed.",
    source: routing,
  },
  tunnelProtocol: {
    why: "By network.tunnel. Both cost 50 bytes a packet.",
    source: "Cilium documentation, routing: encapsulation",
  },
  upgradeCompatibility: {
    why: "The chart keeps the behaviour of this minor until the version itself is changed.",
    source: "Cilium documentation, upgrade guide",
  },
};

/** Final values: the plan's, then the user's. */
export function mergeValues(planned: JsonObject, own: JsonObject = {}): JsonObject {
  return sortKeys(deepMerge(planned, own));
}

function routingValues(tunnel: Tunnel): JsonObject {
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
