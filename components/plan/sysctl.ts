import type { SysctlRow } from "./sysctlRow";
import { sysctlTable } from "./sysctlTable";
import type { BbrScope, HugePages, SysctlEntry, TuningProfile } from "./tuningTypes";
import type { Encryption } from "./types";

/** What decides about a cluster's kernel settings, defaults filled in. */
export interface Tuning {
  profile: TuningProfile;
  bbr: BbrScope;
  hugePages: HugePages;
  /** Key to value; `null` leaves the key to the system. */
  sysctls: Readonly<Record<string, string | null | undefined>>;
  /** Keys that pods may set themselves. */
  podSysctls: readonly string[];
}

/**
 * The sysctls of a cluster's nodes: every row of the table that has a value. Keys of `tuning` that are no row are ignored: a rule
 * refuses them.
 */
export function sysctlsFor(tuning: Tuning): SysctlEntry[] {
  return sysctlTable.flatMap((row): SysctlEntry[] => {
    const chosen = choiceOf(row, tuning);
    if (chosen === undefined) return [];
    const { key, source, podsInherit, namespaced } = row;
    const own = tuning.podSysctls.includes(key) ? { podsMaySet: true as const } : {};
    return [{ key, ...chosen, source, podsInherit, namespaced, ...own }];
  });
}

/**
 * What a row comes to on the nodes.
 * @returns undefined when the key is left to the system
 */
export function choiceOf(row: SysctlRow, tuning: Tuning): { value: string; why: string } | undefined {
  if (row.bbr?.includes(tuning.bbr) === false) return undefined;
  const override = Object.hasOwn(tuning.sysctls, row.key) ? tuning.sysctls[row.key] : undefined;
  const { value, why } =
    override === undefined ? row.profiles[tuning.profile] : { value: override, why: "Set by tuning.sysctls." };
  return value === null ? undefined : { value, why };
}

/** The row of a key; undefined when the table has none. */
export function rowOf(key: string): SysctlRow | undefined {
  return sysctlTable.find((row) => row.key === key);
}

/** Kernel modules that nodes with these sysctls and this encryption need, sorted. */
export function modulesFor(sysctls: readonly SysctlEntry[], encryption: Encryption): string[] {
  const modules = sysctls.flatMap(({ key }) => rowOf(key)?.module ?? []);
  // containerd's snapshots are overlay mounts.
  return ["overlay", ...modules, ...(encryption === "wireguard" ? ["wireguard"] : [])].sort();
}

/** Whether a row takes a value. */
export function acceptsValue(row: SysctlRow, value: string): boolean {
  if ("accepts" in row.range) return row.range.accepts(value);
  return /^(0|[1-9]\d{0,9})$/.test(value) && Number(value) >= row.range.least && Number(value) <= row.range.most;
}

/** What a row takes, as the end of a sentence. */
export function rangeSentence(row: SysctlRow): string {
  if ("sentence" in row.range) return row.range.sentence;
  return `must be a whole number from ${row.range.least} to ${row.range.most}`;
}
