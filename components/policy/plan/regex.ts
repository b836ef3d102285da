import { RE2JS } from "re2js";
import type { HttpRule } from "./subject";

/** Longest pattern that is looked at; far past Envoy's limit. */
export const patternLengthLimit = 1000;

/** Envoy's limit of a compiled pattern, unless its `re2.max_program_size.error_level` says otherwise. */
export const programSizeLimit = 100;

/** Instructions that Envoy's RE2, which reads bytes, has for `.` and for a negated class: it must know how letters outside ASCII are made of them. */
const wideCost = 10;

/** Instructions that Envoy's RE2 has for any pattern, beyond those counted here. */
const baseCost = 3;

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

/** Why a pattern cannot be used, and what to do, in words; undefined when it can. */
export function refusal(pattern: string): { message: string; fix: string } | undefined {
  const tokens = tokensOf(pattern);
  const fix = "write it in RE2's syntax, which has neither look-ahead nor back-references";
  if (/\(\?<?[=!]/.test(pattern)) return { message: "looks ahead or behind", fix };
  if (tokens.some((token) => /^\\[1-9]/.test(token))) return { message: "refers back to a group", fix };
  if (compiled(pattern) === undefined) return { message: "is no regular expression of RE2", fix };
  if (/[^ -~]/.test(pattern) || tokens.some((token) => /^(\[.*)?\\p/is.test(token)))
    return {
      message: "has letters outside ASCII, of which requests have none",
      fix: "write them as they are encoded, e.g. %C3%A4",
    };
  return undefined;
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

/**
 * Size of a pattern once Envoy has compiled it, estimated from above. A class costs as much as a text with a letter for each of its ranges, so
 * such texts are compiled in the place of classes; that counts repeats right.
 */
export function programSize(pattern: string): number {
  const texts = new Map<Token, string>();
  let next = 0x4e00;
  const textFor = (token: Token): string => {
    const cost = classCost(token);
    if (cost === 1) return token;
    const known = texts.get(token);
    if (known !== undefined) return known;
    const letters = Array.from({ length: cost }, () => String.fromCodePoint(next++)).join("");
    texts.set(token, `(?:${letters})`);
    return `(?:${letters})`;
  };
  return (compiled(tokensOf(pattern).map(textFor).join(""))?.programSize() ?? 0) + baseCost;
}

/** Instructions of a class, by its ranges; 1 for whatever is none. */
function classCost(token: Token): number {
  if (token === "." || token.startsWith("[^") || /^\\[DWS]$/.test(token)) return wideCost;
  if (/^\\[ws]$/.test(token)) return 5;
  if (!token.startsWith("[") || !token.endsWith("]") || token.length < 3) return 1;
  const ranges = token.slice(1, -1).match(/(?:\[:\^?\w+:\]|\\[DWSdws]|\\?[\s\S](?:-\\?[\s\S])?)/g) ?? [];
  return ranges
    .map((range) => (/^\\[DWS]|^\[:\^/.test(range) ? wideCost : /^\\[ws]|^\[:/.test(range) ? 5 : 1))
    .reduce((sum, cost) => sum + cost, 0);
}

/** Whether a whole text matches a pattern; one that is absent matches everything, a bad one nothing. */
export function matches(pattern: string | undefined, text: string): boolean {
  return pattern === undefined || (compiled(pattern)?.matches(text) ?? false);
}

/** Cuts a pattern into its parts, so that an escaped or bracketed letter is not taken for an operator. */
export function tokensOf(pattern: string): Token[] {
  return pattern.match(/\\[\s\S]|\[\^?\]?(?:\\[\s\S]|\[:\^?\w+:\]|[^\]\\])*\]|[\s\S]/g) ?? [];
}
