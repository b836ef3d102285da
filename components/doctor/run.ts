import { setTimeout as sleep } from "node:timers/promises";
import { checks, judge } from "./checks";
import { collectEvidence, type CollectOptions } from "./collect";
import type { Evidence } from "./evidence";
import { makeReport } from "./report";
import type { Report } from "./types";

export interface DoctorOptions extends CollectOptions {
  /**
   * Seconds in which failures that may still turn good are looked at again: pods of a new cluster need a while. Ends
   * as soon as only failures remain that time does not mend. Default 0: one look.
   */
  settleSeconds?: number;
}

/** Milliseconds between two looks. */
const pause = 2_000;

/**
 * Verifies a live cluster.
 * @throws CannotRun with one sentence: unusable kubeconfig, unreachable cluster, missing rights
 */
export function runDoctor(options: DoctorOptions): Promise<Report> {
  return settle(options, () => collectEvidence(options), pause);
}

/** Looks until nothing fails that may still turn good, or the time is over. */
export async function settle(
  options: Pick<DoctorOptions, "settleSeconds" | "expectation" | "onProgress" | "signal">,
  collect: () => Promise<Evidence>,
  pauseMilliseconds: number,
): Promise<Report> {
  const deadline = Date.now() + (options.settleSeconds ?? 0) * 1000;
  for (;;) {
    const evidence = await collect();
    const cluster = options.expectation?.cluster ?? evidence.contextCluster;
    const report = makeReport(cluster, judge(options.expectation, evidence));
    if (!maySettle(report) || Date.now() + pauseMilliseconds >= deadline) return report;
    const names = new Set(report.results.flatMap((result) => (result.outcome === "failed" ? [result.check] : [])));
    options.onProgress?.(`waiting for ${[...names].join(", ")}`);
    await sleep(pauseMilliseconds, undefined, { signal: options.signal });
  }
}

function maySettle(report: Report): boolean {
  const settling = new Set(checks.filter((check) => check.settles).map((check) => check.id));
  return report.results.some((result) => result.outcome === "failed" && settling.has(result.check));
}
