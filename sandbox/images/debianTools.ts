import type { DebianRecipe, DebianTree, ImageOptions } from "./bootstrap";
import { ensureDebianTree } from "./bootstrap";

/**
 * Debian with network tools, and beside it the compiler that Cilium's agent runs: the content of the probe image and of the layers
 * below Cilium's binaries. One tree, so that both images share a layer.
 */
const recipe: DebianRecipe = {
  name: "tools",
  suite: "trixie",
  packages: [
    ...["bash", "iproute2", "iptables", "ipset", "kmod", "procps", "ethtool", "bpftool", "ca-certificates"],
    ...["iputils-ping", "bind9-dnsutils", "curl", "socat", "tcpdump", "netcat-openbsd", "conntrack"],
    // Libraries that the unpacked compiler links.
    ...[
      "libstdc++6",
      "libffi8",
      "libedit2",
      "libxml2",
      "libzstd1",
      "zlib1g",
      "libtinfo6",
      "libbsd0",
      "liblzma5",
      "libmd0",
    ],
  ],
  unpacked: ["clang-19", "llvm-19", "libllvm19", "libclang-cpp19", "libz3-4"],
  without: ["/usr/share/man/*", "/usr/share/doc/*", "/usr/share/locale/*", "/usr/share/info/*", "/usr/share/lintian/*"],
  sizeMiB: 900,
};

/**
 * Makes sure that the tree lies in the cache. About 40 s the first time.
 * @param options cache folder and progress
 */
export function ensureToolsTree(options: ImageOptions = {}): Promise<DebianTree> {
  return ensureDebianTree(recipe, options);
}

/**
 * What of the Debian tree stays out of the images: package management, Perl, time zones, character sets, logs and caches, which no
 * tool of the images reads. Patterns of tar, relative to the root.
 */
export const leftOut = [
  "./boot/*",
  "./dev/*",
  "./proc/*",
  "./run/*",
  "./sys/*",
  "./tmp/*",
  "./unpacked",
  "./var/cache/*",
  "./var/lib/apt/*",
  "./var/lib/dpkg/*",
  "./var/log/*",
  "./etc/apt/*",
  "./etc/machine-id",
  "./etc/hostname",
  "./etc/resolv.conf",
  "./usr/bin/apt*",
  "./usr/bin/dpkg*",
  "./usr/bin/perl*",
  "./usr/lib/apt",
  "./usr/lib/dpkg",
  "./usr/lib/systemd",
  "./usr/lib/x86_64-linux-gnu/perl*",
  "./usr/lib/aarch64-linux-gnu/perl*",
  "./usr/lib/*/gconv/*",
  "./usr/lib/*/libapt-*",
  "./usr/share/bash-completion",
  "./usr/share/common-licenses",
  "./usr/share/debconf",
  "./usr/share/dpkg",
  "./usr/share/keyrings",
  "./usr/share/perl5",
  "./usr/share/zoneinfo",
  "./usr/sbin/dpkg*",
];

/** The compiler's files among the unpacked packages, where each package puts them, and their place in the image. */
export const compilerFiles: { from: string; to: string }[] = [
  { from: "usr/lib/llvm-19/bin/clang", to: "usr/bin/clang" },
  { from: "usr/lib/llvm-19/bin/llc", to: "usr/bin/llc" },
  { from: "usr/lib/*/libLLVM.so.19.1", to: "usr/lib/libLLVM.so.19.1" },
  { from: "usr/lib/*/libclang-cpp.so.19.1", to: "usr/lib/libclang-cpp.so.19.1" },
  { from: "usr/lib/*/libz3.so.4", to: "usr/lib/libz3.so.4" },
];
