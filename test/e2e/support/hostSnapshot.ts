/*
 * What a sandbox could leave behind on its host, as sorted lines by kind. Two snapshots are compared as text: whatever the sandbox made
 * must be gone, and whatever it changed must be as before.
 */
import { existsSync } from "node:fs";
import { readdir, readFile, readlink } from "node:fs/promises";
import path from "node:path";
import { execa } from "execa";
import { type Instance, findInstance, instancesDir, listInstances } from "../../../sandbox/instance";
import { hierarchies } from "../../../sandbox/machines/cgroups";
import { readSysctls } from "./hostSysctls";

/** Lines by kind. */
export type HostSnapshot = Record<string, string[]>;

/** Takes a snapshot of this host. */
export async function hostSnapshot(): Promise<HostSnapshot> {
  const sections: Record<string, Promise<string[]>> = {
    links: links(),
    addresses: lines("ip", ["-o", "addr", "show"], (line) => line.replace(/^\d+: /, "").replace(/ valid_lft.*/, "")),
    routes4: lines("ip", ["-4", "route", "show", "table", "all"], steadyRoute),
    routes6: lines("ip", ["-6", "route", "show", "table", "all"], steadyRoute),
    neighbours: lines("ip", ["neigh", "show", "nud", "permanent"]),
    rules4: lines("ip", ["-4", "rule"]),
    rules6: lines("ip", ["-6", "rule"]),
    namespaces: lines("ip", ["netns", "list"], (line) => line.replace(/ \(id.*/, "")),
    mounts: mounts(),
    cgroups: cgroups(),
    nftables: lines("nft", ["list", "ruleset"], withoutCounters),
    iptables: lines("iptables-save", [], withoutCounters),
    ip6tables: lines("ip6tables-save", [], withoutCounters),
    "iptables-legacy": lines("iptables-legacy-save", [], withoutCounters),
    listeners: lines("ss", ["-Hltun"], (line) => {
      const [protocol, state, , , address = ""] = line.split(/\s+/);
      return passing(address) ? "" : `${protocol} ${state} ${address}`;
    }),
    "BPF links": lines("bpftool", ["link", "show"], (line) => line),
    "BPF programs": lines("bpftool", ["prog", "show"], (line) => (/^\d+:/.test(line) ? line : "")),
    sysctls: readSysctls(),
    files: files(),
  };
  const entries = Object.entries(sections).map(async ([kind, found]): Promise<[string, string[]]> => [
    kind,
    (await found).sort(),
  ]);
  return Object.fromEntries(await Promise.all(entries));
}

/** What one snapshot has and the other has not, a line each; empty when they are equal. */
export function difference(before: HostSnapshot, after: HostSnapshot): string[] {
  return Object.keys({ ...before, ...after }).flatMap((kind) => {
    const [old, now] = [before[kind] ?? [], after[kind] ?? []];
    return [
      ...old.filter((line) => !now.includes(line)).map((line) => `${kind}: gone: ${line}`),
      ...now.filter((line) => !old.includes(line)).map((line) => `${kind}: left behind: ${line}`),
    ];
  });
}

/** Other sandboxes of this host: they live their own life while the tests run, so what carries their names is not compared. */
export async function otherInstances(own: string): Promise<Instance[]> {
  const found = await Promise.all((await listInstances()).filter((name) => name !== own).map(findInstance));
  return found.filter((instance) => instance !== undefined);
}

/**
 * Takes out of a snapshot what belongs to other sandboxes. BPF objects carry no names by which to tell whose they are, so beside another
 * sandbox they cannot be compared at all.
 */
export function withoutOthers(snapshot: HostSnapshot, others: Instance[]): HostSnapshot {
  if (others.length === 0) return snapshot;
  const marks = others.flatMap(({ prefix, stateDir, publicRange, apiPort, name }) => [
    new RegExp(`(^|[^\\w])${prefix}([-/ ]|$)`),
    new RegExp(`${stateDir}(/|$|\\b)`),
    new RegExp(publicRange.replace(/0\/24$/, "").replaceAll(".", "\\.")),
    new RegExp(`:${apiPort}$`),
    new RegExp(`^${path.join(instancesDir, name)}$`),
  ]);
  const kept = Object.entries(snapshot).filter(([kind]) => !kind.startsWith("BPF"));
  return Object.fromEntries(
    kept.map(([kind, found]) => [kind, found.filter((line) => !marks.some((mark) => mark.test(line)))]),
  );
}

/** Processes of a sandbox, as `pid command`: by their cgroup, or by the sandbox's folder in command line, working folder, root or program. */
export async function processesOf(instance: Instance): Promise<string[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name) && name !== String(process.pid));
  const found = await Promise.all(
    pids.map(async (pid) => {
      const read = (name: string): Promise<string> => readFile(`/proc/${pid}/${name}`, "utf8").catch(() => "");
      const link = (name: string): Promise<string> => readlink(`/proc/${pid}/${name}`).catch(() => "");
      const command = (await read("cmdline")).replaceAll("\0", " ").trim();
      // Ended, only not collected by its parent yet: it holds nothing any more.
      if (command === "") return [];
      const places = [command, await link("cwd"), await link("root"), await link("exe")];
      const inside = places.some((place) => place.includes(`${instance.stateDir}/`));
      const grouped = new RegExp(`:/${instance.prefix}/`).test(await read("cgroup"));
      return inside || grouped ? [`${pid} ${command}`] : [];
    }),
  );
  return found.flat();
}

interface Link {
  ifname: string;
  mtu: number;
  address?: string;
  master?: string;
  linkinfo?: { info_kind?: string };
}

async function links(): Promise<string[]> {
  const { stdout } = await execa("ip", ["-j", "-d", "link", "show"]);
  return (JSON.parse(stdout) as Link[]).map(({ ifname, mtu, address, master, linkinfo }) =>
    [ifname, linkinfo?.info_kind, mtu, address, master].join(" "),
  );
}

/** Lines of a command's output; the kind is empty on a host that lacks the command. */
async function lines(
  command: string,
  args: string[],
  steady: (line: string) => string = (line) => line,
): Promise<string[]> {
  const { stdout, failed, code, stderr } = await execa(command, args, { reject: false });
  if (failed && code === "ENOENT") return [];
  if (failed) throw new Error(`the host's state cannot be read by ${command} ${args.join(" ")}: ${stderr}`);
  return stdout
    .split("\n")
    .map((line) => steady(line.trimEnd()))
    .filter(Boolean);
}

/** Ports of loopback that the kernel hands out: programs of the host take and leave them all the time. The sandbox's processes are compared. */
function passing(address: string): boolean {
  const [, host, port] = /^(.*):(\d+)$/.exec(address) ?? [];
  return (host === "127.0.0.1" || host === "[::1]") && Number(port) >= 32_768;
}

/** Router advertisements count down. */
function steadyRoute(line: string): string {
  return line.replace(/ expires \S+/, "");
}

/** Counters run and comments carry the time. */
function withoutCounters(line: string): string {
  if (line.startsWith("#")) return "";
  return line.replace(/packets \d+ bytes \d+/g, "").replace(/\[\d+:\d+\]/, "");
}

async function mounts(): Promise<string[]> {
  const text = await readFile("/proc/self/mountinfo", "utf8");
  return text
    .split("\n")
    .filter(Boolean)
    .map((line) => line.split(" ").slice(3).join(" "));
}

async function cgroups(): Promise<string[]> {
  const trees = await Promise.all((await hierarchies()).map((root) => foldersBelow(root)));
  return trees.flat();
}

async function foldersBelow(folder: string): Promise<string[]> {
  // A group may end while its parent is read.
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const folders = entries.filter((entry) => entry.isDirectory()).map((entry) => path.join(folder, entry.name));
  return [...folders, ...(await Promise.all(folders.map(foldersBelow))).flat()];
}

/** Folders in which machines, engine and command line keep things that no other list shows. */
async function files(): Promise<string[]> {
  const places: [string, RegExp][] = [
    [instancesDir, /./],
    ["/run/systemd/nspawn/propagate", /./],
    ["/run/systemd/machines", /./],
    ["/run", /zerosteal/],
    // As the command line names them; tests of the repository put words between.
    ["/tmp", /^zerosteal-\w{6}$/],
    ["/etc/netns", /./],
    ["/sys/fs/bpf", /./],
  ];
  const found = await Promise.all(
    places.map(async ([folder, wanted]) => {
      const names = existsSync(folder) ? await readdir(folder) : [];
      return names.filter((name) => wanted.test(name)).map((name) => path.join(folder, name));
    }),
  );
  return found.flat();
}
