import { findingIf } from "../../../plan/rules/rule";
import type { Finding } from "../../../plan/problems";
import {
  anchorsOf,
  compiled,
  matches,
  patternLengthLimit,
  patternOf,
  programSize,
  programSizeLimit,
  queryIn,
  refusal,
} from "../regex";
import type { Edge, HttpRule } from "../subject";
import { eachEdge, type PolicyRule } from "./rule";

const fields = ["method", "path", "host"] as const;

/** Ports on which clients speak TLS, which Envoy cannot read. */
const tlsPorts = [443, 6443, 8443];

/** Rules about requests and their patterns. */
export const httpRules: PolicyRule[] = [
  {
    id: "http-empty",
    severity: "refusal",
    why: "Cilium takes an empty list, and a rule without a field, for every request: all the cost and no filter.",
    check: eachEdge(({ http, path }) => [
      ...findingIf(
        http?.length === 0,
        `${path}.http`,
        "an empty list lets every request through",
        "name the requests, or leave http out",
      ),
      ...(http ?? []).flatMap((rule) =>
        findingIf(
          fields.every((field) => rule.given[field] === undefined || rule.given[field] === ""),
          rule.path,
          "lets every request through",
          "give a method, a path or a host, or leave http out",
        ),
      ),
    ]),
  },
  {
    id: "http-pattern",
    severity: "refusal",
    why: "Envoy runs patterns by RE2 on requests in ASCII; one that it cannot compile makes it refuse the policy, and one of other letters matches nothing.",
    check: eachPattern((pattern, path) => {
      const reason = pattern.length > patternLengthLimit ? undefined : refusal(pattern);
      return reason === undefined ? [] : [{ path, message: `${shown(pattern)} ${reason.message}`, fix: reason.fix }];
    }),
  },
  {
    id: "http-pattern-anchors",
    severity: "refusal",
    why: "Patterns match from the first letter to the last, so that anchors say nothing, and before an appended query they match nothing.",
    check: eachPattern((pattern, path) => {
      const anchors = anchorsOf(pattern);
      return findingIf(
        anchors.length > 0,
        path,
        `${shown(pattern)} has ${anchors.join(" and ")}, and is matched from the first letter to the last anyway`,
        `leave ${anchors.join(" and ")} out; for more behind it write e.g. (/.*)?`,
      );
    }),
  },
  {
    id: "http-pattern-size",
    severity: "refusal",
    why: `Envoy refuses compiled patterns of more than ${programSizeLimit} instructions, and with one may drop every later policy update.`,
    check: eachPattern((pattern, path, rule, field) => {
      const fix = "make it shorter: fewer alternatives, classes and repeats, or several requests";
      if (pattern.length > patternLengthLimit)
        return [{ path, message: `${pattern.length} letters are more than any pattern needs`, fix }];
      const size = programSize(patternOf(rule, field) ?? "");
      return findingIf(
        size > programSizeLimit,
        path,
        `${shown(pattern)} compiles to some ${size} instructions, and Envoy takes ${programSizeLimit}`,
        fix,
      );
    }),
  },
  {
    id: "http-path-slash",
    severity: "refusal",
    why: "Every path of a request begins with a slash, so that a pattern without one matches none.",
    check: eachPattern((pattern, path, _, field) =>
      findingIf(
        field === "path" && /^[\w-]/.test(pattern) && !pattern.includes("|"),
        path,
        `${shown(pattern)} begins without a slash, and no path does`,
        "begin it with /",
      ),
    ),
  },
  {
    id: "http-path-query",
    severity: "refusal",
    why: "Any query may follow a path unless it is as written; a path with a query of its own then does not do what it says.",
    check: eachPattern((pattern, path, { query }, field) => {
      const found = field === "path" ? queryIn(pattern) : undefined;
      return [
        ...findingIf(
          found === "raw",
          path,
          `${shown(pattern)} has a ? that makes the letter before it optional`,
          'write \\? for the beginning of a query, and query: "as-written"',
        ),
        ...findingIf(
          found === "escaped" && query === "any",
          path,
          `${shown(pattern)} has a query, and any query is let through besides`,
          'say query: "as-written", or leave the query out',
        ),
      ];
    }),
  },
  {
    id: "http-method-case",
    severity: "refusal",
    why: "Methods are compared letter by letter, and clients send them in capitals.",
    check: eachPattern((pattern, path, _, field) =>
      findingIf(
        field === "method" && /^[a-z|]+$/i.test(pattern) && /[a-z]/.test(pattern),
        path,
        `${shown(pattern)} matches no method, since methods are in capitals`,
        `write ${JSON.stringify(pattern.toUpperCase())}`,
      ),
    ),
  },
  {
    id: "http-get-without-head",
    severity: "warning",
    why: "Caches, probes and browsers ask by HEAD for what GET gives, and Cilium counts it as another method.",
    check: eachEdge(({ http = [] }) =>
      http.flatMap((rule) =>
        findingIf(
          onlyGet(rule) && !http.some((other) => sameTarget(rule, other) && matches(other.given.method, "HEAD")),
          `${rule.path}.method`,
          "GET lets no HEAD through",
          'write "GET|HEAD" if clients use it',
        ),
      ),
    ),
  },
  {
    id: "http-on-tls-port",
    severity: "warning",
    why: "Envoy reads requests only in clear: of a TLS connection it sees none and refuses it.",
    check: eachEdge(({ http, ports }) =>
      ports.flatMap(({ first, path }) =>
        findingIf(
          http !== undefined && tlsPorts.includes(first),
          path,
          `${first} is mostly TLS, of which Envoy sees no request and refuses all`,
          "name the port of plain HTTP, or leave http out",
        ),
      ),
    ),
  },
];

/** Findings of a check on every pattern of every request. */
function eachPattern(
  check: (pattern: string, path: string, rule: HttpRule, field: (typeof fields)[number]) => Finding[],
): PolicyRule["check"] {
  return eachEdge(({ http = [] }: Edge) =>
    http.flatMap((rule) =>
      fields.flatMap((field) => {
        const pattern = rule.given[field];
        return pattern === undefined ? [] : check(pattern, `${rule.path}.${field}`, rule, field);
      }),
    ),
  );
}

function onlyGet({ given: { method } }: HttpRule): boolean {
  return method !== undefined && compiled(method) !== undefined && matches(method, "GET") && !matches(method, "HEAD");
}

function sameTarget(a: HttpRule, b: HttpRule): boolean {
  return a.given.path === b.given.path && a.given.host === b.given.host;
}

function shown(pattern: string): string {
  return JSON.stringify(pattern.length > 60 ? `${pattern.slice(0, 60)}…` : pattern);
}
