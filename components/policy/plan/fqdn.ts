import { matches } from "./regex";

/** Longest name or pattern that Cilium takes. */
const fqdnLimit = 255;

/** Whether a text is a DNS name as Cilium takes it, with `*` for wildcards; a dot may end it. */
export function isFqdn(text: string): boolean {
  const labels = text.replace(/\.$/, "").split(".");
  return text.length <= fqdnLimit && labels.every((label) => /^[-A-Za-z0-9_*]+$/.test(label));
}

/** A name in the field that Cilium has for it: as it is, or as a pattern. */
export function fqdnSelector(name: string): { matchName: string } | { matchPattern: string } {
  return name.includes("*") ? { matchPattern: name } : { matchName: name };
}

/** Whether lookups that a pattern allows include those of a name; of another pattern only when it is the same, or everything is allowed. */
export function coversName(pattern: string, name: string): boolean {
  const [allowed, wanted] = [normal(pattern), normal(name)];
  if (/^\*+$/.test(allowed) || allowed === wanted) return true;
  if (wanted.includes("*")) return false;
  const labels = allowed.split(".");
  const deep = /^\*{2,}$/.test(labels[0] ?? "");
  const expression = (deep ? labels.slice(1) : labels).map((label) => label.replace(/\*+/g, "[-a-z0-9_]*")).join("\\.");
  return matches(`${deep ? "([-a-z0-9_]+\\.)+" : ""}${expression}`, wanted);
}

function normal(name: string): string {
  return name.toLowerCase().replace(/\.$/, "");
}
