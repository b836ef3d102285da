import { monthlyServerPrice } from "../plan/price";
import { show } from "./harmless";
import type { Arguments, Step } from "./previewTypes";
import type { Costs } from "./types";

/** What the preview's servers cost a month, before and after, or the difference alone when those that stay are left out. Undefined when it has none. */
export function costsOf(steps: Step[], complete: boolean): Costs | undefined {
  const servers = steps.filter(({ type }) => type === "hcloud:index/server:Server");
  if (servers.length === 0) return undefined;
  const unknown = new Set<string>();
  const sum = (side: "old" | "new"): number => servers.reduce((cents, step) => cents + centsOf(step[side], unknown), 0);
  const [before, after] = [sum("old"), sum("new")];
  return {
    ...(complete ? { before: before / 100, after: after / 100 } : {}),
    difference: (after - before) / 100,
    unknown: [...unknown].sort(),
  };
}

function centsOf(server: Arguments | undefined, unknown: Set<string>): number {
  if (server === undefined) return 0;
  const [type, location] = [textOf(server, "serverType"), textOf(server, "location")];
  const price = type === undefined || location === undefined ? undefined : monthlyServerPrice(type, location);
  if (price === undefined) unknown.add(`${type ?? "an unknown server type"} in ${location ?? "an unknown location"}`);
  return Math.round((price ?? 0) * 100);
}

function textOf(server: Arguments, key: string): string | undefined {
  const value = server[key];
  return typeof value === "string" ? show(key, value) : undefined;
}
