import type { Dirent } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";

/** Values that change by themselves or by being read. */
const restless = [
  /^kernel\/(random|ns_last_pid|pty\/nr|perf_event_max_sample_rate|perf_cpu_time_max_percent|sched_domain|tainted)/,
  /^fs\/(dentry-state|file-nr|inode-nr|inode-state|aio-nr|quota|binfmt_misc)/,
  /^net\/(netfilter\/nf_conntrack_count|ipv[46]\/route\/flush)/,
  /stable_secret$/,
];

/** All settings of kernel, vm, fs and net that stay as they are while nobody changes them, as `key = value`. */
export async function readSysctls(): Promise<string[]> {
  const trees = await Promise.all(["kernel", "vm", "fs", "net"].map(readTree));
  return trees.flat();
}

async function readTree(key: string): Promise<string[]> {
  if (restless.some((pattern) => pattern.test(key))) return [];
  const folder = path.join("/proc/sys", key);
  const entries: Dirent[] = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const found = await Promise.all(
    entries.map((entry) => {
      const child = path.join(key, entry.name);
      return entry.isDirectory() ? readTree(child) : readKey(child);
    }),
  );
  return found.flat();
}

async function readKey(key: string): Promise<string[]> {
  if (restless.some((pattern) => pattern.test(key))) return [];
  // Some keys can only be written; those show nothing that could be compared.
  const value = await readFile(path.join("/proc/sys", key), "utf8").catch(() => undefined);
  return value === undefined ? [] : [`${key} = ${value.trim()}`];
}
