import type { JsonObject } from "./merge";
import type { Reason } from "./reason";
import type { ServerType } from "./catalogue";
import type { CpuIsolation, CpuPlan } from "./types";

/**
 * CPUs of a node that are kept for the system, interrupts and the data path: 1 below 8 vCPUs, 2 from 8, one more for each 8 above 16.
 * @returns a list as the kernel writes it, e.g. `0-1`
 */
export function reservedCpus(cores: number): string {
  const count = cores < 8 ? 1 : 2 + Math.max(0, Math.floor((cores - 16) / 8));
  return count === 1 ? "0" : `0-${count - 1}`;
}

/** CPUs of a node that has a kind of isolation. */
export function planCpu(isolation: CpuIsolation, type: Pick<ServerType, "cores" | "cpuType">): CpuPlan {
  const { cores, cpuType } = type;
  const reserved = isolation === "none" ? "" : reservedCpus(cores);
  return { isolation, cores, dedicated: cpuType === "dedicated", reserved };
}

/**
 * The kubelet's settings for a kind of isolation. `none` is spelled out too, so that a pool which gives isolation up returns to it. Where
 * the machine shows threads, scripts/cpus.sh adds what only the machine knows.
 */
export function cpuSettings({ isolation, reserved }: Pick<CpuPlan, "isolation" | "reserved">): JsonObject {
  if (isolation === "none") return { cpuManagerPolicy: "none" };
  return {
    cpuManagerPolicy: "static",
    reservedSystemCPUs: reserved,
    // CPUs and devices of one pod from one NUMA node where that can be, and no pod refused where it cannot: nearly all VPS have one.
    topologyManagerPolicy: "best-effort",
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
    why: "Guaranteed pods with whole CPUs get them alone; the reserved CPUs are never among those, and NICs interrupt the reserved ones only.",
    source: "Kubernetes documentation, CPU management policies: static; docs/decisions/cpu-isolation.md",
  },
  strict: {
    why: "As static, and the reserved CPUs are the system's: no pod runs there, no daemon elsewhere; where CPUs are threads, pods get whole cores.",
    source:
      "Kubernetes documentation, CPU management policies: strict-cpu-reservation, full-pcpus-only; docs/decisions/cpu-isolation.md",
  },
};
