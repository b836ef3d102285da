import type { NodeEvidence } from "../evidence";
import type { CheckResult, Expectation } from "../types";
import { findings, leavesLast, list, type Check } from "./result";

const { ok, failed, unseen, equal } = findings("nodes-ready");

/** Taints by which Kubernetes and Cilium say that a node is not usable; never wanted. */
const troubleTaints = [
  "node.kubernetes.io/not-ready",
  "node.kubernetes.io/unreachable",
  "node.kubernetes.io/network-unavailable",
  "node.kubernetes.io/memory-pressure",
  "node.kubernetes.io/disk-pressure",
  "node.kubernetes.io/pid-pressure",
  "node.cloudprovider.kubernetes.io/uninitialized",
  "node.cilium.io/agent-not-ready",
];

/** Nodes are the planned ones, Ready, with the planned taints, address and pod CIDR. Without a plan: Ready, no taint of trouble. */
export const nodesReady: Check = {
  id: "nodes-ready",
  title: "nodes are Ready and as planned",
  settles: true,
  run(expectation, evidence) {
    if (!expectation) return evidence.nodes.flatMap((node) => [readiness(node), troubles(node)]);
    const planned = expectation.nodes.flatMap((wanted) => {
      const node = evidence.nodes.find((candidate) => candidate.name === wanted.name);
      return node ? compare(wanted, node) : [missing(wanted.name)];
    });
    const names = expectation.nodes.map((node) => node.name);
    const others = evidence.nodes.filter((node) => !names.includes(node.name));
    return [
      ...planned,
      ...others.map((node) => (expectation.unplanned === "unseen" ? leaving(node) : unplanned(node))),
    ];
  },
};

function compare(wanted: Expectation["nodes"][number], node: NodeEvidence): CheckResult[] {
  const taints = [...wanted.taints].sort();
  return [
    readiness(node),
    equal(
      node.name,
      `taints ${list(taints)}`,
      `taints ${list(node.taints)}`,
      `Not planned: ${list(node.taints.filter((taint) => !taints.includes(taint)))}; missing: ${list(
        taints.filter((taint) => !node.taints.includes(taint)),
      )}. Use kubectl taint, or change the plan.`,
    ),
    equal(
      node.name,
      `pod CIDR ${wanted.podCidr}`,
      `pod CIDR ${node.podCidr ?? "none"}`,
      "A node's pod CIDR cannot be changed: remove the Node object and join the node again, so that it gets the planned one.",
    ),
    equal(
      node.name,
      `address ${wanted.privateAddress}`,
      `address ${node.internalIp ?? "none"}`,
      "The kubelet announces another address than the private one: check its --node-ip.",
    ),
  ];
}

function readiness(node: NodeEvidence): CheckResult {
  if (!node.ready) {
    return failed(
      node.name,
      "Ready",
      `not Ready: ${node.readyMessage}`,
      `See kubectl describe node ${node.name}, and journalctl -u kubelet on it.`,
    );
  }
  if (node.networkUnavailable) {
    return failed(node.name, "Ready", "Ready, but NetworkUnavailable", "The CNI has not taken up this node yet.");
  }
  return ok(node.name, "Ready", "Ready");
}

function troubles(node: NodeEvidence): CheckResult {
  const found = node.taints.filter((taint) => troubleTaints.some((key) => taint.startsWith(key)));
  return equal(
    node.name,
    "no taint of trouble",
    found.length > 0 ? list(found) : "no taint of trouble",
    `See kubectl describe node ${node.name}.`,
  );
}

function missing(name: string): CheckResult {
  return failed(name, "Ready", "no such node", "It never joined or was removed: run the deployment again.");
}

function unplanned(node: NodeEvidence): CheckResult {
  return failed(
    node.name,
    "only planned nodes",
    "a node that is not in the plan",
    `Remove it (kubectl delete node ${node.name}), or add it to the plan.`,
  );
}

function leaving(node: NodeEvidence): CheckResult {
  return unseen(node.name, "only planned nodes", leavesLast, "a node that is not in the plan");
}
