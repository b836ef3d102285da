import { byName, finding } from "./judge";
import { judgePolicy, policyType } from "./policies";
import type { Operation, Step } from "./previewTypes";
import { named } from "./text";
import type { Finding, Grade } from "./types";

/**
 * What happens to everything that belongs to no cluster.
 * @param inside for what has a cluster as its parent and is no part of it that is known
 */
export function judgeOthers(steps: Step[], inside = false): Finding[] {
  const changed = steps.filter(({ operation, custom, type }) => {
    // A provider does nothing by itself, but what it reaches may become another.
    if (type.startsWith("pulumi:providers:")) return operation === "update" || operation === "replace";
    return custom && operation !== "same";
  });
  const policies = steps.filter(({ type }) => policyType.test(type));
  const unknown = changed.filter(({ type }) => !policyType.test(type));
  const judged = policies.filter((step) => changed.includes(step)).map((step) => judgePolicy(step, policies));
  return [...judged, ...judgeUnknown(unknown, inside)];
}

const unknownWords: Readonly<Record<Operation, [grade: Grade, words: string]>> = {
  create: ["low", "made"],
  update: ["medium", "changed"],
  replace: ["high", "replaced"],
  delete: ["high", "removed"],
  same: ["none", "kept"],
};

/** Resources of other kinds: how many of which type, since what they do is not known here. */
function judgeUnknown(steps: Step[], inside: boolean): Finding[] {
  const groups = new Map<string, Step[]>();
  for (const step of steps) {
    const key = `${step.operation} ${step.type}`;
    groups.set(key, [...(groups.get(key) ?? []), step]);
  }
  return [...groups.values()].map((group) => {
    const [{ operation, type } = { operation: "same" as const, type: "" }] = group;
    const [known, words] = unknownWords[operation];
    // A script that runs on a cluster's machines, or where the engine runs, and is none of the library's.
    const grade = inside && type.startsWith("command:") ? "high" : known;
    const names = group.map(({ name }) => named(name)).sort(byName);
    const shown = names.length > 5 ? `${names.slice(0, 5).join(", ")} and ${names.length - 5} more` : names.join(", ");
    return finding(
      `other-${operation}`,
      grade,
      type,
      `${group.length} ${words}: ${shown}; what that means is not known to this report`,
    );
  });
}
