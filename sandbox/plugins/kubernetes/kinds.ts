/** Kinds that the real plugin waits for in ways of their own, and collections: refused here rather than done by halves. */
const unknownHere = new Set([
  ...["DaemonSet", "StatefulSet", "Job", "Pod", "ReplicationController", "Ingress"],
  ...["PersistentVolume", "PersistentVolumeClaim", "ResourceQuota", "CustomResourceDefinition"],
]);

/** Groups of tokens that are no groups of the API: charts, manifests and the like. */
const otherGroups = new Set(["helm.sh", "yaml", "kustomize"]);

/** Whether a token such as `kubernetes:apps/v1:Deployment` stands for an object that the stand-in can serve. */
export function isObjectToken(token: string): boolean {
  const [, group = "", kind = ""] = /^kubernetes:([a-z0-9.-]+)\/v\d\w*:([A-Z]\w*)$/.exec(token) ?? [];
  if (group === "" || otherGroups.has(group) || unknownHere.has(kind)) return false;
  // `NamespacePatch` changes an object of somebody else's; a list is many objects.
  return !/(Patch|List)$/.test(kind);
}

/** Kinds outside of namespaces among those that every cluster has. */
const clusterWide = new Set([
  ...["v1/Namespace", "v1/Node", "apiregistration.k8s.io/v1/APIService"],
  ...["ClusterRole", "ClusterRoleBinding"].map((kind) => `rbac.authorization.k8s.io/v1/${kind}`),
  ...["StorageClass", "CSIDriver", "CSINode", "VolumeAttachment"].map((kind) => `storage.k8s.io/v1/${kind}`),
  ...["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration", "ValidatingAdmissionPolicy"].map(
    (kind) => `admissionregistration.k8s.io/v1/${kind}`,
  ),
  ...["scheduling.k8s.io/v1/PriorityClass", "networking.k8s.io/v1/IngressClass", "node.k8s.io/v1/RuntimeClass"],
]);

/** Whether a kind lies in namespaces, without asking a cluster; undefined for kinds that only a cluster knows. */
export function knownScope(apiVersion: string, kind: string): boolean | undefined {
  if (clusterWide.has(`${apiVersion}/${kind}`)) return false;
  const group = apiVersion.includes("/") ? (apiVersion.split("/")[0] ?? "") : "";
  return !group.includes(".") || group.endsWith(".k8s.io") ? true : undefined;
}

const selectors = ["spec.selector"];
const replacing: { [kind: string]: string[] } = {
  "apps/v1/Deployment": selectors,
  "v1/Service": ["spec.clusterIP"],
  "v1/ConfigMap": ["data", "binaryData"],
  "v1/Secret": ["type", "stringData", "data"],
  "rbac.authorization.k8s.io/v1/RoleBinding": ["roleRef"],
  "rbac.authorization.k8s.io/v1/ClusterRoleBinding": ["roleRef"],
  "policy/v1beta1/PodDisruptionBudget": ["spec"],
  "storage.k8s.io/v1/StorageClass": ["parameters", "provisioner"],
};

/** Whether a change at a path makes a new object, as the real plugin has it. */
export function replaces(apiVersion: string, kind: string, path: string): boolean {
  const rules = ["metadata.name", "metadata.namespace", ...(replacing[`${apiVersion}/${kind}`] ?? [])];
  return rules.some((rule) => path === rule || path.startsWith(`${rule}.`) || path.startsWith(`${rule}[`));
}
