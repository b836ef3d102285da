import { chmod, copyFile, readFile, rename, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { recipeKey } from "./build";
import { placeFolder, sha256File } from "./cache";
import type { Arch, Tool } from "./manifest";

/** How a tool's file came to be. */
export type Origin = "upstream" | "build";

/** A tool, ready to run. */
export interface ToolFile {
  name: string;
  version: string;
  /** Absolute path of the executable. */
  path: string;
  /** SHA-256 of the executable, 64 hex digits. */
  sha256: string;
  origin: Origin;
  /** True when it lay in the cache before this call. */
  cached: boolean;
  /** Sentences that a person should read, e.g. that a download had a wrong checksum and was discarded. */
  notes: string[];
}

/** What is remembered beside a cached executable. Size and time tell whether it must be hashed again. */
interface StoredRecord {
  sha256: string;
  origin: Origin;
  size: number;
  mtimeMs: number;
}

/** Cached tools: `<cache>/tools/<name>/<version>-<arch>-<key>/<name>`. */
export class ToolStore {
  /**
   * @param cacheDir folder of the cache
   * @param arch target of all tools in this store
   */
  constructor(
    readonly cacheDir: string,
    readonly arch: Arch,
  ) {}

  /** Folder of all tools, also the folder that concurrent runs lock. */
  get dir(): string {
    return path.join(this.cacheDir, "tools");
  }

  private async folder(tool: Tool): Promise<string> {
    return path.join(this.dir, tool.name, `${tool.version}-${this.arch}-${await recipeKey(tool, this.arch)}`);
  }

  /**
   * Looks a tool up. A file that no longer has its recorded checksum counts as missing; `put` replaces it.
   * @param tool from the manifest
   * @returns the tool, or why a cached one must not be used, or undefined
   */
  async find(tool: Tool): Promise<ToolFile | { spoiled: string } | undefined> {
    const folder = await this.folder(tool);
    const file = path.join(folder, tool.name);
    const record = await readRecord(path.join(folder, "record.json"));
    const found = await stat(file).catch(() => undefined);
    if (!record || !found) return undefined;
    if (found.size !== record.size || found.mtimeMs !== record.mtimeMs) {
      const sha256 = await sha256File(file);
      if (sha256 !== record.sha256) {
        return { spoiled: `The cached ${tool.name} ${tool.version} had changed on disk and was discarded.` };
      }
    }
    const { sha256, origin } = record;
    return { name: tool.name, version: tool.version, path: file, sha256, origin, cached: true, notes: [] };
  }

  /**
   * Puts an executable into the store.
   * @param tool from the manifest
   * @param file finished executable; moved when on the same file system
   * @param origin how it came to be
   * @param notes sentences for the result
   */
  async put(tool: Tool, file: string, origin: Origin, notes: string[]): Promise<ToolFile> {
    const folder = await this.folder(tool);
    const sha256 = await sha256File(file);
    await placeFolder(folder, async (dir) => {
      const place = path.join(dir, tool.name);
      await rename(file, place).catch(() => copyFile(file, place));
      await chmod(place, 0o755);
      const { size, mtimeMs } = await stat(place);
      const record: StoredRecord = { sha256, origin, size, mtimeMs };
      await writeFile(path.join(dir, "record.json"), `${JSON.stringify(record)}\n`);
    });
    const { name, version } = tool;
    return { name, version, path: path.join(folder, name), sha256, origin, cached: false, notes };
  }
}

async function readRecord(file: string): Promise<StoredRecord | undefined> {
  const text = await readFile(file, "utf8").catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  });
  return text === undefined ? undefined : (JSON.parse(text) as StoredRecord);
}
