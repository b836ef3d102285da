import { stealBetween, stealWanted } from "../checks/steal";
import { valueOf, type Evidence } from "../evidence";
import type { Expectation, Report } from "../types";
import { html, type Markup } from "./markup";
import { axis, plot, scaleOf } from "./scale";
import { outcomeWords } from "./findings";

/** How much of the wanted CPU time each node's host gave to others, with the limit. */
export function stealChart(report: Report, { probes }: Evidence, expectation: Expectation | undefined): Markup {
  const nodes = probes.flatMap(({ node, window }) => {
    const ticks = valueOf(window)?.ticks;
    if (!ticks) return [];
    const outcome = report.results.find(({ check, subject }) => check === "steal" && subject === node)?.outcome;
    return [{ node, ...stealBetween(ticks.first, ticks.last), ...stealWanted(expectation, node), outcome }];
  });
  if (nodes.length === 0) return html`<p>No node's CPU time was measured.</p>`;
  const scale = scaleOf(nodes.flatMap(({ percent, limit }) => [percent, limit * 1.25]));
  const { at } = scale;
  const rows = nodes.map(({ node, percent, wantedSeconds, limit, outcome = "unseen" }) => {
    const marks = html`<rect class="${outcome}" x="0" y="3" width="${at(percent)}" height="10" /><line
        class="limit"
        x1="${at(limit)}"
        x2="${at(limit)}"
        y1="0"
        y2="16"
      />`;
    const label = `${node}: ${percent.toFixed(2)} % stolen, limit ${limit} %`;
    return html`<tr>
      <td>${node}</td>
      <td class="n">${percent.toFixed(2)}</td>
      <td class="n">${limit}</td>
      <td class="n">${wantedSeconds.toFixed(1)}</td>
      <td class="${outcome}">${outcomeWords[outcome]}</td>
      <td class="wide">${plot(scale, label, marks)}</td>
    </tr> `;
  });
  return html`<p>
      Percent of the time in which CPUs wanted to run that the machine's host gave to others, while the doctor looked.
      The dashed line is the limit.
    </p>
    <table class="chart">
      <thead>
        <tr>
          <th>node</th>
          <th class="n">stolen, %</th>
          <th class="n">limit, %</th>
          <th class="n">CPU seconds wanted</th>
          <th>judged</th>
          <th class="wide">${axis(scale, "%")}</th>
        </tr>
      </thead>
      <tbody>
        ${rows}
      </tbody>
    </table>`;
}
