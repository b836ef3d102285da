import assert from "node:assert/strict";
import type { PolicyObject } from "../../../components/policy/plan";
import { type Cluster, kubectl, type LiveNode } from "./cluster";
import { inAgent } from "./pods";

/** Applies planned policies, and waits until Cilium's operator has found each valid. */
export async function applyPolicies(cluster: Cluster, policies: PolicyObject[]): Promise<void> {
  const list = JSON.stringify({ apiVersion: "v1", kind: "List", items: policies });
  await kubectl(cluster, ["apply", "-f", "-"], list);
  await kubectl(cluster, ["wait", "--for=condition=Valid", "--timeout=60s", "-f", "-"], list);
}

/** Removes them again. */
export async function removePolicies(cluster: Cluster, policies: PolicyObject[]): Promise<void> {
  const list = JSON.stringify({ apiVersion: "v1", kind: "List", items: policies });
  await kubectl(cluster, ["delete", "--ignore-not-found", "--wait=true", "-f", "-"], list);
}

/** Waits until the agent of a node has put the policies that it knows into effect. */
export async function policiesInEffect(cluster: Cluster, node: LiveNode): Promise<void> {
  const { revision } = JSON.parse(await inAgent(cluster, node, ["cilium-dbg", "policy", "get", "-o", "json"])) as {
    revision: number;
  };
  await inAgent(cluster, node, ["cilium-dbg", "policy", "wait", String(revision)]);
}

interface Metric {
  reason: string;
  direction: string;
  packets: number;
}

/** Packets that the data path of a node has dropped so far, by reason and direction, e.g. `Policy denied egress`. */
export async function dropsByReason(cluster: Cluster, node: LiveNode): Promise<Record<string, number>> {
  const text = await inAgent(cluster, node, ["cilium-dbg", "bpf", "metrics", "list", "-o", "json"]);
  const drops: Record<string, number> = {};
  for (const { reason, direction, packets } of JSON.parse(text) as Metric[]) {
    const key = `${reason} ${direction}`;
    drops[key] = (drops[key] ?? 0) + packets;
  }
  return drops;
}

/** By how much each count grew during some work. */
export async function grown(
  count: () => Promise<Record<string, number>>,
  work: () => Promise<void>,
): Promise<Record<string, number>> {
  const before = await count();
  await work();
  const after = await count();
  const entries = Object.entries(after).map(([key, value]): [string, number] => [key, value - (before[key] ?? 0)]);
  return Object.fromEntries(entries.filter(([, value]) => value !== 0));
}

/** The agent's number for the endpoint of a pod. */
export async function endpointId(cluster: Cluster, node: LiveNode, namespace: string, pod: string): Promise<string> {
  const path = "jsonpath={.status.id}";
  const id = await kubectl(cluster, ["-n", namespace, "get", "ciliumendpoint", pod, "-o", path]);
  assert.match(id, /^\d+$/, `the endpoint of ${pod} on ${node.name}`);
  return id;
}

interface PolicyEntry {
  Packets: number;
  Key: { TrafficDirection: number; DestPortNetwork: number };
}

/** Packets that the entries of an endpoint's policy map for one port have let through or denied so far. */
export async function verdictPackets(
  cluster: Cluster,
  node: LiveNode,
  endpoint: string,
  direction: "ingress" | "egress",
  port: number,
): Promise<number> {
  const text = await inAgent(cluster, node, ["cilium-dbg", "bpf", "policy", "get", endpoint, "-n", "-o", "json"]);
  // The data path keeps ports as they stand in a packet.
  const written = ((port & 0xff) << 8) | (port >> 8);
  const chosen = (JSON.parse(text) as PolicyEntry[]).filter(
    ({ Key }) => Key.TrafficDirection === (direction === "egress" ? 1 : 0) && Key.DestPortNetwork === written,
  );
  return chosen.reduce((sum, { Packets }) => sum + Packets, 0);
}
