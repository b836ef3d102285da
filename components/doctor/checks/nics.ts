import { valueOf } from "../evidence";
import { onAgents } from "./cilium";
import { findings, list, withoutPlan, type Check } from "./result";

const itsHosts = "The machine is a container: its devices' queues are its host's.";

/** NICs between nodes send by the queue that the plan wants. */
export const qdisc: Check = {
  id: "qdisc",
  title: "NICs pace packets by the planned queue",
  settles: false,
  idle: "The plan leaves queues to the system, or no node has another to send to.",
  run: (expectation, { probes }) =>
    probes.flatMap(({ node, host }) => {
      const { ok, failed, unseen, unprovable } = findings("qdisc");
      if (!expectation) return [unseen(node, "-", withoutPlan)];
      const wanted = expectation.sysctls.find(({ key }) => key === "net.core.default_qdisc")?.value;
      if (wanted === undefined) return [];
      if ("unseen" in host) return [unseen(node, wanted, host.unseen)];
      const devices = [...new Set(Object.values(host.value.routes).map(({ device }) => device))];
      return devices.map((device) => {
        const kinds = host.value.qdiscs[device] ?? [];
        const text = `${wanted} on ${device}`;
        const found = `${list(kinds)} on ${device}`;
        if (kinds.length > 0 && kinds.every((kind) => kind === wanted)) return ok(node, text, found);
        if (host.value.machineIsContainer) return unprovable(node, text, found, itsHosts);
        const hint = `The NIC came up before net.core.default_qdisc was set: run zerosteal-setup on ${node}, or tc qdisc replace dev ${device} root ${wanted}.`;
        return failed(node, text, found, hint);
      });
    }),
};

/** Pods' packets are paced, by BBR where it was asked for. */
export const bandwidthManager: Check = {
  id: "bandwidth-manager",
  title: "the bandwidth manager is as planned",
  settles: true,
  run: (expectation, evidence) =>
    onAgents(
      "bandwidth-manager",
      expectation,
      evidence,
      (cilium) => cilium.bandwidthManager,
      (node, cilium, { bandwidthManager: found }) => {
        const { equal, unprovable, unseen } = findings("bandwidth-manager");
        const wanted = cilium.bandwidthManager;
        const host = evidence.probes.find((probes) => probes.node === node)?.host;
        if (found !== wanted && host && "unseen" in host)
          return [unseen(node, wanted, `Whether the machine is a container was not seen: ${host.unseen}`, found)];
        if (found !== wanted && host && valueOf(host)?.machineIsContainer)
          return [unprovable(node, wanted, found, itsHosts)];
        const hint =
          "Set bandwidthManager.enabled and bbr in Cilium's values as planned; the agent's log says what its kernel lacks for it.";
        return [equal(node, wanted, found, hint)];
      },
      (status) => status.bandwidthManager,
    ),
};
