import { invalidField } from "./errors";
import type { Labels } from "./types";

const namePattern = /^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/;
const prefixPattern = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/i;
const reservedPrefix = "hetzner.cloud";

/** Whether a label has this form: `[prefix/]name`, the name at most 63 characters, the prefix a DNS name. */
export function isLabelKey(key: string): boolean {
  const slash = key.indexOf("/");
  if (slash < 0) return namePattern.test(key);
  const prefix = key.slice(0, slash);
  return prefix.length <= 253 && prefixPattern.test(prefix) && namePattern.test(key.slice(slash + 1));
}

/** Whether a label may have this value: empty, or at most 63 characters that begin and end with a letter or digit. */
export function isLabelValue(value: string): boolean {
  return value === "" || namePattern.test(value);
}

/**
 * What is wrong with a request's labels.
 * @returns sentences, empty if nothing is
 */
export function labelProblems(labels: unknown): string[] {
  if (typeof labels !== "object" || labels === null || Array.isArray(labels)) return ["must be an object of strings"];
  return Object.entries(labels).flatMap(([key, value]) => {
    if (!isLabelKey(key)) return [`'${key}' is not a valid label key`];
    if (key.startsWith(`${reservedPrefix}/`)) return [`label keys with the prefix '${reservedPrefix}/' are reserved`];
    if (typeof value !== "string" || !isLabelValue(value)) return [`the value of label '${key}' is not valid`];
    return [];
  });
}

/** One term of a selector; a selector holds if all its terms do. */
export interface LabelTerm {
  key: string;
  /** `in` also stands for `=`, `notin` for `!=`; the last two look at the key alone. */
  operator: "in" | "notin" | "exists" | "absent";
  values: string[];
}

/**
 * Parses `k==v`, `k=v`, `k!=v`, `k`, `!k`, `k in (a,b)`, `k notin (a,b)`, joined by commas.
 * @param selector the text; empty means no term
 * @param field name of the request's field, for the error
 * @throws invalid_input if it has no meaning
 */
export function parseSelector(selector: string, field = "label_selector"): LabelTerm[] {
  if (selector.trim() === "") return [];
  return splitTerms(selector).map((term) => {
    const parsed = parseTerm(term.trim());
    if (!parsed) throw invalidField(field, `'${term.trim()}' is not a valid label selector term`);
    return parsed;
  });
}

/** Whether an object with these labels is selected. `!=` and `notin` also select objects without the key. */
export function matches(terms: LabelTerm[], labels: Labels): boolean {
  return terms.every(({ key, operator, values }) => {
    const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
    if (operator === "exists") return value !== undefined;
    if (operator === "absent") return value === undefined;
    const listed = value !== undefined && values.includes(value);
    return operator === "in" ? listed : !listed;
  });
}

/** Splits at commas outside parentheses. */
function splitTerms(selector: string): string[] {
  return selector.split(/,(?![^(]*\))/);
}

function parseTerm(term: string): LabelTerm | null {
  const set = /^(\S+)\s+(in|notin)\s*\(([^()]*)\)$/.exec(term);
  if (set) return termOf(set[1], set[2] === "in" ? "in" : "notin", (set[3] ?? "").split(",").map(trimmed));
  const comparison = /^([^=!\s]+)\s*(==|=|!=)\s*([^=!\s]*)$/.exec(term);
  if (comparison) return termOf(comparison[1], comparison[2] === "!=" ? "notin" : "in", [comparison[3] ?? ""]);
  if (term.startsWith("!")) return termOf(term.slice(1).trim(), "absent", []);
  return termOf(term, "exists", []);
}

function termOf(key: string | undefined, operator: LabelTerm["operator"], values: string[]): LabelTerm | null {
  return key !== undefined && isLabelKey(key) && values.every(isLabelValue) ? { key, operator, values } : null;
}

function trimmed(text: string): string {
  return text.trim();
}
