import type { Finding } from "../../../plan/problems";
import type { Edge, Item, PolicySubject } from "../subject";

/** One rule of the policies. A refusal stops the plan; a warning is told at every run until it is accepted. */
export interface PolicyRule {
  /** Stable id, for `accept` and for tests. */
  id: string;
  severity: "refusal" | "warning";
  /** Why the rule is there, one sentence, for the reference. */
  why: string;
  /** Finds every breach; an absent part of the arguments is none. */
  check: (subject: PolicySubject) => Finding[];
}

/** Findings of a check on every edge. */
export function eachEdge(check: (edge: Edge, subject: PolicySubject) => Finding[]): PolicyRule["check"] {
  return (subject) => subject.edges.flatMap((edge) => check(edge, subject));
}

/** Items of which an earlier one is the same, with that one. */
export function repeated<T>(items: readonly T[], same: (a: T, b: T) => boolean): { item: T; earlier: T }[] {
  return items.flatMap((item, index) => {
    const earlier = items.slice(0, index).find((candidate) => same(candidate, item));
    return earlier === undefined ? [] : [{ item, earlier }];
  });
}

/** Findings for the items that fail a test. */
export function failing(
  items: readonly Item<string>[],
  good: (value: string) => boolean,
  message: (value: string) => string,
  fix: string,
): Finding[] {
  return items
    .filter(({ value }) => !good(value))
    .map(({ value, path }) => ({ path, message: message(JSON.stringify(value)), fix }));
}
