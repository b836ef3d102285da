import type { Call, ResourceHandler } from "../../../sandbox/plugins/core/provider";
import type { Bag } from "../../../sandbox/plugins/core/values";

/** What a handler told the engine's display. */
export interface Told {
  status: string[];
  warnings: string[];
  errors: string[];
}

/** A call as the engine makes it, for the resource `demo`. */
export function callFor(type: string, signal = new AbortController().signal): Call & { told: Told } {
  const told: Told = { status: [], warnings: [], errors: [] };
  return {
    name: "demo",
    type,
    urn: `urn:pulumi:test::plugins::${type}::demo`,
    signal,
    told,
    log: {
      status: (message) => told.status.push(message),
      warning: (message) => told.warnings.push(message),
      error: (message) => told.errors.push(message),
    },
  };
}

/** Checks inputs and creates the resource, as the engine does. */
export async function create(handler: ResourceHandler, news: Bag, call = callFor("test")) {
  const { inputs, failures } = await handler.check({ ...call, olds: {}, news, seed: new Uint8Array([1]) });
  if (failures.length > 0) throw new Error(failures.map((failure) => failure.reason).join("; "));
  return { inputs, ...(await handler.create({ ...call, inputs, preview: false })) };
}
