import { priceDate } from "../plan/catalogue";
import { notInPrice } from "../plan/price";
import { byName, gravest, sorted } from "./judge";
import { Sheet } from "./sheet";
import { code, count, drawTogether, prose } from "./text";
import {
  type ClusterReport,
  type Costs,
  type Effect,
  type Finding,
  type Grade,
  grades,
  type NodeReport,
  type PreviewReport,
} from "./types";

/** Settings of the Markdown. */
export interface MarkdownOptions {
  /** Most characters. Default 60000: GitHub takes 65536 in a comment. */
  limit?: number;
}

/** First line of each report: what a job looks for to edit its comment. One stack has one comment. */
export function markerOf({ project, stack }: Pick<PreviewReport, "project" | "stack">): string {
  const word = (text: string): string => text.replace(/[^\w.-]/g, "_").slice(0, 100);
  return `<!-- zerosteal preview-report ${word(project)}/${word(stack)} -->`;
}

/** The report for a comment. Never longer than the limit; what was cut is said. */
export function renderMarkdown(report: PreviewReport, { limit = 60_000 }: MarkdownOptions = {}): string {
  const sheet = new Sheet(limit);
  sheet.always(markerOf(report), `### ${headline(report)}`, "");
  if (report.failed) addErrors(sheet, report);
  sheet.always(...costLines(report.costs), `Resources: ${describeOperations(report.operations)}.`, "");
  for (const cluster of report.clusters) addCluster(sheet, cluster);
  if (report.others.length > 0) {
    sheet.section("Outside of the cluster", report.others.map(renderFinding));
  }
  return sheet.text();
}

const meaning: Readonly<Record<Grade, string>> = {
  none: "nothing changes",
  low: "what runs goes on",
  medium: "settings of what runs change",
  high: "something that runs is interrupted or goes",
  critical: "a cluster or its data may be lost",
};

function headline({ grade, failed, project, stack }: PreviewReport): string {
  const where = `${code(stack) || "a stack"} of ${code(project) || "a project"}`;
  if (failed) return `The preview of ${where} failed`;
  return `${sign(grade)} Risk ${grade}: ${meaning[grade]} (${where})`;
}

/** Seen at a glance in a list of comments. */
function sign(grade: Grade): string {
  return { none: "⚪", low: "🟢", medium: "🟡", high: "🟠", critical: "🔴" }[grade];
}

function addErrors(sheet: Sheet, { errors, grade }: PreviewReport): void {
  sheet.always("The program or the engine ended with an error, so what follows is only what was seen until then.", "");
  const lines = errors.flatMap((error) => error.split("\n").filter((line) => line.trim() !== ""));
  sheet.section(
    "Errors",
    lines.map((line) => `- ${prose(line.trim())}`),
  );
  if (grade !== "none") sheet.always(`Risk of what was seen: ${grade}.`, "");
}

function costLines(costs: Costs | undefined): string[] {
  if (!costs) return [];
  const { before, after, difference, unknown } = costs;
  const sums = before === undefined || after === undefined ? "" : `${euro(before)} → ${euro(after)}, `;
  const change = difference === 0 ? "no difference" : `${difference > 0 ? "+" : "−"}${euro(Math.abs(difference))}`;
  return [
    `Servers a month: ${sums}**${change}**, net, by the price list of ${priceDate}; not in it: ${notInPrice}.`,
    ...(unknown.length > 0
      ? [`No figure is known for ${unknown.map(code).join(", ")}; those are not in the sum.`]
      : []),
    "",
  ];
}

function euro(amount: number): string {
  return `EUR ${amount.toFixed(2)}`;
}

function describeOperations(operations: Record<string, number>): string {
  const parts = Object.entries(operations).map(([operation, number]) => `${number} to ${operation}`);
  return parts.length === 0 ? "none changes" : parts.join(", ");
}

const effectWords: Readonly<Record<Effect, string>> = {
  "replaces-machine": "Machines are replaced or removed",
  "interrupts-etcd": "etcd and the API are interrupted",
  "drains-pods": "Pods are moved off",
  "switches-off": "Machines are switched off and on",
  "needs-reboot": "Takes full effect at the next boot only",
  "not-until-replacement": "Does not come into effect before a replacement",
};

function addCluster(sheet: Sheet, cluster: ClusterReport): void {
  sheet.always(`#### Cluster ${code(cluster.name)}: ${cluster.grade}`, "");
  const consequences = consequencesOf(cluster);
  if (consequences.length > 0) sheet.section("Consequences", consequences);
  if (cluster.findings.length > 0) sheet.section("The cluster as a whole", cluster.findings.map(renderFinding));
  const nodes = renderNodes(cluster.nodes);
  if (nodes.length > 0) sheet.section("Node by node", nodes);
  if (cluster.untouched)
    sheet.always(
      `${count(cluster.untouched, "node")} stay${cluster.untouched === 1 ? "s" : ""} as ${cluster.untouched === 1 ? "it is" : "they are"}.`,
      "",
    );
  const asked = cluster.asked.map((line) => `- ${prose(line)}`);
  if (asked.length > 0) sheet.section("What was asked for", asked);
}

/** What the changes do beside themselves, each with whom it meets. */
function consequencesOf({ nodes, findings }: ClusterReport): string[] {
  const met = [...nodes.flatMap((node) => node.findings), ...findings];
  return (Object.keys(effectWords) as Effect[]).flatMap((effect) => {
    const subjects = met.filter(({ effects }) => effects.includes(effect)).map(({ subject }) => subject);
    const names = drawTogether([...new Set(subjects)].sort(byName));
    return names.length === 0 ? [] : [`- **${effectWords[effect]}**: ${names.join(", ")}`];
  });
}

function renderFinding({ grade, subject, text }: Finding): string {
  return `- **${grade}** ${code(subject)} ${prose(text)}`;
}

/** Nodes to which the same happens are one entry. */
function renderNodes(nodes: NodeReport[]): string[] {
  const groups = new Map<string, NodeReport[]>();
  for (const node of nodes) {
    const key = JSON.stringify([node.role, node.findings.map(({ id, text }) => [id, text])]);
    groups.set(key, [...(groups.get(key) ?? []), node]);
  }
  const inOrder = [...groups.values()].sort((a, b) => grades.indexOf(gravest(b)) - grades.indexOf(gravest(a)));
  return inOrder.flatMap((group) => {
    const names = drawTogether(group.map(({ name }) => name)).join(", ");
    const what = group.length === 1 ? (group[0]?.role ?? "") : count(group.length, group[0]?.role ?? "");
    const findings = sorted(group[0]?.findings ?? []);
    return [`- ${names} (${what})`, ...findings.map(({ grade, text }) => `  - **${grade}** ${prose(text)}`)];
  });
}
