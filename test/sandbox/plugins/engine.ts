import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { existsSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { execa } from "execa";
import { installPlugins } from "../../../sandbox/plugins/install";
import { ensure } from "../../../toolchain/ensure";

const repository = path.resolve(__dirname, "..", "..", "..");

/** Finds an executable: ZEROSTEAL_<NAME>, then the PATH, then the toolchain. */
export async function findTool(name: string): Promise<string> {
  const named = process.env[`ZEROSTEAL_${name.toUpperCase().replaceAll("-", "_")}`];
  if (named) return named;
  const dirs = (process.env.PATH ?? "").split(path.delimiter);
  const found = dirs.map((dir) => path.join(dir, name)).find((file) => existsSync(file));
  return found ?? ((await ensure([name]))[name]?.path as string);
}

export interface CliResult {
  exitCode: number;
  /** Standard output and standard error as they came. */
  output: string;
  stdout: string;
}

/** One step of `pulumi preview --json`. */
export interface Step {
  op: string;
  urn: string;
  replaceReasons?: string[];
  detailedDiff?: { [path: string]: { kind: string } };
  newState?: Resource;
}

export interface Resource {
  urn: string;
  type: string;
  id?: string;
  inputs?: { [key: string]: unknown };
  outputs?: { [key: string]: unknown };
  initErrors?: string[];
}

/** A stack of its own: program, state, plugins, all in one temporary folder. */
export class Engine {
  private constructor(
    readonly dir: string,
    readonly env: { [name: string]: string },
    private readonly pulumi: string,
  ) {}

  /**
   * Makes the stack `test` in project `plugins`.
   * @param env more environment of every command
   */
  static async create(env: { [name: string]: string } = {}): Promise<Engine> {
    const dir = await mkdtemp(path.join(os.tmpdir(), "zerosteal-engine-"));
    const [pulumi, languageHost] = [await findTool("pulumi"), await findTool("pulumi-language-nodejs")];
    const folders = [path.dirname(languageHost), path.dirname(process.execPath), process.env.PATH ?? ""];
    const engine = new Engine(dir, { ...engineEnvironment(dir), PATH: folders.join(path.delimiter), ...env }, pulumi);
    await mkdir(path.join(dir, "state"));
    await mkdir(path.join(dir, "program"));
    await symlink(path.join(repository, "node_modules"), path.join(dir, "program", "node_modules"));
    await engine.write("Pulumi.yaml", "name: plugins\nruntime:\n  name: nodejs\n  options:\n    typescript: false\n");
    await engine.write("package.json", JSON.stringify({ name: "plugins", main: "index.js" }));
    await engine.program("");
    await installPlugins(path.join(dir, "home"));
    await engine.succeed(["stack", "init", "test"]);
    return engine;
  }

  /** Replaces the program; `pulumi`, `hcloud`, `command` and `k8s` are there. */
  async program(text: string): Promise<void> {
    const header = `
      const pulumi = require("@pulumi/pulumi");
      const lazy = (name) => new Proxy({}, { get: (_, key) => require(name)[key] });
      const [hcloud, command, k8s] = ["hcloud", "command", "kubernetes"].map((name) => lazy("@pulumi/" + name));
    `;
    await this.write("index.js", header + text);
  }

  async write(file: string, text: string): Promise<void> {
    await writeFile(path.join(this.dir, "program", file), text);
  }

  /** Runs `pulumi` and returns how it ended, well or not. */
  async run(args: string[], env: { [name: string]: string } = {}): Promise<CliResult> {
    const result = await execa(this.pulumi, [...args, "--non-interactive"], {
      cwd: path.join(this.dir, "program"),
      env: { ...this.env, ...env },
      extendEnv: false,
      reject: false,
      all: true,
    });
    return { exitCode: result.exitCode ?? -1, output: result.all, stdout: result.stdout };
  }

  async succeed(args: string[], env: { [name: string]: string } = {}): Promise<CliResult> {
    const result = await this.run(args, env);
    if (result.exitCode !== 0)
      throw new Error(`pulumi ${args.join(" ")} ended with ${result.exitCode}:\n${result.output}`);
    return result;
  }

  async fail(args: string[], env: { [name: string]: string } = {}): Promise<CliResult> {
    const result = await this.run(args, env);
    if (result.exitCode === 0) throw new Error(`pulumi ${args.join(" ")} was to fail:\n${result.output}`);
    return result;
  }

  up(env: { [name: string]: string } = {}): Promise<CliResult> {
    return this.succeed(["up", "--yes", "--skip-preview"], env);
  }

  failingUp(env: { [name: string]: string } = {}): Promise<CliResult> {
    return this.fail(["up", "--yes", "--skip-preview"], env);
  }

  destroy(): Promise<CliResult> {
    return this.succeed(["destroy", "--yes", "--skip-preview"]);
  }

  /** A second preview after `up` must find nothing to do. */
  expectNoChanges(): Promise<CliResult> {
    return this.succeed(["preview", "--expect-no-changes", "--diff"]);
  }

  async steps(): Promise<Step[]> {
    const { stdout } = await this.succeed(["preview", "--json"]);
    return (JSON.parse(stdout) as { steps: Step[] }).steps.filter((step) => step.op !== "same");
  }

  async resources(): Promise<Resource[]> {
    const { stdout } = await this.succeed(["stack", "export", "--show-secrets"]);
    const { deployment } = JSON.parse(stdout) as { deployment: { resources?: Resource[] } };
    return deployment.resources ?? [];
  }

  async resource(name: string): Promise<Resource> {
    const found = (await this.resources()).find((resource) => resource.urn.endsWith(`::${name}`));
    if (found === undefined) throw new Error(`the state has no resource ${name}`);
    return found;
  }

  /** The state file as it lies on disk. */
  rawState(): Promise<string> {
    return readFile(path.join(this.dir, "state", ".pulumi", "stacks", "plugins", "test.json"), "utf8");
  }

  async remove(): Promise<void> {
    await rm(this.dir, { recursive: true, force: true });
  }
}

function engineEnvironment(dir: string): { [name: string]: string } {
  return {
    HOME: dir,
    PULUMI_HOME: path.join(dir, "home"),
    PULUMI_BACKEND_URL: `file://${path.join(dir, "state")}`,
    PULUMI_CONFIG_PASSPHRASE: "test",
    PULUMI_SKIP_UPDATE_CHECK: "true",
    PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
    PULUMI_DISABLE_REGISTRY_RESOLVE: "true",
    PULUMI_DISABLE_CI_DETECTION: "true",
  };
}
