import type { JsonObject } from "./merge";
import type { Reason } from "./reason";
import type { Draft } from "./rules/rule";
import type { ClusterArgs } from "./types";

/**
 * How fast another node answers for a Service's address when the one that did is gone. A lease of 5 s is over after 5 s, the next node looks
 * once a second: some 7 s in all, for two requests a second and Service. The chart's own 15 s would be past the 10 s that clients wait.
 */
export const announcementValues: JsonObject = {
  k8sClientRateLimit: { burst: 200, qps: 100 },
  l2announcements: {
    enabled: true,
    leaseDuration: "5s",
    leaseRenewDeadline: "3s",
    leaseRetryPeriod: "1s",
  },
};

/** Why the announcements' values are what they are. Dotted paths. */
export const announcementReasons: Readonly<Record<string, Reason>> = {
  "k8sClientRateLimit.burst": {
    why: "Each announced Service asks the API about its lease once a second; the default would slow agents down from some ten Services on.",
    source: "Cilium documentation, L2 announcements: sizing client rate limit",
  },
  "k8sClientRateLimit.qps": {
    why: "Each announced Service asks the API about its lease once a second; the default would slow agents down from some ten Services on.",
    source: "Cilium documentation, L2 announcements: sizing client rate limit",
  },
  "l2announcements.enabled": {
    why: "A node answers ARP for each LoadBalancer Service's address: DSR needs an address that no machine owns.",
    source: "Cilium documentation, L2 announcements",
  },
  "l2announcements.leaseDuration": {
    why: "With a dead node its Services' addresses are answered by another one within 10 s; the chart's 15 s would take longer.",
    source: "Cilium documentation, L2 announcements: failover",
  },
  "l2announcements.leaseRenewDeadline": {
    why: "Shorter than the lease, so that a node which cannot renew stops answering before another begins.",
    source: "Cilium documentation, L2 announcements: failover",
  },
  "l2announcements.leaseRetryPeriod": {
    why: "How often a node looks whether it may answer; part of the 10 s.",
    source: "Cilium documentation, L2 announcements: failover",
  },
};

/** Label of control plane nodes. */
const controlPlaneLabel = "node-role.kubernetes.io/control-plane";

/**
 * Objects of Cilium that give addresses of a range to LoadBalancer Services and announce them on the private NIC. Workers answer; in a cluster
 * without workers the control plane does.
 */
export function serviceObjects(
  cluster: string,
  range: string,
  args: Draft<ClusterArgs>,
  privateInterface: string,
): JsonObject[] {
  const workers = (args.pools ?? []).some((pool) => (pool?.count ?? 0) > 0);
  const metadata = { name: `${cluster}-services` };
  return [
    {
      // Served by every chart of the table; from 1.18 on as v2 too.
      apiVersion: "cilium.io/v2alpha1",
      kind: "CiliumLoadBalancerIPPool",
      metadata,
      spec: { blocks: [{ cidr: range }] },
    },
    {
      apiVersion: "cilium.io/v2alpha1",
      kind: "CiliumL2AnnouncementPolicy",
      metadata,
      spec: {
        externalIPs: false,
        interfaces: [interfaceExpression(privateInterface)],
        loadBalancerIPs: true,
        ...(workers
          ? { nodeSelector: { matchExpressions: [{ key: controlPlaneLabel, operator: "DoesNotExist" }] } }
          : {}),
      },
    },
  ];
}

/** A name or Cilium pattern as the regular expression that this policy takes. */
function interfaceExpression(name: string): string {
  const literal = name.replace(/\+$/, "").replace(/[.]/g, "\\$&");
  return name.endsWith("+") ? `^${literal}.*$` : `^${literal}$`;
}
