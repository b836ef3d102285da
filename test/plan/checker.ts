import type { ClusterArgs, ClusterPlan } from "../../components/plan";
import {
  access,
  agentStarts,
  artifacts,
  chartVersion,
  helmValues,
  serviceRoom,
  sysctls,
  versions,
} from "./checker/dataPath";
import { files, kubeadm, kubelets, nodeObjects, userData } from "./checker/documents";
import type { Check } from "./checker/finding";
import { areas, machines, mtu, names, placement, podCidrs, privateAddresses, routes } from "./checker/network";

/**
 * What must hold of every plan, judged by other means than those it was made with: the checker has arithmetic, port lists, key tables
 * and sentences of its own, and takes nothing but types from the code that it judges.
 */
export const checks = {
  names,
  areas,
  privateAddresses,
  podCidrs,
  routes,
  placement,
  mtu,
  machines,
  kubeadm,
  nodeObjects,
  files,
  kubelets,
  userData,
  helmValues,
  agentStarts,
  chartVersion,
  serviceRoom,
  sysctls,
  artifacts,
  versions,
  access,
} as const satisfies Record<string, Check>;

/** Name of a check. */
export type CheckName = keyof typeof checks;

/**
 * All that is wrong with a plan: the check's name and a sentence each.
 * @param whole whether long texts are read as YAML too
 */
export function mistakesOf(plan: ClusterPlan, args: ClusterArgs, whole = true): string[] {
  return Object.entries(checks).flatMap(([name, check]) =>
    check({ plan, args, whole }).map((sentence) => `${name}: ${sentence}`),
  );
}
