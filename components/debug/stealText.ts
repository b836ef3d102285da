import Table from "cli-table3";
import type { NodeSteal, StealVerdict } from "./steal";

/** The measurement for people: a table, and which machines to complain about. */
export function renderSteal(nodes: NodeSteal[]): string {
  const table = new Table({
    head: ["node", "stolen %", "p95 %", "worst %", "limit %", "busy %", "verdict"],
    colAligns: ["left", "right", "right", "right", "right", "right", "left"],
    style: { head: [], border: [] },
  });
  for (const { node, percent, p95, worst, limit, load, verdict } of nodes) {
    const figures = [percent, p95, worst].map((value) => value.toFixed(2));
    table.push([node, ...figures, String(limit), load.toFixed(0), verdicts[verdict]]);
  }
  return `${table.toString()}\n${conclusion(nodes)}\n`;
}

const verdicts: Record<StealVerdict, string> = {
  ok: "ok",
  stolen: "too much",
  idle: "too idle to tell",
  container: "its host's figures",
};

function conclusion(nodes: NodeSteal[]): string {
  const stolen = nodes.filter(({ verdict }) => verdict === "stolen").map(({ node }) => node);
  if (stolen.length > 0) {
    return `Complain about ${stolen.join(", ")}: the host gives CPU time of that machine to others. Ask for another host, or take dedicated CPUs.`;
  }
  if (nodes.every(({ verdict }) => verdict === "container")) {
    return "These machines are containers: /proc/stat is their host's, so nothing can be said of them one by one.";
  }
  if (nodes.some(({ verdict }) => verdict === "idle"))
    return "Too little ran on some nodes to tell: measure under load.";
  return "No host steals more than its kind of CPU allows.";
}
