import type { JsonObject } from "./merge";
import type { Reason } from "./reason";
import type { CpuIsolation } from "./types";

/**
 * CPUs of a node that are kept for the system, interrupts and the data path: 1 below 8 vCPUs, 2 from 8, one more for each 8 above 16.
 * @returns a list as the kernel writes it, e.g. `0-1`
 */
export function reservedCpus(cores: number): string {
  const count = cores < 8 ? 1 : 2 + Math.max(0, Math.floor((cores - 16) / 8));
  return count === 1 ? "0" : `0-${count - 1}`;
}

/**
 * The kubelet's settings for a kind of isolation.
 * `none` is spelled out too, so that a pool which gives isolation up returns to it.
 * @param cores vCPUs of the server type
 */
export function cpuSettings(isolation: CpuIsolation, cores: number): JsonObject {
  if (isolation === "none") return { cpuManagerPolicy: "none" };
  return {
    cpuManagerPolicy: "static",
    reservedSystemCPUs: reservedCpus(cores),
    ...(isolation === "strict" ? { cpuManagerPolicyOptions: { "strict-cpu-reservation": "true" } } : {}),
  };
}

/** KubeletConfiguration keys that `cpuIsolation` owns: setting one beside it would make two sources of one choice. */
export const ownedKubeletKeys: readonly string[] = [
  "cpuManagerPolicy",
  "cpuManagerPolicyOptions",
  "reservedSystemCPUs",
];

/** What each kind of isolation is for. */
export const isolationReasons: Readonly<Record<CpuIsolation, Reason>> = {
  none: {
    why: "All pods share all CPUs, as Kubernetes does by default.",
    source: "Kubernetes documentation, CPU management policies",
  },
  static: {
    why: "Guaranteed pods with whole CPUs get them alone; the reserved CPUs are never among those.",
    source: "Kubernetes documentation, CPU management policies: static",
  },
  strict: {
    why: "As static, and no pod at all runs on the reserved CPUs, where interrupts, the data path and the system work.",
    source: "Kubernetes documentation, CPU management policies: strict-cpu-reservation",
  },
};
