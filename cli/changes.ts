import { failureLine } from "../components/doctor/report";
import type { CheckResult, Outcome, Report } from "../components/doctor/types";

/**
 * What differs between two runs, one line each: findings that fail now or did, what can no longer be judged, nodes that came or went. A
 * finding whose figures alone differ is none, or every run would have some.
 */
export function changesBetween(before: Report, after: Report): string[] {
  const [old, now] = [keyed(before), keyed(after)];
  const nowJudged = judgedIn(after);
  const blind = new Set([...judgedIn(before)].filter((check) => !nowJudged.has(check)));
  const [oldNodes, nowNodes] = [nodesOf(before), nodesOf(after)];
  return [
    ...[...oldNodes]
      .filter((node) => !nowNodes.has(node))
      .map((node) => `GONE ${node}: nothing is found of it any more`),
    ...[...nowNodes].filter((node) => !oldNodes.has(node)).map((node) => `NEW ${node}`),
    ...[...now].flatMap(([key, result]) => changed(old.get(key), result, blind)),
    ...[...old].flatMap(([key, { outcome, check, subject, found }]) =>
      outcome === "failed" && !now.has(key) ? [`OVER ${check} on ${subject}: no longer found: ${found}`] : [],
    ),
  ];
}

/** @param blind checks that judge nothing any more */
function changed(before: CheckResult | undefined, result: CheckResult, blind: Set<string>): string[] {
  if (before?.outcome === result.outcome) return [];
  // What else is new came or went with its node, or with a probe that runs again.
  if (before === undefined && result.outcome !== "failed" && !blind.has(result.check)) return [];
  return [lines[result.outcome](result)];
}

const lines: Record<Outcome, (result: CheckResult) => string> = {
  ok: ({ check, subject, found }) => `OK ${check} on ${subject}: ${found}`,
  failed: (result) => `FAILED ${failureLine(result)}`,
  unprovable: (result) => `NOT PROVABLE HERE ${failureLine(result)}`,
  unseen: (result) => `NOT SEEN ${failureLine(result)}`,
};

/** Findings by what they are about; those about the same thing are numbered. */
function keyed({ results }: Report): Map<string, CheckResult> {
  const found = new Map<string, CheckResult>();
  for (const result of results) {
    const about = [result.check, result.subject, result.wanted];
    let number = 0;
    while (found.has(JSON.stringify([...about, number]))) number++;
    found.set(JSON.stringify([...about, number]), result);
  }
  return found;
}

function judgedIn({ results }: Report): Set<string> {
  return new Set(results.flatMap(({ check, outcome }) => (outcome === "unseen" ? [] : [check])));
}

function nodesOf({ results }: Report): Set<string> {
  return new Set(results.map(({ subject }) => subject).filter((subject) => !subject.includes(" -> ")));
}
