import { spawn } from "node:child_process";
import type { Hash } from "node:crypto";
import { createHash } from "node:crypto";
import { copyFile, link, mkdir, mkdtemp, readdir, rm, stat } from "node:fs/promises";
import path from "node:path";
import { pipeline } from "node:stream/promises";
import { contentKey, exists } from "../../toolchain/cache";
import type { Blob, BlobStore } from "./blobs";

/** How a layer is stored. `none` needs most room and least time. */
export type Compression = "none" | "zstd";

/** What a layer holds. */
export type LayerContent =
  | {
      /** A folder tree as it is, owners included. */
      tree: string;
      /** tar patterns, relative to the tree, e.g. `./usr/share/doc`. */
      without: string[];
    }
  | {
      /** Single files and folders, owned by root. `from` may hold a `*` that matches one folder. */
      files: { from: string; to: string }[];
      /** Symbolic links: place in the image and what it points at. */
      links?: { at: string; to: string }[];
    };

/** One layer of an image. */
export interface LayerRecipe {
  content: LayerContent;
  /** Everything that decides the content, such as versions and checksums: same value, same layer. */
  identity: unknown;
}

/** A stored layer. */
export interface Layer extends Blob {
  mediaType: string;
  /** Digest of the uncompressed tar. */
  diffId: string;
  /** Key under which the store remembers it. */
  key: string;
}

const mediaTypes: Record<Compression, string> = {
  none: "application/vnd.oci.image.layer.v1.tar",
  zstd: "application/vnd.oci.image.layer.v1.tar+zstd",
};

/**
 * Makes sure that a layer lies in the store. The same content always gives the same bytes: sorted, without times, numeric owners.
 * @param store where blobs are kept
 * @param recipe content and identity
 * @param compression how it is stored
 */
export async function ensureLayer(store: BlobStore, recipe: LayerRecipe, compression: Compression): Promise<Layer> {
  const shape = "tree" in recipe.content ? recipe.content.without : recipe.content.links;
  const key = contentKey([recipe.identity, shape, "files" in recipe.content && recipe.content.files, compression, 2]);
  const known = await store.recall<Layer>(key);
  if (known && (await exists(store.file(known.digest)))) return known;
  const layer = { ...(await pack(store, recipe.content, compression)), key };
  await store.remember(key, layer);
  return layer;
}

async function pack(store: BlobStore, content: LayerContent, compression: Compression): Promise<Omit<Layer, "key">> {
  if ("tree" in content) {
    return write(store, content.tree, content.without, [], compression);
  }
  await mkdir(store.dir, { recursive: true });
  const stage = await mkdtemp(path.join(store.dir, `.partial-${process.pid}-`));
  try {
    for (const { from, to } of content.files) await place(await single(from), path.join(stage, to));
    for (const { at, to } of content.links ?? []) {
      await mkdir(path.dirname(path.join(stage, at)), { recursive: true });
      await runTo(spawn("ln", ["-s", to, path.join(stage, at)]));
    }
    return await write(store, stage, [], ["--owner=0", "--group=0"], compression);
  } finally {
    await rm(stage, { recursive: true, force: true });
  }
}

/** Resolves a path with a `*` in it to the one file that it must match. */
async function single(pattern: string): Promise<string> {
  const matches: string[] = [];
  if (!pattern.includes("*")) return pattern;
  const base = pattern.slice(0, pattern.indexOf("*"));
  const rest = pattern.slice(pattern.indexOf("*") + 1);
  for (const entry of await readdir(base)) {
    if (await exists(path.join(base, entry + rest))) matches.push(path.join(base, entry + rest));
  }
  if (matches.length !== 1) throw new Error(`${pattern} matches ${matches.length} files, one was expected`);
  return matches[0] as string;
}

/** Hard links cost nothing; across file systems it has to be a copy. */
async function place(from: string, to: string): Promise<void> {
  if ((await stat(from)).isDirectory()) {
    await mkdir(to, { recursive: true });
    for (const entry of await readdir(from)) await place(path.join(from, entry), path.join(to, entry));
    return;
  }
  await mkdir(path.dirname(to), { recursive: true });
  await link(from, to).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code !== "EXDEV") throw error;
    return copyFile(from, to);
  });
}

async function write(
  store: BlobStore,
  dir: string,
  without: string[],
  owner: string[],
  compression: Compression,
): Promise<Omit<Layer, "key">> {
  const order = ["--sort=name", "--mtime=@0", "--numeric-owner", "--format=gnu", ...owner];
  const exclude = without.map((pattern) => `--exclude=${pattern}`);
  const tar = () =>
    spawn("tar", [...order, "--anchored", "--wildcards", ...exclude, "-cf", "-", "-C", dir, "."], {
      stdio: ["ignore", "pipe", "pipe"],
    });
  if (compression === "none") {
    const blob = await store.addStream(() => {
      const child = tar();
      return { stream: child.stdout, ended: runTo(child) };
    });
    return { ...blob, mediaType: mediaTypes.none, diffId: blob.digest };
  }
  const diff = createHash("sha256");
  const blob = await store.addStream(() => {
    const child = tar();
    const zstd = spawn("zstd", ["-q", "-3", "-T1", "-c"], { stdio: ["pipe", "pipe", "pipe"] });
    const fed = pipeline(child.stdout, hashing(diff), zstd.stdin);
    return { stream: zstd.stdout, ended: Promise.all([fed, runTo(child), runTo(zstd)]) };
  });
  return { ...blob, mediaType: mediaTypes.zstd, diffId: `sha256:${diff.digest("hex")}` };
}

/** Passes chunks on and adds each to a hash. */
function hashing(hash: Hash): (chunks: AsyncIterable<Buffer>) => AsyncGenerator<Buffer> {
  return async function* (chunks) {
    for await (const chunk of chunks) {
      hash.update(chunk);
      yield chunk;
    }
  };
}

/** Resolves when a child ends with 0, and throws with its last words otherwise. */
function runTo(child: ReturnType<typeof spawn>): Promise<void> {
  return new Promise((resolve, reject) => {
    let words = "";
    child.stderr?.on("data", (chunk: Buffer) => (words = `${words}${chunk.toString()}`.slice(-2000)));
    child.on("error", reject);
    child.on("close", (code) =>
      code === 0 ? resolve() : reject(new Error(`${child.spawnargs.join(" ")} ended with ${code}: ${words.trim()}`)),
    );
  });
}
