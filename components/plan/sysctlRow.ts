import type { BbrScope, HugePages, SysctlEntry, TuningProfile } from "./tuningTypes";

/** What a profile does with a key, and why: the value it sets, or null where it leaves the key to the system. */
export interface ProfileChoice {
  value: string | null;
  why: string;
}

/** A row of the tuning table: a key, what each profile does with it, and what an override may say. */
export interface SysctlRow extends Pick<SysctlEntry, "key" | "source" | "podsInherit" | "namespaced"> {
  profiles: Readonly<Record<TuningProfile, ProfileChoice>>;
  /** Set under these BBR scopes only, whatever the profile; absent: BBR has no say. */
  bbr?: readonly BbrScope[];
  /** Values an override may have: whole numbers between two bounds, or what a sentence of its own says. */
  range: { least: number; most: number } | { sentence: string; accepts: (value: string) => boolean };
  /** Why `null` (leave the key to the system) is refused; absent: it is allowed. */
  required?: string;
  /** Kernel module without which there is no such key, or no such value. */
  module?: string;
  /**
   * Kubernetes minor from which on a pod may set the key without the kubelet's leave; `always`: in all that this library supports.
   * Absent: Kubernetes counts it as unsafe.
   */
  safeForPods?: string;
}

/** BBR scope of each profile, where `tuning.bbr` does not say. */
export const profileBbr: Readonly<Record<TuningProfile, BbrScope>> = {
  latency: "node-and-pod",
  throughput: "node-and-pod",
  minimal: "off",
};

/** Transparent huge pages of each profile, where `tuning.transparentHugePages` does not say. */
export const profileHugePages: Readonly<Record<TuningProfile, HugePages>> = {
  latency: "madvise",
  throughput: "madvise",
  minimal: "system",
};

/** The profiles, in the order in which they are shown. */
export const tuningProfiles = Object.keys(profileBbr) as TuningProfile[];

/** The same in all profiles. */
export function always(value: string, why: string): SysctlRow["profiles"] {
  const choice = { value, why };
  return { latency: choice, throughput: choice, minimal: choice };
}

/** Tuned by all but the minimal profile, which says why it can do without. */
export function tuned(value: string, why: string, whyNot: string): SysctlRow["profiles"] {
  const choice = { value, why };
  return { latency: choice, throughput: choice, minimal: { value: null, why: whyNot } };
}

/** Set by the throughput profile alone. */
export function forThroughput(value: string, why: string): SysctlRow["profiles"] {
  const left = {
    value: null,
    why: "The kernel's own maximum serves the short ways between nodes; a larger one costs memory on each long connection.",
  };
  return { latency: left, throughput: { value, why }, minimal: left };
}

/** Set by no profile: an override alone puts it on the nodes. The reason says what it gives and what it costs. */
export function onlyOverride(why: string): SysctlRow["profiles"] {
  const choice = { value: null, why };
  return { latency: choice, throughput: choice, minimal: choice };
}
