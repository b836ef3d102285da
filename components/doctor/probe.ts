import type { CollectOptions } from "./collect";
import {
  valueOf,
  type Evidence,
  type HostProbe,
  type NodeEvidence,
  type NodeProbes,
  type Seen,
  type WindowReading,
} from "./evidence";
import { execInPod, type ExecResult } from "./exec";
import { explain, openKube, statusOf, type Kube } from "./kube";
import { mapLimited } from "./limit";
import { parseHostProbe, parsePodProbe, parseWindowProbe, transcript } from "./parse";
import {
  createNamespace,
  defaultProbeImage,
  newNamespaceName,
  probePodManifest,
  removeLeftovers,
  removeNamespace,
  waitForProbes,
  type ProbeRole,
  type RunningProbe,
  type StuckProbe,
} from "./probePods";
import { probeCommand, type Peer, type ProbePart } from "./probeScript";
import type { ClusterObjects } from "./readCluster";

/** Milliseconds for all pods to run; the first time a node may have to pull the image. */
const startLimit = 90_000;
/** Milliseconds for one probe's script. Each thing in it has a limit of its own; all of them together stay below. */
const scriptLimit = 45_000;
/** Each node asks all others up to this number, and in larger clusters this many next ones in order of names. */
const peerLimit = 8;

export interface ProbeOutcome {
  probes: NodeProbes[];
  egressTargets: Evidence["egressTargets"];
  /** Why the probe pods could not be removed, with what to do; undefined: they are. */
  leftBehind?: string;
}

/** Runs the probes on all Ready nodes and removes them. */
export async function probeNodes(
  kube: Kube,
  objects: ClusterObjects,
  targets: Evidence["egressTargets"],
  options: CollectOptions,
  progress: (step: string) => void,
  signal: AbortSignal,
): Promise<ProbeOutcome> {
  const nodes = objects.nodes.filter((node) => node.ready);
  if (nodes.length === 0) return { probes: [], egressTargets: targets };
  const namespace = newNamespaceName();
  const remove = () => {
    progress("removing the probe pods");
    return cleanUp(options.kubeconfig, namespace);
  };
  try {
    progress(`starting probe pods on ${nodes.length} nodes`);
    await createNamespace(kube, namespace);
    await tidyUp(kube, progress);
    const { running, stuck } = await startProbes(kube, namespace, nodes, options, signal);
    const run = new ProbeRun(kube, namespace, nodes, running, stuck, objects, options, signal);
    const [{ hosts, pods, egressTargets }, windows] = await Promise.all([
      probeBoth(run, nodes, targets, progress),
      run.windows(options.rttTargets ?? []),
    ]);
    const notAsked = { unseen: "it was not asked" };
    const probes = nodes.map((node, index) => ({
      node: node.name,
      host: hosts[index] ?? notAsked,
      pod: pods[index] ?? notAsked,
      window: windows[index] ?? notAsked,
      notStarted: stuck
        .filter((probe) => probe.node === node.name)
        .map((probe) => `${probe.role} probe: ${probe.reason}`),
    }));
    return { probes, egressTargets, leftBehind: await remove() };
  } catch (error) {
    const leftBehind = await remove();
    if (leftBehind !== undefined) progress(leftBehind);
    throw error;
  }
}

/** The nodes, then the pods: what nodes see decides what pods are asked. */
async function probeBoth(
  run: ProbeRun,
  nodes: NodeEvidence[],
  targets: Evidence["egressTargets"],
  progress: (step: string) => void,
): Promise<{ hosts: Seen<HostProbe>[]; pods: NodeProbes["pod"][]; egressTargets: Evidence["egressTargets"] }> {
  progress("probing from the nodes");
  const hosts = await run.hosts(targets.map(({ target }) => target));
  const egressTargets = [...targets, ...(targets.some(({ asked }) => asked) ? [] : resolverTargets(hosts, nodes))];
  progress("probing from the pods");
  return { hosts, pods: await run.pods(egressTargets.map(({ target }) => target)), egressTargets };
}

/**
 * Removes a run's namespace. Not on the run's own signal: an interrupted run must still clean up.
 * @returns what went wrong, in one sentence
 */
async function cleanUp(kubeconfig: string, namespace: string): Promise<string | undefined> {
  const kube = openKube(kubeconfig, new AbortController().signal);
  try {
    await removeNamespace(kube, namespace);
    return undefined;
  } catch (error) {
    return `${explain(error, "remove the probe pods", kube.server)} Remove them: kubectl delete namespace ${namespace}`;
  }
}

/** Old leftovers do no harm to this run, so a refusal is told and not fatal. */
async function tidyUp(kube: Kube, progress: (step: string) => void): Promise<void> {
  try {
    const removed = await removeLeftovers(kube, new Date());
    if (removed.length > 0) progress(`removed leftovers of runs that were killed: ${removed.join(", ")}`);
  } catch (error) {
    if (statusOf(error) === undefined) throw error;
    progress(explain(error, "remove leftovers of earlier runs", kube.server));
  }
}

async function startProbes(
  kube: Kube,
  namespace: string,
  nodes: NodeEvidence[],
  options: CollectOptions,
  signal: AbortSignal,
): Promise<{ running: RunningProbe[]; stuck: StuckProbe[] }> {
  const image = options.probeImage ?? defaultProbeImage;
  const sysctls = options.expectation?.sysctls ?? [];
  const roles: ProbeRole[] = ["host", "pod"];
  const wanted = nodes.flatMap((node, index) => roles.map((role) => ({ node: node.name, role, index })));
  const refused: StuckProbe[] = [];
  const created = await mapLimited(wanted, 16, async ({ node, role, index }) => {
    const body = probePodManifest(node, role, index, image, sysctls);
    try {
      await kube.core.createNamespacedPod({ namespace, body });
      return [{ node, role, pod: body.metadata?.name ?? "" }];
    } catch (error) {
      if (statusOf(error) === undefined) throw error;
      refused.push({ node, role, reason: explain(error, "create a probe pod", kube.server) });
      return [];
    }
  });
  const { running, stuck } = await waitForProbes(kube, namespace, created.flat(), startLimit, signal);
  return { running, stuck: [...refused, ...stuck] };
}

/** One round of exec requests. */
class ProbeRun {
  constructor(
    private readonly kube: Kube,
    private readonly namespace: string,
    private readonly nodes: NodeEvidence[],
    private readonly running: RunningProbe[],
    private readonly stuck: StuckProbe[],
    private readonly objects: ClusterObjects,
    private readonly options: CollectOptions,
    private readonly signal: AbortSignal,
  ) {}

  private hostProbes: Seen<HostProbe>[] = [];

  /** First, as the pods' probes build on it. */
  async hosts(egress: string[]): Promise<Seen<HostProbe>[]> {
    const apis = (valueOf(this.objects.apiEndpoints) ?? []).map((endpoint) => `https:${endpoint}`);
    this.hostProbes = await this.all("host", [...egress, ...apis], ({ stdout }) => parseHostProbe(stdout));
    return this.hostProbes;
  }

  /** Beside all others, as it takes the longest. */
  windows(targets: string[]): Promise<Seen<WindowReading>[]> {
    return this.all("window", targets, parseWindowProbe);
  }

  pods(egress: string[]): Promise<NodeProbes["pod"][]> {
    return this.all("pod", egress, ({ stdout }, probe) => parsePodProbe(stdout, probe.address));
  }

  private all<T>(
    part: ProbePart,
    egress: string[],
    parse: (result: ExecResult, probe: RunningProbe) => T,
  ): Promise<Seen<T>[]> {
    return mapLimited(this.nodes, 16, async (node, index): Promise<Seen<T>> => {
      const role = part === "pod" ? "pod" : "host";
      const probe = this.running.find((candidate) => candidate.node === node.name && candidate.role === role);
      if (!probe) {
        const reason = this.stuck.find((candidate) => candidate.node === node.name && candidate.role === role)?.reason;
        return { unseen: `the ${role} probe does not run there: ${reason ?? "unknown reason"}` };
      }
      return this.one(part, probe, index, egress, parse);
    });
  }

  private async one<T>(
    part: ProbePart,
    probe: RunningProbe,
    index: number,
    egress: string[],
    parse: (result: ExecResult, probe: RunningProbe) => T,
  ): Promise<Seen<T>> {
    const api = valueOf(this.objects.apiService);
    const command = probeCommand({
      role: part,
      nodeMtu: this.options.expectation?.mtu.node ?? this.believedNodeMtu(index),
      podMtu: this.options.expectation?.mtu.pod ?? 0,
      api: api && `${api.clusterIp}:${api.port}`,
      egress,
      peers: this.peersOf(index),
    });
    const where = { namespace: this.namespace, pod: probe.pod, container: "probe" };
    try {
      const result = await execInPod(this.kube, where, command, scriptLimit, this.signal);
      this.options.onTranscript?.(`${probe.node}: ${part} probe`, transcript(result.stdout) + result.stderr);
      if (result.stdout.includes(part === "window" ? '"id":"last"' : '"id":"sysctls"'))
        return { value: parse(result, probe) };
      return {
        unseen: `the ${part} probe gave no results: ${result.stderr.trim().split("\n").at(-1) || "no output"}`,
      };
    } catch (error) {
      if (this.signal.aborted) throw error;
      return { unseen: `the ${part} probe could not be run: ${(error as Error).message}` };
    }
  }

  /** What the node itself believes in, where it is the same for all others; else 0: nothing to try. */
  private believedNodeMtu(index: number): number {
    const probe = this.hostProbes[index];
    const mtus = new Set(Object.values((probe && valueOf(probe)?.routes) ?? {}).map((route) => route.mtu));
    const [mtu = 0, ...others] = mtus;
    return others.length === 0 ? mtu : 0;
  }

  private peersOf(index: number): Peer[] {
    const others = [...this.nodes.slice(index + 1), ...this.nodes.slice(0, index)].slice(0, peerLimit);
    return others.map((node) => {
      const probe = this.running.find((candidate) => candidate.node === node.name && candidate.role === "pod");
      return { node: node.name, podAddress: probe?.address, nodeAddress: node.internalIp };
    });
  }
}

/** Resolvers that nodes themselves reach and that lie outside of the cluster. */
function resolverTargets(hosts: Seen<HostProbe>[], nodes: NodeEvidence[]): Evidence["egressTargets"] {
  const seen = hosts.flatMap((host) => valueOf(host) ?? []);
  const own = new Set([...seen.flatMap((host) => host.addresses), ...nodes.flatMap((node) => node.internalIp ?? [])]);
  const addresses = seen.flatMap((host) =>
    host.resolvers.filter((address) => host.connects[`${address}:53`]?.ok === true),
  );
  const outside = [...new Set(addresses)].filter((address) => !own.has(address) && !/^(127|169\.254)\./.test(address));
  return outside.slice(0, 2).map((address) => ({ target: `${address}:53`, asked: false }));
}
