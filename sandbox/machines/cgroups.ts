import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rmdir, writeFile } from "node:fs/promises";
import path from "node:path";
import pRetry from "p-retry";

const root = "/sys/fs/cgroup";

/** How the host mounts its control groups: the unified v2 tree alone, or v1 controllers beside it. */
export type CgroupVersion = 1 | 2;

/** Finds the host's cgroup version: v2 where the mount point itself is the unified tree. */
export function cgroupVersion(): CgroupVersion {
  return existsSync(path.join(root, "cgroup.controllers")) ? 2 : 1;
}

/** Mount points of all hierarchies: one on v2; every v1 controller, name=systemd and the v2 tree beside them otherwise. */
export async function hierarchies(): Promise<string[]> {
  if (cgroupVersion() === 2) return [root];
  const entries = await readdir(root, { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map((entry) => path.join(root, entry.name));
}

/** The hierarchy in which a machine's processes are counted. */
function counted(): string {
  return cgroupVersion() === 2 ? root : path.join(root, "systemd");
}

/**
 * Makes a cgroup in every hierarchy. Machines must not share one: agents attach their socket programs to their v2 cgroup, and two
 * kubelets in one v1 hierarchy would delete each other's pods.
 * @param name path below the root, e.g. `zs0/s1000003`
 */
export async function createCgroup(name: string): Promise<void> {
  for (const hierarchy of await hierarchies()) {
    let folder = hierarchy;
    for (const part of name.split("/")) {
      const parent = folder;
      folder = path.join(folder, part);
      await mkdir(folder, { recursive: true });
      await inheritCpuset(parent, folder);
    }
  }
}

/** A new v1 cpuset has no CPUs and no memory nodes, and takes no process until it has. */
async function inheritCpuset(parent: string, folder: string): Promise<void> {
  for (const file of ["cpuset.cpus", "cpuset.mems"]) {
    const target = path.join(folder, file);
    if (cgroupVersion() === 1 && existsSync(target)) await writeFile(target, await readFile(path.join(parent, file)));
  }
}

/** Process ids of a cgroup and all below it. */
export async function processesIn(name: string): Promise<number[]> {
  const own = await readProcesses(path.join(counted(), name));
  const children = await childrenOf(name);
  const below = await Promise.all(children.map((child) => processesIn(path.join(name, child))));
  return [...own, ...below.flat()];
}

/** Removes a cgroup and all below it from every hierarchy. Its processes must have ended; their last traces may take a moment. */
export async function removeCgroup(name: string): Promise<void> {
  for (const hierarchy of await hierarchies()) await removeTree(path.join(hierarchy, name));
}

/** Names of the groups directly below a group. */
export async function childrenOf(name: string): Promise<string[]> {
  return foldersIn(path.join(counted(), name));
}

async function removeTree(folder: string): Promise<void> {
  for (const child of await foldersIn(folder)) await removeTree(path.join(folder, child));
  await pRetry(() => unlessGone(rmdir(folder), undefined), { retries: 20, minTimeout: 50, maxTimeout: 250 });
}

async function foldersIn(folder: string): Promise<string[]> {
  const entries = await unlessGone(readdir(folder, { withFileTypes: true }), []);
  return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
}

async function readProcesses(folder: string): Promise<number[]> {
  const text = await unlessGone(readFile(path.join(folder, "cgroup.procs"), "utf8"), "");
  return text.split("\n").filter(Boolean).map(Number);
}

/** Groups of a machine that shuts down go away while they are read: ENOENT between two looks, ENODEV within one. */
async function unlessGone<T>(look: Promise<T>, otherwise: T): Promise<T> {
  try {
    return await look;
  } catch (error) {
    if (["ENOENT", "ENODEV"].includes((error as NodeJS.ErrnoException).code ?? "")) return otherwise;
    throw error;
  }
}
