import { setTimeout as sleep } from "node:timers/promises";
import { execInPod } from "../doctor/exec";
import { CannotRun, openKube, type Kube } from "../doctor/kube";
import { defaultProbeImage } from "../doctor/probePods";
import { captureCommand, captureScript, parseCaptures, type CaptureRequest } from "./captureScript";
import { type CaptureReport, captureReport, parsePackets, type SeenPacket } from "./handshakes";
import { type DebugPod, withDebugPods } from "./debugPods";
import { podName, type PodRef, readPod } from "./pods";

export interface CaptureOptions {
  /** Text of a kubeconfig. Secret. */
  kubeconfig: string;
  /** Pod that connects. */
  from: PodRef;
  /** Pod that answers. */
  to: PodRef;
  /** TCP port of the pod that answers. */
  port: number;
  /** How many connections to make, one after the other. Default 100. */
  count?: number;
  /** Watch the pods' own connections for so many seconds instead of making any. */
  watchSeconds?: number;
  /** Image with bash, tcpdump, iproute2 and nsenter. Default: the doctor's. */
  image?: string;
  onProgress?: (step: string) => void;
  /** Ends the capture when it aborts; what was made in the cluster is removed all the same. */
  signal?: AbortSignal;
}

/** Which pods and ways a capture was of. */
export interface CaptureResult extends CaptureReport {
  from: string;
  to: string;
  /** Node and device of each end; one node when both pods are on it. */
  nodes: { node: string; device?: string }[];
}

/** One end of a capture. */
interface End {
  pod: DebugPod;
  request: Omit<CaptureRequest, "verb">;
}

/** Milliseconds: longest answer of a script verb, beside connections. */
const verbLimit = 20_000;
/** Milliseconds that one connection may take at most, see the script. */
const connectLimit = 4_000;

/**
 * Measures the time from SYN to SYN-ACK between two pods, and what part of it each node, the wire and the answering pod took.
 * Makes a namespace with a privileged pod on each of the two nodes, and removes it before it returns.
 * @throws CannotRun with one sentence: unusable kubeconfig, missing pod or rights, no handshake seen
 */
export async function capture(options: CaptureOptions): Promise<CaptureResult> {
  const signal = options.signal ?? new AbortController().signal;
  const kube = openKube(options.kubeconfig, signal);
  const [client, server] = await Promise.all([readPod(kube, options.from), readPod(kube, options.to)]);
  const nodes = [...new Set([client.node, server.node])];
  options.onProgress?.(`starting capture pods on ${nodes.join(" and ")}`);
  const pod = { image: options.image ?? defaultProbeImage, env: { CAPTURE_SCRIPT: captureScript }, privileged: true };
  return withDebugPods(options.kubeconfig, nodes, pod, signal, (pods) => {
    const on = (node: string): DebugPod => pods.find((candidate) => candidate.node === node) as DebugPod;
    const way = nodes.length > 1 ? "across" : "within";
    const common = { port: options.port, count: options.count ?? 100, way } as const;
    return measure(kube, options, signal, {
      client: { pod: on(client.node), request: { ...common, uid: client.uid, peer: server.address } },
      server: { pod: on(server.node), request: { ...common, uid: server.uid, peer: client.address } },
    });
  });
}

async function measure(
  kube: Kube,
  options: CaptureOptions,
  signal: AbortSignal,
  { client, server }: { client: End; server: End },
): Promise<CaptureResult> {
  const both = (verb: "begin" | "end") =>
    Promise.all([run(kube, client, verb, signal), run(kube, server, verb, signal)]);
  const devices = await both("begin");
  if (options.watchSeconds === undefined) {
    options.onProgress?.(`making ${client.request.count} connections`);
    await run(kube, client, "connect", signal, verbLimit + client.request.count * connectLimit);
  } else {
    options.onProgress?.(`watching for ${options.watchSeconds} s`);
    await sleep(options.watchSeconds * 1000, undefined, { signal });
  }
  const [atClient, atServer] = (await both("end")).map((text) => {
    const { pod, node } = parseCaptures(text);
    return { pod: parsePackets(pod, options.port), node: parsePackets(node, options.port) };
  }) as [Captured, Captured];
  const report = captureReport({
    clientPod: atClient.pod,
    clientNode: atClient.node,
    serverNode: atServer.node,
    serverPod: atServer.pod,
  });
  if (!report) throw new CannotRun(nothingSeen(options, atClient, atServer));
  const ends = [client, server].map(({ pod }, index) => ({
    node: pod.node,
    device: devices[index]?.trim() || undefined,
  }));
  return {
    from: podName(options.from),
    to: `${podName(options.to)}:${options.port}`,
    nodes: client.request.way === "across" ? ends : ends.slice(0, 1),
    ...report,
  };
}

interface Captured {
  pod: SeenPacket[];
  node: SeenPacket[];
}

/** @throws CannotRun with what the script said, when it failed */
async function run(
  kube: Kube,
  { pod, request }: End,
  verb: CaptureRequest["verb"],
  signal: AbortSignal,
  limit = verbLimit,
): Promise<string> {
  const result = await execInPod(kube, pod, captureCommand({ ...request, verb }), limit, signal);
  if (result.succeeded) return result.stdout;
  const why = result.stderr.trim().split("\n").at(-1) || "no output";
  throw new CannotRun(`The capture on node ${pod.node} failed at its step "${verb}": ${why}.`);
}

/** Why there is nothing to report: the point up to which packets came names the culprit. */
function nothingSeen({ from, to, port, watchSeconds }: CaptureOptions, client: Captured, server: Captured): string {
  const target = `${podName(to)}:${port}`;
  if (client.pod.length === 0) {
    const advice =
      watchSeconds === undefined ? "Is bash there allowed to connect?" : "Watch longer, or leave --watch away.";
    return `${podName(from)} sent no SYN to ${target}. ${advice}`;
  }
  if (client.pod.some(({ kind }) => kind === "syn-ack")) {
    return `${target} answered, but its handshakes were not seen at every point: packets take another way than the nodes' routes say.`;
  }
  if (server.pod.length > 0) return `${target} got SYNs and did not accept them: does a program listen on that port?`;
  if (server.node.length > 0)
    return `SYNs reached the node of ${podName(to)} and not the pod: look at network policies.`;
  if (client.node.length > 0)
    return `SYNs left the node of ${podName(from)} and never reached the node of ${podName(to)}: look at routes.`;
  return `${podName(from)} sent SYNs to ${target} that no other point saw: a network policy, or nothing listens there.`;
}
