import { valueOf, type Evidence } from "../evidence";
import { summary } from "../report";
import type { Expectation, Report } from "../types";
import { findingsTable, notRunTable, outcomes, outcomeWords } from "./findings";
import { latencyChart } from "./latency";
import { html, Markup } from "./markup";
import { mtuMaps, routeTable } from "./network";
import { stealChart } from "./steal";
import { style } from "./style";

/** What a page is made from. */
export interface HtmlInput {
  report: Report;
  /** What the report rests on. */
  evidence: Evidence;
  /** What was planned, where that is known. */
  expectation?: Expectation;
  /** When the cluster was looked at. */
  at: Date;
}

/**
 * The report as one HTML page that needs nothing else: no script, no other file, no network. All that comes from the cluster is text in it,
 * never markup.
 */
export function renderHtml({ report, evidence, expectation, at }: HtmlInput): string {
  const sections: [title: string, content: Markup][] = [
    ["Findings", findingsTable(report)],
    ["Round trips", latencyChart(evidence)],
    ["Stolen CPU time", stealChart(report, evidence, expectation)],
    ["Packet sizes", mtuMaps(report, evidence)],
    ["Routes and pod CIDRs", routeTable(report, evidence)],
    ["Not run", notRunTable(report)],
  ];
  // The policy forbids whatever else a browser might fetch or run.
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${summary(report)}</title>
        <style>
          ${new Markup(style)}
        </style>
      </head>
      <body>
        <h1>
          ${report.cluster}
          <span class="${report.healthy ? "ok" : "failed"}">${report.healthy ? "is healthy" : "is not healthy"}</span>
        </h1>
        <ul class="counts">
          ${outcomes.map((outcome) => html`<li class="${outcome}"><b>${report.counts[outcome]}</b> ${outcomeWords[outcome]}</li>`)}
        </ul>
        <p>${facts(evidence, at)}</p>
        <nav>${sections.map(([title], index) => html`<a href="#s${index}">${title}</a>`)}</nav>
        ${sections.map(
          ([title, content], index) =>
            html`<section id="s${index}">
              <h2>${title}</h2>
              ${content}
            </section> `,
        )}
      </body>
    </html> `.text;
}

function facts(evidence: Evidence, at: Date): string {
  const agents = valueOf(evidence.agents) ?? [];
  const kubelets = versions(evidence.nodes.map(({ kubeletVersion }) => kubeletVersion.replace(/^v/, "")));
  const cilium = versions(agents.flatMap(({ status }) => valueOf(status)?.version ?? []));
  const time = at.toISOString().slice(0, 16).replace("T", " ");
  return `${evidence.nodes.length} nodes, Kubernetes ${kubelets}, Cilium ${cilium}, API at ${evidence.server}. Looked at ${time} UTC.`;
}

function versions(all: string[]): string {
  return [...new Set(all.filter(Boolean))].sort().join(" and ") || "not seen";
}
