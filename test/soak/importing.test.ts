import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { execa } from "execa";
import { after, before, describe, it } from "mocha";
import { stringify } from "yaml";
import type { Engine } from "../../cli/engine";
import { alone, holdInstance } from "../../cli/hold";
import { checkInstance } from "../../cli/preflight";
import { prepareEngine, prepareSupplies, prepareTools } from "../../cli/prepare";
import { sandboxCluster, type Supplies } from "../../cli/stackConfig";
import type { Report } from "../../components/doctor";
import { endSandbox, startSandbox } from "../../sandbox/control";
import { chooseInstance, type Instance, saveInstance } from "../../sandbox/instance";
import { needs } from "../capabilities";
import { since, tell } from "../e2e/support/evidence";

const root = path.resolve(__dirname, "../..");

/** The whole of somebody's program. */
const program = `import { Config } from "@pulumi/pulumi";
import { TunedCluster, type TunedClusterArgs } from "zerosteal";

const args = new Config().requireObject<TunedClusterArgs>("cluster");
const cluster = new TunedCluster("imported", args);

export const kubeconfig = cluster.kubeconfig;
export const doctorReport = cluster.doctorReport;
`;

describe("a project of its own, with the packed library from npm, on the sandbox's cloud", function () {
  this.timeout(15 * 60_000);
  let dir: string;
  let instance: Instance | undefined;
  let release: (() => Promise<void>) | undefined;
  let tools: Record<string, string>;
  let engine: Engine;

  before(async function () {
    needs(this, "root", "tun");
    instance = await alone(async () => {
      const chosen = await chooseInstance("import");
      await checkInstance(chosen);
      await saveInstance(chosen);
      return chosen;
    });
    release = await holdInstance(instance);
    tools = await prepareTools(instance, () => undefined);
    const supplies = await prepareSupplies(instance, () => undefined);
    await startSandbox(instance);
    engine = await prepareEngine(instance, tools);
    dir = await mkdtemp(path.join(os.tmpdir(), "zerosteal-import-"));
    await writeProject(dir, instance, supplies);
    await pulumi(["stack", "select", "--create", instance.name]);
  });

  after(async () => {
    await release?.();
    if (instance) await endSandbox(instance);
    if (dir) await rm(dir, { recursive: true, force: true });
  });

  /** Runs `pulumi` in the project and gives its standard output. */
  async function pulumi(args: string[]): Promise<string> {
    // The sandbox's engine leaves types to other checks; this project has its own compiler.
    const result = await execa(engine.pulumi, [...args, "--non-interactive"], {
      cwd: dir,
      env: engine.env,
      reject: false,
      all: true,
      stdin: "ignore",
    });
    assert.equal(result.exitCode, 0, result.all);
    return result.stdout;
  }

  it("installs by npm, with what it asks for", () => {
    npm(dir, "install", "--no-audit", "--no-fund", "--prefer-offline");
    const installed = JSON.parse(npm(dir, "ls", "--json")) as { problems?: string[]; dependencies: object };
    assert.deepEqual(installed.problems ?? [], []);
    assert.ok("zerosteal" in installed.dependencies);
    tell(`npm ls: ${Object.keys(installed.dependencies).join(", ")}`);
  });

  for (const [kind, mark] of [
    ["commonjs", 'require("zerosteal")'],
    ["module", 'from "zerosteal"'],
  ] as const) {
    it(`makes a cluster from a strictly typed program as ${kind}, and takes it away`, async () => {
      await writeFile(path.join(dir, "index.ts"), program);
      npm(dir, "pkg", "set", `type=${kind}`);
      execFileSync(path.join(dir, "node_modules/.bin/tsc"), { cwd: dir, stdio: ["ignore", "pipe", "pipe"] });
      assert.ok(readFileSync(path.join(dir, "index.js"), "utf8").includes(mark));
      const started = performance.now();
      await pulumi(["up", "--yes", "--skip-preview", "--parallel", "24"]);
      tell(`pulumi up, ${kind}: ${since(started)}`);
      const outputs = JSON.parse(await pulumi(["stack", "output", "--json", "--show-secrets"])) as {
        kubeconfig: string;
        doctorReport: string;
      };
      const { healthy, counts } = JSON.parse(outputs.doctorReport) as Report;
      assert.ok(healthy, outputs.doctorReport);
      tell(`doctor: ${JSON.stringify(counts)}`);
      const nodes = await nodesOf(outputs.kubeconfig);
      assert.deepEqual(nodes, ["imported-control-plane-1 Ready", "imported-web-1 Ready"]);
      tell(nodes.join(", "));
      await pulumi(["preview", "--expect-no-changes"]);
      await pulumi(["destroy", "--yes", "--skip-preview"]);
    });
  }

  /** Names of the nodes and whether they are ready, as `kubectl` lists them. */
  async function nodesOf(kubeconfig: string): Promise<string[]> {
    const file = path.join(dir, "kubeconfig");
    await writeFile(file, kubeconfig, { mode: 0o600 });
    const { stdout } = await execa(tools.kubectl ?? "kubectl", ["--kubeconfig", file, "get", "nodes", "--no-headers"]);
    return stdout.split("\n").map((line) => line.split(/\s+/).slice(0, 2).join(" "));
  }
});

/** Writes somebody's project: the packed library and its peers as dependencies, a compiler, a stack with the cluster's arguments. */
async function writeProject(dir: string, instance: Instance, supplies: Supplies): Promise<void> {
  const { devDependencies } = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8")) as {
    devDependencies: Record<string, string>;
  };
  const packed = npm(root, "pack", "--json", "--foreground-scripts=false", "--pack-destination", dir);
  const [{ filename }] = JSON.parse(packed.slice(packed.indexOf("["))) as [{ filename: string }];
  const peers = [
    "@pulumi/pulumi",
    "@pulumi/kubernetes",
    "@pulumi/command",
    "@pulumi/hcloud",
    "typescript",
    "@types/node",
  ];
  const dependencies = Object.fromEntries(peers.map((name) => [name, devDependencies[name]]));
  const compilerOptions = { strict: true, target: "es2022", module: "nodenext", types: ["node"] };
  const cluster = {
    ...sandboxCluster(instance, supplies, { workers: 1 }),
    doctor: { egressTarget: `${instance.hostAddress}:${instance.mirrorPort}` },
  };
  const project = { name: "imported", runtime: { name: "nodejs", options: { typescript: false } } };
  const files = {
    "package.json": JSON.stringify({
      name: "imported",
      dependencies: { ...dependencies, zerosteal: `file:${filename}` },
    }),
    "tsconfig.json": JSON.stringify({ compilerOptions }),
    "Pulumi.yaml": stringify(project),
    [`Pulumi.${instance.name}.yaml`]: stringify({ config: { "imported:cluster": cluster } }),
  };
  await mkdir(dir, { recursive: true });
  for (const [name, content] of Object.entries(files)) await writeFile(path.join(dir, name), content);
}

function npm(cwd: string, ...args: string[]): string {
  return execFileSync("npm", args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}
