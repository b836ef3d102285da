import { valueOf, type AgentWindow, type Evidence } from "../evidence";
import { nearestRank } from "../percentiles";
import type { CheckResult } from "../types";
import { findings, list, pair, type Check } from "./result";

/** Where agents answer one another's health probes. */
const healthPort = 4240;

/** Every agent reaches every other node and its health endpoint. */
export const healthMesh: Check = {
  id: "health-mesh",
  title: "agents reach one another's nodes and health endpoints",
  settles: true,
  run: (_expectation, evidence) => {
    const { ok, failed, unseen } = findings("health-mesh");
    const wanted = "ICMP and HTTP answer";
    return onWindows("health-mesh", wanted, evidence, (node, { health }) => {
      if ("unseen" in health) return [unseen(node, wanted, health.unseen)];
      return health.value.map((peer) => {
        const subject = pair(node, peer.node);
        const faults = [...peer.faults, ...closed(evidence, node, peer.node)];
        const hint = `See cilium-health status in the agent's pod on ${node}; the nodes' firewall must let TCP port ${healthPort} and ICMP through.`;
        if (faults.length > 0) return failed(subject, wanted, list(faults), hint);
        if (peer.earlierFaults.length === 0) return ok(subject, wanted, wanted);
        return unseen(
          subject,
          wanted,
          "That was before this run: agents look again within minutes.",
          list(peer.earlierFaults),
        );
      });
    });
  },
};

/** Tried anew: what agents remember may be minutes old. */
function closed(evidence: Evidence, from: string, to: string): string[] {
  const address = evidence.nodes.find(({ name }) => name === to)?.internalIp;
  const host = evidence.probes.find(({ node }) => node === from)?.host;
  const connect = host && valueOf(host)?.connects[`${address}:${healthPort}`];
  return connect && !connect.ok ? [`TCP port ${healthPort}: ${connect.error ?? "failed"}`] : [];
}

/** Share of a map from which it may soon be full. */
const fullest = 0.8;

/** No map of Cilium is nearly full: what does not fit is dropped or forgotten. */
export const mapPressure: Check = {
  id: "map-pressure",
  title: "Cilium's maps have room",
  settles: false,
  run: (_expectation, evidence) => {
    const { ok, failed, unseen } = findings("map-pressure");
    const wanted = `every map below ${100 * fullest} %`;
    return onWindows("map-pressure", wanted, evidence, (node, { pressure }) => {
      const [first, ...others] = Object.entries(pressure).sort(([, a], [, b]) => b - a);
      if (!first) return [unseen(node, wanted, "The agent has no metric bpf_map_pressure.")];
      const text = ([map, share]: [string, number]): string => `${map} at ${(100 * share).toFixed(1)} %`;
      if (first[1] < fullest) return [ok(node, wanted, `${text(first)}, the fullest of ${others.length + 1}`)];
      const full = [first, ...others].filter(([, share]) => share >= fullest);
      const hint =
        "Raise network.expectedServices and expectedEndpointsPerService for lb4 maps, bpf.mapDynamicSizeRatio for ct and snat maps; agents take new sizes when they start.";
      return [failed(node, wanted, list(full.map(text)), hint)];
    });
  },
};

/**
 * Reasons that belong to a healthy cluster: policies, IPv6 where nobody asked for it, packets of pods that have just ended or begin, and
 * Services that have no pod.
 */
const usual = /policy|auth|Unsupported L3 protocol|Stale or unroutable IP|Invalid source ip|Service backend not found/i;
/** Packets that may be dropped within a window for reasons of their own. */
const few = 10;

/** Cilium drops nothing that a policy does not deny. */
export const drops: Check = {
  id: "drops",
  title: "Cilium drops only what policies deny",
  settles: false,
  run: (_expectation, evidence) => {
    const { ok, failed } = findings("drops");
    const wanted = `fewer than ${few} packets dropped without a policy`;
    return onWindows("drops", wanted, evidence, (node, window) => {
      const { first, last } = window.drops;
      const counts = Object.entries(last).map(([reason, count]): [string, number] => [
        reason,
        Math.max(0, count - (first[reason] ?? 0)),
      ]);
      const bad = counts.filter(([reason, count]) => count > 0 && !usual.test(reason));
      const text = list(bad.map(([reason, count]) => `${count} × ${reason}`));
      if (bad.reduce((sum, [, count]) => sum + count, 0) < few) return [ok(node, wanted, text)];
      const hint = `See cilium-dbg monitor -t drop in the agent's pod on ${node}: it names each packet's ends.`;
      return [failed(node, wanted, text, hint)];
    });
  },
};

function onWindows(
  check: string,
  wanted: string,
  { agents }: Evidence,
  judge: (node: string, window: AgentWindow) => CheckResult[],
): CheckResult[] {
  const { unseen } = findings(check);
  if ("unseen" in agents) return [unseen("cluster", wanted, agents.unseen)];
  return agents.value.flatMap(({ node, window }) =>
    "unseen" in window ? [unseen(node, wanted, `${window.unseen}.`)] : judge(node, window.value),
  );
}

/**
 * No piece of a packet is missing. Packets too big that may not be cut are told, not judged: that is how paths' sizes are found, by the
 * doctor's own probes too.
 */
export const fragments: Check = {
  id: "fragments",
  title: "no packet that was cut fails at being put together",
  settles: false,
  run: (_expectation, { probes }) =>
    probes.map(({ node, window }) => {
      const { ok, failed, unseen } = findings("fragments");
      const wanted = "no failure";
      if ("unseen" in window) return unseen(node, wanted, window.unseen);
      const { first, last } = window.value.fragments;
      const [created, notCut, notJoined] = [
        last.created - first.created,
        last.notCut - first.notCut,
        last.notJoined - first.notJoined,
      ];
      const found = `${notCut} too big and not to be cut, ${notJoined} not put together, ${created} pieces made`;
      if (notJoined === 0) return ok(node, wanted, found);
      const hint = `Pieces get lost on the way to ${node}, of packets that their path does not carry whole: see node-mtu and pod-mtu, and tunnels of your own.`;
      return failed(node, wanted, found, hint);
    }),
};

/** Where users are: how long a fresh connection from each node takes. */
export const roundTrips: Check = {
  id: "round-trips",
  title: "nodes reach the places that stand for users",
  settles: false,
  idle: "No place was named: --rtt-to HOST[:PORT].",
  run: (_expectation, { probes }) =>
    probes.flatMap(({ node, window }) =>
      Object.entries(valueOf(window)?.roundTrips ?? {}).map(([target, { milliseconds, error }]) => {
        const { ok, failed } = findings("round-trips");
        const subject = pair(node, target);
        const wanted = "connections succeed";
        const hint = `Is ${target} right, does it listen, and may ${node} go there?`;
        if (milliseconds.length === 0) return failed(subject, wanted, error ?? "no answer", hint);
        const at = (share: number): string => nearestRank(milliseconds, share).toFixed(1);
        const found = `median ${at(0.5)} ms, 90 % within ${at(0.9)} ms, at most ${at(1)} ms, of ${milliseconds.length}`;
        return error === undefined ? ok(subject, wanted, found) : failed(subject, wanted, `${found}; ${error}`, hint);
      }),
    ),
};
