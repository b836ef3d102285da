import * as pulumi from "@pulumi/pulumi";
import type { ClusterPlan } from "./plan/types";

/** Changes the inputs or options of one child before it is registered; the release valve for what no argument covers. */
export type Transform<Args> = (args: Args, opts: pulumi.CustomResourceOptions, name: string) => void;

/** What every part of a cluster needs to register its resources. */
export interface ClusterContext {
  /** The component that owns the resources. */
  parent: pulumi.ComponentResource;
  plan: ClusterPlan;
}

/** Options of a child: the cluster's part first, then what this resource needs. */
export function childOptions(
  context: ClusterContext,
  opts: pulumi.CustomResourceOptions = {},
): pulumi.CustomResourceOptions {
  return pulumi.mergeOptions({ parent: context.parent }, opts);
}

/** Applies a transform, if given, to the inputs and options of a child. */
export function transformed<Args>(
  transform: Transform<Args> | undefined,
  name: string,
  args: Args,
  opts: pulumi.CustomResourceOptions,
): [string, Args, pulumi.CustomResourceOptions] {
  transform?.(args, opts, name);
  return [name, args, opts];
}

/** Cloud ids are strings on resources and whole numbers in references. */
export function numericId(resource: pulumi.CustomResource): pulumi.Output<number> {
  return resource.id.apply((id) => Number.parseInt(id, 10));
}
