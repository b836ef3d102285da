import { type CiliumVersion, ciliumTools, defaultCilium } from "./cilium";

/** Processor architecture in Go's and Debian's spelling. */
export type Arch = "amd64" | "arm64";

/** What a tool is for: the Pulumi engine on this host, a node's own file, content of a container image, or tests. */
export type Purpose = "engine" | "node" | "image" | "test";

/** A published file. */
export interface Upstream {
  url: string;
  /** SHA-256 of the fetched file, 64 hex digits. */
  sha256: string;
  /** Path inside the archive, where the file is a .tar.gz; absent: the file is the tool itself. */
  member?: string;
}

/** How a tool is built where upstream's file cannot be had. */
export type Recipe =
  | {
      kind: "go";
      /** Folder under toolchain/go with the go.mod and go.sum that pin everything, and the sources of a program of our own. */
      module: string;
      /** Main package. */
      package: string;
      /** Build tags, space-separated. Default none. */
      tags?: string;
      /** Linker flags after `-s -w`. Default none. */
      ldflags?: string;
    }
  | {
      kind: "c";
      /** Source file under toolchain/, linked statically. */
      source: string;
    };

/** One executable that the project needs. */
export interface Tool {
  /** File name of the executable; key of the manifest. */
  name: string;
  /** Without a leading v. */
  version: string;
  purpose: Purpose;
  /** Published files with a known checksum; absent: built here. */
  upstream?: Partial<Record<Arch, Upstream>>;
  recipe: Recipe;
  /** Size of the executable, MiB, rounded up. */
  sizeMiB: number;
}

/** Versions of everything, without a leading v. */
export const versions = {
  kubernetes: "1.36.4",
  cilium: defaultCilium,
  containerd: "2.3.4",
  etcd: "3.6.8",
  coredns: "1.14.2",
  pause: "3.10.2",
  cniPlugins: "1.9.1",
  helm: "3.19.0",
  pulumi: "3.259.0",
  pulumiLanguageNodejs: "3.68.0",
  httpecho: "1.0.0",
} as const;

/** What a cold build of a Go module folder costs: MiB in Go's own caches, seconds on two cores. Measured. */
export const goModules: Record<string, { cacheMiB: number; seconds: number }> = {
  kubernetes: { cacheMiB: 1800, seconds: 400 },
  cilium: { cacheMiB: 2200, seconds: 560 },
  "cilium-1.16.1": { cacheMiB: 1800, seconds: 400 },
  containerd: { cacheMiB: 600, seconds: 75 },
  "cni-loopback": { cacheMiB: 60, seconds: 10 },
  etcd: { cacheMiB: 350, seconds: 30 },
  coredns: { cacheMiB: 1100, seconds: 110 },
  helm: { cacheMiB: 700, seconds: 85 },
  pulumi: { cacheMiB: 1500, seconds: 300 },
  "pulumi-language-nodejs": { cacheMiB: 250, seconds: 25 },
  httpecho: { cacheMiB: 60, seconds: 15 },
};

const componentBase = "k8s.io/component-base/version";
const pulumiVersion = "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version";

function kubernetes(name: string, purpose: Purpose, sizeMiB: number, sha256?: Record<Arch, string>): Tool {
  const version = versions.kubernetes;
  const [major, minor] = version.split(".");
  const url = (arch: Arch) => `https://dl.k8s.io/release/v${version}/bin/linux/${arch}/${name}`;
  return {
    name,
    version,
    purpose,
    sizeMiB,
    upstream: sha256 && {
      amd64: { url: url("amd64"), sha256: sha256.amd64 },
      arm64: { url: url("arm64"), sha256: sha256.arm64 },
    },
    recipe: {
      kind: "go",
      module: "kubernetes",
      package: `k8s.io/kubernetes/cmd/${name}`,
      ldflags:
        `-X ${componentBase}.gitVersion=v${version} -X ${componentBase}.gitMajor=${major} ` +
        `-X ${componentBase}.gitMinor=${minor} -X ${componentBase}.gitTreeState=clean`,
    },
  };
}

function containerd(name: string, sizeMiB: number): Tool {
  const version = versions.containerd;
  const url = (arch: Arch) =>
    `https://github.com/containerd/containerd/releases/download/v${version}/containerd-${version}-linux-${arch}.tar.gz`;
  const member = `bin/${name}`;
  return {
    name,
    version,
    purpose: "node",
    sizeMiB,
    upstream: {
      amd64: {
        url: url("amd64"),
        sha256: "9d68969855fbf676cdb8ed758e420fb048d61f984f61de3e53eddfebe484d168",
        member,
      },
      arm64: {
        url: url("arm64"),
        sha256: "a985fbb7e18fc0362d31a055338f5d7b0e087a3e27f14c70d1c5965399a29f95",
        member,
      },
    },
    recipe: {
      kind: "go",
      module: "containerd",
      package: `github.com/containerd/containerd/v2/cmd/${name}`,
      tags: "no_btrfs no_devmapper no_zfs",
      ldflags: `-X github.com/containerd/containerd/v2/version.Version=v${version}`,
    },
  };
}

function loopback(): Tool {
  const version = versions.cniPlugins;
  const url = (arch: Arch) =>
    "https://github.com/containernetworking/plugins/releases/download/" +
    `v${version}/cni-plugins-linux-${arch}-v${version}.tgz`;
  const member = "./loopback";
  return {
    name: "loopback",
    version,
    purpose: "node",
    sizeMiB: 5,
    upstream: {
      amd64: {
        url: url("amd64"),
        sha256: "b98f74a0f8522f0a83867178729c1aa70f2158f90c45a2ca8fa791db1c76b303",
        member,
      },
      arm64: {
        url: url("arm64"),
        sha256: "56171987d3947707c3563db2f4001bccaf50fd63468611b9f3cbecb1375ee7ec",
        member,
      },
    },
    recipe: {
      kind: "go",
      module: "cni-loopback",
      package: "github.com/containernetworking/plugins/plugins/main/loopback",
    },
  };
}

const table: Tool[] = [
  {
    name: "pulumi",
    version: versions.pulumi,
    purpose: "engine",
    sizeMiB: 110,
    recipe: {
      kind: "go",
      module: "pulumi",
      package: "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
      ldflags: `-X ${pulumiVersion}=v${versions.pulumi}`,
    },
  },
  {
    name: "pulumi-language-nodejs",
    version: versions.pulumiLanguageNodejs,
    purpose: "engine",
    sizeMiB: 18,
    recipe: {
      kind: "go",
      module: "pulumi-language-nodejs",
      package: "github.com/pulumi/pulumi/sdk/v3/nodejs/cmd/pulumi-language-nodejs",
      ldflags: `-X ${pulumiVersion}=v${versions.pulumiLanguageNodejs}`,
    },
  },
  {
    name: "pulumi-language-python",
    version: versions.pulumiLanguageNodejs,
    purpose: "test",
    sizeMiB: 26,
    recipe: {
      kind: "go",
      module: "pulumi-language-nodejs",
      package: "github.com/pulumi/pulumi/sdk/v3/python/cmd/pulumi-language-python",
      ldflags: `-X ${pulumiVersion}=v${versions.pulumiLanguageNodejs}`,
    },
  },
  {
    name: "helm",
    version: versions.helm,
    purpose: "engine",
    sizeMiB: 59,
    recipe: { kind: "go", module: "helm", package: "helm.sh/helm/v3/cmd/helm" },
  },
  kubernetes("kubectl", "node", 57, {
    amd64: "8b8f088da2dab964f853b38464033b1be15ede2839eca751482357c45abdd05a",
    arm64: "0ecf44450ee6063bf19dd166a103ee6df4a9034455c2abce626e6eea657d73fb",
  }),
  kubernetes("kubeadm", "node", 70, {
    amd64: "10d054585907f2c8bb823c84f6a66b3bd2a474c3d795475f04e9a44f78650fe6",
    arm64: "6a849c07d3e1c708f5c40f1ac8be03a56124204dfc7e1931e4113634019c0dad",
  }),
  kubernetes("kubelet", "node", 81, {
    amd64: "cf2562db46c48ab84cc3791540778ee7fb1a0a008529adbb434723dd02ed8b4b",
    arm64: "fd53ea3fcbd077844f50a3c67e9b52f62972a563674956bab0c0f4fb7ea37d50",
  }),
  containerd("containerd", 37),
  containerd("containerd-shim-runc-v2", 14),
  containerd("ctr", 22),
  loopback(),
  kubernetes("kube-apiserver", "image", 101),
  kubernetes("kube-controller-manager", "image", 92),
  kubernetes("kube-scheduler", "image", 70),
  {
    name: "etcd",
    version: versions.etcd,
    purpose: "image",
    sizeMiB: 26,
    recipe: { kind: "go", module: "etcd", package: "go.etcd.io/etcd/server/v3" },
  },
  {
    name: "coredns",
    version: versions.coredns,
    purpose: "image",
    sizeMiB: 71,
    recipe: { kind: "go", module: "coredns", package: "github.com/coredns/coredns" },
  },
  {
    name: "pause",
    version: versions.pause,
    purpose: "image",
    sizeMiB: 1,
    recipe: { kind: "c", source: "pause/pause.c" },
  },
  {
    name: "httpecho",
    version: versions.httpecho,
    purpose: "image",
    sizeMiB: 7,
    recipe: { kind: "go", module: "httpecho", package: "zerosteal/toolchain/httpecho" },
  },
];

/** Every tool by name, with Cilium's of a version. */
export function manifestWith(cilium: CiliumVersion): ReadonlyMap<string, Tool> {
  return new Map([...table, ...ciliumTools(cilium)].map((tool) => [tool.name, tool]));
}

/** Every tool by name. */
export const manifest = manifestWith(defaultCilium);

/**
 * Names of all tools of the given purposes, in the manifest's order.
 * @param purposes at least one
 */
export function toolNames(...purposes: Purpose[]): string[] {
  return [...manifest.values()].filter((tool) => purposes.includes(tool.purpose)).map((tool) => tool.name);
}

/**
 * This host's architecture.
 * @throws Error on anything but amd64 and arm64
 */
export function hostArch(): Arch {
  if (process.arch === "x64") return "amd64";
  if (process.arch === "arm64") return "arm64";
  throw new Error(`This machine's processor is ${process.arch}; tools exist for amd64 and arm64 only.`);
}
