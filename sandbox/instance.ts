import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { type CiliumVersion, defaultCilium } from "../toolchain/cilium";
import { run } from "./run";

/** What is decided when a sandbox is made, and holds as long as it lives. */
export interface Made {
  /** Whether new machines come with the container images on their disk. */
  preload: boolean;
  /** Version of Cilium that its mirror has. */
  cilium: CiliumVersion;
}

/** Where one sandbox lives on this host. Everything that an instance makes carries its name or lies in its folder. */
export interface Instance extends Made {
  /** DNS label, at most 12 characters. */
  name: string;
  /** 0 to 255, unique on this host: picks ranges, ports and interface names. */
  index: number;
  /** Durable state: API data, machines, Pulumi home, stack files, logs. */
  stateDir: string;
  /** Public addresses of machines and of the host's end, a /24 out of the benchmarking range 198.18.0.0/16. */
  publicRange: string;
  /** The host's own address in that range: the operator as machines see him. The mirror listens here. */
  hostAddress: string;
  /** Loopback port of the emulated cloud API. */
  apiPort: number;
  /** Port of the artifact and image mirror on hostAddress. */
  mirrorPort: number;
  /** Prefix of interfaces, namespaces and cgroups, e.g. `zs0`. */
  prefix: string;
}

/** Names of instances: a DNS label of at most 12 characters. */
const namePattern = /^[a-z]([a-z0-9-]{0,10}[a-z0-9])?$/;

/** Folder of all instances. */
export const instancesDir = "/var/lib/zerosteal";

/** Instance that a person gets without naming one. */
export const defaultInstance = "demo";

/**
 * Describes an instance by name and index.
 * @param name DNS label, at most 12 characters
 * @param index 0 to 255, unique on this host
 * @param made what was decided when it was made, as far as that is not the usual
 */
export function describeInstance(name: string, index: number, made: Partial<Made> = {}): Instance {
  return {
    name,
    index,
    stateDir: path.join(instancesDir, name),
    publicRange: `198.18.${index}.0/24`,
    hostAddress: `198.18.${index}.1`,
    apiPort: 18000 + index,
    mirrorPort: 5000,
    prefix: `zs${index}`,
    preload: made.preload ?? true,
    cilium: made.cilium ?? defaultCilium,
  };
}

/**
 * Finds an instance that exists on this host.
 * @returns undefined when there is none of that name
 */
export async function findInstance(name: string): Promise<Instance | undefined> {
  // A name is part of paths: one that is none, e.g. "demo/", names no instance.
  if (!namePattern.test(name)) return undefined;
  const file = path.join(instancesDir, name, "instance.json");
  if (!existsSync(file)) return undefined;
  const { index, ...made } = JSON.parse(await readFile(file, "utf8")) as Pick<Instance, "index"> & Partial<Made>;
  return describeInstance(name, index, made);
}

/** Names of all instances on this host. */
export async function listInstances(): Promise<string[]> {
  if (!existsSync(instancesDir)) return [];
  const entries = await readdir(instancesDir, { withFileTypes: true });
  return entries
    .filter((entry) => existsSync(path.join(instancesDir, entry.name, "instance.json")))
    .map((entry) => entry.name);
}

/**
 * Finds an instance or chooses what a new one would be: the lowest index that no other instance has and whose range the host does not
 * route elsewhere. Makes nothing.
 * @param made for a new one: what is not as usual
 * @throws when the name is no DNS label of at most 12 characters, or no range is free
 */
export async function chooseInstance(name: string, made: Partial<Made> = {}): Promise<Instance> {
  if (!namePattern.test(name)) {
    throw new Error(
      `--instance: "${name}" is no name for a sandbox; use a DNS label of at most 12 characters, e.g. "demo".`,
    );
  }
  const existing = await findInstance(name);
  if (existing) return existing;
  const others = await Promise.all((await listInstances()).map(findInstance));
  const taken = new Set(others.map((other) => other?.index));
  for (let index = 0; index < 256; index++) {
    const candidate = describeInstance(name, index, made);
    if (!taken.has(index) && !(await foreignRoute(candidate))) return candidate;
  }
  throw new Error(
    "No range of 198.18.0.0/16 is free on this host; end a sandbox with `npm run down -- --instance NAME`.",
  );
}

/** Makes the folder of an instance, which is what makes it exist. */
export async function saveInstance({ name, index, preload, cilium, stateDir }: Instance): Promise<void> {
  await mkdir(stateDir, { recursive: true, mode: 0o700 });
  await writeFile(path.join(stateDir, "instance.json"), JSON.stringify({ name, index, preload, cilium }));
}

/** A route of the host into an instance's range that is not the instance's own link; undefined when there is none. */
export async function foreignRoute(instance: Instance): Promise<string | undefined> {
  const routes = (await run("ip", ["-4", "route", "show", "table", "all", "to", "root", instance.publicRange])).split(
    "\n",
  );
  const wider = (await run("ip", ["-4", "route", "show", "table", "main", "to", "match", instance.hostAddress])).split(
    "\n",
  );
  const foreign = [...routes, ...wider].find(
    (route) => route && !route.startsWith("default") && !route.includes(` ${instance.prefix}-up`),
  );
  return foreign?.trim();
}

/** A secret of an instance, made at first use and kept in its folder, readable by root alone. Hex text of the given length. */
export async function instanceSecret(instance: Instance, name: string, length = 64): Promise<string> {
  const file = path.join(instance.stateDir, name);
  if (!existsSync(file)) await writeFile(file, randomBytes(length / 2).toString("hex"), { mode: 0o600, flag: "wx" });
  return (await readFile(file, "utf8")).trim();
}
