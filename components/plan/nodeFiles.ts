import { readFileSync } from "node:fs";
import path from "node:path";
import { artifactTable } from "./artifacts";
import { criSocket, kubeletSettings } from "./kubeadm";
import { cpuSettings } from "./cpu";
import type { JsonObject } from "./merge";
import { resolveTuning } from "./resolve";
import { modulesFor } from "./sysctl";
import { metadataAddresses } from "./underlay";
import type { ClusterArgs, CpuPlan, Encryption, NodeArtifact, NodeFile, SysctlEntry } from "./types";
import { sandboxImage } from "./versions";
import { toYaml } from "./yaml";

/** Where the node's setup script lies. */
export const setupPath = "/usr/local/sbin/zerosteal-setup";

/** Where the script lies that waits for the private address; the kubeadm steps and the kubelet's unit call it. */
export const waitNetworkPath = "/usr/local/sbin/zerosteal-wait-network";

/** Where a machine image may put TOML drop-ins for containerd, and YAML drop-ins for the kubelet; they are read after the plan's. */
export const containerdDropIns = "/etc/containerd/conf.d";
export const kubeletDropIns = "/etc/kubernetes/kubelet.conf.d";

/** The setup script: the same for all nodes, what differs stands in files. */
export const setupScript = readScript("setup.sh");

/** Where the script lies that holds the reserved CPUs; the kubelet's unit calls it, and a unit of its own at boot. */
export const cpusPath = "/usr/local/sbin/zerosteal-cpus";

const cpusScript = readScript("cpus.sh");

const waitNetworkScript = readScript("waitNetwork.sh");

/** What is the same in the files of all nodes. */
export interface CommonFacts {
  args: ClusterArgs;
  /** Range of all pods. */
  podCidr: string;
  sysctls: SysctlEntry[];
  encryption: Encryption;
  artifacts: NodeArtifact[];
}

/** What is a node's own in its files. */
export interface OwnFacts {
  args: ClusterArgs;
  name: string;
  privateAddress: string;
  privateInterface: string;
  api: { name: string; privateAddress: string };
  cpu: CpuPlan;
}

/** Files that are the same on all nodes of a cluster; rendered once a plan. */
export function commonFiles(facts: CommonFacts): NodeFile[] {
  return [
    text("/etc/containerd/config.toml", containerdConfig()),
    ...mirrorFiles(facts.args.registryMirrors ?? {}),
    text(`${kubeletDropIns}/50-zerosteal.conf`, toYaml(kubeletSettings(facts.args))),
    text("/etc/modules-load.d/90-zerosteal.conf", lines(modulesFor(facts.sysctls, facts.encryption))),
    text("/etc/sysctl.d/90-zerosteal.conf", sysctlFile(facts.sysctls)),
    text("/etc/systemd/system/containerd.service", containerdUnit),
    text("/etc/systemd/system/kubelet.service", kubeletUnit),
    text("/etc/systemd/system/zerosteal-cpus.service", cpusUnit),
    text(
      "/etc/systemd/system/zerosteal-metadata-guard.service",
      metadataGuardUnit(facts.podCidr, metadataAddresses(facts.args)),
    ),
    text("/etc/zerosteal/artifacts.tsv", artifactTable(facts.artifacts)),
    { path: cpusPath, mode: "0755", content: cpusScript },
    { path: setupPath, mode: "0755", content: setupScript },
    { path: waitNetworkPath, mode: "0755", content: waitNetworkScript },
  ];
}

/** All files of a node, sorted by path. */
export function nodeFiles(common: NodeFile[], own: OwnFacts): NodeFile[] {
  const files = [
    ...common,
    text(`${kubeletDropIns}/40-zerosteal-cpu.conf`, kubeletDropIn(cpuSettings(own.cpu))),
    text("/etc/zerosteal/hosts", hostsFile(own)),
    text("/etc/zerosteal/node.env", nodeEnvironment(own)),
  ];
  files.push(text("/etc/zerosteal/files", lines([...files.map((file) => file.path), "/etc/zerosteal/files"].sort())));
  return files.sort((a, b) => (a.path < b.path ? -1 : 1));
}

/**
 * containerd 2's configuration. Drop-ins of `conf.d` are merged over it: what a machine needs differently belongs there.
 */
function containerdConfig(): string {
  return `version = 3
imports = ["${containerdDropIns}/*.toml"]

[plugins.'io.containerd.cri.v1.images'.pinned_images]
  sandbox = '${sandboxImage}'

[plugins.'io.containerd.cri.v1.images'.registry]
  config_path = '/etc/containerd/certs.d'

[plugins.'io.containerd.cri.v1.runtime'.cni]
  bin_dirs = ['/opt/cni/bin']
  conf_dir = '/etc/cni/net.d'

[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]
  runtime_type = 'io.containerd.runc.v2'

[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc.options]
  BinaryName = '/usr/local/sbin/runc'
  SystemdCgroup = true
`;
}

/** One hosts.toml a mirrored registry: the mirror is asked first, the registry itself after it. */
function mirrorFiles(mirrors: Record<string, string>): NodeFile[] {
  return Object.entries(mirrors).map(([host, mirror]) =>
    text(
      `/etc/containerd/certs.d/${host}/hosts.toml`,
      `server = "https://${host === "docker.io" ? "registry-1.docker.io" : host}"

[host."${mirror}"]
  capabilities = ["pull", "resolve"]
`,
    ),
  );
}

function kubeletDropIn(settings: JsonObject): string {
  return toYaml({ apiVersion: "kubelet.config.k8s.io/v1beta1", kind: "KubeletConfiguration", ...settings });
}

function sysctlFile(sysctls: SysctlEntry[]): string {
  return sysctls.map(({ key, value, why }) => `# ${why}\n${key} = ${value}\n`).join("");
}

const containerdUnit = `[Unit]
Description=containerd container runtime
After=network.target local-fs.target

[Service]
ExecStart=/usr/local/bin/containerd
Type=notify
Delegate=yes
KillMode=process
Restart=always
RestartSec=5
TasksMax=infinity
OOMScoreAdjust=-999

[Install]
WantedBy=multi-user.target
`;

/** Without kubeadm's configuration the kubelet would start and fail in a loop, so it waits for that file. */
const kubeletUnit = `[Unit]
Description=kubelet, the Kubernetes node agent
Wants=containerd.service
After=containerd.service
ConditionPathExists=/var/lib/kubelet/config.yaml
StartLimitIntervalSec=0

[Service]
EnvironmentFile=-/var/lib/kubelet/kubeadm-flags.env
EnvironmentFile=-/etc/default/kubelet
ExecStartPre=${waitNetworkPath}
ExecStartPre=${cpusPath} --before-kubelet
ExecStart=/usr/local/bin/kubelet \\
  --bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf \\
  --kubeconfig=/etc/kubernetes/kubelet.conf \\
  --config=/var/lib/kubelet/config.yaml \\
  --config-dir=${kubeletDropIns} \\
  --container-runtime-endpoint=${criSocket} \\
  $KUBELET_KUBEADM_ARGS $KUBELET_EXTRA_ARGS
TimeoutStartSec=180
Restart=always
RestartSec=2

[Install]
WantedBy=multi-user.target
`;

const cpusUnit = `[Unit]
Description=Keep the reserved CPUs for interrupts and the system
Before=kubelet.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=${cpusPath}

[Install]
WantedBy=multi-user.target
`;

/**
 * Keeps pods from the cloud's metadata service, which holds the user data. A routing rule by source: it stops packets that the
 * kernel routes and those that Cilium redirects in BPF (its lookups follow the rules too), while iptables never sees the latter. The
 * node itself, and pods in its network namespace, still reach the service. As the kernel's own the rule is left alone by systemd-networkd,
 * which removes foreign ones when it restarts (systemd/systemd issue 19106).
 */
function metadataGuardUnit(podCidr: string, addresses: string[]): string {
  const rules = addresses.map((address) => `ip -4 rule VERB priority 50 from ${podCidr} to ${address} prohibit`);
  const all = (command: string, verb: string, end = ""): string =>
    lines(rules.map((rule) => `${command}=${rule.replace("VERB", verb)}${end}`));
  return `[Unit]
Description=Keep pods from the metadata service
Before=kubelet.service

[Service]
Type=oneshot
RemainAfterExit=yes
${all("ExecStartPre", "del").replace(/=ip/g, "=-ip")}${all("ExecStart", "add", " protocol kernel")}${all("ExecStop", "del")}
[Install]
WantedBy=multi-user.target
`;
}

function hostsFile(facts: OwnFacts): string {
  const own = `${facts.privateAddress} ${facts.name}`;
  return lines([`${facts.api.privateAddress} ${facts.api.name}`, own]);
}

function nodeEnvironment(facts: OwnFacts): string {
  const refuseSwap = kubeletSettings(facts.args).failSwapOn !== false;
  const { hugePages } = resolveTuning(facts.args);
  return lines([
    `NODE_NAME=${facts.name}`,
    `PRIVATE_ADDRESS=${facts.privateAddress}`,
    `PRIVATE_INTERFACE=${facts.privateInterface}`,
    `REFUSE_SWAP=${refuseSwap ? "yes" : "no"}`,
    `HUGE_PAGES=${hugePages === "system" ? "" : hugePages}`,
    `CPU_ISOLATION=${facts.cpu.isolation}`,
    `RESERVED_CPUS=${facts.cpu.reserved}`,
  ]);
}

function text(filePath: string, content: string): NodeFile {
  return { path: filePath, mode: "0644", content };
}

function lines(all: string[]): string {
  return all.map((line) => `${line}\n`).join("");
}

/** Text of a script of `scripts/` as nodes get it: without the lines that only explain, as user data ends at 32 KiB. */
export function readScript(name: string): string {
  return readFileSync(path.join(__dirname, "scripts", name), "utf8").replace(/^\s*#(?!!).*\n/gm, "");
}
