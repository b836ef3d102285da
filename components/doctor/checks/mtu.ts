/*
 * How a path is measured without the sender answering in its place.
 *
 * A packet that is too big is normally refused at home: by the MTU of the NIC, of the route, or by what the kernel has
 * learnt before. That says what the sender believes, and nothing about the path. Three things are therefore told apart:
 *
 * 1. What senders believe: MTU of the route (else of its device), read with `ip route get`.
 * 2. The exact size arrives: a DF ping whose answer comes from the other machine.
 * 3. One byte more is refused by the path. The probe pod first raises the MTU of eth0 in its own network namespace, a
 *    namespace that goes away with it, so that its NIC and its route have no say. The node's end of the pod's link
 *    takes up to 4 bytes more than its MTU (the kernel leaves room for a VLAN tag there), and BPF host routing puts
 *    the packet on the wire without asking the NIC's MTU. Whoever then says no sits behind the sender: a router that
 *    names its own address, or silence while the exact size still arrives. When the refusal names an address of the
 *    sender's own node (legacy routing through the host's stack), or the kernel refuses the send, nothing was learnt
 *    about the path: the finding is `unseen` and never ok.
 *
 * Between nodes the exact size is sent from the node itself; the one byte more by the pod to the other node's address,
 * as a node's NIC cannot be changed without harm. Under an overlay that packet would be wrapped, so it is not judged.
 * WireGuard wraps pods' packets only, and counts for the longest headers and the longest filling, so that some bytes more than
 * planned do pass: between pods one byte more is not judged then.
 */
import {
  probesOf,
  valueOf,
  type CiliumStatus,
  type Evidence,
  type NodeProbes,
  type PingResult,
  type RouteReading,
} from "../evidence";
import type { CheckResult } from "../types";
import { findings, pair, type Check } from "./result";

interface Way {
  from: string;
  to: string;
  /** Bytes; what was planned, else what the sender believes. */
  mtu: number;
  planned: boolean;
  route: RouteReading;
  exact: PingResult | undefined;
  oneMore: PingResult | undefined;
  /** Addresses of the sender's own node. */
  ownAddresses: string[];
  /** Reason why a refusal says nothing here. */
  unusable?: string;
  /** Reason why the path takes some bytes more than planned. */
  slack?: string;
}

/** Node to node. */
export const nodeMtu: Check = {
  id: "node-mtu",
  title: "the path between nodes carries the planned size, and no byte more",
  settles: true,
  run(expectation, evidence) {
    return evidence.probes.flatMap((probes) => {
      const host = valueOf(probes.host);
      if (!host) return [blind("node-mtu", probes.node, probes.host)];
      return Object.entries(host.routes).flatMap(([to, route]) =>
        judge("node-mtu", {
          from: probes.node,
          to,
          mtu: expectation?.mtu.node ?? route.mtu,
          planned: expectation !== undefined,
          route,
          exact: host.exact[to],
          oneMore: valueOf(probes.pod)?.nodeOneMore[to],
          ownAddresses: host.addresses,
          unusable: wrapped(evidence, probes.node),
        }),
      );
    });
  },
};

/** Pod to pod, on different nodes. */
export const podMtu: Check = {
  id: "pod-mtu",
  title: "the path between pods carries the planned size, and no byte more",
  settles: true,
  run(expectation, evidence) {
    return evidence.probes.flatMap((probes) => {
      const pod = valueOf(probes.pod);
      if (!pod) return [blind("pod-mtu", probes.node, probes.pod)];
      return Object.entries(pod.routes).flatMap(([to, route]) =>
        judge("pod-mtu", {
          from: probes.node,
          to,
          mtu: expectation?.mtu.pod ?? route.mtu,
          planned: expectation !== undefined,
          route,
          exact: pod.exact[to],
          oneMore: pod.oneMore[to],
          ownAddresses: valueOf(probes.host)?.addresses ?? [],
          unusable:
            pod.reach[to]?.received === 0
              ? "Not even a small packet arrives: see pod-to-pod."
              : "unseen" in probes.host
                ? "The node's own addresses are not known, so it cannot be told who refused."
                : undefined,
          slack: encrypted(evidence, probes.node),
        }),
      );
    });
  },
};

function judge(check: string, way: Way): CheckResult[] {
  return [believed(check, way), carried(check, way), refused(check, way)];
}

/** What the sender believes in is what was planned. */
function believed(check: string, way: Way): CheckResult {
  const { equal, unseen } = findings(check);
  const subject = pair(way.from, way.to);
  const found = way.route.mtu > 0 ? `the route says ${way.route.mtu}` : "";
  const wanted = `the route says ${way.mtu}`;
  if (!found) return unseen(subject, wanted, "The sender has no route there.");
  if (!way.planned) return unseen(subject, "-", "No plan was given: --plan FILE says what is wanted.", found);
  const hint =
    check === "pod-mtu"
      ? "Set MTU in Cilium's values to the MTU of the network between nodes; pods started before keep their old route."
      : `Set the MTU of ${way.route.device || "the NIC"} on ${way.from}.`;
  return equal(subject, wanted, found, hint);
}

/** The exact size comes back from the other side. */
function carried(check: string, way: Way): CheckResult {
  const { ok, failed, unseen } = findings(check);
  const subject = pair(way.from, way.to);
  const wanted = `${way.mtu} bytes arrive`;
  if (!way.exact || way.mtu === 0) return unseen(subject, wanted, "No packet of this size could be tried.");
  if (way.exact.sent === 0 && !way.exact.refusedLocally) {
    return unseen(
      subject,
      wanted,
      `No packet of this size could be tried: ${way.exact.complaint ?? "ping did not run"}.`,
    );
  }
  if (way.exact.received > 0) return ok(subject, wanted, wanted);
  if (check === "pod-mtu" && way.unusable) return unseen(subject, wanted, way.unusable);
  const hint =
    "The path carries less than senders believe, so large answers get lost while small ones pass. Set the network's MTU, or plan with the smaller one.";
  return failed(subject, wanted, refusal(way.exact, way), hint);
}

/** One byte more is refused, and not by the sender. */
function refused(check: string, way: Way): CheckResult {
  const { ok, failed, unseen } = findings(check);
  const subject = pair(way.from, way.to);
  const wanted = `${way.mtu + 1} bytes are refused by the path`;
  const tried = way.oneMore;
  const reason = way.unusable ?? way.slack;
  if (reason) return unseen(subject, wanted, reason);
  if (!tried || tried.sent === 0 || way.mtu === 0) {
    return unseen(
      subject,
      wanted,
      `No packet of this size could be tried${tried?.complaint ? `: ${tried.complaint}` : ""}.`,
    );
  }
  if ((way.exact?.received ?? 0) === 0) return unseen(subject, wanted, `Already ${way.mtu} bytes do not arrive.`);
  if (tried.received > 0) {
    const hint = "The path carries more than planned: state the network's real MTU, bigger packets cost less.";
    return failed(subject, wanted, `${way.mtu + 1} bytes arrive`, hint);
  }
  const found = refusal(tried, way);
  if (tried.refusedBy ? way.ownAddresses.includes(tried.refusedBy.address) : tried.refusedLocally) {
    return unseen(subject, wanted, "The sender itself refused, so the packet never met the path.", found);
  }
  return ok(subject, wanted, found);
}

/** Who refused, in words. */
function refusal(ping: PingResult, way: Way): string {
  if (ping.refusedBy) {
    const { address, mtu } = ping.refusedBy;
    const own = way.ownAddresses.includes(address) ? ", the sender's own node," : "";
    return `refused by ${address}${own} with MTU ${mtu}`;
  }
  if (ping.refusedLocally) return "refused by the sender's own kernel";
  return ping.complaint ? `no answer: ${ping.complaint}` : "lost without an answer";
}

function blind(check: string, node: string, probe: NodeProbes["pod"] | NodeProbes["host"]): CheckResult {
  return findings(check).unseen(node, "-", "unseen" in probe ? probe.unseen : "");
}

function statusOn(evidence: Evidence, node: string): CiliumStatus | undefined {
  const agent = valueOf(evidence.agents)?.find((candidate) => candidate.node === node && candidate.ready);
  return agent && valueOf(agent.status);
}

function encrypted(evidence: Evidence, node: string): string | undefined {
  if (statusOn(evidence, node)?.encryption !== "Wireguard") return undefined;
  return "WireGuard's share is counted for its longest headers and filling, so a few bytes more may well pass.";
}

function wrapped(evidence: Evidence, node: string): string | undefined {
  if (statusOn(evidence, node)?.routingMode === "Tunnel")
    return "Under an overlay a pod's packets to nodes are wrapped, so they do not show the node path.";
  const pod = probesOf(evidence, node)?.pod;
  return pod && "unseen" in pod ? pod.unseen : undefined;
}
