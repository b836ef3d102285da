import type { Decision } from "../../plan/explain";
import type { PolicySubject } from "./subject";
import type { PolicyObject } from "./types";
import { edgeWords } from "./policies";

/** What a filter of requests costs, and where that was measured. */
export const l7Cost =
  "Connections go through Envoy: a published saturated benchmark of Cilium 1.19 lost 86 to 89 % of its requests per second by it. Keep it off hot paths.";

const topic = "Policies";

/** What each policy is for, what each filter of requests costs, and what audit means. */
export function explainPolicies(subject: PolicySubject, policies: PolicyObject[]): Decision[] {
  return [
    ...policies.map(({ metadata, spec }) => ({
      id: `policy.${metadata.namespace}.${metadata.name}`,
      topic,
      value: String(spec.description),
      why: subject.audit
        ? "Audit: it denies nothing yet."
        : "What it names is allowed; the pods that it selects lose the rest.",
      source: "docs/guide/policies.md",
    })),
    ...subject.edges
      .filter(({ http }) => http !== undefined)
      .map((edge) => ({
        id: `cost.${edge.path}`,
        topic,
        value: edgeWords(edge, subject),
        why: l7Cost,
        source: "docs/decisions/requests-at-target.md",
      })),
  ];
}
