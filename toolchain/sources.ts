import { chmod, cp, readdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { goModuleDir } from "./build";
import { defaultCacheDir, exists, placeFolder, withLock } from "./cache";
import { type CiliumVersion, ciliumModule, defaultCilium } from "./cilium";
import type { OnProgress } from "./progress";
import { beginStep } from "./progress";

/** Files of Cilium's own source tree that are used as they are, never copied into this repository. */
export interface CiliumSources {
  /** Helm chart folder, with values.schema.json. */
  chart: string;
  /** Datapath sources that the agent compiles. */
  bpf: string;
  /** Scripts that belong at the image's root. */
  scripts: string[];
  /** CustomResourceDefinitions in YAML, in subfolders. */
  crds: string;
}

const parts = {
  chart: "install/kubernetes/cilium",
  bpf: "bpf",
  crds: "pkg/k8s/apis/cilium.io/client/crds",
  scripts: [
    "images/cilium/init-container.sh",
    "plugins/cilium-cni/install-plugin.sh",
    "plugins/cilium-cni/cni-uninstall.sh",
  ],
};

/**
 * Makes sure that Cilium's chart, datapath sources, scripts and CRDs lie in the cache.
 * @param options cacheDir default: `defaultCacheDir()`; cilium default: `defaultCilium`
 */
export async function ensureCiliumSources(
  options: { cacheDir?: string; cilium?: CiliumVersion; onProgress?: OnProgress } = {},
): Promise<CiliumSources> {
  const { cilium = defaultCilium, onProgress } = options;
  const parent = path.join(options.cacheDir ?? defaultCacheDir(), "sources");
  const dir = path.join(parent, `cilium-${cilium}`);
  if (!(await exists(dir))) await withLock(parent, () => copySources(dir, cilium, onProgress), onProgress);
  return {
    chart: path.join(dir, parts.chart),
    bpf: path.join(dir, parts.bpf),
    crds: path.join(dir, parts.crds),
    scripts: parts.scripts.map((script) => path.join(dir, script)),
  };
}

async function copySources(dir: string, cilium: CiliumVersion, onProgress?: OnProgress): Promise<void> {
  if (await exists(dir)) return;
  const step = beginStep(`Cilium ${cilium} sources`, onProgress);
  step.tell("from the Go module");
  try {
    const module = await goModuleDir(ciliumModule(cilium), "github.com/cilium/cilium");
    await placeFolder(dir, async (temporary) => {
      for (const part of [parts.chart, parts.bpf, parts.crds, ...parts.scripts]) {
        await cp(path.join(module, part), path.join(temporary, part), {
          recursive: true,
          filter: (source) => !/\/bpf\/(tests|complexity-tests|test-progs)$/.test(source),
        });
      }
      await makeWritable(temporary);
      if (cilium === "1.16.1") await quieten(path.join(temporary, parts.bpf));
    });
  } finally {
    step.end();
  }
}

/** These sources are of clang 17's time, and warnings are errors: clang 19 has one more of them for numbers made shorter. */
async function quieten(bpf: string): Promise<void> {
  const file = path.join(bpf, "include/bpf/compiler.h");
  await writeFile(file, `#pragma clang diagnostic ignored "-Wshorten-64-to-32"\n${await readFile(file, "utf8")}`);
}

/** Go's module cache is read-only, and so would be its copy: a later version could not be put in its place. */
async function makeWritable(dir: string): Promise<void> {
  await chmod(dir, 0o755);
  for (const entry of await readdir(dir, { withFileTypes: true })) {
    const file = path.join(dir, entry.name);
    if (entry.isDirectory()) await makeWritable(file);
    else if (entry.isFile()) await chmod(file, entry.name.endsWith(".sh") ? 0o755 : 0o644);
  }
}
