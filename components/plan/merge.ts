/** A JSON object. */
export type JsonObject = Record<string, unknown>;

/** Whether a value is a plain object, as JSON gives it: not an array, not an instance of a class. */
export function isPlainObject(value: unknown): value is JsonObject {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** Merges objects key by key, the later one wins; lists and other values are replaced whole. Neither input is changed. */
export function deepMerge(base: JsonObject, over: JsonObject): JsonObject {
  const merged = new Map(Object.entries(base));
  for (const [key, value] of Object.entries(over)) {
    const before = merged.get(key);
    merged.set(key, isPlainObject(before) && isPlainObject(value) ? deepMerge(before, value) : value);
  }
  return Object.fromEntries(merged);
}

/** The value at a dotted path, e.g. `bpf.masquerade`; undefined when there is none. */
export function at(object: JsonObject, path: string): unknown {
  return path
    .split(".")
    .reduce<unknown>(
      (value, key) => (isPlainObject(value) && Object.hasOwn(value, key) ? value[key] : undefined),
      object,
    );
}

/** An object without what is at a dotted path, and without an object that this leaves empty. The input is not changed. */
export function without(object: JsonObject, path: string): JsonObject {
  const [key = "", ...rest] = path.split(".");
  if (at(object, path) === undefined) return object;
  const { [key]: inner, ...others } = object;
  const left = rest.length > 0 && isPlainObject(inner) ? without(inner, rest.join(".")) : {};
  return Object.keys(left).length === 0 ? others : { ...others, [key]: left };
}

/** Every value of an object that is not a plain object itself, or an empty one, with its dotted path. */
export function leaves(object: JsonObject, prefix = ""): { path: string; value: unknown }[] {
  return Object.entries(object).flatMap(([key, value]) =>
    isPlainObject(value) && Object.keys(value).length > 0
      ? leaves(value, `${prefix}${key}.`)
      : [{ path: `${prefix}${key}`, value }],
  );
}

/** The paths of `leaves`. */
export function leafPaths(object: JsonObject): string[] {
  return leaves(object).map(({ path }) => path);
}
