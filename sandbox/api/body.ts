import { invalidInput, type FieldProblem } from "./errors";
import { labelProblems } from "./labels";
import type { Labels } from "./types";

/**
 * Reads the fields of a request body. Problems are gathered, so that one answer names every field; `check` throws them.
 * Absent fields and `null` both count as not given.
 */
export class Body {
  /**
   * @param fields the JSON object, or a nested one
   * @param prefix of field names in errors; empty for the request itself
   * @param problems where refusals go: nested objects share the request's list
   */
  constructor(
    private readonly fields: Record<string, unknown>,
    private readonly prefix = "",
    private readonly problems: FieldProblem[] = [],
  ) {}

  /** Notes a problem of a field. */
  refuse(field: string, message: string): void {
    const name = this.prefix + field;
    const known = this.problems.find((problem) => problem.name === name);
    if (known) known.messages.push(message);
    else this.problems.push({ name, messages: [message] });
  }

  /** @throws invalid_input naming every refused field, if there is one */
  check(): void {
    if (this.problems.length > 0) throw invalidInput(this.problems);
  }

  given(field: string): boolean {
    return this.raw(field) !== undefined;
  }

  /** The value as sent; undefined if absent or null. */
  raw(field: string): unknown {
    return this.fields[field] ?? undefined;
  }

  string(field: string): string | undefined {
    return this.typed(field, "must be a string", (value) => typeof value === "string") as string | undefined;
  }

  /** A string that must be there and not be empty; the empty string after a refusal. */
  requiredString(field: string): string {
    const value = this.string(field);
    if (value === undefined && !this.given(field)) this.refuse(field, "is required");
    if (value === "") this.refuse(field, "must not be empty");
    return value ?? "";
  }

  boolean(field: string): boolean | undefined {
    return this.typed(field, "must be a boolean", (value) => typeof value === "boolean") as boolean | undefined;
  }

  integer(field: string): number | undefined {
    return this.typed(field, "must be an integer", isInteger) as number | undefined;
  }

  /** An integer that must be there; 0 after a refusal. */
  requiredInteger(field: string): number {
    if (!this.given(field)) this.refuse(field, "is required");
    return this.integer(field) ?? 0;
  }

  /** An id or a name: clients send an integer or a string; a string of digits counts as an id too. */
  idOrName(field: string): number | string | undefined {
    const value = this.typed(
      field,
      "must be an ID or a name",
      (raw) => isInteger(raw) || (typeof raw === "string" && raw !== ""),
    );
    return value as number | string | undefined;
  }

  integers(field: string): number[] {
    return this.listOf(field, "must be a list of integers", isInteger) as number[];
  }

  strings(field: string): string[] {
    return this.listOf(field, "must be a list of strings", (value) => typeof value === "string") as string[];
  }

  idsOrNames(field: string): (number | string)[] {
    const fits = (value: unknown): boolean => isInteger(value) || typeof value === "string";
    return this.listOf(field, "must be a list of IDs or names", fits) as (number | string)[];
  }

  /** A list of objects; each comes as a Body of its own whose problems count here. */
  objects(field: string): Body[] {
    const list = this.listOf(field, "must be a list of objects", isObject) as Record<string, unknown>[];
    return list.map((item, index) => this.nested(item, `${field}.${index}.`));
  }

  /** A nested object; undefined if not given. */
  object(field: string): Body | undefined {
    const value = this.typed(field, "must be an object", isObject) as Record<string, unknown> | undefined;
    return value && this.nested(value, `${field}.`);
  }

  /** Labels, checked; undefined if not given. */
  labels(): Labels | undefined {
    const value = this.raw("labels");
    if (value === undefined) return undefined;
    for (const message of labelProblems(value)) this.refuse("labels", message);
    return value as Labels;
  }

  /** One of these words; the first one after a refusal. */
  oneOf<Word extends string>(field: string, words: readonly [Word, ...Word[]]): Word {
    const value = this.requiredString(field);
    const word = words.find((candidate) => candidate === value);
    if (word === undefined && value !== "") this.refuse(field, `must be one of ${words.join(", ")}`);
    return word ?? words[0];
  }

  private nested(value: Record<string, unknown>, prefix: string): Body {
    return new Body(value, this.prefix + prefix, this.problems);
  }

  private typed(field: string, message: string, fits: (value: unknown) => boolean): unknown {
    const value = this.raw(field);
    if (value === undefined || fits(value)) return value;
    this.refuse(field, message);
    return undefined;
  }

  private listOf(field: string, message: string, fits: (value: unknown) => boolean): unknown[] {
    const value = this.raw(field) ?? [];
    if (Array.isArray(value) && value.every(fits)) return value;
    this.refuse(field, message);
    return [];
  }
}

function isInteger(value: unknown): boolean {
  return typeof value === "number" && Number.isSafeInteger(value);
}

function isObject(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
