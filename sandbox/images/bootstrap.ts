import { mkdir, rename, writeFile } from "node:fs/promises";
import path from "node:path";
import { execa } from "execa";
import { ToolchainError, contentKey, defaultCacheDir, exists, placeFolder, withLock } from "../../toolchain/cache";
import { checkDisk } from "../../toolchain/disk";
import type { CiliumVersion } from "../../toolchain/cilium";
import type { OnProgress } from "../../toolchain/progress";
import { beginStep } from "../../toolchain/progress";

/** Options that all image functions share. */
export interface ImageOptions {
  onProgress?: OnProgress;
  /** Default: `defaultCacheDir()`. */
  cacheDir?: string;
  /** Whose images are made, beside those of Kubernetes. Default: `defaultCilium`. */
  cilium?: CiliumVersion;
}

/** Recipe of a Debian root file system. */
export interface DebianRecipe {
  /** For people, e.g. `machine`. */
  name: string;
  suite: "bookworm" | "trixie";
  /** Packages to install beside the essential ones. */
  packages: string[];
  /** Packages whose files are only unpacked, into a folder of their own, without what they depend on. */
  unpacked?: string[];
  /** Folders and files, absolute in the root, that dpkg never writes. Globs. */
  without: string[];
  /** Room it takes, MiB. */
  sizeMiB: number;
}

/** A finished root file system in the cache. */
export interface DebianTree {
  key: string;
  /** The root file system. */
  rootDir: string;
  /** Files of the `unpacked` packages. */
  unpackedDir: string;
}

/** Where Debian's packages come from. `$ZEROSTEAL_DEBIAN_MIRROR` names a nearer mirror. */
export function debianMirror(): string {
  return process.env.ZEROSTEAL_DEBIAN_MIRROR ?? "http://deb.debian.org/debian";
}

/**
 * Makes sure that a Debian root file system lies in the cache; takes about half a minute the first time, and root.
 * @param recipe a changed recipe makes a new one
 * @param options cache folder and progress
 * @throws ToolchainError with mmdebstrap's last 20 lines, or that root is needed
 */
export async function ensureDebianTree(recipe: DebianRecipe, options: ImageOptions = {}): Promise<DebianTree> {
  const dir = debianTreeDir(recipe, options.cacheDir ?? defaultCacheDir());
  const parent = path.dirname(dir);
  const key = recipeKey(recipe);
  const tree = { key, rootDir: path.join(dir, "root"), unpackedDir: path.join(dir, "unpacked") };
  if (await exists(dir)) return tree;
  const make = async () => {
    if (!(await exists(dir))) await bootstrap(recipe, dir, options);
  };
  await withLock(parent, make, options.onProgress);
  return tree;
}

function recipeKey(recipe: DebianRecipe): string {
  return contentKey([recipe.suite, recipe.packages, recipe.unpacked ?? [], recipe.without]);
}

/** Folder in the cache of a recipe's root file system, made or not. */
export function debianTreeDir(recipe: DebianRecipe, cacheDir: string): string {
  return path.join(cacheDir, "debian", `${recipe.name}-${recipe.suite}-${recipeKey(recipe)}`);
}

async function bootstrap(recipe: DebianRecipe, dir: string, options: ImageOptions): Promise<void> {
  if (process.getuid?.() !== 0) {
    throw new ToolchainError(`Making the ${recipe.name} root file system needs root; run the command as root.`);
  }
  await checkDisk([{ folder: path.dirname(dir), mib: recipe.sizeMiB }]);
  const step = beginStep(`${recipe.name} root file system`, options.onProgress);
  step.tell(`Debian ${recipe.suite}, ${recipe.packages.length} packages, about 30 s`);
  try {
    await placeFolder(dir, async (temporary) => {
      const rootDir = path.join(temporary, "root");
      await mmdebstrap(recipe, rootDir, (line) => step.set(line));
      const unpacked = path.join(rootDir, "unpacked");
      await mkdir(unpacked, { recursive: true });
      await rename(unpacked, path.join(temporary, "unpacked"));
      await writeFile(path.join(temporary, "recipe.json"), `${JSON.stringify(recipe, null, 2)}\n`);
    });
  } finally {
    step.end();
  }
}

async function mmdebstrap(recipe: DebianRecipe, rootDir: string, onLine: (line: string) => void): Promise<void> {
  const unpack = [
    "mkdir -p /unpacked /tmp/debs && cd /tmp/debs",
    `apt-get download -q ${(recipe.unpacked ?? []).join(" ")}`,
    'for deb in *.deb; do dpkg-deb -x "$deb" /unpacked; done',
    "rm -rf /tmp/debs",
  ].join(" && ");
  const args = [
    "--mode=root",
    "--variant=minbase",
    '--aptopt=Acquire::Languages "none"',
    ...recipe.without.map((glob) => `--dpkgopt=path-exclude=${glob}`),
    `--include=${recipe.packages.join(",")}`,
    ...(recipe.unpacked ? [`--customize-hook=chroot "$1" sh -ec '${unpack}'`] : []),
    recipe.suite,
    rootDir,
    debianMirror(),
  ];
  const env = { SOURCE_DATE_EPOCH: "1700000000", LC_ALL: "C" };
  // mmdebstrap mounts the host's /dev, /proc and /sys into the new root. In a mount namespace of its own, and ending with this process,
  // none of them can outlive a run that is killed and fall to whoever clears the folder away.
  const alone = ["--mount", "--propagation", "private", "setpriv", "--pdeathsig", "TERM", "mmdebstrap"];
  const child = execa("unshare", [...alone, ...args], { env, all: true, reject: false, stdin: "ignore" });
  const last: string[] = [];
  for await (const line of child.iterable({ from: "all" })) {
    last.push(line);
    if (last.length > 20) last.shift();
    onLine(line);
  }
  if (!(await child).failed) return;
  throw new ToolchainError(
    [
      `Making the ${recipe.name} root file system (Debian ${recipe.suite}) failed:`,
      ...last.map((line) => `  ${line}`),
      `It needs mmdebstrap and Debian's packages from ${debianMirror()}; ZEROSTEAL_DEBIAN_MIRROR names another mirror.`,
    ].join("\n"),
  );
}
