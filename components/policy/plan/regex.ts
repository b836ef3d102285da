import { RE2JS } from "re2js";
import type { HttpRule } from "./subject";

/** Longest pattern that is looked at; far past Envoy's limit. */
export const patternLengthLimit = 1000;

/** Envoy's limit of a compiled pattern, unless its `re2.max_program_size.error_level` says otherwise. */
export const programSizeLimit = 100;

/** What Envoy's RE2 adds for `.` and for a negated class: it reads bytes, so each must know how letters outside ASCII are made of them. */
const wideCharacterCost = 10;

/** Part of a pattern: an escape, a whole class in brackets, or one letter. */
type Token = string;

/**
 * The pattern that goes into the policy: a path is followed by any query, unless it is as written.
 * @param field of the rule that the pattern is for
 */
export function patternOf(rule: HttpRule, field: "method" | "path" | "host"): string | undefined {
  const given = rule.given[field];
  if (given === undefined || field !== "path" || rule.query === "as-written") return given;
  return `${given.includes("|") ? `(${given})` : given}(\\?.*)?`;
}

/** Compiles a pattern as Envoy does; undefined when RE2 takes it not. */
export function compiled(pattern: string): RE2JS | undefined {
  try {
    return RE2JS.compile(pattern);
  } catch {
    return undefined;
  }
}

/** Why RE2 refuses a pattern, in words; undefined when it takes it. */
export function refusal(pattern: string): string | undefined {
  const tokens = tokensOf(pattern);
  const text = tokens.join("");
  if (/\(\?<?[=!]/.test(text)) return "looks ahead or behind";
  if (tokens.some((token) => /^\\[1-9]/.test(token))) return "refers back to a group";
  return compiled(pattern) === undefined ? "is no regular expression of RE2" : undefined;
}

/** Anchors of a pattern, each once: they add nothing where the whole text must match, and before a query they match nothing. */
export function anchorsOf(pattern: string): string[] {
  return [...new Set(tokensOf(pattern).filter((token) => ["^", "$", "\\A", "\\z"].includes(token)))];
}

/** Whether a path says something of queries itself: an escaped question mark, or one that was meant as such. */
export function queryIn(pattern: string): "escaped" | "raw" | undefined {
  if (tokensOf(pattern).some((token) => token === "\\?" || (token.startsWith("[") && /^\[[^^]*\?/.test(token))))
    return "escaped";
  return /[^\\()[\]*+?{}|]\?[\w.%-]+=/.test(pattern) ? "raw" : undefined;
}

/** Size of a pattern once Envoy has compiled it, estimated from above for what people write. */
export function programSize(pattern: string): number {
  const wide = tokensOf(pattern).filter((token) => /^(\.|\[\^.*|\\[DWSP].*)$/s.test(token)).length;
  return (compiled(pattern)?.programSize() ?? 0) + wide * wideCharacterCost;
}

/** Whether a whole text matches a pattern; one that is absent matches everything, a bad one nothing. */
export function matches(pattern: string | undefined, text: string): boolean {
  return pattern === undefined || (compiled(pattern)?.matches(text) ?? false);
}

/** Cuts a pattern into its parts, so that an escaped or bracketed letter is not taken for an operator. */
export function tokensOf(pattern: string): Token[] {
  return pattern.match(/\\[\s\S]|\[\^?\]?(?:\\[\s\S]|\[:\^?\w+:\]|[^\]\\])*\]|[\s\S]/g) ?? [];
}
