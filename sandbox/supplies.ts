import type { OnProgress } from "../toolchain/progress";
import { ensureBaseImage, imageNames } from "./images/baseImage";
import { ensureImages } from "./images/images";
import { preloadContainerd } from "./images/preload";
import type { Instance, Made } from "./instance";
import type { MachineHost } from "./machines/machine";
import { ensureArtifacts } from "./mirror/artifacts";
import { createMirror, type Mirror } from "./mirror/mirror";

/**
 * The system images that the emulated cloud offers.
 * @param made of whose sandbox: with `preload` a new machine's disk holds the container images already, as a snapshot of one's own would
 */
export function machineImages({ preload, cilium }: Made): MachineHost["image"] {
  return async (name) => {
    const { rootDir } = await ensureBaseImage(name);
    return { rootDir, containerdDir: preload ? await preloadContainerd({ cilium }) : undefined };
  };
}

/** Makes everything that machines are made of, so that the first one need not wait for it. */
export async function ensureSupplies({ preload, cilium }: Made, onProgress: OnProgress): Promise<void> {
  for (const name of imageNames) await ensureBaseImage(name, { onProgress });
  await ensureImages({ cilium, onProgress });
  if (preload) await preloadContainerd({ cilium, onProgress });
}

/** Opens the instance's mirror of node artifacts and container images, on its own address alone. */
export async function openMirror(instance: Instance): Promise<Mirror> {
  const mirror = createMirror({ artifacts: await ensureArtifacts(), images: await ensureImages(instance) });
  await mirror.listen(instance.hostAddress, instance.mirrorPort);
  return mirror;
}
