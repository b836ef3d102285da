import { parse, parseAllDocuments } from "yaml";
import type { NodePlan } from "../../../components/plan";
import { writtenBy, type WrittenFile } from "../tools";
import { type Case, type Check, get, repeated, same, unless } from "./finding";

const kubeadmApi = "kubeadm.k8s.io/v1beta4";

/** What the cloud takes, and what the key that replaces the placeholder may have. */
const userDataMost = 32 * 1024 - 600;

const apiEndpoint = ({ plan }: Case): string => `api.${plan.name}.zerosteal.internal:6443`;

/** Nodes whose texts are read whole: the first of each pool stands for the others, which differ by name and address alone. */
function samples({ plan }: Case): NodePlan[] {
  return plan.nodes.filter(({ index }) => index === 1);
}

/** kubeadm's documents: YAML of the right kinds, with the planned addresses and names. */
export const kubeadm: Check = (given) => [
  ...given.plan.nodes.flatMap(({ name, privateAddress, kubeadm: text }) => [
    ...unless(text.includes(`  name: "${name}"\n`), `${name}: another name`),
    ...unless(text.includes(`- name: "node-ip"\n      value: "${privateAddress}"\n`), `${name}: another address`),
  ]),
  ...(given.whole ? documentMistakes(given) : []),
];

const documentMistakes: Check = (given) =>
  samples(given).flatMap((node) => {
    const documents = parseAllDocuments(node.kubeadm);
    const broken = documents.flatMap((document) => document.errors.map(({ message }) => `${node.name}: ${message}`));
    if (broken.length > 0) return broken;
    const values = documents.map((document) => document.toJS() as unknown);
    const found = node.role === "control-plane" ? initMistakes(given, node, values) : joinMistakes(given, node, values);
    return [...found, ...registrationMistakes(node, values[0])].map((sentence) => `${node.name}: ${sentence}`);
  });

function initMistakes(given: Case, node: NodePlan, documents: unknown[]): string[] {
  const { plan, args } = given;
  const [init, cluster, kubelet] = documents;
  const sans = get(cluster, "apiServer.certSANs");
  return [
    ...unless(
      same(
        documents.map((document) => `${String(get(document, "apiVersion"))} ${String(get(document, "kind"))}`),
        [
          `${kubeadmApi} InitConfiguration`,
          `${kubeadmApi} ClusterConfiguration`,
          "kubelet.config.k8s.io/v1beta1 KubeletConfiguration",
        ],
      ),
      "other documents",
    ),
    ...unless(get(init, "localAPIEndpoint.advertiseAddress") === node.privateAddress, "another address of the API"),
    ...unless(get(init, "localAPIEndpoint.bindPort") === 6443, "another port of the API"),
    ...unless(same(get(init, "skipPhases"), ["addon/kube-proxy"]), "kube-proxy is installed"),
    ...unless(get(cluster, "proxy.disabled") === true, "kube-proxy comes with an upgrade"),
    ...unless(get(cluster, "kubernetesVersion") === `v${plan.versions.kubernetes}`, "another version"),
    ...unless(get(cluster, "clusterName") === plan.name, "another name"),
    ...unless(get(cluster, "controlPlaneEndpoint") === apiEndpoint(given), "another endpoint"),
    ...unless(get(cluster, "networking.podSubnet") === plan.podCidr, "other pods"),
    ...unless(get(cluster, "networking.serviceSubnet") === plan.serviceCidr, "other Services"),
    ...unless(
      [apiEndpoint(given).replace(":6443", ""), node.privateAddress].every(
        (name) => Array.isArray(sans) && sans.includes(name),
      ),
      "a certificate without the API's names",
    ),
    ...unless(
      same(get(cluster, "controllerManager.extraArgs"), [{ name: "allocate-node-cidrs", value: "false" }]),
      "somebody else gives out pod CIDRs too",
    ),
    ...Object.entries(args.kubernetes?.kubelet ?? {})
      .filter(([key]) => key !== "allowedUnsafeSysctls")
      .flatMap(([key, value]) => unless(same(get(kubelet, key), value), `the kubelet's ${key}`)),
  ];
}

function joinMistakes(given: Case, _node: NodePlan, documents: unknown[]): string[] {
  const [join, ...rest] = documents;
  return [
    ...unless(rest.length === 0 && get(join, "apiVersion") === kubeadmApi, "other documents"),
    ...unless(get(join, "kind") === "JoinConfiguration", "another kind"),
    ...unless(get(join, "discovery.bootstrapToken.apiServerEndpoint") === apiEndpoint(given), "another endpoint"),
    ...unless(get(join, "discovery.bootstrapToken.token") === "JOIN_TOKEN", "a token in the plan"),
    ...unless(same(get(join, "discovery.bootstrapToken.caCertHashes"), ["CA_CERT_HASH"]), "no pin of the CA"),
  ];
}

function registrationMistakes(node: NodePlan, document: unknown): string[] {
  const own = get(document, "nodeRegistration");
  return [
    ...unless(get(own, "name") === node.name, "another name"),
    ...unless(get(own, "criSocket") === "unix:///run/containerd/containerd.sock", "another runtime"),
    ...unless(
      same(get(own, "kubeletExtraArgs"), [{ name: "node-ip", value: node.privateAddress }]),
      "another address of the node",
    ),
  ];
}

/** Node objects: the planned pod CIDR, labels and taints. */
export const nodeObjects: Check = ({ plan }) =>
  plan.nodes.flatMap((node) => {
    const object = JSON.parse(node.nodeObject) as unknown;
    const labels = { ...(get(object, "metadata.labels") as Record<string, string>) };
    const worker = node.role === "worker";
    const provider = plan.underlay.kind === "hetzner" ? "hcloud://PROVIDER_ID" : undefined;
    const role = labels["node-role.kubernetes.io/control-plane"];
    return [
      ...unless(get(object, "metadata.name") === node.name, "another name"),
      ...unless(get(object, "spec.podCIDR") === node.podCidr, "other pods"),
      ...unless(same(get(object, "spec.podCIDRs"), [node.podCidr]), "more pods"),
      ...unless(get(object, "spec.providerID") === provider, "another provider's id"),
      ...unless(labels["zerosteal/cluster"] === plan.name && labels["zerosteal/pool"] === node.pool, "whose it is"),
      ...unless(!worker || role === undefined, "a worker that says it is a control plane"),
      ...unless(
        same(get(object, "spec.taints"), worker && node.taints.length > 0 ? node.taints : undefined),
        "other taints",
      ),
      ...Object.entries(labels).flatMap(([key, value]) => unless(isLabel(key, value), `label ${key}=${value}`)),
    ].map((sentence) => `${node.name}: ${sentence}`);
  });

/** Kubernetes' form of labels: an optional DNS name and a slash, then at most 63 characters. */
function isLabel(key: string, value: string): boolean {
  const parts = key.split("/");
  const name = parts.at(-1) ?? "";
  const dns = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
  const word = /^([A-Za-z0-9][-A-Za-z0-9_.]{0,61})?[A-Za-z0-9]$/;
  return parts.length <= 2 && (parts.length < 2 || dns.test(parts[0] ?? "")) && word.test(name) && isWord(value);
}

const isWord = (value: string): boolean =>
  value === "" || /^([A-Za-z0-9][-A-Za-z0-9_.]{0,61})?[A-Za-z0-9]$/.test(value);

/** Files: each path once, all listed, and what differs between nodes is each node's own. */
export const files: Check = (given) => {
  const { plan } = given;
  const api = plan.nodes[0]?.privateAddress ?? "";
  return plan.nodes.flatMap((node) => {
    const paths = node.files.map(({ path }) => path);
    const env = ["NAME", "PRIVATE_ADDRESS", "PRIVATE_INTERFACE"].map((key) => lineOf(node, key));
    return [
      ...repeated(paths, "file"),
      ...unless(same(paths, [...paths].sort()), "files out of order"),
      ...unless(
        contentOf(node, "/etc/zerosteal/files") === paths.map((path) => `${path}\n`).join(""),
        "files unlisted",
      ),
      ...node.files.flatMap(({ path, content }) => unless(content.endsWith("\n"), `${path} has no last newline`)),
      ...unless(
        contentOf(node, "/etc/zerosteal/hosts") ===
          `${api} api.${plan.name}.zerosteal.internal\n${node.privateAddress} ${node.name}\n`,
        "/etc/zerosteal/hosts",
      ),
      ...unless(
        same(env, [node.name, node.privateAddress, plan.underlay.interfaces.private]),
        "/etc/zerosteal/node.env",
      ),
      ...["169.254.169.254", ...(plan.underlay.kind === "hosts" ? ["100.100.100.200", "168.63.129.16"] : [])].flatMap(
        (address) =>
          unless(
            contentOf(node, "/etc/systemd/system/zerosteal-metadata-guard.service").includes(
              `add priority 50 from ${plan.podCidr} to ${address} prohibit`,
            ),
            `pods reach ${address}`,
          ),
      ),
    ].map((sentence) => `${node.name}: ${sentence}`);
  });
};

function contentOf(node: NodePlan, path: string): string {
  return node.files.find((file) => file.path === path)?.content ?? "";
}

function lineOf(node: NodePlan, key: string): string | undefined {
  return new RegExp(`^(?:NODE_)?${key}=(.*)$`, "m").exec(contentOf(node, "/etc/zerosteal/node.env"))?.[1];
}

/** The kubelet's drop-ins and reserved CPUs: a policy that fits the kind of isolation, and CPUs left for pods. */
export const kubelets: Check = (given) =>
  samples(given).flatMap((node) => {
    const own = parse(contentOf(node, "/etc/kubernetes/kubelet.conf.d/40-zerosteal-cpu.conf")) as unknown;
    const reserved = get(own, "reservedSystemCPUs");
    const options = get(own, "cpuManagerPolicyOptions");
    const pinned = node.cpu.isolation !== "none";
    return [
      ...unless(get(own, "kind") === "KubeletConfiguration", "another kind"),
      ...unless(get(own, "cpuManagerPolicy") === (pinned ? "static" : "none"), "another policy of the CPU manager"),
      ...unless(pinned === (typeof reserved === "string" && /^0(-\d+)?$/.test(reserved)), "reserved CPUs"),
      ...unless(
        (get(options, "strict-cpu-reservation") === "true") === (node.cpu.isolation === "strict"),
        "whether pods run on reserved CPUs",
      ),
    ].map((sentence) => `${node.name}: ${sentence}`);
  });

/** User data: what the cloud takes, with one placeholder; none for existing hosts. Read as YAML it gives every file back. */
export const userData: Check = (given) => {
  const { plan } = given;
  if (plan.underlay.kind === "hosts") return plan.nodes.flatMap((node) => unless(node.userData === "", node.name));
  const [sample] = given.whole ? plan.nodes : [];
  const document = sample && (parse(sample.userData) as unknown);
  return [
    ...plan.nodes.flatMap(({ name, userData: text }) => [
      ...unless(text.startsWith("#cloud-config\n"), `${name}: no cloud-config`),
      ...unless(Buffer.byteLength(text) <= userDataMost, `${name}: ${Buffer.byteLength(text)} bytes of user data`),
      ...unless(text.split("ONE_TIME_HOST_KEY").length === 2, `${name}: not one place for the host key`),
    ]),
    ...unless(
      same(
        (get(document, "write_files") as WrittenFile[] | undefined)?.map(writtenBy),
        sample?.files.map(({ path, mode, content }) => ({ path, permissions: mode, content })),
      ),
      "the first node's user data has other files",
    ),
    ...unless(get(document, "hostname") === sample?.name, "another host name"),
    ...plan.nodes.flatMap(({ name, userData: text, files: own }) =>
      own.flatMap(({ path }) => unless(text.includes(`  path: "${path}"\n`), `${name}: user data without ${path}`)),
    ),
  ];
};
