import type { ClusterArgs, ClusterPlan } from "../../../components/plan";

/** A plan with what was asked for. */
export interface Case {
  plan: ClusterPlan;
  args: ClusterArgs;
  /** Whether long texts are read as the YAML that they are, which takes longer than the plan; else they are only looked through. */
  whole: boolean;
}

/** One thing that must hold of every plan; gives a sentence for each place where it does not. */
export type Check = (given: Case) => string[];

/** A sentence where something is not as it must be. */
export function unless(holds: boolean, sentence: string): string[] {
  return holds ? [] : [sentence];
}

/** A sentence for each value that stands more than once. */
export function repeated(values: readonly string[], what: string): string[] {
  const seen = new Set<string>();
  return values.flatMap((value) => {
    const again = seen.has(value);
    seen.add(value);
    return unless(!again, `${what} ${value} stands twice`);
  });
}

/** Whether two plain values are the same, key order aside. */
export function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(ordered(a)) === JSON.stringify(ordered(b));
}

function ordered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(ordered);
  if (typeof value !== "object" || value === null) return value;
  return Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, item]) => [key, ordered(item)]);
}

/** The value at a dotted path of parsed text; undefined when there is none. */
export function get(value: unknown, path: string): unknown {
  return path
    .split(".")
    .reduce<unknown>(
      (inner, key) =>
        typeof inner === "object" && inner !== null ? (inner as Record<string, unknown>)[key] : undefined,
      value,
    );
}

/** Whether Helm values switch WireGuard on. */
export function encrypts(values: unknown): boolean {
  return get(values, "encryption.enabled") === true && get(values, "encryption.type") === "wireguard";
}

/** Whether somebody accepted that a value differs from the plan's: then it is theirs to answer for. */
export function accepted({ plan }: Case, path: string): boolean {
  return plan.warnings.some((warning) => warning.path === path || warning.path.startsWith(`${path}.`));
}
