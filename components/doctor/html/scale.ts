import { html, type Markup } from "./markup";

/** An axis from 0 to a round number; every row of a table draws on the same one. */
export interface Scale {
  ticks: number[];
  /** Place of a value in percent of the width, as an attribute's text. */
  at: (value: number) => string;
}

/** The axis that holds these values, with four ticks or so. */
export function scaleOf(values: number[]): Scale {
  const most = Math.max(...values, 1e-3);
  const power = 10 ** Math.floor(Math.log10(most / 4));
  const step = power * ([1, 2, 5, 10].find((factor) => factor * power * 4 >= most) ?? 10);
  const count = Math.ceil(most / step);
  const ticks = Array.from({ length: count + 1 }, (_, index) => Number((index * step).toPrecision(6)));
  return { ticks, at: (value) => `${((100 * value) / (count * step)).toFixed(2)}%` };
}

/** The axis itself, for the head of the column. */
export function axis({ ticks, at }: Scale, unit: string): Markup {
  const labels = ticks.map((tick, index) => {
    const anchor = index === 0 ? "start" : index === ticks.length - 1 ? "end" : "middle";
    const text = index === ticks.length - 1 ? `${tick} ${unit}` : tick;
    return html`<text x="${at(tick)}" y="11" text-anchor="${anchor}">${text}</text>`;
  });
  return html`<svg class="plot" role="presentation">${labels}</svg>`;
}

/** One row's drawing over the ticks' lines. @param label what it shows, for who cannot see it */
export function plot({ ticks, at }: Scale, label: string, marks: Markup): Markup {
  const grid = ticks.map((tick) => html`<line class="grid" x1="${at(tick)}" x2="${at(tick)}" y1="0" y2="16" />`);
  return html`<svg class="plot" role="img" aria-label="${label}">${grid}${marks}</svg>`;
}
