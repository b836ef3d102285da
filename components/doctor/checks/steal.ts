import { valueOf, type CpuTicks } from "../evidence";
import type { Expectation } from "../types";
import { findings, type Check } from "./result";

const { ok, failed, unseen, unprovable } = findings("steal");

/**
 * Largest share of the time in which a machine's CPUs wanted to run that its host may give to others, percent. Shared CPUs are also what is
 * assumed of a machine that no plan tells about.
 */
export const stealLimits = { dedicated: 0.5, shared: 2 } as const;

/** How much of the time that CPUs wanted was stolen, between two samples. */
export interface Steal {
  /** Percent of the wanted time. */
  percent: number;
  /** CPU seconds that were wanted: spent or stolen. */
  wantedSeconds: number;
  /** Percent of all time that was wanted. */
  load: number;
}

/** The kernel counts in hundredths of a second, whatever its own timer does. */
const ticksPerSecond = 100;

/** Compares two samples of /proc/stat. Idle time is left out: the host takes nothing from a CPU that sleeps. */
export function stealBetween(first: CpuTicks, last: CpuTicks): Steal {
  const stolen = last.steal - first.steal;
  const wanted = stolen + last.busy - first.busy;
  const all = wanted + last.idle - first.idle;
  return {
    percent: wanted > 0 ? (100 * stolen) / wanted : 0,
    wantedSeconds: wanted / ticksPerSecond,
    load: all > 0 ? (100 * wanted) / all : 0,
  };
}

/**
 * Judges a window.
 * @returns `idle` when a single tick would be more than the limit: too little ran to say anything
 */
export function judgeSteal(steal: Steal, limit: number): "ok" | "failed" | "idle" {
  if (steal.wantedSeconds * limit < 100 / ticksPerSecond) return "idle";
  return steal.percent <= limit ? "ok" : "failed";
}

/** The host gives a node's CPUs to nobody else while they have work. */
export const steal: Check = {
  id: "steal",
  title: "hosts steal no CPU time from nodes",
  settles: false,
  run: (expectation, evidence) =>
    evidence.probes.map(({ node, host, window }) => {
      const { limit, wanted } = stealWanted(expectation, node);
      if ("unseen" in window) return unseen(node, wanted, window.unseen);
      const { first, last } = window.value.ticks;
      const measured = stealBetween(first, last);
      const found = textOf(measured);
      if (valueOf(host)?.machineIsContainer)
        return unprovable(node, wanted, found, "The machine is a container, whose /proc/stat is its host's.");
      const outcome = judgeSteal(measured, limit);
      if (outcome === "ok") return ok(node, wanted, found);
      if (outcome === "idle")
        return unseen(node, wanted, "Too little ran meanwhile: steal shows on busy CPUs only.", found);
      const hint =
        "The host's other guests want the same CPUs: ask the provider for another host, or take a type with dedicated CPUs.";
      return failed(node, wanted, found, hint);
    }),
};

/** The limit of a node, in percent, and in words. */
export function stealWanted(expectation: Expectation | undefined, node: string): { limit: number; wanted: string } {
  const kind = expectation?.nodes.find(({ name }) => name === node)?.cpu.dedicated === true ? "dedicated" : "shared";
  return { limit: stealLimits[kind], wanted: `at most ${stealLimits[kind]} % stolen (${kind} CPUs)` };
}

function textOf({ percent, wantedSeconds, load }: Steal): string {
  return `${percent.toFixed(2)} % of ${wantedSeconds.toFixed(1)} CPU seconds, CPUs ${load.toFixed(0)} % busy`;
}
