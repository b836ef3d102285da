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
}

/** Runs the doctor on the cluster as the command line does. */
export function diagnose(cluster: Cluster, settings: DoctorSettings = {}): Promise<Report> {
  const { instance, engine, plan, kubeconfig } = cluster;
  const expectation = settings.expectation ?? expectationOf(plan);
  return runDoctor({
    kubeconfig,
    expectation,
    hcloud: {
      token: engine.env.HCLOUD_TOKEN ?? "",
      endpoint: engine.env.HCLOUD_ENDPOINT ?? "",
      networkName: expectation.cloudRoutes?.networkName ?? plan.name,
    },
    egressTarget: settings.egressTarget ?? `${instance.hostAddress}:${instance.mirrorPort}`,
    settleSeconds: settings.settle ?? 0,
  });
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
