import { valueOf } from "../evidence";
import { findings, type Check } from "./result";

const { ok, failed, unseen, unprovable } = findings("softnet-drops");

const wanted = "no packet dropped";

/** No CPU lets packets fall that a NIC or a pod handed to it. */
export const softnetDrops: Check = {
  id: "softnet-drops",
  title: "CPUs keep up with the packets they are handed",
  settles: false,
  run: (_expectation, evidence) =>
    evidence.probes.map(({ node, host, window }) => {
      if ("unseen" in window) return unseen(node, wanted, window.unseen);
      const { first, last } = window.value.softnet;
      const packets = last.packets - first.packets;
      const dropped = last.dropped - first.dropped;
      const squeezed = last.squeezed - first.squeezed;
      const found = `${dropped} of ${packets + dropped} packets dropped, ${squeezed} rounds cut short`;
      if (valueOf(host)?.machineIsContainer)
        return unprovable(
          node,
          wanted,
          found,
          "The machine is a container: the counters are those of its host's CPUs.",
        );
      if (packets === 0 && dropped === 0) return unseen(node, wanted, "No packet came meanwhile.", found);
      if (dropped === 0) return ok(node, wanted, found);
      const hint =
        "A CPU's backlog was full: raise net.core.netdev_max_backlog (tuning.sysctls), or give packets more CPUs (more queues of the NIC, a larger type).";
      return failed(node, wanted, found, hint);
    }),
};
