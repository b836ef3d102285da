import type { V1Pod } from "@kubernetes/client-node";
import { randomBytes } from "node:crypto";
import { cannot, CannotRun, explain, openKube, type Kube } from "../doctor/kube";
import { mapLimited } from "../doctor/limit";
import { createNamespace, removeNamespace, waitForProbes } from "../doctor/probePods";

/** A pod on a node, as exec requests name it. */
export interface DebugPod {
  node: string;
  namespace: string;
  pod: string;
  container: string;
}

/** What runs in the pods. */
export interface DebugPodSpec {
  image: string;
  env: Record<string, string>;
  /** Whether they enter other pods' namespaces, which nothing less allows. */
  privileged: boolean;
}

/** Seconds after which a debug pod ends by itself, whatever becomes of its maker. */
const lifetime = 900;
/** Milliseconds for all pods to run; the first time a node may have to pull the image. */
const startLimit = 90_000;

/**
 * Has a pod on each node while some work is done. Its namespace is removed afterwards, whatever happened; the doctor removes
 * what a killed run left.
 * @throws CannotRun when a pod cannot be made or does not run
 */
export async function withDebugPods<T>(
  kubeconfig: string,
  nodes: string[],
  spec: DebugPodSpec,
  signal: AbortSignal,
  work: (pods: DebugPod[]) => Promise<T>,
): Promise<T> {
  const kube = openKube(kubeconfig, signal);
  const namespace = `zerosteal-debug-${randomBytes(4).toString("hex")}`;
  try {
    await createNamespace(kube, namespace);
    return await work(await start(kube, namespace, nodes, spec, signal));
  } finally {
    await remove(kubeconfig, namespace);
  }
}

async function start(
  kube: Kube,
  namespace: string,
  nodes: string[],
  spec: DebugPodSpec,
  signal: AbortSignal,
): Promise<DebugPod[]> {
  const wanted = nodes.map((node, index) => ({ node, role: "host" as const, pod: `debug-${index}` }));
  await mapLimited(wanted, 16, ({ node, pod }) =>
    kube.core.createNamespacedPod({ namespace, body: debugPodManifest(node, pod, spec) }).catch((error: unknown) => {
      throw cannot("create a debug pod", error, kube.server);
    }),
  );
  const { stuck } = await waitForProbes(kube, namespace, wanted, startLimit, signal);
  const [first] = stuck;
  if (first) throw new CannotRun(`The debug pod on node ${first.node} does not run: ${first.reason}.`);
  return wanted.map(({ node, pod }) => ({ node, namespace, pod, container: "debug" }));
}

/**
 * With the node's processes in sight; privileged only where it enters another pod's network namespace. It gets no token of the cluster
 * and mounts nothing of the node.
 */
export function debugPodManifest(node: string, name: string, { image, env, privileged }: DebugPodSpec): V1Pod {
  return {
    metadata: { name },
    spec: {
      nodeName: node,
      hostNetwork: true,
      hostPID: true,
      serviceAccountName: "probe",
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      restartPolicy: "Never",
      terminationGracePeriodSeconds: 0,
      activeDeadlineSeconds: lifetime,
      tolerations: [{ operator: "Exists" }],
      containers: [
        {
          name: "debug",
          image,
          imagePullPolicy: "IfNotPresent",
          command: ["sleep", String(lifetime)],
          env: Object.entries(env).map(([key, value]) => ({ name: key, value })),
          securityContext: { runAsUser: 0, privileged },
        },
      ],
    },
  };
}

/** Not on the run's own signal: an interrupted run must still clean up. */
async function remove(kubeconfig: string, namespace: string): Promise<void> {
  const kube = openKube(kubeconfig, new AbortController().signal);
  try {
    await removeNamespace(kube, namespace);
  } catch (error) {
    const why = explain(error, "remove the debug pods", kube.server);
    throw new CannotRun(`${why} Remove them: kubectl delete namespace ${namespace}`);
  }
}
