import type { OnProgress } from "../toolchain/progress";
import { ensureBaseImage, imageNames } from "./images/baseImage";
import { ensureImages } from "./images/images";
import { preloadContainerd } from "./images/preload";
import type { Instance } from "./instance";
import type { MachineHost } from "./machines/machine";
import { ensureArtifacts } from "./mirror/artifacts";
import { createMirror, type Mirror } from "./mirror/mirror";

/**
 * The system images that the emulated cloud offers.
 * @param preload whether a new machine's disk holds the container images already, as a snapshot of one's own would
 */
export function machineImages(preload: boolean): MachineHost["image"] {
  return async (name) => {
    const { rootDir } = await ensureBaseImage(name);
    return { rootDir, containerdDir: preload ? await preloadContainerd() : undefined };
  };
}

/** Makes everything that machines are made of, so that the first one need not wait for it. */
export async function ensureSupplies(preload: boolean, onProgress: OnProgress): Promise<void> {
  for (const name of imageNames) await ensureBaseImage(name, { onProgress });
  await ensureImages({ onProgress });
  if (preload) await preloadContainerd({ onProgress });
}

/** Opens the instance's mirror of node artifacts and container images, on its own address alone. */
export async function openMirror(instance: Instance): Promise<Mirror> {
  const mirror = createMirror({ artifacts: await ensureArtifacts(), images: await ensureImages() });
  await mirror.listen(instance.hostAddress, instance.mirrorPort);
  return mirror;
}
