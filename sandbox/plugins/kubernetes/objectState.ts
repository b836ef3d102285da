import { randomBytes } from "node:crypto";
import { autoname } from "../core/autoname";
import { canonical } from "../core/diff";
import type { CheckFailure } from "../core/provider";
import { type Bag, type JsonBag, open, reveal, revealBag, Secret, unknown, type Value } from "../core/values";
import type { KubeObject, Target } from "./api";

/** Annotations that speak to the plugin. */
export const annotations = {
  autonamed: "pulumi.com/autonamed",
  waitFor: "pulumi.com/waitFor",
  skipAwait: "pulumi.com/skipAwait",
  timeoutSeconds: "pulumi.com/timeoutSeconds",
  patchForce: "pulumi.com/patchForce",
  deletionPropagation: "pulumi.com/deletionPropagationPolicy",
} as const;

/** Fields of metadata that the API server writes. */
const serversOwn = [
  ...["creationTimestamp", "deletionGracePeriodSeconds", "deletionTimestamp", "generation", "managedFields"],
  ...["resourceVersion", "uid", "selfLink"],
];

const isMap = (value: unknown): value is { [key: string]: Value } =>
  value !== null && typeof value === "object" && !Array.isArray(value) && !(value instanceof Secret);

/** The map at a key, whatever wraps it. */
export function mapAt(bag: Bag, key: string): Bag {
  const value = open(bag[key] ?? null);
  return isMap(value) ? value : {};
}

/** An annotation's text; undefined where there is none or it is not known yet. */
export function annotation(inputs: Bag, name: string): string | undefined {
  const value = reveal(mapAt(mapAt(inputs, "metadata"), "annotations")[name] ?? null);
  return typeof value === "string" ? value : undefined;
}

/**
 * Completes the inputs of an object: its name, made up or kept, and its namespace.
 * @param olds the inputs recorded last, empty at first
 * @param namespace for an object that names none; undefined where its kind has none
 */
export function withNames(news: Bag, olds: Bag, namespace: string | undefined, name: string, seed: Uint8Array): Bag {
  const metadata = { ...mapAt(news, "metadata") };
  for (const field of serversOwn) Reflect.deleteProperty(metadata, field);
  const missing = (key: string): boolean => ["", null].includes(open(metadata[key] ?? null) as string | null);
  if (missing("name") && missing("generateName")) {
    const kept = annotation(olds, annotations.autonamed) === "true" ? mapAt(olds, "metadata").name : undefined;
    metadata.name = kept ?? autoname(name, seed, 8);
    metadata.annotations = { ...mapAt(metadata, "annotations"), [annotations.autonamed]: "true" };
  }
  if (namespace !== undefined && missing("namespace")) metadata.namespace = namespace;
  return { ...news, metadata };
}

/** What cannot be applied, or only by the real plugin. */
export function refusals(inputs: Bag): CheckFailure[] {
  const failures: CheckFailure[] = [];
  const refuse = (property: string, reason: string): void => void failures.push({ property, reason });
  if (open(mapAt(inputs, "metadata").generateName ?? null) !== null) {
    refuse(
      "metadata.generateName",
      "the `.metadata.generateName` field is not supported in Server-Side Apply mode; name the object, or leave the name out",
    );
  }
  for (const condition of waitsOf(inputs) ?? []) {
    if (/^condition=[^=]+(=.+)?$/.test(condition)) continue;
    const known = condition.startsWith("jsonpath=")
      ? "the sandbox's stand-in waits for conditions only; write condition=TYPE, or use the real plugin"
      : `expected a "jsonpath=" or "condition=" prefix, got ${JSON.stringify(condition)}`;
    refuse(`metadata.annotations["${annotations.waitFor}"]`, known);
  }
  return failures;
}

/** What the program waits for besides the plugin's own sense of ready: one text, or a list of them as JSON. */
export function waitsOf(inputs: Bag): string[] | undefined {
  const text = annotation(inputs, annotations.waitFor);
  if (text === undefined || text === "") return undefined;
  try {
    const list: unknown = JSON.parse(text);
    if (Array.isArray(list)) return list.map(String);
  } catch {
    // A text that is no JSON is the one thing waited for.
  }
  return [text];
}

/** Where an object lies. */
export function targetOf(inputs: Bag): Target {
  const { apiVersion, kind, metadata } = revealBag(inputs) as JsonBag & { metadata?: JsonBag };
  const { name, namespace } = metadata ?? {};
  const target = { apiVersion: String(apiVersion), kind: String(kind), name: String(name) };
  return typeof namespace === "string" ? { ...target, namespace } : target;
}

/** The plugin's id of an object. */
export function objectId({ metadata: { name, namespace } }: KubeObject): string {
  return namespace ? `${namespace}/${name}` : name;
}

/** State after an object was applied or read: the live object, and what later calls need. */
export function objectState(inputs: Bag, live: KubeObject, fieldManager: string, initialApiVersion: string): Bag {
  const object = withSecrets(live as unknown as Bag, inputs);
  if (live.apiVersion === "v1" && live.kind === "Secret" && inputs.stringData !== undefined) {
    const written = open(inputs.stringData);
    if (inputs.stringData instanceof Secret) object.data = new Secret(open(object.data ?? null));
    else if (isMap(written)) object.data = withSecret(object.data ?? null, written);
  }
  return { ...object, __inputs: inputs, __initialApiVersion: initialApiVersion, __fieldManager: fieldManager };
}

/** Wraps in the outputs what is secret in the inputs, at the same places. */
function withSecrets(outputs: Bag, inputs: Bag): Bag {
  return Object.fromEntries(
    Object.entries(outputs).map(([key, value]) => [key, withSecret(value, inputs[key] ?? null)]),
  );
}

function withSecret(output: Value, input: Value): Value {
  if (input instanceof Secret) return output instanceof Secret ? output : new Secret(output);
  if (Array.isArray(output) && Array.isArray(input)) {
    return output.map((value, index) => withSecret(value, input[index] ?? null));
  }
  return isMap(output) && isMap(input) ? withSecrets(output, input) : output;
}

/** The part of a live object that has the shape of the inputs: what the program has a say in. */
export function pruned(live: Value, inputs: Value): Value {
  const there: Value = open(live);
  const asked: Value = open(inputs);
  if (Array.isArray(there) && Array.isArray(asked)) {
    return there.map((value, index) => pruned(value, asked[index] ?? value));
  }
  if (!isMap(there) || !isMap(asked)) return there;
  const kept = Object.entries(there).filter(([key]) => key in asked && asked[key] !== unknown);
  return Object.fromEntries(kept.map(([key, value]) => [key, pruned(value, asked[key] ?? null)]));
}

/**
 * The inputs after a refresh: those recorded, unless somebody changed what they say. Compared with the object as it was recorded, because
 * the API server writes some values in its own way.
 */
export function refreshedInputs(oldInputs: Bag, state: Bag, live: KubeObject): Bag {
  const before = pruned(state, oldInputs);
  const after = pruned(live as unknown as Bag, oldInputs);
  if (canonical(before) === canonical(after)) return oldInputs;
  return withSecrets(after as Bag, oldInputs);
}

/** The inputs that lead to an object found in the cluster. */
export function importedObject(live: KubeObject): Bag {
  const { status: _status, metadata, ...rest } = live as unknown as Bag & { metadata: Bag };
  const kept = Object.entries(metadata).filter(([key]) => !serversOwn.includes(key));
  return { ...rest, metadata: Object.fromEntries(kept) };
}

/** The name under which a resource applies its fields, the same for its whole life. */
export function fieldManagerOf(state: Bag): string {
  const known = reveal(state.__fieldManager ?? null);
  return typeof known === "string" ? known : `pulumi-kubernetes-${randomBytes(4).toString("hex")}`;
}
