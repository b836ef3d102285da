import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { describeEngine, type Engine, pulumi } from "../../../cli/engine";
import { type StackOutputs, stackOutputs } from "../../../cli/check";
import type { ClusterPlan } from "../../../components/plan";
import { findInstance, type Instance } from "../../../sandbox/instance";
import { processesIn } from "../../../sandbox/machines/cgroups";
import { run } from "../../../sandbox/run";
import { ensure, type ToolFile } from "../../../toolchain/ensure";
import { toolNames } from "../../../toolchain/manifest";
import { cloud, type ServerView } from "./cloud";
import { instanceName } from "./cli";

/** A node with what is known of it on both sides: in the plan and in the cloud. */
export interface LiveNode {
  name: string;
  role: "control-plane" | "worker";
  serverId: number;
  publicAddress: string;
  privateAddress: string;
  podCidr: string;
}

/** The cluster that the suites share, as it stands now. */
export interface Cluster {
  instance: Instance;
  engine: Engine;
  tools: Record<string, ToolFile>;
  plan: ClusterPlan;
  outputs: StackOutputs;
  /** Text of the operator's kubeconfig. */
  kubeconfig: string;
  /** Control plane first. */
  nodes: LiveNode[];
}

/** The sandbox of the tests. @throws when it does not exist */
export async function openInstance(name = instanceName): Promise<Instance> {
  const instance = await findInstance(name);
  assert.ok(instance, `the sandbox "${name}" does not stand: suite "up" makes it`);
  return instance;
}

/** The engine as the command line uses it. */
export async function openEngine(name = instanceName): Promise<{ engine: Engine; tools: Record<string, ToolFile> }> {
  const tools = await ensure(toolNames("engine", "node", "image"));
  const paths = Object.fromEntries(Object.entries(tools).map(([name, tool]) => [name, tool.path]));
  return { engine: await describeEngine(await openInstance(name), paths), tools };
}

/** Looks at the cluster as it stands. @throws when suite "up" made none */
export async function openCluster(name = instanceName): Promise<Cluster> {
  const { engine, tools } = await openEngine(name);
  const outputs = await stackOutputs(engine);
  const { plan, kubeconfig } = outputs;
  assert.ok(plan && kubeconfig, "the cluster does not stand: suite `up` makes it");
  const { servers } = await cloud<{ servers: ServerView[] }>(engine, "GET", "/servers?per_page=50");
  const nodes = plan.nodes.map((node): LiveNode => {
    const server = servers.find((candidate) => candidate.name === node.name);
    assert.ok(server, `the cloud has no server ${node.name}`);
    const { name, role, privateAddress, podCidr } = node;
    return { name, role, privateAddress, podCidr, serverId: server.id, publicAddress: server.public_net.ipv4.ip };
  });
  return { instance: engine.instance, engine, tools, plan, outputs, kubeconfig, nodes };
}

/** The cluster's control plane. */
export function controlPlane(cluster: Cluster): LiveNode {
  return nodeOf(cluster, (node) => node.role === "control-plane");
}

/** The n-th worker, from 0. */
export function worker(cluster: Cluster, index: number): LiveNode {
  const node = cluster.nodes.filter((candidate) => candidate.role === "worker")[index];
  assert.ok(node, `the cluster has no worker ${index}`);
  return node;
}

function nodeOf(cluster: Cluster, test: (node: LiveNode) => boolean): LiveNode {
  const node = cluster.nodes.find(test);
  assert.ok(node);
  return node;
}

/** Runs kubectl as the operator. */
export function kubectl(cluster: Cluster, args: string[], stdin = ""): Promise<string> {
  const kubeconfig = path.join(cluster.instance.stateDir, "kubeconfig");
  const program = cluster.tools.kubectl?.path ?? "kubectl";
  return run(program, ["--kubeconfig", kubeconfig, "--request-timeout=60s", ...args], stdin);
}

/** Reads an object or a list as JSON. */
export async function kubeGet<T>(cluster: Cluster, ...args: string[]): Promise<T> {
  return JSON.parse(await kubectl(cluster, ["get", ...args, "-o", "json"])) as T;
}

/** Runs bash as root on a node, in all its namespaces but outside of its Kubernetes. */
export async function onNode(cluster: Cluster, node: LiveNode, script: string): Promise<string> {
  const pid = await initOf(cluster.instance, node.serverId);
  return run("nsenter", ["--target", String(pid), "--all", "bash", "-euo", "pipefail", "-c", script]);
}

/** A machine's first process as the host counts it. */
async function initOf(instance: Instance, serverId: number): Promise<number> {
  for (const pid of await processesIn(`${instance.prefix}/s${serverId}`)) {
    const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
    if (/^NSpid:\s+\d+\s+1$/m.test(status)) return pid;
  }
  throw new Error(`machine ${serverId} does not run`);
}

/** Runs a program of the host inside one of the sandbox's network namespaces, e.g. the router of the private network. */
export function inNamespace(namespace: string, args: string[], stdin = ""): Promise<string> {
  return run("ip", ["netns", "exec", namespace, ...args], stdin);
}

/** Name of the namespace that is the router of the cluster's private network. */
export async function routerNamespace(cluster: Cluster): Promise<string> {
  const { networks } = await cloud<{ networks: { id: number; name: string }[] }>(cluster.engine, "GET", "/networks");
  const network = networks.find((candidate) => candidate.name === cluster.plan.name);
  assert.ok(network, `the cloud has no network ${cluster.plan.name}`);
  return `${cluster.instance.prefix}-n${network.id}`;
}

/** Takes the cloud's firewall away from a node, or puts it before it again. */
export async function changeFirewall(
  { engine, plan }: Cluster,
  { serverId }: LiveNode,
  change: "apply_to" | "remove_from",
): Promise<void> {
  const { firewalls } = await cloud<{ firewalls: { id: number }[] }>(engine, "GET", `/firewalls?name=${plan.name}`);
  const action = { apply_to: "apply_to_resources", remove_from: "remove_from_resources" }[change];
  const body = { [change]: [{ type: "server", server: { id: serverId } }] };
  await cloud(engine, "POST", `/firewalls/${firewalls[0]?.id}/actions/${action}`, body);
}

/** One resource of the engine's state. */
export interface StateResource {
  urn: string;
  type: string;
  id?: string;
  inputs?: Record<string, unknown>;
  outputs?: Record<string, unknown>;
}

/** The state as the engine keeps it, secrets encrypted. */
export async function exportState(engine: Engine): Promise<{ text: string; resources: StateResource[] }> {
  const text = await pulumi(engine, ["stack", "export"]);
  const { deployment } = JSON.parse(text) as { deployment: { resources?: StateResource[] } };
  return { text, resources: deployment.resources ?? [] };
}
