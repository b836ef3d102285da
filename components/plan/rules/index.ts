import { suggest } from "../problems";
import type { Problem } from "../types";
import { accessRules } from "./access";
import { artifactRules } from "./artifacts";
import { ciliumRules } from "./cilium";
import { componentRules } from "./components";
import { dataPathRules } from "./dataPath";
import { encryptionRules } from "./encryption";
import { nameRules } from "./names";
import { netkitRules } from "./netkit";
import { networkRules } from "./network";
import { nodeRules } from "./nodes";
import { podSysctlRules } from "./podSysctls";
import { hetznerRules } from "./hetzner";
import { hostRules } from "./hosts";
import { reservedRangeRules } from "./reservedRanges";
import { items, type Rule, type Subject } from "./rule";
import { tuningRules } from "./tuning";
import { versionRules } from "./versions";

/** Rules that need more than the arguments: their types, or the finished plan. */
export const structureRules = [
  { id: "argument-type", acceptable: false, why: "An argument of another type would be misread." },
  { id: "argument-missing", acceptable: false, why: "The plan cannot be made without it." },
  { id: "argument-unknown", acceptable: false, why: "A mistyped argument would be passed over in silence." },
  { id: "user-data-size", acceptable: false, why: "The cloud takes user data of at most 32 KiB." },
] as const;

/** `accept` is judged by rules too, so that a mistyped id does not look like an acceptance. */
const acceptRules: Rule[] = [
  {
    id: "accept-unknown",
    acceptable: false,
    why: "A mistyped id would accept nothing.",
    check: ({ args }) =>
      items(args.accept, "accept")
        .filter(({ item }) => ruleInfo(item) === undefined)
        .map(({ item, path }) => ({
          path,
          message: `there is no rule ${JSON.stringify(item)}`,
          fix: suggest(item, acceptableIds(), `rules that can be accepted: ${acceptableIds().join(", ")}`),
        })),
  },
  {
    id: "accept-not-possible",
    acceptable: false,
    why: "Past some refusals there is no cluster.",
    check: ({ args }) =>
      items(args.accept, "accept")
        .filter(({ item }) => ruleInfo(item)?.acceptable === false)
        .map(({ item, path }) => ({
          path,
          message: `the rule ${item} cannot be accepted`,
          fix: "leave it out and mend what it finds",
        })),
  },
];

/** All rules that judge arguments, in the order in which their problems are listed. */
export const rules: readonly Rule[] = [
  ...nameRules,
  ...accessRules,
  ...nodeRules,
  ...networkRules,
  ...reservedRangeRules,
  ...hetznerRules,
  ...hostRules,
  ...versionRules,
  ...ciliumRules,
  ...dataPathRules,
  ...netkitRules,
  ...encryptionRules,
  ...componentRules,
  ...tuningRules,
  ...podSysctlRules,
  ...artifactRules,
  ...acceptRules,
];

/** Id of every rule, whether it can be accepted, and why it is there. */
export const ruleTable: readonly { id: string; acceptable: boolean; why: string }[] = [
  ...structureRules,
  ...rules.map(({ id, acceptable, why }) => ({ id, acceptable, why })),
];

/** Every breach of every rule. */
export function judge(subject: Subject): Problem[] {
  return rules.flatMap(({ id, acceptable, check }) =>
    check(subject).map((finding) => ({ rule: id, acceptable, ...finding })),
  );
}

function ruleInfo(id: string): { acceptable: boolean } | undefined {
  return ruleTable.find((rule) => rule.id === id);
}

function acceptableIds(): string[] {
  return ruleTable.filter((rule) => rule.acceptable).map((rule) => rule.id);
}
