import type { V1Node, V1NodeCondition } from "@kubernetes/client-node";
import type { Evidence, NodeEvidence, Seen } from "./evidence";
import { taintText } from "./expectation";
import { cannot, explain, statusOf, type Kube } from "./kube";

/** What the API server knows by itself, without looking into nodes and pods. */
export interface ClusterObjects {
  nodes: NodeEvidence[];
  kubeProxy: Evidence["kubeProxy"];
  apiService: Evidence["apiService"];
  /** Agents of Cilium's DaemonSet. */
  agents: Seen<{ node: string; pod: string; namespace: string; ready: boolean }[]>;
}

/**
 * Reads API objects, all at the same time.
 * @throws CannotRun when the cluster cannot be reached, or does not let the caller list its nodes
 */
export async function readCluster(kube: Kube): Promise<ClusterObjects> {
  const nodes = await readNodes(kube);
  const [kubeProxy, apiService, agents] = await Promise.all([
    look(kube, "read kube-proxy's objects", () => readKubeProxy(kube)),
    look(kube, "read the Service default/kubernetes", () => readApiService(kube)),
    look(kube, "list Cilium's pods", () => readAgents(kube)),
  ]);
  return { nodes, kubeProxy, apiService, agents };
}

async function readNodes(kube: Kube): Promise<NodeEvidence[]> {
  try {
    const list = await kube.core.listNode();
    return list.items.map(nodeEvidence).sort((a, b) => a.name.localeCompare(b.name));
  } catch (error) {
    throw cannot("list nodes", error, kube.server);
  }
}

/** A refusal leaves one thing unseen; anything else, such as a lost connection, ends the run. */
async function look<T>(kube: Kube, action: string, read: () => Promise<T>): Promise<Seen<T>> {
  try {
    return { value: await read() };
  } catch (error) {
    if (statusOf(error) === undefined) throw cannot(action, error, kube.server);
    return { unseen: explain(error, action, kube.server) };
  }
}

/** Milliseconds after which a kubelet that was declared silent, itself some 40 s after its last word, is not expected back by itself. */
const lostAfter = 60_000;

/** A Node object as evidence. */
export function nodeEvidence(node: V1Node): NodeEvidence {
  const { conditions = [], addresses = [], nodeInfo } = node.status ?? {};
  const ready = conditions.find((condition) => condition.type === "Ready");
  const addressesOf = (type: string) => addresses.filter((one) => one.type === type).map(({ address }) => address);
  return {
    name: node.metadata?.name ?? "",
    ready: ready?.status === "True",
    readyMessage: ready?.message ?? "no Ready condition",
    lost: ready !== undefined && isLost(ready),
    networkUnavailable: conditions.some(({ type, status }) => type === "NetworkUnavailable" && status === "True"),
    taints: (node.spec?.taints ?? []).map(taintText).sort(),
    podCidr: node.spec?.podCIDR,
    internalIp: addressesOf("InternalIP").find(isIpv4),
    externalIps: addressesOf("ExternalIP"),
    kubeletVersion: nodeInfo?.kubeletVersion ?? "",
  };
}

function isLost({ status, lastTransitionTime }: V1NodeCondition): boolean {
  return status === "Unknown" && Date.now() - Number(lastTransitionTime) > lostAfter;
}

function isIpv4(address: string): boolean {
  return /^\d+\.\d+\.\d+\.\d+$/.test(address);
}

async function readKubeProxy(kube: Kube): Promise<{ daemonSet: boolean; configMap: boolean; pods: number }> {
  const namespace = "kube-system";
  const [daemonSet, configMap, pods] = await Promise.all([
    exists(kube.apps.readNamespacedDaemonSet({ name: "kube-proxy", namespace })),
    exists(kube.core.readNamespacedConfigMap({ name: "kube-proxy", namespace })),
    kube.core.listNamespacedPod({ namespace, labelSelector: "k8s-app=kube-proxy" }),
  ]);
  return { daemonSet, configMap, pods: pods.items.length };
}

async function exists(request: Promise<unknown>): Promise<boolean> {
  try {
    await request;
    return true;
  } catch (error) {
    if (statusOf(error) === 404) return false;
    throw error;
  }
}

async function readApiService(kube: Kube): Promise<{ clusterIp: string; port: number }> {
  const service = await kube.core.readNamespacedService({ name: "kubernetes", namespace: "default" });
  return { clusterIp: service.spec?.clusterIP ?? "", port: service.spec?.ports?.[0]?.port ?? 443 };
}

async function readAgents(kube: Kube): Promise<{ node: string; pod: string; namespace: string; ready: boolean }[]> {
  const pods = await kube.core.listPodForAllNamespaces({ labelSelector: "k8s-app=cilium" });
  return pods.items.map((pod) => ({
    node: pod.spec?.nodeName ?? "",
    pod: pod.metadata?.name ?? "",
    namespace: pod.metadata?.namespace ?? "",
    ready: pod.status?.containerStatuses?.find((status) => status.name === "cilium-agent")?.ready ?? false,
  }));
}
