import { execInPod } from "../doctor/exec";
import { CannotRun, openKube } from "../doctor/kube";
import { judgeSteal, type Steal, stealBetween, stealLimits } from "../doctor/checks/steal";
import { defaultProbeImage } from "../doctor/probePods";
import { nearestRank } from "../doctor/percentiles";
import { isFirstPidNamespace } from "../doctor/parse";
import { parseTicks } from "../doctor/parseMachine";
import { readCluster } from "../doctor/readCluster";
import type { Expectation } from "../doctor/types";
import { type DebugPod, withDebugPods } from "./debugPods";

/**
 * What runs on each node: a look at /proc/stat each second and, when asked for, a loop on every CPU meanwhile, since steal shows only on
 * CPUs that want to run. The loops have the lowest priority.
 */
export const stealScript = String.raw`
seconds=$1 load=$2
readlink /proc/self/ns/pid
if [ "$load" = load ]; then
  for i in $(seq 1 "$(nproc)"); do nice -n 19 timeout "$seconds" bash -c 'while :; do :; done' & done
fi
for i in $(seq 0 "$seconds"); do
  head -n 1 /proc/stat
  if [ "$i" -lt "$seconds" ]; then sleep 1; fi
done
wait
`;

/** `stolen`: more than the limit. `idle`: too little ran to say anything. `container`: the figures are its host's. */
export type StealVerdict = "ok" | "stolen" | "idle" | "container";

/** Steal of one node over a measurement. */
export interface NodeSteal {
  node: string;
  verdict: StealVerdict;
  /** The whole time, percent of the CPU time that was wanted. */
  percent: number;
  /** Single seconds, percent. */
  p95: number;
  worst: number;
  /** What its kind of CPU allows, percent. */
  limit: number;
  /** How busy its CPUs were, percent. */
  load: number;
}

export interface StealOptions {
  /** Text of a kubeconfig. Secret. */
  kubeconfig: string;
  /** Tells which nodes have dedicated CPUs; without it shared ones are assumed. */
  expectation?: Expectation;
  /** How long to measure. Default 30. */
  seconds?: number;
  /** Whether to keep all CPUs busy meanwhile, at the lowest priority. Default true. */
  load?: boolean;
  /** Image with bash and coreutils. Default: the doctor's. */
  image?: string;
  onProgress?: (step: string) => void;
  /** Ends the measurement when it aborts; what was made in the cluster is removed all the same. */
  signal?: AbortSignal;
}

/**
 * Measures on all Ready nodes at the same time how much CPU time their hosts gave to others.
 * @returns the worst node first
 * @throws CannotRun with one sentence: unusable kubeconfig, missing rights, a node that gave no figures
 */
export async function measureSteal(options: StealOptions): Promise<NodeSteal[]> {
  const { kubeconfig, expectation, seconds = 30, load = true, image = defaultProbeImage } = options;
  const signal = options.signal ?? new AbortController().signal;
  const kube = openKube(kubeconfig, signal);
  const { nodes } = await readCluster(kube);
  const names = nodes.filter(({ ready }) => ready).map(({ name }) => name);
  if (names.length === 0) throw new CannotRun("No node of the cluster is Ready.");
  options.onProgress?.(`starting a pod on each of ${names.length} nodes`);
  const spec = { image, env: { STEAL_SCRIPT: stealScript }, privileged: false };
  return withDebugPods(kubeconfig, names, spec, signal, async (pods) => {
    options.onProgress?.(`measuring for ${seconds} s${load ? ", all CPUs busy" : ""}`);
    const command = ["bash", "-c", 'eval "$STEAL_SCRIPT"', "steal", String(seconds), load ? "load" : "watch"];
    const one = async (pod: DebugPod): Promise<NodeSteal> => {
      const result = await execInPod(kube, pod, command, (seconds + 30) * 1000, signal);
      const dedicated = expectation?.nodes.find(({ name }) => name === pod.node)?.cpu.dedicated === true;
      const found = readSteal(pod.node, result.stdout, stealLimits[dedicated ? "dedicated" : "shared"]);
      if (!found) throw new CannotRun(`The node ${pod.node} gave no figures: ${result.stderr.trim() || "no output"}.`);
      return found;
    };
    const measured = await Promise.all(pods.map(one));
    return measured.sort((a, b) => b.percent - a.percent || a.node.localeCompare(b.node));
  });
}

/**
 * Reads and judges what the script printed.
 * @param limit percent
 * @returns undefined with fewer than two samples
 */
export function readSteal(node: string, text: string, limit: number): NodeSteal | undefined {
  const [namespace = "", ...lines] = text.trim().split("\n");
  const samples = lines.flatMap((line) => parseTicks(line) ?? []);
  const [first, last] = [samples[0], samples.at(-1)];
  if (!first || !last || samples.length < 2) return undefined;
  const seconds = samples.slice(1).map((sample, index): Steal => stealBetween(samples[index] ?? first, sample));
  const shares = seconds.map(({ percent }) => percent);
  const whole = stealBetween(first, last);
  const judged = judgeSteal(whole, limit);
  const verdict = isFirstPidNamespace(namespace) ? (judged === "failed" ? "stolen" : judged) : "container";
  const [p95, worst] = [nearestRank(shares, 0.95), nearestRank(shares, 1)];
  return { node, verdict, percent: whole.percent, p95, worst, limit, load: whole.load };
}
