import { valueOf, type Evidence, type PingResult } from "../evidence";
import { percentiles, type Percentiles } from "../percentiles";
import { html, type Markup } from "./markup";
import { axis, plot, scaleOf, type Scale } from "./scale";

/** Most pairs of nodes that are drawn: the slowest ones of a large cluster. */
const pairLimit = 12;

interface Way {
  pair: string;
  kind: "pods" | "nodes";
  answers: number;
  times: Percentiles;
}

/** Round trips from each node to each other one, between pods and between the nodes themselves. */
export function latencyChart({ probes }: Evidence): Markup {
  const ways = probes.flatMap(({ node, pod, host }) => [
    ...waysFrom(node, "pods", valueOf(pod)?.reach),
    ...waysFrom(node, "nodes", valueOf(host)?.reach),
  ]);
  const slowest = new Map<string, number>();
  for (const { pair, times } of ways) slowest.set(pair, Math.max(times.p99, slowest.get(pair) ?? 0));
  const pairs = [...slowest.keys()].sort((a, b) => (slowest.get(b) ?? 0) - (slowest.get(a) ?? 0));
  if (pairs.length === 0) return html`<p>No round trip was measured.</p>`;
  const shown = pairs.slice(0, pairLimit);
  const rows = shown.flatMap((pair) => ways.filter((way) => way.pair === pair));
  const scale = scaleOf(rows.map(({ times }) => times.p99));
  const next = slowest.get(pairs[pairLimit] ?? "");
  return html`<p>
      Milliseconds from a small packet to its answer, the slowest pair first: half of them (●), nine of ten (|), 99 of
      100 (○).
    </p>
    <table class="chart">
      <thead>
        <tr>
          <th>path</th>
          <th>between</th>
          <th class="n">answers</th>
          <th class="n">p50</th>
          <th class="n">p90</th>
          <th class="n">p99</th>
          <th class="wide">${axis(scale, "ms")}</th>
        </tr>
      </thead>
      <tbody>
        ${rows.map((way) => row(way, scale))}
      </tbody>
    </table>
    ${next === undefined ? "" : html`<p>${pairs.length - pairLimit} more pairs, none slower than ${figure(next)} ms at p99.</p>`}`;
}

function waysFrom(node: string, kind: Way["kind"], reach: Record<string, PingResult> = {}): Way[] {
  return Object.entries(reach).flatMap(([to, { milliseconds = [] }]) =>
    milliseconds.length === 0
      ? []
      : [{ pair: `${node} → ${to}`, kind, answers: milliseconds.length, times: percentiles(milliseconds) }],
  );
}

function row({ pair, kind, answers, times: { p50, p90, p99 } }: Way, scale: Scale): Markup {
  const { at } = scale;
  const marks = html`<g class="${kind}"
    ><line x1="${at(p50)}" x2="${at(p99)}" y1="8" y2="8" /><circle cx="${at(p50)}" cy="8" r="4" class="full" /><line
      x1="${at(p90)}"
      x2="${at(p90)}"
      y1="3"
      y2="13" /><circle cx="${at(p99)}" cy="8" r="3.5" class="open"
  /></g>`;
  const figures = [p50, p90, p99].map(figure);
  const label = `${pair}, ${kind}: p50, p90, p99 ${figures.join(", ")} ms`;
  return html`<tr>
    <td>${pair}</td>
    <td class="${kind}">${kind}</td>
    <td class="n">${answers}</td>
    ${figures.map((text) => html`<td class="n">${text}</td>`)}
    <td class="wide">${plot(scale, label, marks)}</td>
  </tr> `;
}

function figure(value: number): string {
  return value.toFixed(value < 10 ? 3 : 1);
}
