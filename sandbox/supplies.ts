import { ensureBaseImage } from "./images/baseImage";
import { ensureImages } from "./images/images";
import type { Instance } from "./instance";
import type { MachineHost } from "./machines/machine";
import { ensureArtifacts } from "./mirror/artifacts";
import { createMirror, type Mirror } from "./mirror/mirror";

/** The system images that the emulated cloud offers. */
export const machineImage: MachineHost["image"] = async (name) => {
  const { rootDir } = await ensureBaseImage(name);
  return { rootDir };
};

/** Opens the instance's mirror of node artifacts and container images, on its own address alone. */
export async function openMirror(instance: Instance): Promise<Mirror> {
  const mirror = createMirror({ artifacts: await ensureArtifacts(), images: await ensureImages() });
  await mirror.listen(instance.hostAddress, instance.mirrorPort);
  return mirror;
}
