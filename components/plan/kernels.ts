import semver from "semver";

/** Kernel minor of the cloud's system images, as of 2026-11. Snapshots and images that are not listed may have any. */
export const imageKernels: Readonly<Record<string, string>> = {
  "debian-12": "6.1",
  "debian-13": "6.12",
  "ubuntu-22.04": "5.15",
  "ubuntu-24.04": "6.8",
  "ubuntu-26.04": "7.0",
};

/** Kernel minor of an image; undefined when nobody wrote it down. */
export function kernelOf(image: string): string | undefined {
  return Object.hasOwn(imageKernels, image) ? imageKernels[image] : undefined;
}

/** Whether a kernel minor is older than another, e.g. `6.8` than `6.12`. */
export function kernelOlder(kernel: string, than: string): boolean {
  return semver.lt(`${kernel}.0`, `${than}.0`);
}

/** First kernel with host routing by BPF, with netkit, and first that keeps a packet's time on its way out of a pod, which BBR goes by. */
export const hostRoutingKernel = "5.10";
export const netkitKernel = "6.8";
export const podBbrKernel = "5.18";

/** Oldest kernel minor that has what a plan chose. */
export function kernelNeeded(chosen: { podBbr: boolean; netkit: boolean }): string {
  if (chosen.netkit) return netkitKernel;
  return chosen.podBbr ? podBbrKernel : hostRoutingKernel;
}

/** Images whose kernel is at least the given one, for sentences. */
export function imagesWith(kernel: string): string[] {
  return Object.keys(imageKernels).filter((image) => !kernelOlder(imageKernels[image] ?? "0.0", kernel));
}
