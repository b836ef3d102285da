import { deepMerge, type JsonObject } from "./merge";
import { unsafeForPods } from "./podSysctls";
import type { ClusterArgs, NodePlan, Taint } from "./types";
import { controlPlaneTaint, defaults, resolveTuning, resolveVersions } from "./resolve";
import { toYaml } from "./yaml";

/** Port of the Kubernetes API. */
export const apiPort = 6443;

/** Container runtime's socket. */
export const criSocket = "unix:///run/containerd/containerd.sock";

const kubeadmApi = "kubeadm.k8s.io/v1beta4";

/** What a kubeadm document says about one node. */
export type NodeFacts = Pick<NodePlan, "name" | "privateAddress" | "taints">;

/** What kubeadm documents say about the cluster. */
export interface ApiFacts {
  cluster: string;
  /** Planned name of the API. */
  apiName: string;
}

/**
 * KubeletConfiguration of a cluster: the library's settings, then `kubernetes.kubelet`. Its `allowedUnsafeSysctls` and what
 * `tuning.podSysctls` needs are merged: both only allow, and the former may name what the tuning table lacks, e.g. `kernel.msg*`.
 */
export function kubeletSettings(args: ClusterArgs): JsonObject {
  const settings = {
    apiVersion: "kubelet.config.k8s.io/v1beta1",
    kind: "KubeletConfiguration",
    // Images of different pods load side by side: a node is ready sooner.
    maxParallelImagePulls: 5,
    rotateCertificates: true,
    serializeImagePulls: false,
    // A reboot stops pods in order instead of killing them.
    shutdownGracePeriod: "60s",
    shutdownGracePeriodCriticalPods: "15s",
  };
  const merged = deepMerge(settings, args.kubernetes?.kubelet ?? {});
  const unsafe = unsafeForPods(resolveTuning(args).podSysctls, resolveVersions(args).kubernetes);
  if (unsafe.length === 0) return merged;
  const own: unknown[] = Array.isArray(merged.allowedUnsafeSysctls) ? merged.allowedUnsafeSysctls : [];
  return { ...merged, allowedUnsafeSysctls: [...new Set([...own, ...unsafe])].sort() };
}

/**
 * Documents for `kubeadm init` on the first control plane. No secret in them: kubeadm makes its own CA and a first token.
 * kube-proxy is left out twice: skipPhases for this run, `proxy.disabled` for later upgrades, which do not remember the former.
 */
export function initDocuments(args: ClusterArgs, api: ApiFacts, node: NodeFacts): string {
  return toYaml(initConfiguration(args, node), clusterConfiguration(args, api, node), kubeletSettings(args));
}

/** Document for `kubeadm join` of a worker, with `JOIN_TOKEN` and `CA_CERT_HASH` in place of the secret and the pin. */
export function joinDocument(args: ClusterArgs, api: ApiFacts, node: NodeFacts): string {
  return toYaml({
    apiVersion: kubeadmApi,
    kind: "JoinConfiguration",
    discovery: {
      bootstrapToken: {
        apiServerEndpoint: `${api.apiName}:${apiPort}`,
        caCertHashes: ["CA_CERT_HASH"],
        token: "JOIN_TOKEN",
      },
    },
    nodeRegistration: nodeRegistration(args, node, []),
  });
}

function initConfiguration(args: ClusterArgs, node: NodeFacts): JsonObject {
  return {
    apiVersion: kubeadmApi,
    kind: "InitConfiguration",
    localAPIEndpoint: { advertiseAddress: node.privateAddress, bindPort: apiPort },
    nodeRegistration: nodeRegistration(args, node, [controlPlaneTaint]),
    skipPhases: ["addon/kube-proxy"],
  };
}

function clusterConfiguration(args: ClusterArgs, api: ApiFacts, node: NodeFacts): JsonObject {
  return {
    apiVersion: kubeadmApi,
    kind: "ClusterConfiguration",
    apiServer: { certSANs: [api.apiName, node.privateAddress, "127.0.0.1", "localhost"] },
    clusterName: api.cluster,
    controlPlaneEndpoint: `${api.apiName}:${apiPort}`,
    // The plan gives every node its pod CIDR; a second source would hand out others, in the order of joining.
    controllerManager: { extraArgs: [{ name: "allocate-node-cidrs", value: "false" }] },
    etcd: { local: { dataDir: "/var/lib/etcd" } },
    kubernetesVersion: `v${resolveVersions(args).kubernetes}`,
    networking: {
      dnsDomain: "cluster.local",
      podSubnet: args.network?.podCidr ?? defaults.podCidr,
      serviceSubnet: args.network?.serviceCidr ?? defaults.serviceCidr,
    },
    proxy: { disabled: true },
  };
}

function nodeRegistration(args: ClusterArgs, node: NodeFacts, taints: Taint[]): JsonObject {
  return {
    criSocket,
    ignorePreflightErrors: args.kubernetes?.ignorePreflightErrors ?? [],
    imagePullPolicy: "IfNotPresent",
    imagePullSerial: false,
    kubeletExtraArgs: [{ name: "node-ip", value: node.privateAddress }],
    name: node.name,
    taints,
  };
}
