import path from "node:path";
import { defaultCacheDir, exists } from "../../toolchain/cache";
import type { DiskNeed } from "../../toolchain/disk";
import { checkDisk } from "../../toolchain/disk";
import { diskNeeds } from "../../toolchain/ensure";
import { manifest, toolNames } from "../../toolchain/manifest";
import type { ImageOptions } from "./bootstrap";

/** Room of what is made from the tools, MiB, by folder of the cache. Measured, rounded up. */
function folders(): Record<string, number> {
  const executables = toolNames("image").reduce((sum, name) => sum + (manifest.get(name)?.sizeMiB ?? 0), 0);
  const debian = 330;
  return {
    // Machine and tools trees, each while packages are being unpacked.
    debian: 1500,
    rootfs: 300,
    artifacts: 80,
    sources: 10,
    // Every layer once, as stored.
    images: executables + debian,
    // Every layer once more, unpacked; the stored ones are shared.
    containerd: executables + debian,
  };
}

/**
 * Checks before anything begins that the disk has room for all that a sandbox needs and the cache lacks: tools, root file systems,
 * images.
 * @param options cache folder
 * @param state folder of the instance's own state and the room it takes there, MiB. Default none
 * @throws ToolchainError one sentence with needed and free
 */
export async function checkSandboxRoom(
  options: ImageOptions = {},
  state: { dir: string; mib: number } = { dir: "/var/lib", mib: 0 },
): Promise<void> {
  const cacheDir = options.cacheDir ?? defaultCacheDir();
  const needs: DiskNeed[] = await diskNeeds([...manifest.keys()], { cacheDir });
  for (const [folder, mib] of Object.entries(folders())) {
    if (!(await exists(path.join(cacheDir, folder)))) needs.push({ folder: cacheDir, mib });
  }
  await checkDisk([...needs, { folder: state.dir, mib: state.mib }]);
}
