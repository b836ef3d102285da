import { type Bag, Secret, type Value, hasUnknown, open, reveal } from "./values";

export type ChangeKind = "add" | "delete" | "update";

/** One changed property, by its path as the engine writes it: `labels.role`, `rules[0].port`, `labels["a/b"]`. */
export interface Change {
  path: string;
  kind: ChangeKind;
  replace: boolean;
}

/** What a provider answers when asked how two states of a resource differ. */
export interface DiffResult {
  changes: Change[];
  deleteBeforeReplace: boolean;
}

/**
 * Compares two property bags deeply. Null counts as absent; a secret is compared as a whole and never looked into by
 * path, because paths are printed.
 */
export function diffBags(olds: Bag, news: Bag): Change[] {
  return diffObjects("", olds, news);
}

/** Compares two values at a path. */
export function diffValues(path: string, before: Value | undefined, after: Value | undefined): Change[] {
  const hadValue = before !== undefined && open(before) !== null;
  const hasValue = after !== undefined && open(after) !== null;
  if (!hadValue && !hasValue) return [];
  if (!hadValue) return [change(path, "add")];
  if (!hasValue) return [change(path, "delete")];
  if (before instanceof Secret || after instanceof Secret) {
    return equalValues(before, after) ? [] : [change(path, "update")];
  }
  if (Array.isArray(before) && Array.isArray(after)) return diffLists(path, before, after);
  if (isObject(before) && isObject(after)) return diffObjects(path, before, after);
  return equalValues(before, after) ? [] : [change(path, "update")];
}

/** Deep equality by content; secrets are opened, an unknown equals nothing. */
export function equalValues(a: Value | undefined, b: Value | undefined): boolean {
  if (a === undefined || b === undefined) return (a ?? null) === null && (b ?? null) === null;
  if (hasUnknown(a) || hasUnknown(b)) return false;
  return canonical(a) === canonical(b);
}

/** A text that is equal for equal content, whatever the order of keys. */
export function canonical(value: Value): string {
  return JSON.stringify(sortKeys(reveal(value)));
}

function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (value === null || typeof value !== "object") return value;
  const entries = Object.entries(value).filter(([, entry]) => entry !== null && entry !== undefined);
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, entry]) => [key, sortKeys(entry)]));
}

function isObject(value: Value): value is { [key: string]: Value } {
  return value !== null && typeof value === "object" && !Array.isArray(value) && !(value instanceof Secret);
}

function diffLists(path: string, before: Value[], after: Value[]): Change[] {
  const length = Math.max(before.length, after.length);
  return Array.from({ length }, (_, i) => diffValues(`${path}[${i}]`, before[i], after[i])).flat();
}

function diffObjects(path: string, before: Bag, after: Bag): Change[] {
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
  return keys.flatMap((key) => diffValues(joinPath(path, key), before[key], after[key]));
}

function joinPath(path: string, key: string): string {
  if (!/^[A-Za-z_$][A-Za-z0-9_$]*$/.test(key)) return `${path}[${JSON.stringify(key)}]`;
  return path === "" ? key : `${path}.${key}`;
}

function change(path: string, kind: ChangeKind): Change {
  return { path, kind, replace: false };
}

/** The first part of a path: the name of the property. */
export function propertyOf(path: string): string {
  return /^[^.[]+/.exec(path)?.[0] ?? path;
}

/**
 * Undoes what `ignoreChanges` names: each named property takes its old value. The engine does this for inputs; a
 * provider that compares with the state has to do it again.
 */
export function ignoreProperties(news: Bag, olds: Bag, ignored: string[]): Bag {
  const names = new Set(ignored.map(propertyOf));
  const others = Object.entries(news).filter(([name]) => !names.has(name));
  const kept = Object.entries(olds).filter(([name]) => names.has(name));
  return Object.fromEntries([...others, ...kept]);
}
