import { RE2JS } from "re2js";

/** What Cilium's agent would have Envoy look at in a request; what is left out matches everything. */
export interface AgentHttpRule {
  method?: string;
  path?: string;
  host?: string;
}

/** The rules for one selection of peers; null, or without `http`, lets every byte pass, and a `verdict` other than 0 denies it. */
type AgentRules = { http?: AgentHttpRule[]; verdict?: number } | null;

/** A filter of an endpoint, as `cilium-dbg endpoint get` shows the agent's translation of all its policies for one port. */
export interface AgentFilter {
  port: number;
  protocol: string;
  /** One object a selection of peers, by the selector's text. */
  "l7-rules"?: { [selector: string]: AgentRules }[];
}

/** A request as Envoy sees it: the path carries the query. */
export interface Request {
  method: string;
  path: string;
  host?: string;
}

/** How a request ends: answered by the pod, answered 403 by Envoy, or dropped before. */
export type Outcome = "passed" | "403" | "dropped";

interface Endpoint {
  status: { policy: { spec: { l4: { [direction: string]: { rule: string }[] | null } } } };
}

/**
 * Reads the filters of one direction out of `cilium-dbg endpoint get ID -o json`: what the agent wants, which is realised once Envoy has
 * confirmed it.
 */
export function filtersOf(endpointJson: string, direction: "ingress" | "egress"): AgentFilter[] {
  const [endpoint] = JSON.parse(endpointJson) as [Endpoint];
  return (endpoint.status.policy.spec.l4[direction] ?? []).map(({ rule }) => JSON.parse(rule) as AgentFilter);
}

/**
 * Judges a request by the translation, as agent and Envoy would.
 * @param selects whether a selector's text stands for the caller
 */
export function judge(
  filters: AgentFilter[],
  selects: (selector: string) => boolean,
  port: number,
  request: Request,
): Outcome {
  const rules = filters
    .filter((filter) => filter.protocol === "TCP" && filter.port === port)
    .flatMap((filter) => filter["l7-rules"] ?? [])
    .flatMap((entry) => Object.entries(entry))
    .filter(([selector]) => selects(selector))
    .map(([, rule]) => rule);
  if (rules.length === 0 || rules.some((rule) => (rule?.verdict ?? 0) !== 0)) return "dropped";
  // Rules add up: one that lets every byte through voids the others.
  const passes = rules.some((rule) => rule?.http === undefined || rule.http.some((http) => matches(http, request)));
  return passes ? "passed" : "403";
}

function matches(rule: AgentHttpRule, request: Request): boolean {
  return (["method", "path", "host"] as const).every((field) => {
    const pattern = rule[field];
    return pattern === undefined || RE2JS.compile(pattern).matches(request[field] ?? "");
  });
}
