import { mkdir, rm } from "node:fs/promises";
import path from "node:path";
import { execa } from "execa";
import pRetry from "p-retry";
import { buildC, buildGo, checkGo, goCacheDirs, goGroups } from "./build";
import { ToolchainError, defaultCacheDir, withLock } from "./cache";
import type { DiskNeed } from "./disk";
import { checkDisk } from "./disk";
import type { Arch, Tool, Upstream } from "./manifest";
import { goModules, hostArch, manifest } from "./manifest";
import type { OnProgress, Step } from "./progress";
import { beginStep } from "./progress";
import type { ToolFile } from "./store";
import { ToolStore } from "./store";
import type { Limits } from "./upstream";
import { DownloadError, UpstreamProbe, defaultLimits, download } from "./upstream";

export type { ToolFile } from "./store";

/** Options of `ensure` and `diskNeeds`. */
export interface EnsureOptions {
  onProgress?: OnProgress;
  /** Default: `defaultCacheDir()`. */
  cacheDir?: string;
  /** Default: this host's. */
  arch?: Arch;
  /** Tools by name. Default: the manifest; tests bring their own. */
  tools?: ReadonlyMap<string, Tool>;
  /** Time limits of downloads. Default: 3 s for a host's first answer, 20 s of silence. */
  limits?: Limits;
}

// One answer a host for the whole run: a closed network is asked once, not once a tool.
const sharedProbe = new UpstreamProbe();

/**
 * Makes sure that tools are there: from the cache, else downloaded with their checksum, else built.
 * @param names tools of the manifest; order and repetition do not matter
 * @param options see `EnsureOptions`
 * @returns each tool by name
 * @throws ToolchainError in sentences for people: unknown name, no room, no Go, a build that failed
 */
export async function ensure(names: string[], options: EnsureOptions = {}): Promise<Record<string, ToolFile>> {
  const tools = options.tools ?? manifest;
  const wanted = [...new Set(names)].map((name) => {
    const tool = tools.get(name);
    if (!tool)
      throw new ToolchainError(`No tool is called "${name}"; the manifest has ${[...tools.keys()].join(", ")}.`);
    return tool;
  });
  const store = new ToolStore(options.cacheDir ?? defaultCacheDir(), options.arch ?? hostArch());
  const result: Record<string, ToolFile> = {};
  if ((await collect(store, wanted, result)).length === 0) return result;
  await withLock(
    store.dir,
    async () => {
      const missing = await collect(store, wanted, result);
      await fill(store, missing, result, options);
    },
    options.onProgress,
  );
  return result;
}

/**
 * Disk that `ensure` would use for the same names, only for what is missing: the cache itself, and Go's own caches for what must be built.
 * @param names tools of the manifest
 * @param options as for `ensure`
 */
export async function diskNeeds(names: string[], options: EnsureOptions = {}): Promise<DiskNeed[]> {
  const store = storeOf(options);
  const missing = await collect(store, lookUp(names, options), {});
  const { toFetch, toBuild } = await sort(store, missing, probeOf(options));
  return needsOf(store, toFetch, toBuild);
}

function lookUp(names: string[], options: EnsureOptions): Tool[] {
  const tools = options.tools ?? manifest;
  return [...new Set(names)].map((name) => {
    const tool = tools.get(name);
    if (!tool)
      throw new ToolchainError(`No tool is called "${name}"; the manifest has ${[...tools.keys()].join(", ")}.`);
    return tool;
  });
}

function storeOf(options: EnsureOptions): ToolStore {
  return new ToolStore(options.cacheDir ?? defaultCacheDir(), options.arch ?? hostArch());
}

function probeOf(options: EnsureOptions): UpstreamProbe {
  return options.limits ? new UpstreamProbe(options.limits) : sharedProbe;
}

interface Missing {
  tool: Tool;
  notes: string[];
}

async function collect(store: ToolStore, wanted: Tool[], into: Record<string, ToolFile>): Promise<Missing[]> {
  const missing: Missing[] = [];
  for (const tool of wanted) {
    if (into[tool.name]) continue;
    const found = await store.find(tool);
    if (found && "path" in found) into[tool.name] = found;
    else missing.push({ tool, notes: found ? [found.spoiled] : [] });
  }
  return missing;
}

async function fill(
  store: ToolStore,
  missing: Missing[],
  into: Record<string, ToolFile>,
  options: EnsureOptions,
): Promise<void> {
  const probe = probeOf(options);
  const { toFetch, toBuild } = await sort(store, missing, probe);
  await checkDisk(await needsOf(store, toFetch, toBuild));
  const work = path.join(store.dir, "work");
  await rm(work, { recursive: true, force: true });
  await mkdir(work, { recursive: true });
  try {
    const failed = await fetchAll(store, toFetch, work, into, probe, options);
    if (failed.length > 0) await checkDisk(await needsOf(store, [], [...failed, ...toBuild]));
    await buildAll(store, [...failed, ...toBuild], work, into, options.onProgress);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** Asks all hosts at once: on a closed network that costs one time limit, not one a host. */
async function sort(
  store: ToolStore,
  missing: Missing[],
  probe: UpstreamProbe,
): Promise<{ toFetch: Missing[]; toBuild: Missing[] }> {
  const reachable = await Promise.all(
    missing.map(async ({ tool }) => {
      const upstream = tool.upstream?.[store.arch];
      return upstream !== undefined && (await probe.reachable(upstream.url));
    }),
  );
  return {
    toFetch: missing.filter((_, index) => reachable[index]),
    toBuild: missing.filter((_, index) => !reachable[index]),
  };
}

/** Downloads lie on disk twice (archive and tool) for a moment; builds also fill Go's own caches. */
async function needsOf(store: ToolStore, toFetch: Missing[], toBuild: Missing[]): Promise<DiskNeed[]> {
  const sizes = (items: Missing[]) => items.reduce((sum, { tool }) => sum + tool.sizeMiB, 0);
  const needs: DiskNeed[] = [{ folder: store.dir, mib: 2 * sizes(toFetch) + sizes(toBuild) }];
  const modules = modulesOf(toBuild);
  if (modules.length === 0) return needs;
  await checkGo(modules);
  const [modCache = "", buildCache = ""] = await goCacheDirs();
  for (const module of modules) {
    const half = (goModules[module]?.cacheMiB ?? 500) / 2;
    needs.push({ folder: modCache, mib: half }, { folder: buildCache, mib: half });
  }
  return needs;
}

function modulesOf(items: Missing[]): string[] {
  return [...new Set(items.flatMap(({ tool }) => (tool.recipe.kind === "go" ? [tool.recipe.module] : [])))];
}

/** @returns those whose download failed, with a note that says why */
async function fetchAll(
  store: ToolStore,
  items: Missing[],
  work: string,
  into: Record<string, ToolFile>,
  probe: UpstreamProbe,
  options: EnsureOptions,
): Promise<Missing[]> {
  const failed: Missing[] = [];
  for (const { url, sha256, group } of byUrl(store, items)) {
    const step = beginStep(group.map(({ tool }) => `${tool.name} ${tool.version}`).join(", "), options.onProgress);
    step.tell(`downloading ${url}`);
    const archive = path.join(work, "download");
    try {
      if (!(await probe.reachable(url))) throw new DownloadError(`${new URL(url).host} failed before.`, "network");
      await downloadPatiently(url, sha256, archive, step, options.limits ?? defaultLimits);
      for (const { tool, notes } of group) {
        const file = await member(archive, tool.upstream?.[store.arch]?.member, work);
        into[tool.name] = await store.put(tool, file, "upstream", notes);
      }
    } catch (error) {
      if (!(error instanceof DownloadError)) throw error;
      if (error.kind === "network") probe.giveUp(url);
      step.tell(`${error.message} Building it instead.`);
      for (const { tool, notes } of group) {
        failed.push({ tool, notes: [...notes, `${error.message} ${tool.name} was built here instead.`] });
      }
    } finally {
      step.end();
      await rm(archive, { force: true });
    }
  }
  return failed;
}

/** One download may hold several tools. */
function byUrl(store: ToolStore, items: Missing[]): (Upstream & { group: Missing[] })[] {
  const downloads = new Map<string, Upstream & { group: Missing[] }>();
  for (const item of items) {
    const upstream = item.tool.upstream?.[store.arch] as Upstream;
    const download = downloads.get(upstream.url) ?? { ...upstream, group: [] };
    download.group.push(item);
    downloads.set(upstream.url, download);
  }
  return [...downloads.values()];
}

/** A connection that broke off is tried twice more; a wrong file or an error answer would only come again. */
async function downloadPatiently(
  url: string,
  sha256: string,
  target: string,
  step: Step,
  limits: Limits,
): Promise<void> {
  await pRetry(() => download(url, sha256, target, step, limits), {
    retries: 2,
    minTimeout: limits.probeMs / 10,
    shouldRetry: ({ error }) => error instanceof DownloadError && error.kind === "network",
  });
}

/** Takes one file out of an archive; without a member name the download itself is the file. */
async function member(archive: string, name: string | undefined, work: string): Promise<string> {
  if (name === undefined) return archive;
  await execa("tar", ["-xzf", archive, "-C", work, name]);
  return path.join(work, name);
}

async function buildAll(
  store: ToolStore,
  items: Missing[],
  work: string,
  into: Record<string, ToolFile>,
  onProgress?: OnProgress,
): Promise<void> {
  const notes = new Map(items.map((item) => [item.tool.name, item.notes]));
  const keep = async (tool: Tool) => {
    into[tool.name] = await store.put(tool, path.join(work, tool.name), "build", notes.get(tool.name) ?? []);
  };
  for (const { tool } of items.filter((item) => item.tool.recipe.kind === "c")) {
    await buildC(tool, work);
    await keep(tool);
  }
  for (const group of goGroups(items.map((item) => item.tool))) {
    await buildGo(group, store.arch, work, onProgress);
    for (const tool of group) await keep(tool);
  }
}
