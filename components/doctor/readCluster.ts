import type { V1Node, V1NodeCondition, V1NodeSystemInfo } from "@kubernetes/client-node";
import { valueOf, type Evidence, type NodeEvidence, type Seen } from "./evidence";
import { taintText } from "./expectation";
import { cannot, explain, statusOf, type Kube } from "./kube";

/** What the API server knows by itself, without looking into nodes and pods. */
export interface ClusterObjects {
  nodes: NodeEvidence[];
  kubeProxy: Evidence["kubeProxy"];
  apiService: Evidence["apiService"];
  apiEndpoints: Evidence["apiEndpoints"];
  nodePorts: Seen<number[]>;
  /** Agents of Cilium's DaemonSet. */
  agents: Seen<AgentPod[]>;
}

/** A pod of Cilium's DaemonSet; `api`: the `host:port` that it is told to reach the API by. */
export interface AgentPod {
  node: string;
  pod: string;
  namespace: string;
  ready: boolean;
  api?: string;
}

/**
 * Reads API objects, all at the same time.
 * @throws CannotRun when the cluster cannot be reached, or does not let the caller list its nodes
 */
export async function readCluster(kube: Kube): Promise<ClusterObjects> {
  const nodes = await readNodes(kube);
  const [kubeProxy, apiService, clusterInfo, nodePorts, agents] = await Promise.all([
    look(kube, "read kube-proxy's objects", () => readKubeProxy(kube)),
    look(kube, "read the Service default/kubernetes", () => readApiService(kube)),
    look(kube, "read the ConfigMap kube-public/cluster-info", () => readClusterInfo(kube)),
    look(kube, "list Services", () => readNodePorts(kube)),
    look(kube, "list Cilium's pods", () => readAgents(kube)),
  ]);
  const ofAgents = (valueOf(agents) ?? []).flatMap(({ api }) => api ?? []);
  // kubeadm's nodes join by the one, agents without kube-proxy use the other.
  const endpoints = [...new Set([...(valueOf(clusterInfo) ?? []), ...ofAgents])];
  const apiEndpoints = endpoints.length === 0 && "unseen" in clusterInfo ? clusterInfo : { value: endpoints };
  return { nodes, kubeProxy, apiService, apiEndpoints, nodePorts, agents };
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
    ...versionsOf(nodeInfo),
  };
}

function versionsOf({
  kubeletVersion = "",
  containerRuntimeVersion = "",
  kernelVersion = "",
}: Partial<V1NodeSystemInfo> = {}) {
  return { kubeletVersion, containerRuntimeVersion, kernelVersion };
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

/** kubeadm leaves a kubeconfig without secrets there. */
async function readClusterInfo(kube: Kube): Promise<string[]> {
  const map = await kube.core.readNamespacedConfigMap({ name: "cluster-info", namespace: "kube-public" });
  const server = /server: https:\/\/([^\s/]+)/.exec(map.data?.kubeconfig ?? "")?.[1];
  if (server === undefined) return [];
  return [/:\d+$/.test(server) ? server : `${server}:443`];
}

/** Of Services by TCP, each once. */
async function readNodePorts(kube: Kube): Promise<number[]> {
  const services = await kube.core.listServiceForAllNamespaces();
  const ports = services.items.flatMap(({ spec }) => spec?.ports ?? []);
  return [...new Set(ports.flatMap(({ nodePort, protocol }) => (nodePort && protocol !== "UDP" ? [nodePort] : [])))];
}

async function readAgents(kube: Kube): Promise<AgentPod[]> {
  const pods = await kube.core.listPodForAllNamespaces({ labelSelector: "k8s-app=cilium" });
  return pods.items.map((pod) => ({
    node: pod.spec?.nodeName ?? "",
    pod: pod.metadata?.name ?? "",
    namespace: pod.metadata?.namespace ?? "",
    ready: pod.status?.containerStatuses?.find((status) => status.name === "cilium-agent")?.ready ?? false,
    api: apiOf(pod.spec?.containers.find((container) => container.name === "cilium-agent")?.env ?? []),
  }));
}

/** Set only where an agent shall not go by the Service kubernetes, which it makes itself. */
function apiOf(environment: { name: string; value?: string }[]): string | undefined {
  const value = (name: string) => environment.find((variable) => variable.name === name)?.value;
  const host = value("KUBERNETES_SERVICE_HOST");
  return host ? `${host}:${value("KUBERNETES_SERVICE_PORT") ?? "443"}` : undefined;
}
