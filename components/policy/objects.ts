import { CustomResource } from "@pulumi/kubernetes/apiextensions/customResource";
import * as pulumi from "@pulumi/pulumi";
import { renderProblem } from "../plan/problems";
import type { Problem } from "../plan/types";
import { PolicyError, type PolicyObject, type PolicyPlan } from "./plan";

/** What components of policies have in common beside their plan. */
export interface PolicyComponentArgs {
  /**
   * Default true: an update waits until Cilium's operator has found each policy valid, two minutes at most. False for a Cilium before 1.16,
   * which has no such condition, or one whose operator does not validate.
   */
  awaitValid?: boolean;
}

/** Runs a plan; its refusals become one error of the component. */
export function plannedFor(component: pulumi.ComponentResource, plan: () => PolicyPlan): PolicyPlan {
  try {
    return plan();
  } catch (error) {
    if (error instanceof PolicyError) throw new pulumi.ResourceError(error.message, component, true);
    throw error;
  }
}

/** Tells the warnings of a plan, at every preview and update. */
export function tellWarnings(component: pulumi.ComponentResource, warnings: Problem[]): void {
  for (const warning of warnings) void pulumi.log.warn(renderProblem(warning), component);
}

/** Registers a policy as a child of its component, under its own name in Kubernetes. */
export function registerPolicy(
  parent: pulumi.ComponentResource,
  { apiVersion, kind, metadata, spec }: PolicyObject,
  { awaitValid = true }: PolicyComponentArgs,
  dependsOn: pulumi.Resource[] = [],
): CustomResource {
  // A policy that Cilium finds malformed is stored all the same and enforces nothing.
  const annotations = awaitValid ? { "pulumi.com/waitFor": "condition=Valid" } : undefined;
  return new CustomResource(
    metadata.name,
    { apiVersion, kind, metadata: { ...metadata, ...(annotations ? { annotations } : {}) }, spec },
    { parent, dependsOn, customTimeouts: { create: "2m", update: "2m" } },
  );
}
