import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { childOptions, type ClusterContext } from "../context";
import { expectationOf } from "./expectation";
import { doctorCommand } from "./command";

/** What the doctor needs besides the plan. */
export interface DoctorArgs {
  /** Image of the probe pods. Default: the doctor's own. */
  image?: string;
  /** `host:port` outside of the cluster that pods must reach. Default: the API's address or a node's resolver, if the node itself reaches it. */
  egressTarget?: string;
  /** Seconds in which a new cluster may settle before a finding counts. Default 240. */
  settleSeconds?: number;
}

/** Registers a run of the doctor. It runs again whenever something that it verifies has changed, and fails the update when a check fails. */
export function verifyCluster(
  context: ClusterContext,
  kubeconfig: pulumi.Output<string>,
  hcloudToken: pulumi.Input<string> | undefined,
  args: DoctorArgs,
  dependsOn: pulumi.Resource[],
): command.local.Command {
  const { image, egressTarget, settleSeconds = 240 } = args;
  const stdin = pulumi.all([kubeconfig, hcloudToken]).apply(([config, token]) =>
    JSON.stringify({
      kubeconfig: config,
      hcloudToken: token,
      // The engine deletes last, so a node that leaves is still there.
      expectation: { ...expectationOf(context.plan), unplanned: "unseen" },
      image,
      egressTarget,
      settleSeconds,
    }),
  );
  return new command.local.Command(
    `doctor-${context.plan.name}`,
    {
      create: doctorCommand(),
      stdin: pulumi.secret(stdin),
      logging: command.local.Logging.Stderr,
      addPreviousOutputInEnv: false,
    },
    childOptions(context, { dependsOn, customTimeouts: { create: "20m", update: "20m" } }),
  );
}
