import { chmod, mkdir, readFile, readdir, rm, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { execa } from "execa";
import {
  ToolchainError,
  contentKey,
  defaultCacheDir,
  exists,
  keepUsed,
  placeFolder,
  withLock,
} from "../../toolchain/cache";
import { beginStep } from "../../toolchain/progress";
import type { DebianRecipe, ImageOptions } from "./bootstrap";
import { ensureDebianTree } from "./bootstrap";
import type { HostTraits } from "./host";
import { probeHost } from "./host";
import { type ImageFile, machineFiles, maskedUnits, wantedUnits } from "./machineFiles";

/** A system image: what a machine's disk starts from. */
export interface BaseImage {
  /** Root file system, read-only lower layer of every machine. */
  rootDir: string;
  /** File of runc for this image: it needs the image's libseccomp. */
  runc: string;
}

/** Names under which the cloud offers the image. */
export const imageNames = ["debian-12", "debian-13"];

/** Packages of a node: what kubeadm, kubelet and Cilium look for, cloud-init and SSH. */
export const nodePackages = [
  ...["systemd", "systemd-sysv", "dbus", "openssh-server", "cloud-init", "ca-certificates", "curl", "zstd"],
  ...["iproute2", "iptables", "nftables", "iputils-ping", "ipset", "conntrack", "socat", "ethtool"],
  ...["kmod", "procps", "mount", "util-linux", "libseccomp2"],
];

/** What no machine reads: manuals and translations. */
export const unread = ["/usr/share/man/*", "/usr/share/doc/*", "/usr/share/locale/*", "/usr/share/info/*"];

function machineRecipe(host: HostTraits): DebianRecipe {
  return {
    name: "machine",
    // systemd of Debian 13 refuses to boot on cgroup v1.
    suite: host.cgroupVersion === 1 ? "bookworm" : "trixie",
    packages: nodePackages,
    unpacked: ["runc"],
    without: unread,
    sizeMiB: 600,
  };
}

/**
 * Makes sure that a system image lies in the cache. About 40 s the first time, nothing afterwards.
 * @param name one of `imageNames`; on a host with cgroup v1 every name gives Debian 12
 * @param options cache folder and progress
 * @throws ToolchainError for an unknown name, without root, or when Debian's packages cannot be had
 */
export async function ensureBaseImage(name: string, options: ImageOptions = {}): Promise<BaseImage> {
  if (!imageNames.includes(name)) {
    throw new ToolchainError(`No system image is called "${name}"; there are ${imageNames.join(" and ")}.`);
  }
  const host = await probeHost();
  const tree = await ensureDebianTree(machineRecipe(host), options);
  const files = machineFiles(host);
  const parent = path.join(options.cacheDir ?? defaultCacheDir(), "rootfs");
  const key = contentKey([tree.key, files, maskedUnits, wantedUnits, 2]);
  const rootDir = path.join(parent, key, "root");
  const make = async () => {
    if (await exists(rootDir)) return;
    const step = beginStep("machine image", options.onProgress);
    step.tell("adding what makes it a machine");
    const traits = { files, maskedUnits, wantedUnits };
    try {
      await placeFolder(path.join(parent, key), (dir) => customise(tree.rootDir, path.join(dir, "root"), traits));
    } finally {
      step.end();
    }
  };
  if (!(await exists(rootDir))) await withLock(parent, make, options.onProgress);
  await keepUsed(parent, [key, ...(await mountedImages(parent))]);
  return { rootDir, runc: path.join(tree.unpackedDir, "usr/sbin/runc") };
}

/** Images of this folder that some machine's disk is mounted on. */
async function mountedImages(parent: string): Promise<string[]> {
  const mounts = await readFile("/proc/mounts", "utf8");
  return (await readdir(parent)).filter((key) => mounts.includes(`${path.join(parent, key)}/`));
}

/** What makes a plain Debian root file system a machine. */
export interface MachineTraits {
  files: ImageFile[];
  /** Units that never start. */
  maskedUnits: string[];
  /** Units that start at boot, by the target that wants them; their files are the image's own or Debian's. */
  wantedUnits: { unit: string; target: string }[];
}

/** Copies a root file system and makes the copy a machine: no host keys, the traits' files and units, mount points. */
export async function customise(from: string, dir: string, traits: MachineTraits): Promise<void> {
  await execa("cp", ["-a", from, dir]);
  for (const file of await readdir(path.join(dir, "etc/ssh"))) {
    if (file.startsWith("ssh_host_")) await rm(path.join(dir, "etc/ssh", file));
  }
  for (const { path: place, mode, content } of traits.files) {
    const target = path.join(dir, place);
    await mkdir(path.dirname(target), { recursive: true });
    await rm(target, { force: true });
    await writeFile(target, content);
    await chmod(target, mode ?? 0o644);
  }
  const units = path.join(dir, "etc/systemd/system");
  for (const unit of traits.maskedUnits) {
    await rm(path.join(units, unit), { force: true });
    await symlink("/dev/null", path.join(units, unit));
  }
  for (const { unit, target } of traits.wantedUnits) {
    const own = await exists(path.join(units, unit));
    await mkdir(path.join(units, `${target}.wants`), { recursive: true });
    await symlink(
      path.join(own ? "/etc/systemd/system" : "/usr/lib/systemd/system", unit),
      path.join(units, `${target}.wants`, unit),
    );
  }
  // Mount points of what must not lie on an overlay.
  for (const folder of ["var/lib/containerd", "var/lib/kubelet", "var/lib/cloud/seed/nocloud"]) {
    await mkdir(path.join(dir, folder), { recursive: true });
  }
}
