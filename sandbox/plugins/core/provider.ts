import type { DiffResult } from "./diff";
import type { EngineLog } from "./engineLog";
import type { Bag } from "./values";

/** What every call on a resource carries. */
export interface Call {
  /** Resource name, the last part of the URN. */
  name: string;
  /** Type token, e.g. `hcloud:index/server:Server`. */
  type: string;
  urn: string;
  /** Fires when the engine cancels or the resource's custom timeout is over. */
  signal: AbortSignal;
  /** Writes to the engine's display, on this resource's row. */
  log: EngineLog;
}

export interface CheckCall extends Call {
  olds: Bag;
  news: Bag;
  /** Seed for generated names: the same at preview and update. */
  seed: Uint8Array;
}

export interface CheckFailure {
  property: string;
  reason: string;
}

export interface DiffCall extends Call {
  id: string;
  /** The recorded state. */
  state: Bag;
  oldInputs: Bag;
  inputs: Bag;
  ignoreChanges: string[];
}

export interface CreateCall extends Call {
  inputs: Bag;
  preview: boolean;
}

export interface ReadCall extends Call {
  id: string;
  /** Empty on import. */
  state: Bag;
  /** Empty on import. */
  oldInputs: Bag;
}

export interface UpdateCall extends Call {
  id: string;
  state: Bag;
  oldInputs: Bag;
  inputs: Bag;
  preview: boolean;
}

export interface DeleteCall extends Call {
  id: string;
  state: Bag;
}

/** Null: the resource is gone. */
export type ReadResult = { id: string; state: Bag; inputs: Bag } | null;

/** The life of one resource type. */
export interface ResourceHandler {
  check(call: CheckCall): Promise<{ inputs: Bag; failures: CheckFailure[] }>;
  diff(call: DiffCall): Promise<DiffResult>;
  create(call: CreateCall): Promise<{ id: string; state: Bag }>;
  read(call: ReadCall): Promise<ReadResult>;
  update(call: UpdateCall): Promise<Bag>;
  delete(call: DeleteCall): Promise<void>;
}

/** A function of the package, e.g. `hcloud:index/getImage:getImage`. */
export type FunctionHandler = (args: Bag, call: { signal: AbortSignal }) => Promise<Bag>;

/** A resource plugin: what the gRPC server needs to know. */
export interface PluginProvider {
  name: string;
  version: string;
  /** Takes the provider's own settings, known and checked. */
  configure(config: Bag): Promise<void>;
  /** Validates and completes the provider's settings. */
  checkConfig?(news: Bag): { inputs: Bag; failures: CheckFailure[] };
  /** Says whether changed settings replace the provider and everything made by it. */
  diffConfig?(olds: Bag, news: Bag): DiffResult;
  resource(type: string): ResourceHandler | undefined;
  invoke(token: string): FunctionHandler | undefined;
}

/**
 * A create or update that failed after the object exists. The engine records id and state, marks the resource as not
 * initialised, and the next update goes on from there instead of making a second one.
 */
export class PartialFailure extends Error {
  constructor(
    message: string,
    readonly id: string,
    readonly state: Bag,
  ) {
    super(message);
  }
}

/** The sentence for a token that only the real plugin knows. */
export function unsupportedToken(plugin: string, kind: "resource type" | "function", token: string): string {
  return (
    `the sandbox's stand-in for the ${plugin} plugin has no ${kind} ${token}; ` +
    `use the real plugin, or add it under sandbox/plugins/${plugin}`
  );
}
