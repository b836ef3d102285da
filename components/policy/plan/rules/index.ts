import { suggest } from "../../../plan/problems";
import type { Problem } from "../../../plan/types";
import { structureRules } from "../../../plan/rules";
import type { PolicySubject } from "../subject";
import { httpRules } from "./http";
import { l7Rules } from "./l7";
import { lookupRules } from "./lookups";
import { nameRules } from "./names";
import { peerRules } from "./peers";
import { portRules } from "./ports";
import type { PolicyRule } from "./rule";

const acceptRule: PolicyRule = {
  id: "accept-not-a-warning",
  severity: "refusal",
  why: "A mistyped id would accept nothing, and a refusal cannot be accepted.",
  check: ({ accept }) =>
    accept
      .filter(({ value }) => !warningIds().includes(value))
      .map(({ value, path }) => ({
        path,
        message: `there is no warning ${JSON.stringify(value)}`,
        fix: suggest(value, warningIds(), `warnings are ${warningIds().join(", ")}`),
      })),
};

/** All rules of the policies, in the order in which their problems are listed. */
export const policyRules: readonly PolicyRule[] = [
  ...nameRules,
  ...peerRules,
  ...portRules,
  ...l7Rules,
  ...lookupRules,
  ...httpRules,
  acceptRule,
];

/** Id of every rule of the policies, what comes of it, and why it is there. */
export const policyRuleTable: readonly { id: string; severity: "refusal" | "warning"; why: string }[] = [
  ...structureRules
    .filter(({ id }) => id.startsWith("argument-"))
    .map(({ id, why }) => ({ id, severity: "refusal" as const, why })),
  ...policyRules.map(({ id, severity, why }) => ({ id, severity, why })),
];

/** Every breach of every rule; warnings are those that `accept` takes. */
export function judgePolicies(subject: PolicySubject): Problem[] {
  return policyRules.flatMap(({ id, severity, check }) =>
    check(subject).map((finding) => ({ rule: id, acceptable: severity === "warning", ...finding })),
  );
}

function warningIds(): string[] {
  return policyRules.filter(({ severity }) => severity === "warning").map(({ id }) => id);
}
