import { setTimeout as sleep } from "node:timers/promises";
import type { Call } from "../core/provider";
import type { Bag } from "../core/values";
import type { KubeApiClient, KubeObject, Target } from "./api";
import { annotation, annotations, waitsOf } from "./objectState";

/** What an object still lacks; empty: it is ready. */
type Readiness = (live: KubeObject, api: KubeApiClient, signal: AbortSignal) => Promise<string[]>;

const lookMs = 500;

/** Seconds until an object counts as stuck, where the program names no time. */
const defaultSeconds = 600;

/** The object did not become what was waited for. */
export class NotReady extends Error {
  constructor(
    message: string,
    readonly live: KubeObject,
  ) {
    super(message);
  }
}

/**
 * Waits until an object is what the program or its kind calls ready.
 * @returns the object as it is then
 * @throws NotReady when the time is over, with what is missing; the signal's reason when the engine cancels
 */
export async function untilReady(
  api: KubeApiClient,
  target: Target,
  applied: KubeObject,
  inputs: Bag,
  call: Call,
): Promise<KubeObject> {
  const readiness = readinessOf(inputs, applied);
  if (readiness === undefined) return applied;
  const limit = timeLimit(inputs, call.signal);
  let live = applied;
  let missing: string[] = [];
  try {
    for (;;) {
      live = (await api.get(target, limit)) ?? live;
      missing = await readiness(live, api, limit);
      if (missing.length === 0) return live;
      call.log.status(missing[0] ?? "");
      await sleep(lookMs, undefined, { signal: limit });
    }
  } catch (error) {
    if (!limit.aborted) throw error;
    throw new NotReady([`'${target.name}' timed out waiting to be Ready`, ...missing].join("\n    - "), live);
  }
}

/** Waits until an object is gone. @throws when the time is over, naming what holds it */
export async function untilGone(api: KubeApiClient, target: Target, inputs: Bag, call: Call): Promise<void> {
  const limit = timeLimit(inputs, call.signal);
  let finalizers = "";
  try {
    for (;;) {
      const live = await api.get(target, limit);
      if (live === undefined) return;
      finalizers = ((live.metadata.finalizers ?? []) as string[]).join(", ");
      await sleep(lookMs, undefined, { signal: limit });
    }
  } catch (error) {
    if (!limit.aborted) throw error;
    const why = finalizers === "" ? "" : `; finalizers might be preventing deletion (${finalizers})`;
    throw new Error(`'${target.name}' timed out waiting to be deleted${why}`, { cause: error });
  }
}

/** The engine's own limit for the resource, or else that of the annotation, or ten minutes. */
function timeLimit(inputs: Bag, signal: AbortSignal): AbortSignal {
  const asked = Number(annotation(inputs, annotations.timeoutSeconds));
  const seconds = Number.isInteger(asked) && asked > 0 ? asked : defaultSeconds;
  return AbortSignal.any([signal, AbortSignal.timeout(seconds * 1000)]);
}

function readinessOf(inputs: Bag, { apiVersion, kind }: KubeObject): Readiness | undefined {
  if (annotation(inputs, annotations.skipAwait) === "true") return undefined;
  const waits = waitsOf(inputs);
  // What the program names takes the place of the kind's own sense of ready.
  if (waits !== undefined) return async (live) => waits.flatMap((wait) => lacking(live, wait));
  const own: { [kind: string]: Readiness | undefined } = {
    "apps/v1/Deployment": rolledOut,
    "v1/Service": reachesPods,
  };
  return own[`${apiVersion}/${kind}`];
}

interface Condition {
  type: string;
  status: string;
  reason?: string;
  message?: string;
}

function conditionsOf(live: KubeObject): Condition[] {
  return (live.status?.conditions ?? []) as unknown as Condition[];
}

/** @param wait `condition=TYPE`, or `condition=TYPE=STATUS` */
function lacking(live: KubeObject, wait: string): string[] {
  const [, type = "", status = "True"] = wait.split("=");
  const found = conditionsOf(live).find((condition) => condition.type === type);
  if (found?.status === status) return [];
  if (found === undefined) return [`Waiting for condition "${type}"`];
  return [`Waiting for condition "${type}" to be "${status}", it is "${found.status}": ${found.message ?? ""}`];
}

/** A Deployment whose pods are all of its newest template, ready and available. */
const rolledOut: Readiness = async (live, api, signal) => {
  const wanted = Number(live.spec?.replicas ?? 1);
  const count = (key: string): number => Number(live.status?.[key] ?? 0);
  const [updated, ready] = [count("updatedReplicas"), count("readyReplicas")];
  const conditions = conditionsOf(live);
  const holds = (type: string): Condition | undefined => conditions.find((condition) => condition.type === type);
  const [available, progressing] = [holds("Available"), holds("Progressing")];
  const settled = count("observedGeneration") >= (live.metadata.generation ?? 1) && Math.min(updated, ready) >= wanted;
  const complete = progressing?.status === "True" && progressing.reason === "NewReplicaSetAvailable";
  if (settled && complete && available?.status === "True") return [];
  const told = [available, progressing].flatMap((condition) =>
    condition && condition.status !== "True" ? [`[${condition.reason ?? ""}] ${condition.message ?? ""}`] : [],
  );
  const first = `Waiting for app ReplicaSet to be available (${Math.min(updated, ready)}/${wanted} Pods available)`;
  return [first, ...told, ...(await podTroubles(live, api, signal))];
};

interface PodStatus {
  containerStatuses?: { name: string; state?: { waiting?: { reason?: string; message?: string } } }[];
  conditions?: Condition[];
}

/** Why pods of a workload do not run, in the words of the kubelet and the scheduler. */
async function podTroubles(live: KubeObject, api: KubeApiClient, signal: AbortSignal): Promise<string[]> {
  const labels = ((live.spec?.selector ?? {}) as { matchLabels?: { [label: string]: string } }).matchLabels ?? {};
  const selector = Object.entries(labels).map(([key, value]) => `${key}=${value}`);
  const query = new URLSearchParams({ labelSelector: selector.join(",") });
  const { items } = await api.list(`/api/v1/namespaces/${live.metadata.namespace}/pods?${query.toString()}`, signal);
  return items.flatMap(({ metadata, status }) => {
    const { containerStatuses = [], conditions = [] } = (status ?? {}) as PodStatus;
    const waiting = containerStatuses.flatMap(({ name, state }) =>
      state?.waiting ? [`container "${name}": [${state.waiting.reason}] ${state.waiting.message ?? ""}`] : [],
    );
    const unplaced = conditions.filter(({ type, status: holds }) => type === "PodScheduled" && holds !== "True");
    const reasons = [...waiting, ...unplaced.map(({ reason, message }) => `[${reason}] ${message}`)];
    return reasons.map((reason) => `[Pod ${metadata.name}]: ${reason}`);
  });
}

/** A Service that leads to at least one ready pod; one that a load balancer serves has its address too. */
const reachesPods: Readiness = async (live, api, signal) => {
  const { type, clusterIP, selector } = live.spec ?? {};
  const alone = type === "ExternalName" || clusterIP === "None" || Object.keys(selector ?? {}).length === 0;
  const missing: string[] = [];
  if (!alone) {
    const { namespace, name } = live.metadata;
    const query = new URLSearchParams({ labelSelector: `kubernetes.io/service-name=${name}` });
    const path = `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices?${query.toString()}`;
    interface Slice {
      endpoints?: { conditions?: { ready?: boolean } }[] | null;
    }
    const slices = (await api.list(path, signal)).items as unknown as Slice[];
    const ready = slices.some(({ endpoints }) => endpoints?.some(({ conditions }) => conditions?.ready !== false));
    if (!ready) {
      missing.push(
        "Service does not target any Pods. Selected Pods may not be ready, or field '.spec.selector' may not match labels on any Pods",
      );
    }
  }
  const { ingress = [] } = (live.status?.loadBalancer ?? {}) as { ingress?: unknown[] };
  if (type === "LoadBalancer" && ingress.length === 0) {
    missing.push("Service was not allocated an IP address; does your cloud provider support this?");
  }
  return missing;
};
