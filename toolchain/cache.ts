import { createHash, randomBytes } from "node:crypto";
import { createReadStream } from "node:fs";
import { access, mkdir, readdir, rename, rm, stat, utimes } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { pipeline } from "node:stream/promises";
import lockfile from "proper-lockfile";
import type { OnProgress } from "./progress";
import { beginStep } from "./progress";

/** A mistake that a person can mend: the message says what is wrong and what to do. */
export class ToolchainError extends Error {
  override name = "ToolchainError";
}

/**
 * Folder that keeps tools, root file systems and images between runs.
 * `$ZEROSTEAL_CACHE` wins; else /var/cache/zerosteal for root; else `$XDG_CACHE_HOME/zerosteal` or ~/.cache/zerosteal.
 */
export function defaultCacheDir(): string {
  if (process.env.ZEROSTEAL_CACHE) return path.resolve(process.env.ZEROSTEAL_CACHE);
  if (process.getuid?.() === 0) return "/var/cache/zerosteal";
  return path.join(process.env.XDG_CACHE_HOME ?? path.join(os.homedir(), ".cache"), "zerosteal");
}

/**
 * SHA-256 of a file, 64 hex digits. Streams: any size.
 * @param file path
 */
export async function sha256File(file: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(file, { highWaterMark: 1 << 20 }), hash);
  return hash.digest("hex");
}

/**
 * Short stable key of anything that JSON can hold.
 * @param value same value, same key
 * @returns 12 hex digits
 */
export function contentKey(value: unknown): string {
  return createHash("sha256").update(JSON.stringify(value)).digest("hex").slice(0, 12);
}

/** Whether a path exists. */
export async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}

/**
 * Fills a new folder and puts it in place in one step, so that nobody ever sees half of it.
 * @param target the folder's final path; anything there is replaced
 * @param fill writes into the temporary folder beside it
 */
export async function placeFolder(target: string, fill: (dir: string) => Promise<void>): Promise<void> {
  const parent = path.dirname(target);
  await mkdir(parent, { recursive: true });
  await removeLeftovers(parent);
  const temporary = path.join(parent, `.partial-${process.pid}-${randomBytes(4).toString("hex")}`);
  await mkdir(temporary);
  try {
    await fill(temporary);
    await rm(target, { recursive: true, force: true });
    await rename(temporary, target);
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

/**
 * Marks entries of a folder as used now, and removes those that nobody has used for a week: what earlier recipes left.
 * @param dir folder whose entries are cached things; may be absent
 * @param used names that are in use now
 */
export async function keepUsed(dir: string, used: Iterable<string>): Promise<void> {
  if (!(await exists(dir))) return;
  const keep = new Set(used);
  const now = new Date();
  for (const entry of await readdir(dir)) {
    const file = path.join(dir, entry);
    if (keep.has(entry)) await utimes(file, now, now);
    else if (now.getTime() - (await stat(file)).mtimeMs > WEEK_MS) await rm(file, { recursive: true, force: true });
  }
}

const WEEK_MS = 7 * 24 * 3600 * 1000;

/** Removes temporary folders of runs that died; those of living processes stay. */
async function removeLeftovers(parent: string): Promise<void> {
  for (const entry of await readdir(parent)) {
    const pid = /^\.partial-(\d+)-/.exec(entry)?.[1];
    if (pid && !(await exists(`/proc/${pid}`))) await rm(path.join(parent, entry), { recursive: true, force: true });
  }
}

/**
 * Runs a job while holding a lock on a folder of the cache; a second run waits for the first one.
 * @param dir folder to lock; made when absent
 * @param job what to do meanwhile
 * @param onProgress is told about waiting
 */
export async function withLock<T>(dir: string, job: () => Promise<T>, onProgress?: OnProgress): Promise<T> {
  await mkdir(dir, { recursive: true });
  const step = beginStep("cache", onProgress);
  let release: (() => Promise<void>) | undefined;
  try {
    while (!release) {
      release = await lockfile.lock(dir, { stale: 30_000, update: 5_000 }).catch((error: unknown) => {
        if ((error as NodeJS.ErrnoException).code !== "ELOCKED") throw error;
        step.set(`another run is filling ${dir}; waiting for it`);
        return undefined;
      });
      if (!release) await new Promise((resolve) => setTimeout(resolve, 100));
    }
  } finally {
    step.end();
  }
  try {
    return await job();
  } finally {
    await release();
  }
}
