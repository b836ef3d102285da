import { mkdir, stat, statfs } from "node:fs/promises";
import { ToolchainError } from "./cache";

/** Room that a step needs in a folder. */
export interface DiskNeed {
  folder: string;
  mib: number;
}

/**
 * Checks that every file system has room for all that is asked of it together.
 * @param needs folders (made when absent) and sizes; those on one file system are added up
 * @param freeMiB where the free space is read from; replaced in tests
 * @throws ToolchainError one sentence with needed and free for the first file system that is too small
 */
export async function checkDisk(
  needs: DiskNeed[],
  freeMiB: (folder: string) => Promise<number> = statfsFree,
): Promise<void> {
  const perFileSystem = new Map<number, DiskNeed>();
  for (const need of needs) {
    if (need.mib <= 0) continue;
    await mkdir(need.folder, { recursive: true });
    const { dev } = await stat(need.folder);
    const sum = perFileSystem.get(dev);
    perFileSystem.set(dev, { folder: sum?.folder ?? need.folder, mib: (sum?.mib ?? 0) + need.mib });
  }
  for (const { folder, mib } of perFileSystem.values()) {
    const free = await freeMiB(folder);
    if (free < mib) {
      throw new ToolchainError(
        `Not enough disk under ${folder}: ${gib(mib)} needed, ${gib(free)} free. ` +
          "Free some space, or point ZEROSTEAL_CACHE (and GOCACHE, GOMODCACHE) at a larger disk.",
      );
    }
  }
}

async function statfsFree(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return Math.floor((bavail * bsize) / 2 ** 20);
}

function gib(mib: number): string {
  return `${(mib / 1024).toFixed(1)} GiB`;
}
