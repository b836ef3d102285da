import { defaultVersions } from "./versions";
import type { ArtifactSource, NodeArtifact } from "./types";

/** Folder of single binaries; part of root's PATH on every supported image, where kubeadm looks for the kubelet. */
export const binFolder = "/usr/local/bin";

/** A file that every node needs, where its units, containerd and kubeadm look for it. */
export interface RequiredFile {
  path: string;
  /** What it belongs to. */
  tool: string;
  /** Of the Kubernetes version, so that one number upgrades them together. */
  kubernetes: boolean;
}

/** Files that an artifact manifest must install. */
export const requiredFiles: readonly RequiredFile[] = [
  { path: "/opt/cni/bin/loopback", tool: "cni-plugins", kubernetes: false },
  { path: `${binFolder}/containerd`, tool: "containerd", kubernetes: false },
  { path: `${binFolder}/containerd-shim-runc-v2`, tool: "containerd", kubernetes: false },
  { path: `${binFolder}/kubeadm`, tool: "kubeadm", kubernetes: true },
  { path: `${binFolder}/kubectl`, tool: "kubectl", kubernetes: true },
  { path: `${binFolder}/kubelet`, tool: "kubelet", kubernetes: true },
  { path: "/usr/local/sbin/runc", tool: "runc", kubernetes: false },
];

/** Paths that an artifact installs. */
export function targetsOf({ installTo, extract }: Pick<NodeArtifact, "installTo" | "extract">): string[] {
  if (extract === undefined) return installTo === undefined ? [] : [installTo];
  return extract.members.map((member) => `${extract.to}/${member.split("/").slice(extract.stripComponents).join("/")}`);
}

/**
 * Version of the artifact that installs a file.
 * @throws RangeError when none does: a rule refuses such a manifest before
 */
export function versionInstalled(artifacts: NodeArtifact[], path: string): string {
  const artifact = artifacts.find((candidate) => targetsOf(candidate).includes(path));
  if (artifact === undefined) throw new RangeError(`no artifact installs ${path}`);
  return artifact.version;
}

/** SHA-256 of upstream's Kubernetes binaries for linux/amd64, by version; as kubespray's checksum list has them. */
const kubernetesSums: Readonly<Record<string, { kubeadm: string; kubectl: string; kubelet: string }>> = {
  "1.36.4": {
    kubeadm: "10d054585907f2c8bb823c84f6a66b3bd2a474c3d795475f04e9a44f78650fe6",
    kubectl: "8b8f088da2dab964f853b38464033b1be15ede2839eca751482357c45abdd05a",
    kubelet: "cf2562db46c48ab84cc3791540778ee7fb1a0a008529adbb434723dd02ed8b4b",
  },
};

/** Kubernetes versions whose binaries the upstream table knows. */
export const knownKubernetesVersions: readonly string[] = Object.keys(kubernetesSums);

const { containerd, runc, cniPlugins } = defaultVersions;

const runtime: readonly NodeArtifact[] = [
  {
    name: "cni-plugins",
    version: cniPlugins,
    url: `https://github.com/containernetworking/plugins/releases/download/v${cniPlugins}/cni-plugins-linux-amd64-v${cniPlugins}.tgz`,
    sha256: "b98f74a0f8522f0a83867178729c1aa70f2158f90c45a2ca8fa791db1c76b303",
    extract: { to: "/opt/cni/bin", stripComponents: 0, members: ["loopback"] },
  },
  {
    name: "containerd",
    version: containerd,
    url: `https://github.com/containerd/containerd/releases/download/v${containerd}/containerd-${containerd}-linux-amd64.tar.gz`,
    sha256: "9d68969855fbf676cdb8ed758e420fb048d61f984f61de3e53eddfebe484d168",
    extract: {
      to: binFolder,
      stripComponents: 1,
      members: ["bin/containerd", "bin/containerd-shim-runc-v2", "bin/ctr"],
    },
  },
  {
    name: "runc",
    version: runc,
    url: `https://github.com/opencontainers/runc/releases/download/v${runc}/runc.amd64`,
    sha256: "f6ae8efc0fa40079e1475e97cbe9d1bd3f106a28d6af78a11d9f1bd565515e60",
    installTo: "/usr/local/sbin/runc",
  },
];

/**
 * Upstream's table for a Kubernetes version on linux/amd64, sorted by name.
 * @returns undefined for a version whose checksums are not known here
 */
export function upstreamArtifacts(kubernetes: string): NodeArtifact[] | undefined {
  const sums = Object.hasOwn(kubernetesSums, kubernetes) ? kubernetesSums[kubernetes] : undefined;
  if (sums === undefined) return undefined;
  const tools = (["kubeadm", "kubectl", "kubelet"] as const).map((name) => ({
    name,
    version: kubernetes,
    url: `https://dl.k8s.io/release/v${kubernetes}/bin/linux/amd64/${name}`,
    sha256: sums[name],
    installTo: `${binFolder}/${name}`,
  }));
  return [...runtime, ...tools].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** A source's artifacts with absolute URLs, sorted by name. */
export function resolveArtifacts(source: ArtifactSource): NodeArtifact[] {
  const base = source.baseUrl.endsWith("/") ? source.baseUrl : `${source.baseUrl}/`;
  return source.manifest
    .map((artifact) => ({ ...artifact, url: new URL(artifact.url, base).href }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/**
 * The table that a node reads, one artifact a line, tab-separated: name, version, SHA-256, URL, `file` or `tar`, target, and for
 * an archive the leading folders to drop and the members, comma-separated.
 */
export function artifactTable(artifacts: NodeArtifact[]): string {
  return artifacts
    .map((artifact) => {
      const { name, version, sha256, url, installTo, extract } = artifact;
      const where =
        extract === undefined
          ? ["file", installTo ?? `${binFolder}/${name}`, "0", "-"]
          : ["tar", extract.to, String(extract.stripComponents), extract.members.join(",")];
      return [name, version, sha256, url, ...where].join("\t") + "\n";
    })
    .join("");
}
