import {
  type ClusterPlan,
  type Decision,
  type NodePlan,
  monthlyPrice,
  notInPrice,
  priceDate,
  serverTypes,
} from "../components/plan";
import { isPlainObject } from "../components/plan/merge";
import { renderProblem } from "../components/plan/problems";
import { testedSentence } from "../components/plan/versions";

/** A plan for people: its nodes, and what they have in common. */
export function renderPlan(plan: ClusterPlan): string {
  const { versions, underlay, api } = plan;
  const nodes = plan.nodes.map((node) => [node.name, node.privateAddress, node.podCidr, describeMachine(plan, node)]);
  const count = nodes.length === 1 ? "1 node" : `${nodes.length} nodes`;
  const lines = [
    [
      "versions",
      `Kubernetes ${versions.kubernetes}, Cilium ${versions.cilium}, containerd ${versions.containerd}, runc ${versions.runc}`,
    ],
    ["", testedSentence(versions.kubernetes, versions.cilium)],
    ["MTU", `${underlay.mtu} between nodes, ${plan.podMtu} in pods`],
    ["pods", `${plan.podCidr}; Services ${plan.serviceCidr}, DNS ${plan.clusterDns}`],
    ["API", `${api.name}:${api.port}`],
    ...plan.firewall.map(({ description, port, sourceCidrs }) => [
      "open",
      `${description} (${port ?? "all ports"}) to ${sourceCidrs.join(", ")}`,
    ]),
    ...(underlay.kind === "hosts" ? routesOf(plan) : [["price", describePrice(plan, underlay.location)]]),
    ...(plan.warnings.length === 0
      ? [["warnings", "none accepted"]]
      : plan.warnings.map((warning) => ["accepted", renderProblem({ ...warning, acceptable: false })])),
  ];
  return [
    `Cluster ${plan.name}: ${count} ${underlay.kind === "hosts" ? `on existing hosts (${underlay.segment})` : `in ${underlay.location}, on Hetzner Cloud`}`,
    "",
    ...table([["node", "address", "pods", underlay.kind === "hosts" ? "machine" : "server type"], ...nodes]),
    "",
    ...table(lines),
    "",
    "Why: --explain. Everything: --json.",
    "",
  ].join("\n");
}

/** Decisions for people, topic by topic. */
export function renderDecisions(plan: ClusterPlan, decisions: Decision[]): string {
  const topics = [...new Set(decisions.map(({ topic }) => topic))];
  const sections = topics.map((topic) =>
    [topic, ...decisions.filter((decision) => decision.topic === topic).map(renderDecision)].join("\n\n"),
  );
  return `${[`Cluster ${plan.name}: ${decisions.length} decisions`, ...sections].join("\n\n")}\n`;
}

function renderDecision({ id, value, why, source }: Decision): string {
  return [`  ${id} = ${renderValue(value)}`, `    ${why}`, `    Source: ${source}`].join("\n");
}

/** A decision's value as text: lists with commas, objects as JSON. */
export function renderValue(value: unknown): string {
  if (Array.isArray(value) && value.length > 0) return value.map(renderValue).join(", ");
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** JSON for machines: sorted keys, so that the order of the arguments does not matter, and a newline at the end. */
export function renderJson(value: unknown): string {
  const sorted = (_key: string, part: unknown): unknown =>
    isPlainObject(part) ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1))) : part;
  return `${JSON.stringify(value, sorted, 2)}\n`;
}

function describeType(name: string): string {
  const type = serverTypes.find((candidate) => candidate.name === name);
  return type === undefined ? name : `${name} (${type.cores} ${type.cpuType} vCPUs, ${type.memoryGiB} GiB)`;
}

/** The node's machine: its server type, or where an existing one is. */
function describeMachine({ underlay }: ClusterPlan, { name, serverType }: NodePlan): string {
  if (underlay.kind === "hetzner") return describeType(serverType ?? "");
  const { address = "", cpus = 0, memoryGiB = 0 } = underlay.machines[name] ?? {};
  return `${address} (${cpus} vCPUs, ${memoryGiB} GiB)`;
}

/** Routes that the network between existing hosts must have. */
function routesOf({ nodes }: ClusterPlan): string[][] {
  return nodes.flatMap(({ route }) =>
    route ? [["route", `${route.destination} via ${route.gateway}, on your routers`]] : [],
  );
}

function describePrice(plan: ClusterPlan, location: string): string {
  const { eur, unknown } = monthlyPrice(plan);
  const missing = `no figure is known for ${unknown.join(", ")} in ${location}`;
  if (eur === 0) return missing;
  const sum = `EUR ${eur.toFixed(2)} a month for the servers, net, by the price list of ${priceDate}; not in it: ${notInPrice}`;
  return unknown.length === 0 ? sum : `${sum}; ${missing}`;
}

/** Rows with their columns aligned, two spaces between. */
function table(rows: string[][]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}
