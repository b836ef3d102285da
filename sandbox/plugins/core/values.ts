/**
 * Property values as the engine sends them: JSON, plus two wrappers. A secret carries its value, an unknown stands for
 * a value that a preview cannot have yet. Handlers get these trees, so that secretness survives what they do not touch.
 */
export class Secret {
  constructor(readonly value: Value) {}
}

/** A value that is known only after the update. */
export const unknown = Symbol("unknown");

export type Value = null | boolean | number | string | Value[] | { [key: string]: Value } | Secret | typeof unknown;
export interface Bag {
  [key: string]: Value;
}
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export interface JsonBag {
  [key: string]: Json;
}

// The engine's wire format marks special objects by this key; the values tell their kinds apart.
const signatureKey = "4dabf18193072939515e22adb298388d";
const secretSignature = "1b47061264138c4ac30d75fd1eb44270";
const outputSignature = "d0e6a833031e9bbcd3f4e8bde6ca49a4";
const resourceSignature = "5cf8f73096256a8f31e491e813e4eb8e";
const assetSignature = "c44067f5952c0a294b673a41bacd8c17";
const unknownMarker = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** Turns a JSON tree from the wire into values. */
export function fromWire(wire: Json): Value {
  if (wire === unknownMarker) return unknown;
  if (wire === null || typeof wire !== "object") return wire;
  if (Array.isArray(wire)) return wire.map(fromWire);
  const kind = wire[signatureKey];
  if (kind === secretSignature) return new Secret(fromWire(wire.value ?? null));
  if (kind === resourceSignature) return fromWire(wire.id ?? wire.urn ?? null);
  if (kind !== outputSignature) return mapBag(wire, fromWire);
  const value = wire.value === undefined ? unknown : fromWire(wire.value);
  return wire.secret === true ? new Secret(value) : value;
}

/** Turns values into the JSON tree that goes over the wire. Keys without a value vanish. */
export function toWire(value: Value): Json {
  if (value === unknown) return unknownMarker;
  if (value instanceof Secret) return { [signatureKey]: secretSignature, value: toWire(value.value) };
  if (value === null || typeof value !== "object") return value;
  if (Array.isArray(value)) return value.map(toWire);
  return mapBag(value, toWire);
}

/** Reads a bag from the wire; an absent one is empty. */
export function bagFromWire(wire: JsonBag | undefined): Bag {
  return wire === undefined ? {} : mapBag<Json, Value>(wire, fromWire);
}

function mapBag<From, To>(bag: { [key: string]: From }, map: (value: From) => To): { [key: string]: To } {
  const given = Object.entries(bag).filter(([, value]) => value !== undefined);
  // Entries make properties of their own, whatever they are called; an assignment to `__proto__` would make none.
  return Object.fromEntries(given.map(([key, value]) => [key, map(value)]));
}

/** The plain content: secrets opened, unknowns left out of objects and null in lists. */
export function reveal(value: Value): Json {
  if (value === unknown) return null;
  if (value instanceof Secret) return reveal(value.value);
  if (value === null || typeof value !== "object") return value;
  if (Array.isArray(value)) return value.map(reveal);
  return revealBag(value);
}

/** As reveal, for the properties of one resource. */
export function revealBag(bag: Bag): JsonBag {
  const known = Object.entries(bag).filter(([, value]) => open(value) !== unknown);
  return Object.fromEntries(known.map(([key, value]) => [key, reveal(value)]));
}

/** Takes the outermost secret wrappers off. */
export function open(value: Value): Exclude<Value, Secret> {
  return value instanceof Secret ? open(value.value) : value;
}

/** Whether any part of a value meets a condition. */
function some(value: Value | undefined, test: (part: Value) => boolean): boolean {
  if (value === undefined) return false;
  if (test(value)) return true;
  if (value instanceof Secret) return some(value.value, test);
  if (value === null || typeof value !== "object") return false;
  return Object.values(value).some((part) => some(part, test));
}

export const hasSecret = (value: Value | undefined): boolean => some(value, (part) => part instanceof Secret);
export const hasUnknown = (value: Value | undefined): boolean => some(value, (part) => part === unknown);

/** Text assets arrive as marked objects; anything else that is not a text asset yields undefined. */
export function assetText(value: Value): string | undefined {
  const opened = open(value);
  if (opened === null || typeof opened !== "object" || Array.isArray(opened)) return undefined;
  if (opened[signatureKey] !== assetSignature) return undefined;
  return typeof opened.text === "string" ? opened.text : undefined;
}

/** Wraps each output whose input of the same name holds a secret. */
export function keepSecrets(inputs: Bag, outputs: Bag): Bag {
  const wrap = (key: string, value: Value): Value =>
    hasSecret(inputs[key]) && !hasSecret(value) ? new Secret(value) : value;
  return Object.fromEntries(Object.entries(outputs).map(([key, value]) => [key, wrap(key, value)]));
}

/** Every text inside the secrets of a value: what error texts and logs must not show. */
export function secretTexts(value: Value | undefined, inside = false): string[] {
  if (value === undefined || value === unknown || value === null) return [];
  if (value instanceof Secret) return secretTexts(value.value, true);
  if (typeof value === "string") return inside ? [value] : [];
  if (typeof value !== "object") return [];
  return Object.values(value).flatMap((part) => secretTexts(part, inside));
}

/**
 * Replaces every secret in a text by `[secret]`, whole or line by line.
 * Texts under six characters stay: they would garble unrelated words and protect nothing.
 */
export function redact(text: string, secrets: string[]): string {
  const parts = secrets.flatMap((secret) => [secret, secret.trim(), ...secret.split("\n").map((line) => line.trim())]);
  const worthHiding = [...new Set(parts)].filter((part) => part.length >= 6).sort((a, b) => b.length - a.length);
  return worthHiding.reduce((hidden, part) => hidden.replaceAll(part, "[secret]"), text);
}
