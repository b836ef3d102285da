import { byName, changedInputs, finding } from "./judge";
import type { Operation, Step } from "./previewTypes";
import type { Finding, Grade } from "./types";

const policy = /^kubernetes:cilium\.io\/v2:Cilium(Clusterwide)?NetworkPolicy$/;

/** What happens to everything that belongs to no cluster. */
export function judgeOthers(steps: Step[]): Finding[] {
  const changed = steps.filter(({ operation, custom }) => custom && operation !== "same");
  const [policies, unknown] = [
    changed.filter(({ type }) => policy.test(type)),
    changed.filter(({ type }) => !policy.test(type)),
  ];
  return [...policies.map(judgePolicy), ...judgeUnknown(unknown)];
}

function judgePolicy(step: Step): Finding {
  const subject = `policy ${step.name}`;
  const denies = /(^|-)(default-deny|deny-[\w-]+)$/.test(step.name);
  switch (step.operation) {
    case "create":
      return denies
        ? finding("policy-denies", "medium", subject, "is new: what no policy allows is denied from then on")
        : finding("policy-allows", "low", subject, "is new");
    case "delete":
      return denies
        ? finding("policy-opens", "high", subject, "goes: what it denied passes from then on")
        : finding("policy-closes", "medium", subject, "goes: what it allowed is denied where a denial stands");
    case "replace":
    case "update":
    case "same":
      return finding("policy-changed", "medium", subject, `changes: ${changedInputs(step).join("; ")}`);
  }
}

const unknownWords: Readonly<Record<Operation, [grade: Grade, words: string]>> = {
  create: ["low", "made"],
  update: ["medium", "changed"],
  replace: ["high", "replaced"],
  delete: ["high", "removed"],
  same: ["none", "kept"],
};

/** Resources of other kinds: how many of which type, since what they do is not known here. */
function judgeUnknown(steps: Step[]): Finding[] {
  const groups = new Map<string, Step[]>();
  for (const step of steps) {
    const key = `${step.operation} ${step.type}`;
    groups.set(key, [...(groups.get(key) ?? []), step]);
  }
  return [...groups.values()].map((group) => {
    const [{ operation, type } = { operation: "same" as const, type: "" }] = group;
    const [grade, words] = unknownWords[operation];
    const names = group.map(({ name }) => name).sort(byName);
    const shown = names.length > 5 ? `${names.slice(0, 5).join(", ")} and ${names.length - 5} more` : names.join(", ");
    return finding(
      `other-${operation}`,
      grade,
      type,
      `${group.length} ${words}: ${shown}; what that means is not known to this report`,
    );
  });
}
