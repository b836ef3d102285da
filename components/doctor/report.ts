import Table from "cli-table3";
import { plainText } from "../plainText";
import { checks } from "./checks";
import { notRunOf } from "./checks/notRun";
import type { CheckResult, NotRun, Outcome, Report } from "./types";

/** Exit codes of everything that runs the doctor. */
export const exitCodes = {
  /** Nothing failed. */
  healthy: 0,
  /** At least one check failed. */
  failed: 1,
  /** The doctor could not do its work: usage, unreadable kubeconfig, unreachable cluster, missing rights. */
  couldNotRun: 2,
  /** Interrupted; what it had made in the cluster is removed. */
  interrupted: 130,
} as const;

/**
 * Puts findings together, the failed ones first and otherwise in their order; what gave none is named with its reason. Findings quote what
 * nodes and objects say of themselves: none of it reaches a terminal or a log as more than text.
 */
export function makeReport(cluster: string, found: CheckResult[]): Report {
  const results = found.map(plainResult);
  const counts: Record<Outcome, number> = { ok: 0, failed: 0, unprovable: 0, unseen: 0 };
  for (const result of results) counts[result.outcome] += 1;
  const failed = results.filter((result) => result.outcome === "failed");
  const others = results.filter((result) => result.outcome !== "failed");
  const notRun = notRunOf(checks, results);
  return { cluster, results: [...failed, ...others], notRun, counts, healthy: counts.failed === 0 };
}

function plainResult(result: CheckResult): CheckResult {
  const { subject, wanted, found, hint } = result;
  return {
    ...result,
    subject: plainText(subject),
    wanted: plainText(wanted),
    found: plainText(found),
    ...(hint === undefined ? {} : { hint: plainText(hint) }),
  };
}

/** One line for a failure: check, subject, wanted, found, what to do. */
export function failureLine(result: CheckResult): string {
  return `${result.check} on ${result.subject}: wanted ${result.wanted}; found ${result.found}. ${result.hint ?? ""}`.trim();
}

/**
 * The report for people: failures first, then what could not be judged and why, then what holds.
 * @param table draws a table (for a terminal of this many columns); undefined: plain lines, for logs and pipes
 */
export function renderReport(report: Report, table?: { columns: number }): string {
  const failed = report.results.filter((result) => result.outcome === "failed");
  const sections = [
    failed.length === 0
      ? ""
      : table
        ? failureTable(failed, table.columns)
        : failed.map((r) => `FAILED ${failureLine(r)}`).join("\n"),
    notJudged(report.results, "unprovable", "not provable here"),
    notJudged(report.results, "unseen", "not seen"),
    held(report.results),
    notRun(report.notRun),
    summary(report),
  ];
  return sections.filter((section) => section !== "").join("\n\n") + "\n";
}

/** The last line of a report. */
export function summary(report: Report): string {
  const { ok, failed, unprovable, unseen } = report.counts;
  const verdict = report.healthy ? "is healthy" : "is not healthy";
  return `${report.cluster} ${verdict}: ${ok} ok, ${failed} failed, ${unprovable} not provable here, ${unseen} not seen`;
}

function failureTable(failed: CheckResult[], columns: number): string {
  // Borders and padding of five columns take 16 characters; the texts share the rest.
  const text = Math.max(20, Math.floor((columns - 16 - 24 - 16) / 3));
  const table = new Table({
    head: ["failed", "node", "wanted", "found", "what to do"],
    colWidths: [24, 16, text, text, text],
    wordWrap: true,
    style: { head: [], border: [] },
  });
  for (const result of failed)
    table.push([result.check, result.subject, result.wanted, result.found, result.hint ?? ""]);
  return table.toString();
}

/** One line for each reason, with all it concerns. */
function notJudged(results: CheckResult[], outcome: Outcome, title: string): string {
  const groups = new Map<string, { result: CheckResult; subjects: Set<string> }>();
  for (const result of results.filter((candidate) => candidate.outcome === outcome)) {
    const key = [result.check, result.wanted, result.found, result.hint].join("\n");
    const group = groups.get(key) ?? { result, subjects: new Set<string>() };
    group.subjects.add(result.subject);
    groups.set(key, group);
  }
  const lines = [...groups.values()].map(({ result, subjects }) => {
    const wanted = result.wanted === "-" ? "" : `wanted ${result.wanted}, `;
    return `  ${result.check} on ${some([...subjects])}: ${wanted}found ${result.found}. ${result.hint ?? ""}`.trimEnd();
  });
  return lines.length > 0 ? [`${title}:`, ...lines].join("\n") : "";
}

/** The first few of many. */
function some(subjects: string[]): string {
  const shown = subjects.length > 4 ? 3 : subjects.length;
  const more = subjects.length - shown;
  return subjects.slice(0, shown).join(", ") + (more > 0 ? ` and ${more} more` : "");
}

/** The foot: what nobody may take for verified. */
function notRun(entries: NotRun[]): string {
  return ["not run:", ...entries.map(({ check, reason }) => `  ${check}: ${reason}`)].join("\n");
}

function held(results: CheckResult[]): string {
  const counts = new Map<string, number>();
  for (const { check, outcome } of results) {
    if (outcome === "ok") counts.set(check, (counts.get(check) ?? 0) + 1);
  }
  const width = Math.max(0, ...[...counts.keys()].map((check) => check.length));
  const lines = [...counts].map(([check, count]) => `  ${check.padEnd(width)}  ${count}`);
  return lines.length > 0 ? ["ok:", ...lines].join("\n") : "";
}
