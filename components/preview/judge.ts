import { plainText } from "../plainText";
import { differences, renderPath } from "./differences";
import { renderChange } from "./harmless";
import type { Step } from "./previewTypes";
import { type Effect, type Finding, type Grade, grades } from "./types";

/** The graver of two grades. */
export function graver(a: Grade, b: Grade): Grade {
  return grades.indexOf(a) < grades.indexOf(b) ? b : a;
}

/** The gravest of some findings; none without any. */
export function gravest(findings: { grade: Grade }[]): Grade {
  return findings.reduce<Grade>((worst, { grade }) => graver(worst, grade), "none");
}

/** Gravest first, then by subject with numbers in their order, then by id and text. */
export function sorted(findings: Finding[]): Finding[] {
  return [...findings].sort(
    (a, b) =>
      grades.indexOf(b.grade) - grades.indexOf(a.grade) ||
      byName(a.subject, b.subject) ||
      byName(a.id, b.id) ||
      byName(a.text, b.text),
  );
}

/** Order of names: `web-2` before `web-10`. The same on every machine, whatever its language. */
export function byName(a: string, b: string): number {
  const key = (text: string): string => text.replace(/\d+/g, (digits) => digits.padStart(12, "0"));
  const [left, right] = [key(a), key(b)];
  if (left === right) return 0;
  return left < right ? -1 : 1;
}

/** Makes a finding. */
export function finding(id: string, grade: Grade, subject: string, text: string, effects: Effect[] = []): Finding {
  return { id, grade, subject: plainText(subject), text: plainText(text), effects };
}

/** What differs in a step's inputs, in words. A property that only the provider sees differ is named, as it was changed outside. */
export function changedInputs(step: Step, words: Readonly<Record<string, string>> = {}): string[] {
  const found = differences(step.old, step.new).map((difference) => ({
    path: renderPath(difference.path),
    difference,
  }));
  const named = new Set(found.map(({ path }) => topOf(path)));
  const outside = step.reasons.map(topOf).filter((reason) => !named.has(reason));
  return [
    ...found.map(({ path, difference }) => `${words[topOf(path)] ?? path}: ${renderChange(path, difference)}`),
    ...[...new Set(outside)].map((reason) => `${words[reason] ?? renderPath([reason])}: set as the program has it`),
  ];
}

/** Names of the properties that differ. */
export function changedProperties(step: Step): string[] {
  const inputs = differences(step.old, step.new).map(({ path }) => path[0] ?? "");
  return [...new Set([...inputs, ...step.reasons.map(topOf), ...step.replaceReasons.map(topOf)])].sort();
}

function topOf(path: string): string {
  return /^[^.[]+/.exec(path)?.[0] ?? path;
}
