import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { execa } from "execa";
import type { Engine } from "../../cli/engine";
import { alone, holdInstance } from "../../cli/hold";
import { checkInstance } from "../../cli/preflight";
import { prepareEngine, prepareSupplies, prepareTools } from "../../cli/prepare";
import { sandboxCluster, type Supplies } from "../../cli/stackConfig";
import type { TunedClusterArgs } from "../../components";
import type { Report } from "../../components/doctor";
import { endSandbox, startSandbox } from "../../sandbox/control";
import { chooseInstance, type Instance, saveInstance } from "../../sandbox/instance";
import { since, tell } from "../e2e/support/evidence";

const root = path.resolve(__dirname, "../..");

/** A sandbox whose cloud runs and has nothing in it yet. */
export interface EmptySandbox {
  instance: Instance;
  engine: Engine;
  /** Executables by name. */
  tools: Record<string, string>;
  /** Arguments of a cluster of one control plane and one worker, as somebody's stack would have them. */
  cluster: TunedClusterArgs;
  /** Ends it and everything that was made in it. */
  end(): Promise<void>;
}

/** Starts a sandbox of its own for a project that is not this one. */
export async function openSandbox(name: string): Promise<EmptySandbox> {
  const instance = await alone(async () => {
    const chosen = await chooseInstance(name);
    await checkInstance(chosen);
    await saveInstance(chosen);
    return chosen;
  });
  const release = await holdInstance(instance);
  const tools = await prepareTools(instance, () => undefined);
  const supplies = await prepareSupplies(instance, () => undefined);
  await startSandbox(instance);
  const engine = await prepareEngine(instance, tools);
  const end = async (): Promise<void> => {
    await release();
    await endSandbox(instance);
  };
  return { instance, engine, tools, cluster: clusterOf(instance, supplies), end };
}

function clusterOf(instance: Instance, supplies: Supplies): TunedClusterArgs {
  return {
    ...sandboxCluster(instance, supplies, { workers: 1 }),
    doctor: { egressTarget: `${instance.hostAddress}:${instance.mirrorPort}` },
  };
}

/** Packs the library into a folder. @returns the file's name */
export function packInto(dir: string): string {
  const packed = npm(root, "pack", "--json", "--foreground-scripts=false", "--pack-destination", dir);
  const [{ filename }] = JSON.parse(packed.slice(packed.indexOf("["))) as [{ filename: string }];
  return filename;
}

/** Versions with which this repository itself is tested. */
export function ownVersions(...names: string[]): Record<string, string> {
  const { devDependencies } = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8")) as {
    devDependencies: Record<string, string>;
  };
  return Object.fromEntries(names.map((name) => [name, devDependencies[name] ?? "absent"]));
}

/** Runs npm in a folder and gives its standard output. */
export function npm(cwd: string, ...args: string[]): string {
  return execFileSync("npm", args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

/** Runs `pulumi` in somebody's project and gives its standard output. @throws with all it printed when it fails */
export async function runPulumi(dir: string, engine: Engine, args: string[], env = {}): Promise<string> {
  const result = await execa(engine.pulumi, [...args, "--non-interactive"], {
    cwd: dir,
    env: { ...engine.env, ...env },
    reject: false,
    all: true,
    stdin: "ignore",
  });
  if (result.exitCode !== 0) throw new Error(`pulumi ${args.join(" ")} ended with ${result.exitCode}:\n${result.all}`);
  return result.stdout;
}

/**
 * Makes somebody's cluster, and holds that its doctor is content, its nodes are Ready, a preview then finds nothing, and it goes whole.
 * @param pulumi runs `pulumi` in the project
 */
export async function expectCluster(dir: string, sandbox: EmptySandbox, pulumi: Pulumi): Promise<void> {
  const started = performance.now();
  await pulumi("up", "--yes", "--skip-preview", "--parallel", "24");
  tell(`pulumi up: ${since(started)}`);
  const outputs = JSON.parse(await pulumi("stack", "output", "--json", "--show-secrets")) as {
    kubeconfig: string;
    doctorReport: string;
  };
  const { healthy, counts } = JSON.parse(outputs.doctorReport) as Report;
  assert.ok(healthy, outputs.doctorReport);
  tell(`doctor: ${JSON.stringify(counts)}`);
  const nodes = await nodesOf(dir, outputs.kubeconfig, sandbox);
  assert.deepEqual(nodes, ["imported-control-plane-1 Ready", "imported-web-1 Ready"]);
  assert.doesNotMatch(await pulumi("stack", "output", "kubeconfig"), /client-key-data/);
  await pulumi("preview", "--expect-no-changes");
  await pulumi("destroy", "--yes", "--skip-preview");
}

type Pulumi = (...args: string[]) => Promise<string>;

/** Names of the nodes and whether they are ready, as `kubectl` lists them. @param dir where the kubeconfig may lie */
async function nodesOf(dir: string, kubeconfig: string, { tools }: EmptySandbox): Promise<string[]> {
  const file = path.join(dir, "kubeconfig");
  await writeFile(file, kubeconfig, { mode: 0o600 });
  const { stdout } = await execa(tools.kubectl ?? "kubectl", ["--kubeconfig", file, "get", "nodes", "--no-headers"]);
  return stdout.split("\n").map((line) => line.split(/\s+/).slice(0, 2).join(" "));
}
