import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { copyFile, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { after, before, describe, it } from "mocha";
import { stringify } from "yaml";
import { ensure } from "../../toolchain/ensure";
import { needs } from "../capabilities";
import { type EmptySandbox, expectCluster, npm, openSandbox, ownVersions, packInto, runPulumi } from "./sandbox";

/** The whole of somebody's program. The class is what `pulumi package add` would write, which needs a newer language host than can be had here. */
const program = `import pulumi


class HetznerCluster(pulumi.ComponentResource):
    kubeconfig: pulumi.Output[str]
    doctorReport: pulumi.Output[str]

    def __init__(self, name, args, opts=None):
        props = {**args, "kubeconfig": None, "doctorReport": None}
        super().__init__("zerosteal:index:HetznerCluster", name, props, opts, remote=True)


cluster = HetznerCluster("imported", pulumi.Config().require_object("cluster"))
pulumi.export("kubeconfig", cluster.kubeconfig)
pulumi.export("doctorReport", cluster.doctorReport)
`;

const languageModule = path.resolve(__dirname, "../../toolchain/go/pulumi-language-nodejs");

describe("a Python program, by the façade of the packed library, on the sandbox's cloud", function () {
  this.timeout(15 * 60_000);
  let dir: string | undefined;
  let sandbox: EmptySandbox;
  let opened: EmptySandbox | undefined;

  before(async function () {
    needs(this, "root", "tun", "go");
    sandbox = opened = await openSandbox("python");
    dir = await mkdtemp(path.join(os.tmpdir(), "zerosteal-python-"));
    await writeLibrary(path.join(dir, "library"));
    await writeLanguageHost(path.join(dir, "bin"));
    await writeProject(dir, sandbox);
  });

  after(async () => {
    await opened?.end();
    if (dir) await rm(dir, { recursive: true, force: true });
  });

  const folder = (): string => {
    assert.ok(dir);
    return dir;
  };
  const pulumi = (...args: string[]): Promise<string> => {
    const { engine } = sandbox;
    const places = [path.join(folder(), "bin"), path.join(folder(), "venv/bin"), engine.env.PATH];
    return runPulumi(folder(), engine, args, { PATH: places.join(":") });
  };

  it("makes a cluster, changes nothing when run again, and takes it away", async () => {
    await pulumi("stack", "select", "--create", sandbox.instance.name);
    await expectCluster(folder(), sandbox, pulumi);
  });
});

/** Installs the packed library as somebody would whose project is not JavaScript. */
async function writeLibrary(dir: string): Promise<void> {
  await mkdir(dir, { recursive: true });
  const peers = ["@pulumi/pulumi", "@pulumi/kubernetes", "@pulumi/command", "@pulumi/hcloud", "typescript"];
  const dependencies = { ...ownVersions(...peers), zerosteal: `file:${packInto(dir)}` };
  await writeFile(path.join(dir, "package.json"), JSON.stringify({ dependencies }));
  npm(dir, "install", "--no-audit", "--no-fund", "--prefer-offline");
  // A newer language host of Node.js runs such plugins itself, by the same program; the one that can be built here is older.
  const plugin = path.join(dir, "node_modules/zerosteal/dist/plugin");
  const runner = path.join(dir, "node_modules/@pulumi/pulumi/cmd/run-plugin");
  const wrapper = `#!/bin/sh\nexec node ${runner} ${plugin} "$@"\n`;
  await writeFile(path.join(plugin, "pulumi-resource-zerosteal"), wrapper, { mode: 0o755 });
}

/** Puts Pulumi's language host for Python and the program that it runs into a folder. */
async function writeLanguageHost(dir: string): Promise<void> {
  await mkdir(dir, { recursive: true });
  const name = "pulumi-language-python";
  const { [name]: host } = await ensure([name]);
  assert.ok(host);
  await copyFile(host.path, path.join(dir, name));
  const list = ["list", "-m", "-f", "{{.Dir}}", "github.com/pulumi/pulumi/sdk/v3"];
  const module = execFileSync("go", list, { cwd: languageModule, encoding: "utf8" }).trim();
  await copyFile(path.join(module, `python/cmd/${name}-exec`), path.join(dir, `${name}-exec`));
  for (const file of [name, `${name}-exec`]) execFileSync("chmod", ["0755", path.join(dir, file)]);
}

async function writeProject(dir: string, { instance, cluster }: EmptySandbox): Promise<void> {
  execFileSync("python3", ["-m", "venv", path.join(dir, "venv")]);
  const sdk = `pulumi==${ownVersions("@pulumi/pulumi")["@pulumi/pulumi"]}`;
  execFileSync(path.join(dir, "venv/bin/pip"), ["install", "--quiet", sdk], { stdio: ["ignore", "pipe", "pipe"] });
  const project = {
    name: "imported",
    runtime: "python",
    plugins: { providers: [{ name: "zerosteal", path: "library/node_modules/zerosteal/dist/plugin" }] },
  };
  // The façade knows by its name where machines come from.
  const underlay = Object.fromEntries(Object.entries(cluster.underlay).filter(([key]) => key !== "kind"));
  const files = {
    "__main__.py": program,
    "Pulumi.yaml": stringify(project),
    [`Pulumi.${instance.name}.yaml`]: stringify({ config: { "imported:cluster": { ...cluster, underlay } } }),
  };
  for (const [name, content] of Object.entries(files)) await writeFile(path.join(dir, name), content);
}
