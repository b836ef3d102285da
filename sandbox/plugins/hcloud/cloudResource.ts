import { autoname } from "../core/autoname";
import { equalValues, ignoreProperties, propertyOf } from "../core/diff";
import { type Call, PartialFailure, type ResourceHandler } from "../core/provider";
import {
  type Bag,
  hasUnknown,
  type Json,
  type JsonBag,
  keepSecrets,
  open,
  revealBag,
  unknown,
  type Value,
} from "../core/values";
import { type Api } from "./api";
import { operationFailure } from "./errorText";
import { applyDefaults, checkInputs, diffState, type Field, inputFields, isEmpty, recordedValue } from "./schema";
import type { Schema } from "./schema";

/** What one kind of cloud object does; everything else follows from its schema. */
export interface CloudResource {
  schema: Schema;
  /** Repairs inputs before they are checked. */
  prepare?(inputs: Bag): Bag;
  /** A sentence about inputs that are wrong only together. */
  checkTogether?(inputs: JsonBag): string | undefined;
  /** Makes the object. Calls `made` as soon as it exists, so that a later failure does not lose it. */
  create(api: Api, inputs: JsonBag, made: (id: string) => void): Promise<void>;
  /**
   * Reads the object; null if it is gone.
   * @param known the recorded state, or the inputs right after creation; empty on import
   */
  read(api: Api, id: string, known: JsonBag): Promise<JsonBag | null>;
  /** Changes the object; absent if every change makes a new one. */
  update?(api: Api, change: CloudUpdate): Promise<void>;
  delete(api: Api, id: string, state: JsonBag, call: Call): Promise<void>;
}

export interface CloudUpdate {
  id: string;
  inputs: JsonBag;
  state: JsonBag;
  /** Names of the properties that differ. */
  changed: Set<string>;
}

/** Gives a kind of cloud object the life that the engine expects. */
export function cloudResource(kind: CloudResource, connect: (signal: AbortSignal) => Api): ResourceHandler {
  const { schema } = kind;
  return {
    check: async ({ olds, news, seed, name }) => {
      const named = schema.name === undefined ? news : withName(news, olds, autoname(name, seed));
      const inputs = applyDefaults(schema, kind.prepare?.(named) ?? named);
      if (named !== news) (inputs.__defaults as string[]).push("name");
      const failures = checkInputs(schema, inputs);
      const together = hasUnknown(inputs) ? undefined : kind.checkTogether?.(revealBag(inputs));
      if (together !== undefined) failures.push({ property: "", reason: together });
      return { inputs, failures };
    },

    diff: async ({ state, oldInputs, inputs, ignoreChanges }) => {
      const changes = diffState(schema, state, ignoreInputs(inputs, oldInputs, ignoreChanges));
      return { changes, deleteBeforeReplace: hasFixedName(inputs) && equalValues(state.name, inputs.name) };
    },

    create: async ({ inputs, preview, ...call }) => {
      if (preview) return { id: "", state: planned(schema, inputs, {}) };
      const api = connect(call.signal);
      const plain = recordedInputs(schema, inputs);
      let id: string | undefined;
      try {
        await kind.create(api, revealBag(inputs), (made) => (id = made));
        const live = id === undefined ? null : await kind.read(api, id, plain);
        if (id === undefined || live === null) throw new Error("the object vanished right after it was made");
        return { id, state: stateOf(schema, inputs, plain, live) };
      } catch (error) {
        const message = operationFailure("creating", call.urn, (error as Error).message);
        if (id === undefined) throw new Error(message, { cause: error });
        // What is there, not what was planned, is recorded: the next update then sees what is missing.
        const live = await kind.read(api, id, plain).catch(() => null);
        throw new PartialFailure(
          message,
          id,
          live === null ? keepSecrets(inputs, plain) : stateOf(schema, inputs, plain, live),
        );
      }
    },

    read: async ({ id, state, oldInputs, ...call }) => {
      const known = revealBag(state);
      const live = await kind.read(connect(call.signal), id, known);
      if (live === null) return null;
      const fresh = stateOf(schema, { ...state, ...oldInputs }, known, live);
      const importing = Object.keys(oldInputs).length === 0;
      const inputs = importing ? importedInputs(schema, fresh) : refreshedInputs(schema, oldInputs, fresh);
      return { id, state: fresh, inputs };
    },

    update: async ({ id, inputs, state, preview, ...call }) => {
      if (preview) return planned(schema, inputs, state);
      const changed = new Set(diffState(schema, state, inputs).map((change) => propertyOf(change.path)));
      const plain = recordedInputs(schema, inputs);
      const api = connect(call.signal);
      try {
        await kind.update?.(api, { id, inputs: revealBag(inputs), state: revealBag(state), changed });
        const live = await kind.read(api, id, plain);
        if (live === null) throw new Error("the object vanished while it was changed");
        return stateOf(schema, inputs, { ...revealBag(state), ...plain }, live);
      } catch (error) {
        throw new Error(operationFailure("updating", call.urn, (error as Error).message), { cause: error });
      }
    },

    delete: async ({ id, state, ...call }) => {
      try {
        await kind.delete(connect(call.signal), id, revealBag(state), call);
      } catch (error) {
        throw new Error(operationFailure("deleting", call.urn, (error as Error).message), { cause: error });
      }
    },
  };
}

function withName(news: Bag, olds: Bag, generated: string): Bag {
  if (!isEmpty(news.name)) return news;
  return { ...news, name: hasFixedName(olds) || isEmpty(olds.name) ? generated : (olds.name ?? generated) };
}

/** Whether the program gives the name: a second object of that name cannot exist beside the first. */
function hasFixedName(inputs: Bag): boolean {
  const defaults = open(inputs.__defaults ?? []);
  return !isEmpty(inputs.name) && !(Array.isArray(defaults) && defaults.includes("name"));
}

/** `ignoreChanges` has put the recorded inputs back already; what was no input follows the state. */
function ignoreInputs(inputs: Bag, oldInputs: Bag, ignored: string[]): Bag {
  return ignored.length === 0 ? inputs : ignoreProperties(inputs, oldInputs, ignored);
}

/** What a preview knows of the state. */
function planned(schema: Schema, inputs: Bag, state: Bag): Bag {
  const plan: Bag = {};
  for (const [key, field] of Object.entries(schema)) {
    if (field.output !== true && !isEmpty(inputs[key])) plan[key] = recordedValue(field, inputs[key] ?? null);
    else if (field.output === true || field.computed === true) plan[key] = state[key] ?? unknown;
    else if (inputs[key] !== undefined) plan[key] = inputs[key];
  }
  return keepSecrets(inputs, plan);
}

/** Inputs in the form in which they are recorded. */
function recordedInputs(schema: Schema, inputs: Bag): JsonBag {
  const plain = revealBag(inputs);
  const entries = inputFields(schema).filter(([key]) => plain[key] !== undefined && plain[key] !== null);
  return Object.fromEntries(entries.map(([key, field]) => [key, recordPlain(field, plain[key] ?? null)]));
}

function recordPlain(field: Field, input: Json): Json {
  return field.recorded === undefined || isEmpty(input) ? input : field.recorded(input);
}

/** What the API tells, and what only the program can: some inputs cannot be read back. */
function stateOf(schema: Schema, inputs: Bag, known: JsonBag, live: JsonBag): Bag {
  const state: Bag = {};
  for (const key of Object.keys(schema)) {
    const value = key in live ? live[key] : known[key];
    if (value !== undefined && value !== null) state[key] = value;
  }
  return keepSecrets(inputs, state);
}

/** The inputs that would lead to an object found in the cloud. */
function importedInputs(schema: Schema, state: Bag): Bag {
  const inputs: Bag = {};
  for (const [key, field] of inputFields(schema)) {
    const isDefault = field.default !== undefined && equalValues(state[key], field.default);
    if (!isEmpty(state[key]) && !isDefault) inputs[key] = state[key] ?? null;
  }
  return applyDefaults(schema, inputs);
}

/** The recorded inputs, with what was changed behind the program's back put in its place. */
function refreshedInputs(schema: Schema, oldInputs: Bag, state: Bag): Bag {
  const drifted = new Set(diffState(schema, state, oldInputs).map((change) => propertyOf(change.path)));
  const found = (key: string): Value | undefined => (drifted.has(key) ? state[key] : oldInputs[key]);
  const entries = Object.keys(oldInputs).map((key) => [key, found(key)] as const);
  return Object.fromEntries(entries.filter((entry): entry is [string, Value] => entry[1] !== undefined));
}
