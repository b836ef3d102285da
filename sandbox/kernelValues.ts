import { existsSync } from "node:fs";
import { readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { instancesDir } from "./instance";
import { succeeds } from "./run";

/*
 * Machines share the host's kernel, and what no namespace separates they can write: kubelet sets kernel.panic, a node's tuning writes
 * vm.max_map_count. All such values are recorded before the first machine of this host boots and restored after the last is gone.
 */

const record = path.join(instancesDir, "kernel-values.json");

/** Trees of /proc/sys that are not separated by namespaces and that nodes, or the sandbox, are known to write. */
const trees = ["kernel", "vm", "fs", "net/core", "net/netfilter", "net/ipv4/neigh/default"];
const allowedCongestionControl = "net/ipv4/tcp_allowed_congestion_control";

/** Values that change by themselves or by reading. */
const volatile =
  /(random|ns_last_pid|pty\/nr|dentry-state|file-nr|inode-nr|inode-state|aio-nr|drop_caches|compact_memory|stat_refresh|nf_conntrack_count|quota\/)/;

/** Writes the host's values down, unless an earlier sandbox has. */
export async function recordKernelValues(): Promise<void> {
  if (existsSync(record)) return;
  await writeFile(record, JSON.stringify(await readValues(), null, 1), { mode: 0o600 });
}

/**
 * Puts back every recorded value that differs, and forgets the record.
 * @returns the keys that were put back
 */
export async function restoreKernelValues(): Promise<string[]> {
  if (!existsSync(record)) return [];
  const wanted = JSON.parse(await readFile(record, "utf8")) as Record<string, string>;
  const found = await readValues();
  const changed = Object.keys(wanted).filter((key) => found[key] !== undefined && found[key] !== wanted[key]);
  const refused: string[] = [];
  for (const key of changed) {
    await writeFile(path.join("/proc/sys", key), wanted[key] ?? "").catch(() => refused.push(key));
  }
  if (refused.length > 0) {
    const list = refused.map((key) => `${key.replaceAll("/", ".")} = ${wanted[key]?.trim() ?? ""}`).join(", ");
    throw new Error(
      `The kernel refuses to put back ${list}. Set it by hand, or reboot; ${record} says what was before, remove it then.`,
    );
  }
  await rm(record);
  return changed;
}

/** Whether this kernel has BBR, built in or as a module, which is loaded by asking for it. */
export async function hasBbr(): Promise<boolean> {
  await succeeds("modprobe", ["-q", "tcp_bbr"]);
  const available = await readFile("/proc/sys/net/ipv4/tcp_available_congestion_control", "utf8");
  return available.trim().split(" ").includes("bbr");
}

/** Lets machines use BBR where the kernel has it: a network namespace may use only what its host allows. */
export async function allowBbr(): Promise<void> {
  if (!(await hasBbr())) return;
  const file = path.join("/proc/sys", allowedCongestionControl);
  const allowed = (await readFile(file, "utf8")).trim().split(" ");
  if (!allowed.includes("bbr")) await writeFile(file, [...allowed, "bbr"].join(" "));
}

async function readValues(): Promise<Record<string, string>> {
  const values: Record<string, string> = {};
  for (const tree of trees) await readTree(tree, values);
  values[allowedCongestionControl] = await readFile(path.join("/proc/sys", allowedCongestionControl), "utf8");
  return values;
}

async function readTree(folder: string, values: Record<string, string>): Promise<void> {
  const full = path.join("/proc/sys", folder);
  if (!existsSync(full)) return;
  for (const entry of await readdir(full, { withFileTypes: true })) {
    const key = path.join(folder, entry.name);
    if (volatile.test(key)) continue;
    if (entry.isDirectory()) await readTree(key, values);
    else if (((await stat(path.join("/proc/sys", key))).mode & 0o600) === 0o600) {
      // Some keys exist but refuse to be read; what cannot be read cannot have been relied on.
      const value = await readFile(path.join("/proc/sys", key), "utf8").catch(() => undefined);
      if (value !== undefined) values[key] = value;
    }
  }
}
