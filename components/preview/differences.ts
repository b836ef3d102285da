import { isPlainObject } from "../plan/merge";
import type { Arguments } from "./previewTypes";

/** How the engine writes a value that is known only after the update. */
const unknownText = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
/** Key of the object in which the engine wraps secrets and other special values. */
const signature = "4dabf18193072939515e22adb298388d";
/** What the SDK and the bridge note for themselves. */
const notes = new Set(["__defaults", "compat"]);

/** Something that is not shown whatever it is about. */
export const hidden = Symbol("hidden");
/** Something that is known only after the update. */
export const later = Symbol("later");
/** Nothing there. */
export const absent = Symbol("absent");

/** A value without parts, as a report may look at it. */
export type Leaf = string | number | boolean | null | typeof hidden | typeof later | typeof absent;

/** One changed value of a resource's inputs. */
export interface Difference {
  /** Parts of its place: keys, and positions of lists. */
  path: string[];
  before: Leaf;
  after: Leaf;
}

/** Differences of two sets of inputs, sorted by place. A secret is one value, never looked into, and hides the other side too. */
export function differences(before: Arguments | undefined, after: Arguments | undefined): Difference[] {
  const [old, young] = [leaves(before ?? {}), leaves(after ?? {})];
  const places = [...new Set([...old.keys(), ...young.keys()])].sort();
  return places.flatMap((place) => {
    const pair: Difference = {
      path: JSON.parse(place) as string[],
      before: old.get(place) ?? absent,
      after: young.get(place) ?? absent,
    };
    // Two secrets look the same here; the provider says whether they differ.
    return pair.before === pair.after ? [] : [hide(pair)];
  });
}

function hide(pair: Difference): Difference {
  return pair.before === hidden || pair.after === hidden ? { ...pair, before: hidden, after: hidden } : pair;
}

function leaves(value: unknown, path: string[] = [], found = new Map<string, Leaf>()): Map<string, Leaf> {
  const put = (leaf: Leaf): Map<string, Leaf> => found.set(JSON.stringify(path), leaf);
  if (Array.isArray(value)) {
    if (value.length === 0) return put("[]");
    for (const [index, part] of listParts(value)) leaves(part, [...path, index], found);
    return found;
  }
  if (!isPlainObject(value)) return put(leafOf(value));
  if (signature in value) return put(hidden);
  const entries = Object.entries(value).filter(([key, part]) => !notes.has(key) && part !== undefined);
  if (entries.length === 0 && path.length > 0) return put("{}");
  for (const [key, part] of entries) leaves(part, [...path, key], found);
  return found;
}

/** Lists of named things go by name: one that goes out of the middle does not change those behind it. */
function listParts(list: unknown[]): [string, unknown][] {
  const names = list.map((part) => (isPlainObject(part) && typeof part.name === "string" ? part.name : undefined));
  const named = names.every((name) => name !== undefined) && new Set(names).size === names.length;
  return list.map((part, index) => [named ? `[${names[index] ?? ""}]` : `[${index}]`, part]);
}

function leafOf(value: unknown): Leaf {
  if (value === "[secret]") return hidden;
  if (value === unknownText) return later;
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") return value;
  return null;
}

/** A place as people write it: `pools[web].count`. Keys that are no plain words are left out: they may be data. */
export function renderPath(path: string[]): string {
  return path.map((part, index) => renderKey(part, index === 0)).join("");
}

function renderKey(part: string, first: boolean): string {
  if (/^\[[\w.-]{1,63}\]$/.test(part)) return part;
  if (/^[\w-]{1,63}$/.test(part)) return first ? part : `.${part}`;
  return /^[\w./-]{1,100}$/.test(part) ? `["${part}"]` : "[…]";
}
