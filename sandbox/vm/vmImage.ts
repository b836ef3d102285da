import { readdir } from "node:fs/promises";
import path from "node:path";
import { contentKey, defaultCacheDir, exists, keepUsed, placeFolder, withLock } from "../../toolchain/cache";
import { beginStep } from "../../toolchain/progress";
import { customise, nodePackages, unread } from "../images/baseImage";
import { type DebianRecipe, ensureDebianTree, type ImageOptions } from "../images/bootstrap";
import { vmFiles, vmMaskedUnits, vmWantedUnits } from "./vmFiles";

/** What a virtual machine boots from. */
export interface VmImage {
  /** Root file system; read-only. */
  rootDir: string;
  /** Debian's stock kernel, and the initial RAM disk that Debian's own scripts made for it. */
  kernel: string;
  initrd: string;
}

/** The same packages as the sandbox's machines have, and what a container does not need: a kernel and udev. */
const recipe: DebianRecipe = {
  name: "vm",
  suite: "trixie",
  packages: [...nodePackages, "udev", "initramfs-tools", "linux-image-cloud-amd64", "systemd-timesyncd"],
  without: unread,
  sizeMiB: 700,
};

/**
 * Makes sure that the system image of virtual machines lies in the cache. Two to three minutes the first time, nothing afterwards.
 * @param options cache folder and progress
 * @throws ToolchainError without root, or when Debian's packages cannot be had
 */
export async function ensureVmImage(options: ImageOptions = {}): Promise<VmImage> {
  const tree = await ensureDebianTree(recipe, options);
  const traits = { files: vmFiles(), maskedUnits: vmMaskedUnits, wantedUnits: vmWantedUnits };
  const parent = path.join(options.cacheDir ?? defaultCacheDir(), "vm");
  const key = contentKey([tree.key, traits, 1]);
  const rootDir = path.join(parent, key, "root");
  const make = async () => {
    if (await exists(rootDir)) return;
    const step = beginStep("image of virtual machines", options.onProgress);
    step.tell("adding what makes it a machine");
    try {
      await placeFolder(path.join(parent, key), (dir) => customise(tree.rootDir, path.join(dir, "root"), traits));
    } finally {
      step.end();
    }
  };
  if (!(await exists(rootDir))) await withLock(parent, make, options.onProgress);
  await keepUsed(parent, [key]);
  const boot = path.join(rootDir, "boot");
  const [kernel, initrd] = await Promise.all(["vmlinuz-", "initrd.img-"].map((start) => newest(boot, start)));
  return { rootDir, kernel: kernel as string, initrd: initrd as string };
}

async function newest(dir: string, start: string): Promise<string> {
  const found = (await readdir(dir)).filter((name) => name.startsWith(start)).sort();
  const name = found.at(-1);
  if (name === undefined) throw new Error(`${dir} has no ${start}*`);
  return path.join(dir, name);
}
