import { lookup } from "node:dns/promises";
import { readCloudRoutes, type CloudAccess } from "./cloud";
import { askAgents } from "./agents";
import type { Evidence, KubeletReading, NodeEvidence, Seen } from "./evidence";
import { cannot, CannotRun, explain, openKube, statusOf, type Kube } from "./kube";
import { mapLimited } from "./limit";
import { parseCertificates } from "./parseControlPlane";
import { parseKubelet } from "./parseMachine";
import { tryNodePorts } from "./nodePorts";
import { probeNodes } from "./probe";
import { readCluster, type ClusterObjects } from "./readCluster";
import type { Expectation } from "./types";

export interface CollectOptions {
  /** Text of a kubeconfig. Secret. */
  kubeconfig: string;
  /** Decides which kernel settings are read and which packet sizes are tried. */
  expectation?: Expectation;
  /** Access to the cloud's API, for the network's routes. */
  hcloud?: CloudAccess;
  /** Default: `defaultProbeImage`. */
  probeImage?: string;
  /** `host:port` outside of the cluster. Default: a node's own resolver, or the API's public address. */
  egressTarget?: string;
  /** Each `host:port` to which nodes measure round trips: where users are. */
  rttTargets?: string[];
  /** Called with a short text at each step. */
  onProgress?: (step: string) => void;
  /** Called with the raw output of everything that was run in a pod, to see what the findings rest on. */
  onTranscript?: (title: string, text: string) => void;
  /** Ends the collection when it aborts; what was made in the cluster is removed all the same. */
  signal?: AbortSignal;
}

/**
 * Looks at a live cluster. Makes a namespace with two pods on each Ready node and removes it before it returns,
 * also when it fails or is interrupted. About 20 s with the image on the nodes.
 * @throws CannotRun with one sentence: unusable kubeconfig, unreachable cluster, missing rights
 */
export async function collectEvidence(options: CollectOptions): Promise<Evidence> {
  const progress = options.onProgress ?? (() => undefined);
  const signal = options.signal ?? new AbortController().signal;
  const kube = openKube(options.kubeconfig, signal);
  try {
    progress("reading the cluster's objects");
    const objects = await readCluster(kube);
    const egressTargets = await chooseEgressTargets(options, kube, objects);
    const [probes, agents, kubelets, cloud] = await Promise.all([
      probeNodes(kube, objects, egressTargets, options, progress, signal),
      askAgents(kube, objects.agents, options, signal),
      askKubelets(kube, objects.nodes),
      askCloud(options, signal),
    ]);
    return {
      contextCluster: kube.contextCluster,
      server: kube.server,
      takenAt: Date.now(),
      ownCertificates: ownCertificates(kube),
      nodes: objects.nodes,
      kubeProxy: objects.kubeProxy,
      apiService: objects.apiService,
      apiEndpoints: objects.apiEndpoints,
      nodePorts: await tryNodePorts(objects, probes.probes),
      agents,
      kubelets,
      ...probes,
      cloud,
    };
  } catch (error) {
    if (signal.aborted || error instanceof CannotRun) throw error;
    // Everything that is not about the API itself is a fault of this program and keeps its stack.
    if (statusOf(error) === undefined && !isConnectionError(error)) throw error;
    throw cannot("work with the probe pods", error, kube.server);
  }
}

/** A kubeconfig that names a file has been read as text, from nobody knows where: then its certificate is not looked at. */
function ownCertificates(kube: Kube): Evidence["ownCertificates"] {
  const data = kube.config.getCurrentUser()?.certData ?? "";
  return parseCertificates("this kubeconfig", Buffer.from(data, "base64").toString("latin1"));
}

function isConnectionError(error: unknown): boolean {
  const { name, code } = error as { name?: string; code?: string };
  return name === "AbortError" || name === "TimeoutError" || name === "FetchError" || /^E[A-Z]+$/.test(code ?? "");
}

/** The caller's target, or else the API's own address where it can stand for the outside. Nodes add their resolvers. */
async function chooseEgressTargets(
  options: CollectOptions,
  kube: Kube,
  objects: ClusterObjects,
): Promise<Evidence["egressTargets"]> {
  if (options.egressTarget !== undefined) return [{ target: options.egressTarget, asked: true }];
  const url = new URL(kube.server);
  const address = await addressOf(url.hostname);
  const inside = objects.nodes.some((node) => node.internalIp === address || node.externalIps.includes(address ?? ""));
  if (address === undefined || inside || /^(127|169\.254|0)\./.test(address)) return [];
  return [{ target: `${address}:${url.port || "443"}`, asked: false }];
}

async function addressOf(host: string): Promise<string | undefined> {
  try {
    return (await lookup(host, { family: 4 })).address;
  } catch {
    // A name that only the API client can resolve, e.g. through a proxy: then it is no target.
    return undefined;
  }
}

/** A kubelet tells its settings through the API. */
async function askKubelets(kube: Kube, nodes: NodeEvidence[]): Promise<Evidence["kubelets"]> {
  const asked = await mapLimited(nodes, 16, async ({ name, ready }): Promise<[string, Seen<KubeletReading>]> => {
    if (!ready) return [name, { unseen: "The node is not Ready." }];
    try {
      const answer = await kube.core.connectGetNodeProxyWithPath({ name, path: "configz" });
      return [name, { value: parseKubelet(answer) }];
    } catch (error) {
      if (error instanceof SyntaxError) return [name, { unseen: "Its answer at /configz is no JSON." }];
      if (statusOf(error) === undefined) throw error;
      return [name, { unseen: explain(error, "read a kubelet's settings", kube.server) }];
    }
  });
  return Object.fromEntries(asked);
}

async function askCloud(options: CollectOptions, signal: AbortSignal): Promise<Evidence["cloud"]> {
  if (!options.hcloud) return { unseen: "No cloud token was given: set HCLOUD_TOKEN to compare the network's routes." };
  return readCloudRoutes(options.hcloud, signal);
}
