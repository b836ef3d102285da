import type { Evidence } from "../evidence";
import type { CheckResult, Expectation } from "../types";

/** A check: a pure function from what is wanted and what was seen to findings. */
export interface Check {
  /** Stable id, the same as in its findings. */
  id: string;
  /** What it proves, in a few words, for the list of checks. */
  title: string;
  /** Whether a failure may turn good by itself while a new cluster settles. */
  settles: boolean;
  /** Why it gives no finding at all, where it may: told among what was not run. */
  idle?: string;
  run(expectation: Expectation | undefined, evidence: Evidence): CheckResult[];
}

/** Reason of everything that only a plan can tell. */
export const withoutPlan = "No plan was given: --plan FILE says what is wanted.";

/** Reason of what left the plan and is still there while an update runs. */
export const leavesLast = "The update removes it at its end; a run after it judges that.";

/** Finding functions of one check. */
export function findings(check: string) {
  return {
    ok: (subject: string, wanted: string, found: string): CheckResult => ({
      check,
      subject,
      outcome: "ok",
      wanted,
      found,
    }),
    failed: (subject: string, wanted: string, found: string, hint: string): CheckResult => ({
      check,
      subject,
      outcome: "failed",
      wanted,
      found,
      hint,
    }),
    /** ok when the two texts are equal, else failed with the hint. */
    equal: (subject: string, wanted: string, found: string, hint: string): CheckResult =>
      wanted === found
        ? { check, subject, outcome: "ok", wanted, found }
        : { check, subject, outcome: "failed", wanted, found, hint },
    unseen: (subject: string, wanted: string, reason: string, found = "not seen"): CheckResult => ({
      check,
      subject,
      outcome: "unseen",
      wanted,
      found,
      hint: reason,
    }),
    unprovable: (subject: string, wanted: string, found: string, reason: string): CheckResult => ({
      check,
      subject,
      outcome: "unprovable",
      wanted,
      found,
      hint: reason,
    }),
  };
}

/** Subject of a finding about the way from one node to another. */
export function pair(from: string, to: string): string {
  return `${from} -> ${to}`;
}

/** A list for people; `none` when it is empty. */
export function list(items: string[]): string {
  return items.length > 0 ? items.join(", ") : "none";
}
