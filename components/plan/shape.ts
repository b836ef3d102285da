import { isPlainObject } from "./merge";
import { suggest, type Finding } from "./problems";

/** What an argument must look like. Arguments may come from a configuration file, so types are checked at run time too. */
export type Shape =
  | { kind: "text"; oneOf?: readonly string[] }
  | { kind: "integer" }
  | { kind: "boolean" }
  | { kind: "null-or-text" }
  | { kind: "list"; of: Shape }
  | { kind: "map"; of: Shape }
  | { kind: "object"; fields: Readonly<Record<string, Field>> }
  | { kind: "json" }
  /** One of several objects, told apart by a text field; the first stands for a value without it. */
  | { kind: "variant"; by: string; of: Readonly<Record<string, Shape>> };

/** A field of an object. */
export interface Field {
  shape: Shape;
  /** Given: the field must be there, and this says what to give. */
  required?: string;
}

/** What a value of the wrong shape is found to be, by rule. */
export interface ShapeFindings {
  type: Finding[];
  missing: Finding[];
  unknown: Finding[];
}

/** Deeper than any argument needs; keeps a value that refers to itself from running on. */
const depthLimit = 32;

/**
 * Checks a value against a shape and drops what does not fit, so that other rules can judge the rest.
 * @param path of the value, for findings, e.g. `pools[0].count`
 * @returns the value without its misfits; undefined when the whole of it is one
 */
export function fit(shape: Shape, value: unknown, path: string, found: ShapeFindings): unknown {
  switch (shape.kind) {
    case "text":
      return fitText(shape.oneOf, value, path, found);
    case "null-or-text":
      return value === null ? null : fitText(undefined, value, path, found);
    case "integer":
      if (Number.isSafeInteger(value)) return value;
      return misfit(value, path, "a whole number", "give one without quotes, e.g. 3", found);
    case "boolean":
      if (typeof value === "boolean") return value;
      return misfit(value, path, "true or false", "give one of them without quotes", found);
    case "json":
      return fitJson(value, path, found);
    case "variant":
      return fit(variantOf(shape, value), value, path, found);

    case "list":
      if (!Array.isArray(value)) return misfit(value, path, "a list", "put the value in [ ]", found);
      return value.map((item, index) => fit(shape.of, item, `${path}[${index}]`, found));
    case "map":
      if (!isPlainObject(value)) return misfit(value, path, "an object", "give keys and values", found);
      return Object.fromEntries(
        Object.entries(value).map(([key, item]) => [
          key,
          fit(shape.of, item, `${path}[${JSON.stringify(key)}]`, found),
        ]),
      );
    case "object":
      return fitObject(shape.fields, value, path, found);
  }
}

/** The shape that a value says it has; the first when it says nothing, or what is no variant: that one then names the field's mistake. */
function variantOf({ by, of }: Extract<Shape, { kind: "variant" }>, value: unknown): Shape {
  const name = isPlainObject(value) ? value[by] : undefined;
  const [first] = Object.values(of);
  if (first === undefined) throw new RangeError("a variant needs a shape");
  return (typeof name === "string" && Object.hasOwn(of, name) ? of[name] : undefined) ?? first;
}

function fitText(oneOf: readonly string[] | undefined, value: unknown, path: string, found: ShapeFindings): unknown {
  if (typeof value !== "string") return misfit(value, path, "a text", "put the value in quotes", found);
  if (oneOf === undefined || oneOf.includes(value)) return value;
  const all = oneOf.map((text) => JSON.stringify(text)).join(", ");
  return misfit(
    value,
    path,
    oneOf.length === 1 ? all : `one of ${all}`,
    suggest(value, oneOf, "choose one of them"),
    found,
  );
}

function fitObject(
  fields: Readonly<Record<string, Field>>,
  value: unknown,
  path: string,
  found: ShapeFindings,
): unknown {
  if (!isPlainObject(value)) return misfit(value, path, "an object", "give its fields", found);
  const at = (key: string): string => pathOf(path, key);
  for (const key of Object.keys(value).filter((candidate) => !Object.hasOwn(fields, candidate))) {
    const fix = suggest(key, Object.keys(fields), `the arguments here are ${Object.keys(fields).join(", ")}`);
    found.unknown.push({ path: at(key), message: "there is no such argument", fix });
  }
  const entries = Object.entries(fields).map(([key, field]): [string, unknown] => {
    const given = Object.hasOwn(value, key) ? value[key] : undefined;
    if (given !== undefined) return [key, fit(field.shape, given, at(key), found)];
    if (field.required !== undefined) found.missing.push({ path: at(key), message: "is missing", fix: field.required });
    return [key, undefined];
  });
  return Object.fromEntries(entries.filter(([, item]) => item !== undefined));
}

/** Reports a value that does not fit; gives undefined, what is left of it. */
function misfit(value: unknown, path: string, wanted: string, fix: string, found: ShapeFindings): unknown {
  found.type.push({
    path: path === "" ? "arguments" : path,
    message: `must be ${wanted}, found ${describe(value)}`,
    fix,
  });
  return undefined;
}

/** Path of a field; a key that is no plain word stands in brackets. */
function pathOf(path: string, key: string): string {
  if (!/^[A-Za-z_][A-Za-z0-9_-]*$/.test(key)) return `${path}[${JSON.stringify(key)}]`;
  return path === "" ? key : `${path}.${key}`;
}

/** A value in words, short, for messages. */
export function describe(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (typeof value === "string")
    return `the text ${JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value)}`;
  if (typeof value === "number") return `the number ${value}`;
  if (typeof value === "boolean") return String(value);
  if (Array.isArray(value)) return "a list";
  if (isPlainObject(value)) return "an object";
  return typeof value === "object" ? "an object that is not plain (an Output?)" : `a ${typeof value}`;
}

function fitJson(value: unknown, path: string, found: ShapeFindings): unknown {
  if (!isPlainObject(value)) return misfit(value, path, "an object", "give keys and values", found);
  const strange = findNonJson(value, path, 0);
  if (strange === undefined) return value;
  return misfit(
    strange.value,
    strange.path,
    "a plain value",
    "give text without control characters, numbers, lists and objects, no Outputs",
    found,
  );
}

/** Line breaks that YAML readers know and JSON does not escape, and what no setting is made of; newline and tab are fine. */
const controlCharacters = /(?![\n\t])[\p{Cc}\p{Zl}\p{Zp}]/u;

/** The first part of a value that JSON could not hold, or that would not come through a YAML document as it is. */
function findNonJson(value: unknown, path: string, depth: number): { value: unknown; path: string } | undefined {
  if (typeof value === "string") return controlCharacters.test(value) ? { value, path } : undefined;
  if (value === null || typeof value === "boolean" || Number.isFinite(value)) return undefined;
  if (depth > depthLimit || !(Array.isArray(value) || isPlainObject(value))) return { value, path };
  for (const [key, item] of Object.entries(value)) {
    const strange = findNonJson(item, Array.isArray(value) ? `${path}[${key}]` : pathOf(path, key), depth + 1);
    if (strange !== undefined) return strange;
  }
  return undefined;
}
