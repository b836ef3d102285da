import assert from "node:assert/strict";
import { type CheckResult, expectationOf, type Expectation, type Report, runDoctor } from "../../../components/doctor";
import type { Cluster } from "./cluster";
import { eventually } from "./wait";

/** What the doctor may be told besides the plan. */
export interface DoctorSettings {
  /** Seconds in which failures may turn good. Default 0: one look. */
  settle?: number;
  egressTarget?: string;
  expectation?: Expectation;
  rttTargets?: string[];
  onProgress?: (step: string) => void;
  /** Runs beside the doctor. Resolves once the doctor may begin; the promise inside ends with the work. */
  beside?: () => Promise<{ ended: Promise<void> }>;
}

/** Runs the doctor on the cluster as the command line does. */
export async function diagnose(cluster: Cluster, settings: DoctorSettings = {}): Promise<Report> {
  const { instance, engine, plan, kubeconfig } = cluster;
  const expectation = settings.expectation ?? expectationOf(plan);
  const beside = await settings.beside?.();
  const report = await runDoctor({
    kubeconfig,
    expectation,
    hcloud: {
      token: engine.env.HCLOUD_TOKEN ?? "",
      endpoint: engine.env.HCLOUD_ENDPOINT ?? "",
      networkName: expectation.cloudRoutes?.networkName ?? plan.name,
    },
    egressTarget: settings.egressTarget ?? `${instance.hostAddress}:${instance.mirrorPort}`,
    rttTargets: settings.rttTargets,
    settleSeconds: settings.settle ?? 0,
    onProgress: settings.onProgress,
  });
  await beside?.ended;
  return report;
}

/** The failed findings of a report, without their hints. */
export function failures(report: Report): Pick<CheckResult, "check" | "subject" | "wanted" | "found">[] {
  return report.results
    .filter((result) => result.outcome === "failed")
    .map(({ check, subject, wanted, found }) => ({ check, subject, wanted, found }));
}

/** Failed findings as one line each. */
export function failureLines(report: Report): string[] {
  return failures(report).map(
    ({ check, subject, wanted, found }) => `${check} on ${subject}: wanted ${wanted}; found ${found}`,
  );
}

/** Waits until the doctor finds nothing wrong. */
export async function expectHealthy(cluster: Cluster, limit = 180): Promise<Report> {
  return eventually(async () => {
    const report = await diagnose(cluster, { settle: 60 });
    assert.deepEqual(failureLines(report), []);
    return report;
  }, limit);
}

/**
 * Does something again and again until the doctor has read the cluster's objects: for what the cluster itself puts right within seconds.
 * @param action what is done; once it has succeeded the doctor begins
 */
export function duringRead(action: () => Promise<void>): DoctorSettings {
  return repeatUntil("starting probe pods", action);
}

/** Does something again and again for as long as the doctor looks at the nodes: for what it counts over a while. */
export function whileLooking(action: () => Promise<void>): DoctorSettings {
  return repeatUntil("removing the probe pods", action);
}

/** @param step beginning of the step's text at which it ends */
function repeatUntil(step: string, action: () => Promise<void>): DoctorSettings {
  let going = true;
  const repeat = async (): Promise<void> => {
    while (going) await action();
  };
  return {
    beside: async () => {
      await action();
      return { ended: repeat() };
    },
    onProgress: (text) => {
      if (text.startsWith(step)) going = false;
    },
  };
}
