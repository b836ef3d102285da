import { type Change, canonical, diffValues } from "../core/diff";
import type { CheckFailure } from "../core/provider";
import { type Bag, hasUnknown, type Json, type JsonBag, open, reveal, type Value } from "../core/values";

/** One property of a resource. */
export interface Field {
  kind: "string" | "int" | "bool" | "labels" | "list" | "set";
  required?: boolean;
  /** The API fills it when the program says nothing; then the recorded value is no difference. */
  computed?: boolean;
  /** Never an input. */
  output?: boolean;
  /** A change makes a new resource. */
  forceNew?: boolean;
  /** What an absent input stands for. */
  default?: Json;
  /** The form in which an input is recorded and compared, e.g. a hash. */
  recorded?(input: Json): Json;
  /** For sets: whether a recorded element is what the program asks for. Default: equal content. */
  matches?(recorded: JsonBag, wanted: JsonBag): boolean;
  /** A sentence if the input is wrong. */
  check?(input: Json): string | undefined;
}

export interface Schema {
  [property: string]: Field;
}

/** The properties that a program may set. */
export function inputFields(schema: Schema): [string, Field][] {
  return Object.entries(schema).filter(([, field]) => field.output !== true);
}

/** Fills in defaults and names those filled in, as the bridge does. */
export function applyDefaults(schema: Schema, inputs: Bag): Bag {
  const completed: Bag = { ...inputs };
  const defaulted: string[] = [];
  for (const [key, field] of inputFields(schema)) {
    if (field.default === undefined || (inputs[key] ?? null) !== null) continue;
    completed[key] = field.default;
    defaulted.push(key);
  }
  return { ...completed, __defaults: defaulted };
}

/** Everything that is wrong with the inputs; unknown ones are believed. */
export function checkInputs(schema: Schema, inputs: Bag): CheckFailure[] {
  return Object.entries(schema).flatMap(([key, field]) => {
    const value = inputs[key];
    if (field.required === true && isEmpty(value)) {
      const terraformName = snakeCase(key);
      const reason =
        `Missing required argument. The argument "${terraformName}" is required, but no definition was found.. ` +
        `Examine values at '${key}'.`;
      return [{ property: key, reason }];
    }
    if (field.check === undefined || value === undefined || hasUnknown(value) || isEmpty(value)) return [];
    const reason = field.check(reveal(value));
    return reason === undefined ? [] : [{ property: key, reason }];
  });
}

/** The property's name in the API and in Terraform. */
export function snakeCase(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** What has to change so that the recorded state becomes what the program asks for. */
export function diffState(schema: Schema, state: Bag, inputs: Bag): Change[] {
  return inputFields(schema).flatMap(([key, field]) => {
    const changes = diffField(key, field, state[key], inputs[key]);
    return changes.map((change) => ({ ...change, replace: field.forceNew === true }));
  });
}

function diffField(key: string, field: Field, recorded: Value | undefined, wanted: Value | undefined): Change[] {
  if (isEmpty(wanted) && (field.computed === true || isEmpty(recorded))) return [];
  if (isEmpty(wanted)) return diffValues(key, recorded, undefined);
  const asRecorded = recordedValue(field, wanted as Value);
  if (isEmpty(asRecorded) && isEmpty(recorded)) return [];
  if (field.kind === "set") return diffSets(key, field, listOf(recorded), listOf(asRecorded));
  if (field.kind === "int" && sameNumber(recorded, asRecorded)) return [];
  return diffValues(key, isEmpty(recorded) ? undefined : recorded, asRecorded);
}

/** The form in which an input is recorded; what is unknown stays so. */
export function recordedValue(field: Field, input: Value): Value {
  if (hasUnknown(input) || field.recorded === undefined) return input;
  return field.recorded(reveal(input));
}

interface Element {
  value: Value;
  index: number;
}

function diffSets(key: string, field: Field, recorded: Value[], wanted: Value[]): Change[] {
  const left = recorded.map((value, index): Element => ({ value, index }));
  const missing: Element[] = [];
  wanted.forEach((value, index) => {
    const at = hasUnknown(value) ? -1 : left.findIndex((old) => elementMatches(field, old.value, value));
    if (at === -1) missing.push({ value, index });
    else left.splice(at, 1);
  });
  const length = Math.max(left.length, missing.length);
  return Array.from({ length }, (_, i): Change[] => {
    const before: Element | undefined = left[i];
    const after: Element | undefined = missing[i];
    if (after === undefined) return diffValues(`${key}[${before?.index}]`, before?.value, undefined);
    const inner = diffValues(`${key}[${after.index}]`, before?.value, after.value);
    return inner.length > 0 ? inner : [{ path: `${key}[${after.index}]`, kind: "update", replace: false }];
  }).flat();
}

function elementMatches(field: Field, recorded: Value, wanted: Value): boolean {
  if (field.matches) return field.matches(reveal(recorded) as JsonBag, reveal(wanted) as JsonBag);
  return canonical(recorded) === canonical(wanted);
}

function listOf(value: Value | undefined): Value[] {
  const opened = value === undefined ? null : open(value);
  return Array.isArray(opened) ? opened : opened === null ? [] : [opened];
}

function sameNumber(a: Value | undefined, b: Value): boolean {
  return !isEmpty(a) && !hasUnknown(a) && !hasUnknown(b) && Number(reveal(a as Value)) === Number(reveal(b));
}

/** Absent, or a value that Terraform cannot tell from an absent one. */
export function isEmpty(value: Value | undefined): boolean {
  const opened = value === undefined ? null : open(value);
  if (opened === null || opened === "" || opened === false || opened === 0) return true;
  if (Array.isArray(opened)) return opened.length === 0;
  return typeof opened === "object" && Object.keys(opened).length === 0;
}
