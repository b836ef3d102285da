import type * as pulumi from "@pulumi/pulumi";
import type { NodePlan } from "../plan";

/** A machine of an underlay. */
export interface UnderlayMachine {
  node: NodePlan;
  /** What stands for the machine in the state: when it goes, the steps on the machine go without running anything. */
  resource: pulumi.CustomResource;
  /** Changes when another machine takes the node's place; steps that shape a machine are made anew then. */
  id: pulumi.Input<string>;
  /** Address by which the operator reaches it. */
  publicAddress: pulumi.Output<string>;
}
