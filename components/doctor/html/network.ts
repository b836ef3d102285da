import { valueOf, type Evidence, type NodeEvidence, type RouteReading } from "../evidence";
import type { Outcome, Report } from "../types";
import { gravest } from "./findings";
import { html, type Markup } from "./markup";

/** Most nodes on a side of the map; of a larger cluster those are on it that have something to show. */
const sideLimit = 24;

const glyphs: Record<Outcome, string> = { ok: "✓", failed: "✗", unprovable: "?", unseen: "?" };

/** What the paths between nodes carry, from each row's node to each column's: one map for pods, one for the nodes themselves. */
export function mtuMaps(report: Report, { probes }: Evidence): Markup {
  const names = probes.map(({ node }) => node);
  const maps = [
    { title: "between pods", check: "pod-mtu", routes: probes.map(({ pod }) => valueOf(pod)?.routes) },
    { title: "between nodes", check: "node-mtu", routes: probes.map(({ host }) => valueOf(host)?.routes) },
  ].map(({ title, check, routes }) => map(title, names, cellsOf(report, check, names, routes)));
  return html`<p>
      Bytes that the row's node sends to the column's: ✓ exactly these arrive, ✗ they do not, or other than planned, ?
      not all could be judged. An empty field was not tried.
    </p>
    <div class="maps">${maps}</div>`;
}

interface Cell {
  outcome: Outcome;
  mtu: number;
}

function cellsOf(
  { results }: Report,
  check: string,
  names: string[],
  routes: (Record<string, RouteReading> | undefined)[],
): Map<string, Cell> {
  const cells = new Map<string, Cell>();
  names.forEach((from, index) => {
    for (const [to, { mtu }] of Object.entries(routes[index] ?? {})) {
      const subject = `${from} -> ${to}`;
      const outcome = gravest(results.filter((result) => result.check === check && result.subject === subject));
      if (outcome) cells.set(JSON.stringify([from, to]), { outcome, mtu });
    }
  });
  return cells;
}

function map(title: string, names: string[], cells: Map<string, Cell>): Markup {
  if (cells.size === 0) return html`<p>No path ${title} was tried.</p>`;
  const cell = (from: string, to: string) => cells.get(JSON.stringify([from, to]));
  const telling = names.filter((name) =>
    names.some((other) => [cell(name, other), cell(other, name)].some((one) => one && one.outcome !== "ok")),
  );
  const shown = (names.length > sideLimit ? telling : names).slice(0, sideLimit);
  const rows = shown.map(
    (from) =>
      html`<tr>
        <th scope="row">${from}</th>
        ${shown.map((to) => field(from === to, cell(from, to)))}
      </tr> `,
  );
  const rest = names.length - shown.length;
  return html`<table class="map">
    <caption>
      ${title}${rest > 0 ? `, without ${rest} nodes` : ""}
    </caption>
    <thead>
      <tr>
        <td></td>
        ${shown.map((to) => html`<th scope="col"><span>${to}</span></th>`)}
      </tr>
    </thead>
    <tbody>
      ${rows}
    </tbody>
  </table>`;
}

function field(self: boolean, cell: Cell | undefined): Markup {
  if (self) return html`<td class="self"></td>`;
  return cell ? html`<td class="${cell.outcome}">${glyphs[cell.outcome]} ${cell.mtu || "–"}</td>` : html`<td></td>`;
}

/** The network's routes beside the pod CIDRs of the nodes that they lead to. */
export function routeTable(report: Report, { nodes, cloud }: Evidence): Markup {
  const asked = report.results.some(({ check }) => check === "cloud-routes");
  const routes = valueOf(cloud)?.routes;
  const why = "unseen" in cloud && asked ? cloud.unseen : "The underlay's routes were not asked for.";
  const known = new Set(nodes.map(({ internalIp }) => internalIp));
  const others = (routes ?? []).filter(({ gateway }) => !known.has(gateway));
  return html`${routes ? "" : html`<p>${why}</p>`}
    <table>
      <thead>
        <tr>
          <th>node</th>
          <th>private address</th>
          <th>its pod CIDR</th>
          ${
            routes
              ? html`<th>routes that lead there</th>
                  <th></th>`
              : ""
          }
        </tr>
      </thead>
      <tbody>
        ${nodes.map((node) => routeRow(node, routes))}
        ${others.map(
          ({ destination, gateway }) =>
            html`<tr>
              <td>no node</td>
              <td>${gateway}</td>
              <td></td>
              <td>${destination}</td>
              <td class="unseen">? nobody's</td>
            </tr>`,
        )}
      </tbody>
    </table>`;
}

function routeRow(
  { name, internalIp = "", podCidr = "none" }: NodeEvidence,
  routes: { destination: string; gateway: string }[] | undefined,
): Markup {
  const own = routes?.flatMap(({ destination, gateway }) => (gateway === internalIp ? [destination] : [])) ?? [];
  const fits = own.length === 1 && own[0] === podCidr;
  const verdict = fits ? html`<td class="ok">✓ the same</td>` : html`<td class="failed">✗ not the same</td>`;
  return html`<tr>
    <td>${name}</td>
    <td>${internalIp}</td>
    <td>${podCidr}</td>
    ${
      routes
        ? html`<td>${own.join(", ") || "none"}</td>
            ${verdict}`
        : ""
    }
  </tr> `;
}
