import type { ResolvedPool } from "./resolve";
import type { NodePlan } from "./types";

/** Labels of a node in Kubernetes: the pool's own, after what the plan knows. */
export function nodeLabels(cluster: string, location: string | undefined, pool: ResolvedPool): Record<string, string> {
  const labels: Record<string, string> = {
    ...(pool.serverType === undefined ? {} : { "node.kubernetes.io/instance-type": pool.serverType }),
    ...(location === undefined ? {} : { "topology.kubernetes.io/region": location }),
    "zerosteal/cluster": cluster,
    "zerosteal/pool": pool.name,
    ...pool.labels,
  };
  // The kubelet may not give itself a role label, so the administrator's Node object does; kubeadm labels control planes.
  if (pool.role === "worker") labels["node-role.kubernetes.io/worker"] = "";
  return Object.fromEntries(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/**
 * A node's Node object as JSON, with `PROVIDER_ID` in place of the server's id.
 * Existing hosts have no id in a cloud. A control plane's carries no taints: as a patch they would replace those that the cluster has set.
 */
export function nodeObject(
  node: Pick<NodePlan, "name" | "role" | "labels" | "podCidr" | "taints">,
  cloud: boolean,
): string {
  const object = {
    apiVersion: "v1",
    kind: "Node",
    metadata: { labels: node.labels, name: node.name },
    spec: {
      podCIDR: node.podCidr,
      podCIDRs: [node.podCidr],
      ...(cloud ? { providerID: "hcloud://PROVIDER_ID" } : {}),
      ...(node.role === "worker" && node.taints.length > 0 ? { taints: node.taints } : {}),
    },
  };
  return JSON.stringify(object, null, 2) + "\n";
}
