import type { IncomingMessage } from "node:http";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { execa, type ResultPromise } from "execa";
import { type Engine, projectDir, pulumiHome } from "../../../cli/engine";
import type { Hosts } from "../../../cli/hosts";
import { endOrphans } from "../../../cli/orphans";
import { prepareEngine } from "../../../cli/prepare";
import { writeStackConfig } from "../../../cli/stackConfig";
import { startOperation, type ResourceEvent, type UpdateResult } from "../../../cli/update";
import type { ClusterArgs } from "../../../components/plan";
import { type Api, createApi } from "../../../sandbox/api";
import { describeInstance, type Instance } from "../../../sandbox/instance";
import { ensure } from "../../../toolchain/ensure";
import type { StateResource } from "../../e2e/support/cluster";
import { PretendedNodes } from "./nodes";
import { StandInTools } from "./tools";

/** The cloud's token, 64 characters, to be found nowhere in clear. */
export const cloudToken = "rw-planted-cloud-token-".padEnd(64, "0");

/** A token of the same project that may only read. */
export const readOnlyToken = cloudToken.replace("rw-", "ro-");

/** How a command of the engine ended. */
export interface CliResult {
  exitCode: number;
  output: string;
  stdout: string;
}

interface Command {
  cwd: string;
  env: Record<string, string>;
  reject: false;
  all: true;
  stdin: "ignore";
}

/** What an update did. */
export interface Update extends UpdateResult {
  /** `op name` of every resource that was not left as it was, in the order of the engine. */
  did: string[];
}

/** A stack with the real engine, an emulated cloud, pretended machines and stand-in tools; all of it in one temporary folder. */
export class World {
  /** Everything that commands of the engine printed, for a search for secrets. */
  readonly said: string[] = [];
  /** Every request that the emulated cloud got, `METHOD path`, oldest first. */
  readonly asked: string[] = [];
  engine!: Engine;

  private constructor(
    readonly dir: string,
    readonly instance: Instance,
    readonly nodes: PretendedNodes,
    readonly tools: StandInTools,
    private readonly executables: Record<string, string>,
    private readonly api: Api,
  ) {}

  /** @param passphrase of the state's secrets; default: a new one */
  static async create(passphrase?: string): Promise<World> {
    const dir = await mkdtemp(path.join(os.tmpdir(), "zerosteal-world-"));
    const stateDir = path.join(dir, "instance");
    await mkdir(stateDir);
    await writeFile(path.join(stateDir, "api-token"), cloudToken, { mode: 0o600 });
    if (passphrase !== undefined) await writeFile(path.join(stateDir, "passphrase"), passphrase, { mode: 0o600 });
    const nodes = new PretendedNodes();
    const publicRange = "127.77.0.0/24";
    const api = await createApi({
      stateDir: path.join(dir, "cloud"),
      driver: nodes,
      publicRange,
      log: () => undefined,
    });
    const endpoint = await api.listen(0);
    const instance = { ...describeInstance("eng", 0), stateDir, publicRange, apiPort: Number(new URL(endpoint).port) };
    const tools = await StandInTools.install(path.join(dir, "tools"));
    const real = await ensure(["pulumi", "pulumi-language-nodejs"]);
    const paths = Object.fromEntries(Object.entries(real).map(([name, file]) => [name, file.path]));
    const world = new World(dir, instance, nodes, tools, { ...paths, helm: tools.helm }, api);
    api.app.server.prependListener("request", ({ method = "", url = "" }: IncomingMessage) => {
      world.asked.push(`${method} ${url}`);
    });
    await world.prepare();
    return world;
  }

  /** Makes the engine ready, as each `up` does at its beginning. */
  async prepare(): Promise<void> {
    this.engine = await prepareEngine(this.instance, this.executables);
    this.engine.env.PATH = `${this.tools.bin}:${this.engine.env.PATH}`;
  }

  /** Settings of the stack: a small cluster, with changes. */
  async configure(change: Partial<ClusterArgs> = {}, workers = 2): Promise<void> {
    const cluster: ClusterArgs = {
      underlay: { kind: "hetzner", location: "fsn1" },
      access: { ssh: ["203.0.113.7/32"], api: ["203.0.113.7/32"] },
      controlPlane: { serverType: "ccx13" },
      pools: [{ name: "web", count: workers, serverType: "ccx13" }],
      ...change,
    };
    await writeStackConfig(this.engine, { "zerosteal:name": "eng", "zerosteal:cluster": cluster });
  }

  /** Settings of the stack: the same small cluster on existing hosts. */
  async configureHosts({ underlay, keyFile }: Hosts, change: Partial<ClusterArgs> = {}): Promise<void> {
    const workers = Object.keys(underlay.machines).length - 1;
    const pools = [{ name: "web", count: workers }];
    await this.configure({ underlay, controlPlane: {}, pools, ...change });
    await writeStackConfig(this.engine, { "zerosteal:sshKeyFile": keyFile });
  }

  /** Runs `pulumi` in the repository, as `up` does, and gives what it printed. */
  async run(args: string[], env: Record<string, string> = {}): Promise<CliResult> {
    const result = await this.start(args, env);
    this.said.push(result.all);
    return { exitCode: result.exitCode ?? -1, output: result.all, stdout: result.stdout };
  }

  /** Starts `pulumi` as a process that can be killed. */
  start(args: string[], env: Record<string, string> = {}): ResultPromise<Command> {
    const { pulumi, stack, configFile } = this.engine;
    return execa(pulumi, [...args, "--non-interactive", "--stack", stack, "--config-file", configFile], {
      cwd: projectDir,
      env: { ...this.engine.env, PULUMI_DEBUG_COMMANDS: "true", ...env },
      reject: false,
      all: true,
      stdin: "ignore",
    });
  }

  async succeed(args: string[]): Promise<CliResult> {
    const result = await this.run(args);
    if (result.exitCode !== 0)
      throw new Error(`pulumi ${args.join(" ")} ended with ${result.exitCode}:\n${result.output}`);
    return result;
  }

  /** Runs an operation as `up` does, and collects what it did. */
  async operate(args: string[]): Promise<Update> {
    const events: ResourceEvent[] = [];
    const result = await startOperation(this.engine, args, (event) => events.push(event)).result;
    this.said.push(JSON.stringify([result, events]));
    const done = events.filter(({ kind, op }) => kind !== "begin" && !["same", "read"].includes(op));
    return {
      ...result,
      did: done.map(({ kind, op, name, type }) => `${kind === "failed" ? "failed " : ""}${op} ${short(type)} ${name}`),
    };
  }

  /** `pulumi up` with the flags of `npm run up`. */
  async up(): Promise<Update> {
    return this.operate(["up", "--yes", "--skip-preview", "--continue-on-error", "--parallel", "24"]);
  }

  /** An update that must go well. */
  async upWell(): Promise<Update> {
    const result = await this.up();
    if (result.exitCode !== 0)
      throw new Error(`up failed:\n${result.errors.map((one) => `${one.resource}: ${one.message}`).join("\n")}`);
    return result;
  }

  /** Resources of the state, secrets included; without providers and the stack itself. */
  async resources(): Promise<StateResource[]> {
    const { stdout } = await execa(
      this.engine.pulumi,
      ["stack", "export", "--show-secrets", "--stack", this.engine.stack],
      {
        cwd: path.dirname(this.engine.configFile),
        env: this.engine.env,
      },
    );
    const { deployment } = JSON.parse(stdout) as { deployment: { resources?: StateResource[] } };
    return (deployment.resources ?? []).filter(
      ({ type }) => type !== "pulumi:pulumi:Stack" && !/^pulumi:providers:(hcloud|command|pulumi)$/.test(type),
    );
  }

  /** The state as it lies on disk. */
  rawState(): Promise<string> {
    return readFile(path.join(this.instance.stateDir, "pulumi/.pulumi/stacks/zerosteal/eng.json"), "utf8");
  }

  /** Asks the emulated cloud. */
  async cloud<T>(method: string, route: string, body?: object): Promise<T> {
    const response = await fetch(`${this.engine.env.HCLOUD_ENDPOINT}${route}`, {
      method,
      headers: { authorization: `Bearer ${cloudToken}`, ...(body ? { "content-type": "application/json" } : {}) },
      body: body && JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`${method} ${route}: ${response.status}`);
    return (response.status === 204 ? undefined : await response.json()) as T;
  }

  /** Names of what the cloud has of each kind. */
  async inventory(): Promise<Record<string, string[]>> {
    const kinds = ["servers", "networks", "firewalls", "ssh_keys", "placement_groups"];
    const lists = kinds.map(async (kind) => {
      const answer = await this.cloud<Record<string, { name: string }[]>>("GET", `/${kind}`);
      return [kind, (answer[kind] ?? []).map(({ name }) => name).sort()] as const;
    });
    return Object.fromEntries(await Promise.all(lists));
  }

  async remove(): Promise<void> {
    await endOrphans(pulumiHome(this.instance));
    await this.api.close();
    await this.nodes.close();
    await rm(this.dir, { recursive: true, force: true });
  }
}

/** Last part of a type: `Server`, `Command`, … */
export function short(type: string): string {
  return type.split(":").at(-1) ?? type;
}
