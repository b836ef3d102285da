import { valueOf, type ClockReading } from "../evidence";
import { nearestRank } from "../percentiles";
import { findings, list, type Check } from "./result";

const { ok, failed, unseen, unprovable } = findings("clock");

/** Milliseconds that a node's clock may be away from the other nodes', and from the clock here, which may be the wrong one. */
export const clockLimits = { nodes: 100, here: 1000 } as const;

const shared = "The machine is a container: its clock is its host's.";

/** Nodes have the same time, and something keeps it. */
export const clock: Check = {
  id: "clock",
  title: "nodes' clocks agree and are kept",
  settles: false,
  run: (_expectation, { probes }) => {
    const clocks = probes.flatMap(({ window }) => valueOf(window)?.clock ?? []);
    const middle = nearestRank(
      clocks.map(({ atLeast }) => atLeast),
      0.5,
    );
    return probes.flatMap(({ node, host, window }) => {
      const container = valueOf(host)?.machineIsContainer ?? false;
      const wanted = `within ${clockLimits.nodes} ms of other nodes, ${clockLimits.here} ms of here`;
      const reading = valueOf(window)?.clock;
      if (!reading)
        return [unseen(node, wanted, "unseen" in window ? window.unseen : "The probe did not tell its time.")];
      const found = `${Math.round(reading.atLeast - middle)} ms from other nodes, ${away(reading)} ms from here`;
      const astray = Math.abs(reading.atLeast - middle) > clockLimits.nodes || away(reading) > clockLimits.here;
      const services = valueOf(host)?.timeServices ?? [];
      const kept = "a time service runs";
      const hint = `See timedatectl on ${node}, and the clock here; systemctl enable --now systemd-timesyncd, or chrony.`;
      return [
        container
          ? unprovable(node, wanted, found, shared)
          : astray
            ? failed(node, wanted, found, hint)
            : ok(node, wanted, found),
        ...("unseen" in host
          ? [unseen(node, kept, host.unseen)]
          : container
            ? [unprovable(node, kept, list(services), shared)]
            : services.length > 0
              ? [ok(node, kept, list(services))]
              : [failed(node, kept, "none", hint)]),
      ];
    });
  },
};

/** The least that a clock can be away from the one here. */
function away({ atLeast, atMost }: ClockReading): number {
  return Math.round(Math.max(atLeast, -atMost, 0));
}
