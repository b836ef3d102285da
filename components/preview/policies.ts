import { isPlainObject, type JsonObject } from "../plan/merge";
import { changedInputs, finding } from "./judge";
import { opened, type Sources } from "./openings";
import type { Arguments, Step } from "./previewTypes";
import type { Finding } from "./types";

/** Types of Cilium's policies. */
export const policyType = /^kubernetes:cilium\.io\/v2:Cilium(Clusterwide)?NetworkPolicy$/;

const sides = ["ingress", "egress"] as const;
type Side = (typeof sides)[number];

/**
 * What happens to a policy.
 * @param all the policies of the preview: one that stays, or comes, may still deny what one that goes denied
 */
export function judgePolicy(step: Step, all: Step[]): Finding {
  const subject = `policy ${step.name}`;
  const words = opened(sourcesOf(step.old), sourcesOf(step.new));
  if (words !== undefined) return finding("policy-open", "high", subject, words);
  const lost = lostBy(step, all);
  switch (step.operation) {
    case "create":
      return /(^|-)(default-deny|deny-[\w-]+)$/.test(step.name)
        ? finding("policy-denies", "medium", subject, "is new: what no policy allows is denied from then on")
        : finding("policy-allows", "low", subject, "is new");
    case "delete":
      return lost === undefined
        ? finding("policy-closes", "medium", subject, "goes: what it allowed is denied where a denial stands")
        : finding("policy-opens", "high", subject, `goes: ${lost}`);
    case "replace":
    case "update":
    case "same":
      return lost === undefined
        ? finding("policy-changed", "medium", subject, `changes: ${changedInputs(step).join("; ")}`)
        : finding("policy-opens", "high", subject, `changes: ${lost}`);
  }
}

/** What may pass when a policy goes or changes, in words; undefined where nothing more does. */
function lostBy(step: Step, all: Step[]): string | undefined {
  if (step.operation === "create") return undefined;
  const [old, next] = [specOf(step.old), specOf(step.new)];
  if (old === undefined) return step.new === undefined ? lastOf(["what is not known"]) : undefined;
  const denials = sides.some(
    (side) => isOther(old[`${side}Deny`], next?.[`${side}Deny`]) && hasRules(old[`${side}Deny`]),
  );
  if (denials) return "what it denied passes from then on";
  const moved = isOther(old.endpointSelector, next?.endpointSelector);
  const open = sides.filter((side) => isolates(old, side) && (moved || !next || !isolates(next, side)));
  const bare = open.filter((side) => !all.some((other) => covers(other, step, old, side)));
  if (bare.length === 0) return undefined;
  return isEverything(old.endpointSelector) ? "what it denied passes from then on" : lastOf(bare);
}

function lastOf(denied: readonly string[]): string {
  return `if it is the last that denies its pods ${denied.join(" and ")}, everything passes there from then on`;
}

/** Whether a policy that stays or comes takes the same pods' side too, so that it stays closed. */
function covers(other: Step, step: Step, old: JsonObject, side: Side): boolean {
  const spec = other.operation === "delete" || other.urn === step.urn ? undefined : specOf(other.new);
  if (spec === undefined || other.type !== step.type) return false;
  const [own, its] = [namespaceOf(step.old), namespaceOf(other.new)];
  // Two resources may stand for one object, by its name.
  if (own === undefined || own !== its || !isolates(spec, side)) return false;
  return isEverything(spec.endpointSelector) || !isOther(spec.endpointSelector, old.endpointSelector);
}

function isEverything(selector: unknown): boolean {
  return isPlainObject(selector) && Object.keys(selector).length === 0;
}

/** Whether a policy denies, of a side, what nobody allows. */
function isolates(spec: JsonObject, side: Side): boolean {
  const { enableDefaultDeny: own } = spec;
  if (isPlainObject(own) && own[side] === false) return false;
  return hasRules(spec[side]) || hasRules(spec[`${side}Deny`]);
}

function hasRules(rules: unknown): boolean {
  return rules !== undefined && !(Array.isArray(rules) && rules.length === 0);
}

function isOther(before: unknown, after: unknown): boolean {
  return JSON.stringify(before) !== JSON.stringify(after);
}

function specOf(inputs: Arguments | undefined): JsonObject | undefined {
  return isPlainObject(inputs?.spec) ? inputs.spec : undefined;
}

function namespaceOf(inputs: Arguments | undefined): string | undefined {
  const namespace = isPlainObject(inputs?.metadata) ? inputs.metadata.namespace : undefined;
  return typeof namespace === "string" ? namespace : undefined;
}

/** Whom a policy lets in from outside of the cluster, by port. */
function sourcesOf(inputs: Arguments | undefined): Sources {
  const { ingress } = specOf(inputs) ?? {};
  const found = new Map<string, string[]>();
  for (const rule of Array.isArray(ingress) ? (ingress as unknown[]) : []) {
    if (!isPlainObject(rule)) continue;
    const to = JSON.stringify(rule.toPorts ?? "every port");
    found.set(to, [...(found.get(to) ?? []), ...rangesOf(rule)]);
  }
  return found;
}

const world = /^(all|world)$/;

/** A rule that names nobody lets everybody in, and an empty one nobody. */
function rangesOf(rule: JsonObject): string[] {
  const list = (key: string): unknown[] => (Array.isArray(rule[key]) ? (rule[key] as unknown[]) : []);
  const entities = list("fromEntities").map(String);
  const someone = Object.keys(rule).some((key) => key.startsWith("from"));
  return [
    ...(entities.some((entity) => world.test(entity)) || (!someone && rule.toPorts !== undefined) ? ["all"] : []),
    ...(entities.includes("world-ipv4") ? ["0.0.0.0/0"] : []),
    ...(entities.includes("world-ipv6") ? ["::/0"] : []),
    ...list("fromCIDR").map(String),
    ...list("fromCIDRSet").map((entry) => String(isPlainObject(entry) ? entry.cidr : entry)),
  ];
}
