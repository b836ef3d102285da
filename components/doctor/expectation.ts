import { kernelNeeded } from "../plan/kernels";
import { at } from "../plan/merge";
import type { ClusterPlan, Taint } from "../plan/types";
import type { Expectation } from "./types";

/** A taint as text: `key[=value]:effect`. */
export function taintText(taint: { key: string; value?: string; effect: string }): string {
  return `${taint.key}${taint.value ? `=${taint.value}` : ""}:${taint.effect}`;
}

/**
 * What the doctor wants to find on a cluster made from this plan.
 * @param plan output of planCluster
 * @param names `networkName`: the private network's name in the cloud; default the plan's
 */
export function expectationOf(plan: ClusterPlan, names: { networkName?: string } = {}): Expectation {
  const values = plan.cilium.values;
  const kubeProxyReplacement = isTrue(at(values, "kubeProxyReplacement"));
  const bpfMasquerade = isTrue(at(values, "bpf.masquerade"));
  const legacyRouting = isTrue(at(values, "bpf.hostLegacyRouting"));
  return {
    cluster: plan.name,
    versions: {
      kubernetes: plan.versions.kubernetes,
      cilium: plan.versions.cilium,
      containerd: plan.versions.containerd,
      kernel: kernelNeeded({
        podBbr: isTrue(at(values, "bandwidthManager.bbr")),
        netkit: at(values, "bpf.datapathMode") === "netkit",
      }),
    },
    nodes: plan.nodes.map((node) => ({
      name: node.name,
      role: node.role,
      privateAddress: node.privateAddress,
      podCidr: node.podCidr,
      taints: node.taints.map((taint: Taint) => taintText(taint)).sort(),
      cpu: node.cpu,
    })),
    podCidr: plan.podCidr,
    serviceCidr: plan.serviceCidr,
    clusterDns: plan.clusterDns,
    mtu: { node: plan.underlay.mtu, pod: plan.podMtu },
    sysctls: plan.sysctls.map(({ key, value, podsInherit, namespaced, podsMaySet }) => ({
      ...{ key, value, podsInherit, namespaced },
      ...(podsMaySet ? { podsMaySet } : {}),
    })),
    transparentHugePages: plan.transparentHugePages,
    cilium: {
      kubeProxyReplacement,
      routingMode: at(values, "routingMode") === "native" ? "native" : "tunnel",
      // Cilium falls back to the legacy path by itself where one of the two is missing.
      hostRouting: kubeProxyReplacement && bpfMasquerade && !legacyRouting ? "BPF" : "Legacy",
      masquerading: bpfMasquerade ? "BPF" : "iptables",
      nativeRoutingCidr: textOf(at(values, "ipv4NativeRoutingCIDR")) ?? plan.podCidr,
      loadBalancerMode: loadBalancerMode(at(values, "loadBalancer.mode")),
      deviceMode: textOf(at(values, "bpf.datapathMode")) ?? "veth",
      encryption: encryptionOf(values),
      devices: words(at(values, "devices")),
      bandwidthManager: bandwidthManagerOf(values),
      nodePortAddresses: words(at(values, "nodePort.addresses")),
    },
    // What routers of somebody else hold cannot be read; packets between pods show it.
    ...(plan.underlay.kind === "hosts"
      ? {}
      : {
          cloudRoutes: {
            networkName: names.networkName ?? plan.underlay.existingNetwork ?? plan.name,
            routes: plan.nodes.flatMap(({ route }) => (route ? [{ ...route }] : [])),
            ...(plan.underlay.otherRoutes.length === 0 ? {} : { others: plan.underlay.otherRoutes }),
            ...(plan.underlay.existingNetwork === undefined ? {} : { within: plan.podCidr }),
          },
        }),
  };
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

/** Helm takes booleans and their text alike. */
function isTrue(value: unknown): boolean {
  return value === true || value === "true";
}

function loadBalancerMode(value: unknown): "snat" | "dsr" | "hybrid" {
  return value === "dsr" || value === "hybrid" ? value : "snat";
}

function bandwidthManagerOf(values: Record<string, unknown>): string {
  if (!isTrue(at(values, "bandwidthManager.enabled"))) return "off";
  return isTrue(at(values, "bandwidthManager.bbr")) ? "on with bbr" : "on";
}

/** The chart's own type is IPsec. */
function encryptionOf(values: Record<string, unknown>): Expectation["cilium"]["encryption"] {
  if (!isTrue(at(values, "encryption.enabled"))) return "none";
  return at(values, "encryption.type") === "wireguard" ? "wireguard" : "ipsec";
}

/** Helm takes such as a list and as text with commas or spaces. */
function words(value: unknown): string[] {
  const text = Array.isArray(value) ? value.join(" ") : typeof value === "string" ? value : "";
  return text.split(/[\s,]+/).filter((word) => word !== "");
}
