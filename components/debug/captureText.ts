import Table from "cli-table3";
import type { CaptureResult } from "./capture";
import type { Percentiles } from "../doctor/percentiles";

/** The result for people: the split as a table, then what took most of the time and what was odd. */
export function renderCapture(result: CaptureResult): string {
  const table = new Table({
    head: ["from SYN to SYN-ACK", "share", "p50 ms", "p90 ms", "p99 ms", "max ms"],
    colAligns: ["left", "right", "right", "right", "right", "right"],
    style: { head: [], border: [] },
  });
  for (const { part, share, percentiles } of result.parts) {
    table.push([part, `${Math.round(share * 100)} %`, ...figures(percentiles)]);
  }
  table.push(["whole", "", ...figures(result.total)]);
  const way = result.nodes
    .map(({ node, device }) => (device === undefined ? node : `${node} (${device})`))
    .join(" to ");
  const lines = [
    `${result.from} to ${result.to}, ${way}: ${result.handshakes} handshakes`,
    table.toString(),
    `Most of it: ${result.most}. ${advice[result.most]}`,
  ];
  if (result.repeats > 0) lines.push(`${result.repeats} SYNs were sent again: the first one or its answer was lost.`);
  if (result.unanswered > 0) lines.push(`${result.unanswered} connections got no answer.`);
  return `${lines.join("\n")}\n`;
}

const advice: Record<CaptureResult["most"], string> = {
  "client node": "Look at that node: steal, softirqs on a busy CPU, its queues.",
  wire: "The network between the nodes takes it: a distance, a busy link, or the provider's gateway.",
  "server node": "Look at that node: steal, softirqs on a busy CPU, its queues.",
  "server pod": "The answering pod's own kernel takes it: a full accept queue (somaxconn), or no CPU time.",
};

function figures({ p50, p90, p99, max }: Percentiles): string[] {
  return [p50, p90, p99, max].map((value) => value.toFixed(3));
}
