import { act, cloud } from "../support/cloud";
import { type Cluster, kubectl, type LiveNode, onNode, worker } from "../support/cluster";
import { duringRead } from "../support/doctor";
import { agentPod } from "../support/pods";
import type { Break } from "./break";

/** Things of the API, of nodes and of the cloud. */
export const brokenObjects: Break[] = [
  {
    check: "nodes-ready",
    what: "a taint that nobody planned",
    make: (cluster) => kubectl(cluster, ["taint", "node", worker(cluster, 0).name, "e2e=broken:NoSchedule"]),
    mend: (cluster) => kubectl(cluster, ["taint", "node", worker(cluster, 0).name, "e2e-"]),
    findings: (cluster) => [
      {
        check: "nodes-ready",
        subject: worker(cluster, 0).name,
        wanted: "taints none",
        found: "taints e2e=broken:NoSchedule",
      },
    ],
  },
  {
    check: "versions",
    what: "a node that says it runs another kubelet",
    make: () => Promise.resolve(),
    // The kubelet mends it at its next report; the next break must not meet it.
    mend: (cluster) =>
      awaitValue(
        cluster,
        ["node", worker(cluster, 0).name],
        "nodeInfo.kubeletVersion",
        `v${cluster.plan.versions.kubernetes}`,
      ),
    // The kubelet puts its own version back within seconds, so it is overwritten for as long as the doctor reads the nodes.
    settings: (cluster) =>
      duringRead(() =>
        patchStatus(cluster, ["node", worker(cluster, 0).name], { nodeInfo: { kubeletVersion: "v1.0.0" } }),
      ),
    findings: (cluster) => [
      {
        check: "versions",
        subject: worker(cluster, 0).name,
        wanted: `kubelet ${cluster.plan.versions.kubernetes.replace(/^v/, "")}`,
        found: "kubelet 1.0.0",
      },
    ],
  },
  {
    check: "kube-proxy-replacement",
    what: "an agent that says it is not ready",
    make: () => Promise.resolve(),
    mend: async (cluster) => {
      const pod = await agentPod(cluster, worker(cluster, 0));
      await awaitValue(cluster, ["-n", "kube-system", "pod", pod], "containerStatuses[0].ready", "true");
    },
    // A real agent that is down takes its node's new pods with it, so nodes and probes would fail beside it.
    settings: (cluster) =>
      duringRead(async () => {
        const pod = await agentPod(cluster, worker(cluster, 0));
        const text = await kubectl(cluster, [
          "-n",
          "kube-system",
          "get",
          "pod",
          pod,
          "-o",
          "jsonpath={.status.containerStatuses}",
        ]);
        const containerStatuses = (JSON.parse(text) as { name: string }[]).map((status) => ({
          ...status,
          ready: false,
        }));
        await patchStatus(cluster, ["-n", "kube-system", "pod", pod], { containerStatuses });
      }),
    findings: (cluster) => [
      {
        check: "kube-proxy-replacement",
        subject: worker(cluster, 0).name,
        wanted: "True",
        found: /^the agent cilium-\w+ is not ready$/,
      },
    ],
  },
  {
    check: "api-endpoint",
    what: "a node that does not know the API's name",
    // Pods on the node's network start with a copy of its file; the kubelet and the agent keep the connections that they have.
    make: (cluster) => onNode(cluster, worker(cluster, 0), String.raw`sed -i.kept '/ api\./d' /etc/hosts`),
    mend: (cluster) => onNode(cluster, worker(cluster, 0), "cp /etc/hosts.kept /etc/hosts && rm /etc/hosts.kept"),
    findings: (cluster) => [
      {
        check: "api-endpoint",
        subject: worker(cluster, 0).name,
        wanted: /^https:\/\/api\.[\w.-]+:6443\/readyz answers$/,
        found: /resolv/i,
      },
    ],
  },
  {
    check: "kube-proxy-absent",
    what: "a ConfigMap of kube-proxy",
    make: (cluster) =>
      kubectl(cluster, ["-n", "kube-system", "create", "configmap", "kube-proxy", "--from-literal=a=b"]),
    mend: (cluster) => kubectl(cluster, ["-n", "kube-system", "delete", "configmap", "kube-proxy"]),
    findings: () => [
      {
        check: "kube-proxy-absent",
        subject: "cluster",
        wanted: "no kube-proxy",
        found: "ConfigMap kube-system/kube-proxy",
      },
    ],
  },
  {
    check: "no-kube-svc-rules",
    what: "a chain of kube-proxy on a node",
    make: (cluster) => onNode(cluster, worker(cluster, 0), "iptables -t nat -N KUBE-SVC-E2E"),
    mend: (cluster) => onNode(cluster, worker(cluster, 0), "iptables -t nat -X KUBE-SVC-E2E"),
    findings: (cluster) => [
      {
        check: "no-kube-svc-rules",
        subject: worker(cluster, 0).name,
        wanted: "no rules of kube-proxy",
        found: /^1 in iptables-(nft|legacy)-save$/,
      },
    ],
  },
  {
    check: "sysctls-node",
    what: "a kernel setting changed by hand",
    make: (cluster) => setSysctl(cluster, worker(cluster, 0), "1024"),
    mend: (cluster) => setSysctl(cluster, worker(cluster, 0), "65535"),
    findings: (cluster) => [
      {
        check: "sysctls-node",
        subject: worker(cluster, 0).name,
        wanted: "net.core.somaxconn = 65535",
        found: "net.core.somaxconn = 1024",
      },
    ],
  },
  {
    check: "cloud-routes",
    what: "a pod route that is gone",
    make: (cluster) => route(cluster, "delete", worker(cluster, 0).privateAddress),
    mend: (cluster) => route(cluster, "add", worker(cluster, 0).privateAddress),
    findings: (cluster) => [
      {
        check: "cloud-routes",
        subject: worker(cluster, 0).name,
        wanted: planned(worker(cluster, 0)),
        found: "no route",
      },
    ],
  },
  {
    check: "cloud-routes",
    what: "a pod route that leads to another node",
    make: async (cluster) => {
      await route(cluster, "delete", worker(cluster, 0).privateAddress);
      await route(cluster, "add", worker(cluster, 1).privateAddress);
    },
    mend: async (cluster) => {
      await route(cluster, "delete", worker(cluster, 1).privateAddress);
      await route(cluster, "add", worker(cluster, 0).privateAddress);
    },
    findings: (cluster) => [
      {
        check: "cloud-routes",
        subject: worker(cluster, 0).name,
        wanted: planned(worker(cluster, 0)),
        found: `${worker(cluster, 0).podCidr} via ${worker(cluster, 1).privateAddress}`,
      },
    ],
  },
];

function planned(node: LiveNode): string {
  return `${node.podCidr} via ${node.privateAddress}`;
}

async function setSysctl(cluster: Cluster, node: LiveNode, value: string): Promise<void> {
  await onNode(cluster, node, `sysctl -qw net.core.somaxconn=${value}`);
}

async function patchStatus(cluster: Cluster, what: string[], status: object): Promise<void> {
  await kubectl(cluster, ["patch", ...what, "--subresource=status", "--type=merge", "-p", JSON.stringify({ status })]);
}

/** Waits until the kubelet has put a value of an object's status back. */
async function awaitValue(cluster: Cluster, what: string[], field: string, value: string): Promise<void> {
  await kubectl(cluster, ["wait", ...what, `--for=jsonpath={.status.${field}}=${value}`, "--timeout=90s"]);
}

/** Adds or deletes the first worker's pod route, with a gateway. */
async function route(cluster: Cluster, verb: "add" | "delete", gateway: string): Promise<void> {
  const { engine, plan } = cluster;
  const { networks } = await cloud<{ networks: { id: number }[] }>(engine, "GET", `/networks?name=${plan.name}`);
  const body = { destination: worker(cluster, 0).podCidr, gateway };
  await act(engine, `/networks/${networks[0]?.id}/actions/${verb}_route`, body);
}
