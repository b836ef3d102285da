import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { gunzipSync } from "node:zlib";
import { defaultVersions } from "../../components/plan";
import { defaultCacheDir } from "../../toolchain/cache";

/** A tool that the toolchain has put into its cache; nothing is fetched or built for a test of the plan. */
export function cachedTool(name: string): string | undefined {
  const folder = path.join(defaultCacheDir(), "tools", name);
  if (!existsSync(folder)) return undefined;
  const files = readdirSync(folder).map((version) => path.join(folder, version, name));
  return files
    .filter((file) => existsSync(file))
    .sort()
    .at(-1);
}

/** Cilium's chart of the default version, if the cache has it. */
export function cachedChart(): string | undefined {
  const folder = path.join(
    defaultCacheDir(),
    "sources",
    `cilium-${defaultVersions.cilium}`,
    "install/kubernetes/cilium",
  );
  return existsSync(path.join(folder, "Chart.yaml")) ? folder : undefined;
}

/** Runs a body with a folder of its own, and removes it afterwards. */
export function inTemporaryFolder<T>(body: (folder: string) => T): T {
  const folder = mkdtempSync(path.join(os.tmpdir(), "zerosteal-plan-"));
  try {
    return body(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** An entry of cloud-init's `write_files`. */
export interface WrittenFile {
  path: string;
  permissions: string;
  content: string;
  encoding?: string;
}

/** A file as cloud-init writes it: with `gz+b64` the content is base64 of gzip. */
export function writtenBy({ encoding, ...file }: WrittenFile): WrittenFile {
  if (encoding === undefined) return file;
  if (encoding !== "gz+b64") throw new Error(`${file.path} has encoding ${encoding}`);
  return { ...file, content: gunzipSync(Buffer.from(file.content, "base64")).toString() };
}
