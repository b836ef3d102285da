import semver from "semver";
import { rowOf } from "./sysctl";
import type { SysctlRow } from "./sysctlRow";
import type { ClusterPlan } from "./types";

/**
 * The part of a pod's `securityContext` that gives the pod the plan's values for the keys of `tuning.podSysctls`, sorted by key:
 * `spec: { securityContext: podSecurityContext(plan) }`. Not for pods with `hostNetwork`, which have the node's values and may not
 * set their own. Namespaces that enforce Pod Security `baseline` or `restricted` refuse the keys that Kubernetes counts as unsafe.
 * @param plan output of planCluster
 * @returns an empty list of sysctls when the plan names none for pods
 */
export function podSecurityContext(plan: Pick<ClusterPlan, "sysctls">): { sysctls: { name: string; value: string }[] } {
  const own = plan.sysctls.filter((entry) => entry.podsMaySet === true);
  return { sysctls: own.map(({ key, value }) => ({ name: key, value })) };
}

/** Those of the keys that a pod may set only with the kubelet's leave (`allowedUnsafeSysctls`). Keys that are no row are left out. */
export function unsafeForPods(keys: readonly string[], kubernetes: string): string[] {
  return keys.filter((key) => {
    const row = rowOf(key);
    return row !== undefined && !isSafe(row, kubernetes);
  });
}

function isSafe({ safeForPods }: SysctlRow, kubernetes: string): boolean {
  if (safeForPods === undefined) return false;
  return safeForPods === "always" || semver.gte(kubernetes, `${safeForPods}.0`);
}
