import path from "node:path";
import { renderReport, type Report, summary } from "../components/doctor";
import type { Instance } from "../sandbox/instance";
import { run } from "../sandbox/run";
import { adviceFor, withoutScript } from "./advice";
import type { PhaseTime } from "./phases";
import type { UpdateResult } from "./update";

/** What `up` has to tell at its end. */
export interface UpResult {
  instance: Instance;
  tools: Record<string, string>;
  update: UpdateResult;
  report: Report | undefined;
  times: PhaseTime[];
}

/**
 * Exit codes of `up`: 0 all well; 1 the update failed; 3 the cluster stands but a check failed; 4 a machine could not be reached; 130 it was
 * stopped.
 */
export function upExit({ update, report }: Pick<UpResult, "update" | "report">): number {
  if (update.stopped) return 130;
  if (update.errors.some((error) => unreachable.test(error.message))) return 4;
  if (update.exitCode !== 0 && !onlyDoctorFailed(update)) return 1;
  return report?.healthy ? 0 : 3;
}

const unreachable =
  /(dial tcp|i\/o timeout|no route to host|connection refused|timed out while dialing|after \d+ failed attempts)/i;

function onlyDoctorFailed(update: UpdateResult): boolean {
  const named = update.errors.filter((error) => error.resource && !error.resource.includes("zerosteal-"));
  return named.length > 0 && named.every((error) => error.resource.startsWith("doctor-"));
}

/** The closing words: what failed, nodes, phases, doctor, where things are, what to try next. */
export async function renderSummary(result: UpResult): Promise<string> {
  const { instance, tools, update, report, times } = result;
  const kubeconfig = path.join(instance.stateDir, "kubeconfig");
  const kubectl = tools.kubectl ?? "kubectl";
  const lines: string[] = [""];
  if (update.stopped)
    return "\nStopped. What was made is kept; `npm run up` goes on from here, `npm run down` removes it.";
  for (const { resource, message } of update.errors) {
    const advice = adviceFor(message);
    lines.push(`${resource || "engine"}: ${withoutScript(message)}`, ...(advice ? [advice] : []), "");
  }
  const nodes = await run(kubectl, [
    "--kubeconfig",
    kubeconfig,
    "--request-timeout=10s",
    "get",
    "nodes",
    "-o",
    "wide",
  ]).catch((error: unknown) => `nodes cannot be listed: ${(error as Error).message.split("\n").at(-1)}`);
  lines.push(nodes, "");
  lines.push(`changes: ${describeChanges(update.changes)}`);
  lines.push(`time: ${times.map(({ title, seconds }) => `${title} ${seconds.toFixed(1)} s`).join(", ")}`, "");
  if (report) lines.push(report.healthy ? summary(report) : renderReport(report), "");
  lines.push(
    `kubeconfig: ${kubeconfig}`,
    "",
    "Try next:",
    `  ${kubectl} --kubeconfig ${kubeconfig} get pods -A -o wide`,
    "  npm run doctor        verify again, with every check",
    "  npm run up -- --workers 3",
    "  npm run down          remove everything",
  );
  return lines.join("\n");
}

function describeChanges(changes: Record<string, number>): string {
  const parts = Object.entries(changes).filter(([op]) => op !== "same");
  return parts.length === 0 ? "none" : parts.map(([op, count]) => `${count} ${op}`).join(", ");
}
