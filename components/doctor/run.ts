import { setTimeout as sleep } from "node:timers/promises";
import { checks, judge } from "./checks";
import { collectEvidence, type CollectOptions } from "./collect";
import type { Evidence } from "./evidence";
import { CannotRun } from "./kube";
import { makeReport } from "./report";
import type { Report } from "./types";

export interface DoctorOptions extends CollectOptions {
  /**
   * Seconds in which failures that may still turn good are looked at again: pods of a new cluster need a while, and so does the API of a
   * control plane that has just started. Ends as soon as only failures remain that time does not mend. Default 0: one look.
   */
  settleSeconds?: number;
  /** Called with what each look saw, before the report on it. */
  onEvidence?: (evidence: Evidence) => void;
}

/** Milliseconds between the first two looks. */
const pause = 2_000;
/** Each wait after a look is twice the last, up to this many times the first: looking keeps a slow machine from becoming ready. */
const longest = 15;

/**
 * Verifies a live cluster.
 * @throws CannotRun with one sentence: unusable kubeconfig, unreachable cluster, missing rights
 */
export function runDoctor(options: DoctorOptions): Promise<Report> {
  return settle(options, () => collectEvidence(options), pause);
}

/** Looks until nothing fails that may still turn good, or the time is over. */
export async function settle(
  options: Pick<DoctorOptions, "settleSeconds" | "expectation" | "onProgress" | "onEvidence" | "signal">,
  collect: () => Promise<Evidence>,
  pauseMilliseconds: number,
): Promise<Report> {
  const deadline = Date.now() + (options.settleSeconds ?? 0) * 1000;
  let current = pauseMilliseconds;
  const isOver = (): boolean => Date.now() + pauseMilliseconds >= deadline;
  const wait = async (what: string): Promise<void> => {
    options.onProgress?.(`waiting for ${what}`);
    await sleep(Math.min(current, deadline - Date.now()), undefined, { signal: options.signal });
  };
  for (;;) {
    const evidence = await collect().catch((error: unknown) => {
      if (error instanceof CannotRun && error.passing && !isOver()) return undefined;
      throw error;
    });
    if (!evidence) {
      await wait("the cluster's API");
      continue;
    }
    options.onEvidence?.(evidence);
    const cluster = options.expectation?.cluster ?? evidence.contextCluster;
    const report = makeReport(cluster, judge(options.expectation, evidence));
    if (!maySettle(report, evidence) || isOver()) return report;
    const names = new Set(report.results.flatMap((result) => (result.outcome === "failed" ? [result.check] : [])));
    await wait([...names].join(", "));
    current = Math.min(2 * current, longest * pauseMilliseconds);
  }
}

/** Whether time may mend any failure. What concerns a node that is lost is not waited for. */
function maySettle(report: Report, { nodes }: Evidence): boolean {
  const settling = new Set(checks.filter((check) => check.settles).map((check) => check.id));
  const lost = nodes.filter((node) => node.lost).map((node) => node.name);
  return report.results.some(
    ({ outcome, check, subject }) =>
      outcome === "failed" && settling.has(check) && !subject.split(" -> ").some((name) => lost.includes(name)),
  );
}
