import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { after, before, describe, it } from "mocha";
import { stringify } from "yaml";
import { needs } from "../capabilities";
import { tell } from "../e2e/support/evidence";
import { type EmptySandbox, expectCluster, npm, openSandbox, ownVersions, packInto, runPulumi } from "./sandbox";

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
  let dir: string | undefined;
  let sandbox: EmptySandbox;
  let opened: EmptySandbox | undefined;

  before(async function () {
    needs(this, "root", "tun");
    sandbox = opened = await openSandbox("import");
    dir = await mkdtemp(path.join(os.tmpdir(), "zerosteal-import-"));
    await writeProject(dir, sandbox);
    await pulumi("stack", "select", "--create", sandbox.instance.name);
  });

  after(async () => {
    await opened?.end();
    if (dir) await rm(dir, { recursive: true, force: true });
  });

  const folder = (): string => {
    assert.ok(dir);
    return dir;
  };
  const pulumi = (...args: string[]): Promise<string> => runPulumi(folder(), sandbox.engine, args);

  it("installs by npm, with what it asks for", () => {
    npm(folder(), "install", "--no-audit", "--no-fund", "--prefer-offline");
    const installed = JSON.parse(npm(folder(), "ls", "--json")) as { problems?: string[]; dependencies: object };
    assert.deepEqual(installed.problems ?? [], []);
    assert.ok("zerosteal" in installed.dependencies);
    tell(`npm ls: ${Object.keys(installed.dependencies).join(", ")}`);
  });

  for (const [kind, mark] of [
    ["commonjs", 'require("zerosteal")'],
    ["module", 'from "zerosteal"'],
  ] as const) {
    it(`makes a cluster from a strictly typed program as ${kind}, and takes it away`, async () => {
      await writeFile(path.join(folder(), "index.ts"), program);
      npm(folder(), "pkg", "set", `type=${kind}`);
      execFileSync(path.join(folder(), "node_modules/.bin/tsc"), { cwd: dir, stdio: ["ignore", "pipe", "pipe"] });
      assert.ok(readFileSync(path.join(folder(), "index.js"), "utf8").includes(mark));
      await expectCluster(folder(), sandbox, pulumi);
    });
  }
});

/** Writes somebody's project: the packed library and its peers as dependencies, a compiler, a stack with the cluster's arguments. */
async function writeProject(dir: string, { instance, cluster }: EmptySandbox): Promise<void> {
  const peers = ["@pulumi/pulumi", "@pulumi/kubernetes", "@pulumi/command", "@pulumi/hcloud"];
  const dependencies = {
    ...ownVersions(...peers, "typescript", "@types/node"),
    zerosteal: `file:${packInto(dir)}`,
  };
  const compilerOptions = { strict: true, target: "es2022", module: "nodenext", types: ["node"] };
  const project = { name: "imported", runtime: { name: "nodejs", options: { typescript: false } } };
  const files = {
    "package.json": JSON.stringify({ name: "imported", dependencies }),
    "tsconfig.json": JSON.stringify({ compilerOptions }),
    "Pulumi.yaml": stringify(project),
    [`Pulumi.${instance.name}.yaml`]: stringify({ config: { "imported:cluster": cluster } }),
  };
  for (const [name, content] of Object.entries(files)) await writeFile(path.join(dir, name), content);
}
