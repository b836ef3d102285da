import { suggest } from "../problems";
import { resolveTuning } from "../resolve";
import { choiceOf, rowOf } from "../sysctl";
import type { SysctlRow } from "../sysctlRow";
import { sysctlTable } from "../sysctlTable";
import { findingIf, items, type Rule, type Subject } from "./rule";

const podKeys = sysctlTable.filter((row) => row.namespaced).map((row) => row.key);

/** Rules about the sysctls that pods may set themselves. */
export const podSysctlRules: Rule[] = [
  {
    id: "pod-sysctl-unknown",
    acceptable: false,
    why: "The plan has values for the keys of the tuning table alone.",
    check: (subject) =>
      named(subject)
        .filter(({ row }) => row === undefined)
        .map(({ key, path }) => ({
          path,
          message: `the tuning table has no key ${JSON.stringify(key)}`,
          fix: suggest(key, podKeys, `those that pods may set are ${podKeys.join(", ")}`),
        })),
  },
  {
    id: "pod-sysctl-of-the-node",
    acceptable: false,
    why: "A key of the whole kernel has one value for the node and all of its pods; the kubelet refuses a pod that asks for another.",
    check: (subject) =>
      named(subject).flatMap(({ key, row, path }) =>
        findingIf(
          row?.namespaced === false,
          path,
          `${key} belongs to the node's whole kernel, and no pod can set it`,
          "leave it out: the node's value is in effect for pods too",
        ),
      ),
  },
  {
    id: "pod-sysctl-without-value",
    acceptable: false,
    why: "Pods get the nodes' value, so there must be one.",
    check: (subject) =>
      named(subject).flatMap(({ key, row, path }) =>
        findingIf(
          row?.namespaced === true && choiceOf(row, resolveTuning(subject.args)) === undefined,
          path,
          `the plan leaves ${key} to the system, so it has no value for pods`,
          row?.bbr === undefined ? "give it one in tuning.sysctls, or leave it out" : "leave it out: BBR is off",
        ),
      ),
  },
  {
    id: "pod-sysctl-kubelet",
    acceptable: false,
    why: "The kubelet's list is merged with what tuning.podSysctls needs, and only a list can be.",
    check: ({ args }) => {
      const own = args.kubernetes?.kubelet?.allowedUnsafeSysctls;
      return findingIf(
        (args.tuning?.podSysctls ?? []).length > 0 && own !== undefined && !isTextList(own),
        "kubernetes.kubelet.allowedUnsafeSysctls",
        "it is no list of texts, and tuning.podSysctls is merged with it",
        'write e.g. ["kernel.msg*"], or leave it out',
      );
    },
  },
];

interface Named {
  key: string;
  row: SysctlRow | undefined;
  path: string;
}

function named({ args }: Subject): Named[] {
  return items(args.tuning?.podSysctls, "tuning.podSysctls").map(({ item, path }) => ({
    key: item,
    row: rowOf(item),
    path,
  }));
}

function isTextList(value: unknown): boolean {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}
