import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
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
