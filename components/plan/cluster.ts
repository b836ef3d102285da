import { buildPlan } from "./build";
import { PlanError } from "./problems";
import type { ClusterArgs, ClusterPlan, Problem } from "./types";

/**
 * Plans a cluster, pure and whole: every name, address, route, file, document and value, before anything is created.
 * @param name cluster name: DNS label, at most 32 characters
 * @throws PlanError listing every problem of the arguments
 */
export function planCluster(name: string, args: ClusterArgs): ClusterPlan {
  const { plan, problems } = checkCluster(name, args);
  if (plan === undefined) throw new PlanError(name, problems);
  return plan;
}

/**
 * The same without throwing.
 * @returns the plan, or every problem
 */
export function checkCluster(name: string, args: ClusterArgs): { plan?: ClusterPlan; problems: Problem[] } {
  return { plan: buildPlan(name, args, []), problems: [] };
}
