import type { ClusterPlan } from "../components/plan";
import { type DoctorOptions, expectationOf, type Report, runDoctor } from "../components/doctor";
import { type Engine, pulumi } from "./engine";
import type { UpdateResult } from "./update";

/** Outputs of the cluster stack; empty before the first update. */
export interface StackOutputs {
  kubeconfig?: string;
  addresses?: Record<string, string>;
  doctorReport?: string;
  plan?: ClusterPlan;
}

/** Reads the stack's outputs, secrets included: they go to files of root's own, never to the screen. */
export async function stackOutputs(engine: Engine): Promise<StackOutputs> {
  return JSON.parse(await pulumi(engine, ["stack", "output", "--json", "--show-secrets"])) as StackOutputs;
}

/** What the doctor is told of a sandbox's cluster. Undefined when there is no cluster yet to look at. */
export function doctorOptions(engine: Engine, outputs: StackOutputs): DoctorOptions | undefined {
  if (!outputs.kubeconfig || !outputs.plan) return undefined;
  const expectation = expectationOf(outputs.plan);
  return {
    kubeconfig: outputs.kubeconfig,
    expectation,
    hcloud: {
      token: engine.env.HCLOUD_TOKEN ?? "",
      endpoint: engine.env.HCLOUD_ENDPOINT ?? "",
      networkName: expectation.cloudRoutes?.networkName ?? expectation.cluster,
    },
    egressTarget: `${engine.instance.hostAddress}:${engine.instance.mirrorPort}`,
  };
}

/**
 * The doctor's report: that of the update, if one is given and it ran within, else of a run now. Undefined when there is no cluster yet to
 * look at.
 * @param settleSeconds for how long failures that may turn good by themselves are looked at again
 */
export async function doctorRun(
  engine: Engine,
  outputs: StackOutputs,
  update: UpdateResult | undefined,
  tell: (news: string) => void,
  settleSeconds = 0,
): Promise<Report | undefined> {
  // The engine removes last: a report from within an update that removed something is from before.
  const settled = update?.doctorRan === true && update.exitCode === 0 && !update.changes.delete;
  if (settled && outputs.doctorReport) return JSON.parse(outputs.doctorReport) as Report;
  const options = doctorOptions(engine, outputs);
  return options && runDoctor({ ...options, settleSeconds, onProgress: tell });
}
