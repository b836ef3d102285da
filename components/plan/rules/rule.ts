import type { Finding } from "../problems";
import type { ClusterArgs } from "../types";

/** Arguments of which any part may be absent: what did not fit its type was dropped and is reported already. */
export type Draft<T> = T extends (infer Item)[]
  ? (Draft<Item> | undefined)[]
  : T extends object
    ? { [Key in keyof T]?: Draft<T[Key]> }
    : T;

/** What a rule judges. */
export interface Subject {
  name: string;
  args: Draft<ClusterArgs>;
}

/** One rule of the plan: refuses one kind of mistake. */
export interface Rule {
  /** Stable id, for `accept` and for tests. */
  id: string;
  /** Whether `accept` may turn the refusal into a warning. */
  acceptable: boolean;
  /** Why the rule is there, one sentence, for the reference. */
  why: string;
  /** Finds every breach; an absent part of the arguments is none. */
  check: (subject: Subject) => Finding[];
}

/** Items of a list of arguments that are there, each with its path. */
export function items<Item>(
  list: readonly (Item | undefined)[] | undefined,
  path: string,
): { item: Item; path: string }[] {
  return (list ?? []).flatMap((item, index) => (item === undefined ? [] : [{ item, path: `${path}[${index}]` }]));
}

/** A finding, or none: shortens the rules. */
export function findingIf(breach: boolean, path: string, message: string, fix: string): Finding[] {
  return breach ? [{ path, message, fix }] : [];
}
