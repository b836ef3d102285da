import { defaultProbeImage } from "../../../components/doctor";
import { type Cluster, kubeGet, kubectl, type LiveNode, onNode } from "./cluster";

/** Namespace of everything that the suites put into the cluster. */
export const namespace = "zerosteal-e2e";

/** Starts one pod with network tools on each node, and waits until all run. */
export async function startPods(cluster: Cluster): Promise<void> {
  const items = [
    { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } },
    ...cluster.nodes.map((node) => ({
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: node.name, namespace, labels: { app: "tools", node: node.name } },
      spec: {
        nodeName: node.name,
        tolerations: [{ operator: "Exists" }],
        terminationGracePeriodSeconds: 0,
        containers: [{ name: "tools", image: defaultProbeImage, command: ["sleep", "infinity"] }],
      },
    })),
  ];
  await kubectl(cluster, ["apply", "-f", "-"], JSON.stringify({ apiVersion: "v1", kind: "List", items }));
  await kubectl(cluster, [
    "-n",
    namespace,
    "wait",
    "--for=condition=Ready",
    "pod",
    "-l",
    "app=tools",
    "--timeout=120s",
  ]);
}

/** Removes the pods and everything else of the suites. */
export async function removePods(cluster: Cluster): Promise<void> {
  await kubectl(cluster, ["delete", "namespace", namespace, "--ignore-not-found", "--wait=true", "--timeout=120s"]);
}

/** Runs bash in the pod of a node, by the cluster's API. */
export function inPod(cluster: Cluster, node: LiveNode, script: string): Promise<string> {
  return kubectl(cluster, ["-n", namespace, "exec", node.name, "--", "bash", "-euo", "pipefail", "-c", script]);
}

/** Address of the pod of a node. */
export async function podAddress(cluster: Cluster, node: LiveNode): Promise<string> {
  const pod = await kubeGet<{ status: { podIP: string } }>(cluster, "-n", namespace, "pod", node.name);
  return pod.status.podIP;
}

/** Containerd's id of the container of a pod. */
export async function containerId(cluster: Cluster, where: string, pod: string): Promise<string> {
  const path = "jsonpath={.status.containerStatuses[0].containerID}";
  return (await kubectl(cluster, ["-n", where, "get", "pod", pod, "-o", path])).replace(/^containerd:\/\//, "");
}

/** Runs bash in a container through its node's container runtime: works also while the node's kubelet does not. */
export function inContainer(cluster: Cluster, node: LiveNode, id: string, script: string): Promise<string> {
  const command = `ctr -n k8s.io task exec --exec-id e2e-$RANDOM$RANDOM ${id} bash -c '${script}'`;
  return onNode(cluster, node, command);
}

/** Name of the pod of Cilium's agent on a node. */
export function agentPod(cluster: Cluster, node: LiveNode): Promise<string> {
  const selector = ["-l", "k8s-app=cilium", "--field-selector", `spec.nodeName=${node.name},status.phase=Running`];
  return kubectl(cluster, [
    "-n",
    "kube-system",
    "get",
    "pods",
    ...selector,
    "-o",
    "jsonpath={.items[0].metadata.name}",
  ]);
}

/** Runs a command in Cilium's agent on a node. */
export async function inAgent(cluster: Cluster, node: LiveNode, command: string[]): Promise<string> {
  const pod = await agentPod(cluster, node);
  return kubectl(cluster, ["-n", "kube-system", "exec", pod, "-c", "cilium-agent", "--", ...command]);
}
