import type { Reason } from "./reason";

/** Names of a cluster's parts, all from its own name. */

/** Longest cluster name: Cilium's limit. */
export const clusterNameLimit = 32;

/** Longest pool name: with the cluster's and an index it stays a DNS label of 63. */
export const poolNameLimit = 20;

/** Pool of the control plane nodes, so no pool may have this name. */
export const controlPlanePool = "control-plane";

/** Most servers that a placement group of the cloud holds. */
export const placementGroupSize = 10;

/** Whether a text is a DNS label (RFC 1123) of at most a length: lower-case letters, digits and inner dashes. */
export function isDnsLabel(text: string, limit = 63): boolean {
  return text.length <= limit && /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/.test(text);
}

/** Name of a node: server, Kubernetes node and resource share it. */
export function nodeName(cluster: string, pool: string, index: number): string {
  return `${cluster}-${machineKey(pool, index)}`;
}

/** Key of a node's machine in `underlay.machines`: the node's name without the cluster's. */
export function machineKey(pool: string, index: number): string {
  return `${pool}-${index}`;
}

/** Name of the API that nodes and certificates know; never changes, whatever address is behind it. */
export function apiName(cluster: string): string {
  return `api.${cluster}.zerosteal.internal`;
}

/** Why the API has a name of the plan's own. */
export const apiNameReason: Reason = {
  why: "A name in each node's /etc/hosts and in the certificate: neither DNS nor another address of the control plane can break it.",
  source: "docs/decisions/api-name.md",
};

/** Placement group of a node: each ten nodes of a pool share one, by index, so that growth opens a new one and moves nobody. */
export function placementGroupName(cluster: string, pool: string, index: number): string {
  return `${cluster}-${pool}-spread-${Math.ceil(index / placementGroupSize)}`;
}

/** Labels of every cloud object of a cluster. */
export function clusterLabels(cluster: string): Record<string, string> {
  return { "managed-by": "zerosteal", "zerosteal/cluster": cluster };
}

/** Why nodes are in placement groups. */
export const placementReason: Reason = {
  why: `Nodes of a group run on different hosts, so that one host's failure takes one of them; a group holds at most ${placementGroupSize}.`,
  source: "Hetzner Cloud documentation, placement groups",
};
