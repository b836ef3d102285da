import { cannot, CannotRun, statusOf, type Kube } from "../doctor/kube";

/** A pod by its namespace and name. */
export interface PodRef {
  namespace: string;
  name: string;
}

/** What is needed of a pod to look into it. */
export interface FoundPod {
  uid: string;
  node: string;
  address: string;
  /** Names of its containers, in their order. */
  containers: string[];
}

/** `namespace/name`. */
export function podName({ namespace, name }: PodRef): string {
  return `${namespace}/${name}`;
}

/**
 * Reads `NAME` or `NAMESPACE/NAME`.
 * @param namespace where none is given
 * @returns undefined when the text is neither
 */
export function parsePodRef(text: string, namespace = "default"): PodRef | undefined {
  const match = /^(?:([a-z0-9-]+)\/)?([a-z0-9.-]+)$/.exec(text);
  return match ? { namespace: match[1] ?? namespace, name: match[2] ?? "" } : undefined;
}

/**
 * Looks a running pod of the pod network up.
 * @throws CannotRun when there is none, it does not run, or it has its node's own network
 */
export async function readPod(kube: Kube, ref: PodRef): Promise<FoundPod> {
  const pod = await kube.core.readNamespacedPod(ref).catch((error: unknown) => {
    if (statusOf(error) === 404) throw new CannotRun(`There is no pod ${podName(ref)}.`);
    throw cannot(`read the pod ${podName(ref)}`, error, kube.server);
  });
  const { spec, status, metadata } = pod;
  if (status?.phase !== "Running" || !status.podIP || !spec?.nodeName) {
    throw new CannotRun(`The pod ${podName(ref)} does not run: it is ${status?.phase ?? "unknown"}.`);
  }
  if (spec.hostNetwork === true) {
    throw new CannotRun(`The pod ${podName(ref)} has its node's own network; give a pod with an address of its own.`);
  }
  return {
    uid: metadata?.uid ?? "",
    node: spec.nodeName,
    address: status.podIP,
    containers: spec.containers.map(({ name }) => name),
  };
}
