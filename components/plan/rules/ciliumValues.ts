import { at, type JsonObject } from "../merge";
import { defaultVersions, isVersion } from "../versions";
import type { Subject } from "./rule";

/** The Cilium version, undefined when malformed, and the user's own values. */
export function ciliumOf({ args }: Subject): { cilium: string | undefined; values: JsonObject } {
  const cilium = args.cilium?.version ?? defaultVersions.cilium;
  return { cilium: isVersion(cilium) ? cilium : undefined, values: { ...args.cilium?.values } };
}

/** The value at a dotted path as text, whatever its type: Helm takes `"true"` and `true` alike. */
export function textAt(values: JsonObject, path: string): string | undefined {
  const value = at(values, path);
  return value === undefined || typeof value === "string" ? value : JSON.stringify(value);
}
