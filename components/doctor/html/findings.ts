import { checks } from "../checks";
import type { CheckResult, Outcome, Report } from "../types";
import { html, type Markup } from "./markup";

/** Outcomes in words, the gravest first. */
export const outcomeWords: Record<Outcome, string> = {
  failed: "failed",
  unprovable: "not provable here",
  unseen: "not seen",
  ok: "ok",
};

/** All outcomes, the gravest first. */
export const outcomes = Object.keys(outcomeWords) as Outcome[];

/** The gravest of some findings; undefined of none. */
export function gravest(results: CheckResult[]): Outcome | undefined {
  return outcomes.find((outcome) => results.some((result) => result.outcome === outcome));
}

/** All findings by check: those with failures first, then as the checks are ordered. Same findings on several subjects are one row. */
export function findingsTable({ results }: Report): Markup {
  const order = [...checks.map(({ id }) => id), ...results.map(({ check }) => check)];
  const groups = [...new Set(order)].flatMap((check) => {
    const own = results.filter((result) => result.check === check);
    return own.length > 0 ? [{ check, own, failed: own.some(({ outcome }) => outcome === "failed") }] : [];
  });
  const sorted = [...groups.filter(({ failed }) => failed), ...groups.filter(({ failed }) => !failed)];
  return html`<table class="findings">
    <thead>
      <tr>
        <th>outcome</th>
        <th>where</th>
        <th>wanted</th>
        <th>found</th>
        <th>what to do, or why</th>
      </tr>
    </thead>
    ${sorted.map(({ check, own }) => group(check, own))}
  </table>`;
}

function group(check: string, results: CheckResult[]): Markup {
  const rows = new Map<string, { result: CheckResult; subjects: Set<string> }>();
  for (const result of results) {
    const key = JSON.stringify([result.outcome, result.wanted, result.found, result.hint]);
    const row = rows.get(key) ?? { result, subjects: new Set<string>() };
    row.subjects.add(result.subject);
    rows.set(key, row);
  }
  const sorted = outcomes.flatMap((outcome) => [...rows.values()].filter(({ result }) => result.outcome === outcome));
  const counts = outcomes.flatMap((outcome) => {
    const count = results.filter((result) => result.outcome === outcome).length;
    return count > 0 ? [`${count} ${outcomeWords[outcome]}`] : [];
  });
  const title = checks.find(({ id }) => id === check)?.title ?? "";
  return html`<tbody>
    <tr>
      <th colspan="5" scope="rowgroup"><code>${check}</code> ${title} <small>${counts.join(", ")}</small></th>
    </tr>
    ${sorted.map(({ result, subjects }) => row(result, [...subjects]))}
  </tbody>`;
}

function row({ outcome, wanted, found, hint }: CheckResult, subjects: string[]): Markup {
  const where = subjects.map(
    (subject, index) => html`<span>${subject}${index < subjects.length - 1 ? ", " : ""}</span>`,
  );
  const rest =
    found === wanted && hint === undefined
      ? html`<td colspan="3">${wanted}</td>`
      : html`<td>${wanted}</td>
          <td>${found}</td>
          <td>${hint ?? ""}</td>`;
  return html`<tr>
    <td class="${outcome}">${outcomeWords[outcome]}</td>
    <td>${where}</td>
    ${rest}
  </tr>`;
}

/** What nobody may take for verified, with the reasons. */
export function notRunTable({ notRun }: Report): Markup {
  const rows = notRun.map(
    ({ check, reason }) =>
      html`<tr>
        <td><code>${check}</code></td>
        <td>${reason}</td>
      </tr>`,
  );
  return html`<table>
    <tbody>
      ${rows}
    </tbody>
  </table>`;
}
