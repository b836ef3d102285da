import { execa } from "execa";
import { existsSync } from "node:fs";
import { copyFile, link, mkdir, rename } from "node:fs/promises";
import path from "node:path";
import { type Instance, instanceSecret } from "../sandbox/instance";

/** Folder of the Pulumi project. */
export const projectDir = path.join(__dirname, "..");

/** A stack of the sandbox and the engine that runs it. Everything it writes lies in the instance's folder. */
export interface Engine {
  instance: Instance;
  /** Executable of the Pulumi CLI. */
  pulumi: string;
  env: Record<string, string>;
  stack: string;
  /** Folder of the Pulumi project that it runs. */
  programDir: string;
  /** The stack's settings, outside of the repository. */
  configFile: string;
}

/**
 * Describes the engine of an instance: a state backend, a Pulumi home and a passphrase of its own, the emulated API as the cloud.
 * @param tools paths of executables by name: pulumi, pulumi-language-nodejs, helm, kubectl
 */
export async function describeEngine(instance: Instance, tools: Record<string, string>): Promise<Engine> {
  const tool = (name: string): string => {
    const found = tools[name];
    if (!found) throw new Error(`the toolchain has no ${name}`);
    return found;
  };
  await instanceSecret(instance, "passphrase");
  return {
    instance,
    pulumi: await placeEngine(pulumiHome(instance), tool("pulumi"), tool("pulumi-language-nodejs")),
    stack: instance.name,
    programDir: projectDir,
    configFile: path.join(instance.stateDir, "project", `Pulumi.${instance.name}.yaml`),
    env: {
      PATH: [path.dirname(tool("helm")), path.dirname(process.execPath), process.env.PATH ?? ""].join(":"),
      // Without side files: unlike the state itself they are not written in one step, and a killed engine leaves one that no engine reads.
      PULUMI_BACKEND_URL: `file://${path.join(instance.stateDir, "pulumi")}?metadata=skip`,
      PULUMI_HOME: pulumiHome(instance),
      PULUMI_CONFIG_PASSPHRASE_FILE: path.join(instance.stateDir, "passphrase"),
      // Types are checked by `npm run check`; at each start of the program it would cost seconds.
      PULUMI_NODEJS_TRANSPILE_ONLY: "true",
      PULUMI_SKIP_UPDATE_CHECK: "true",
      PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
      PULUMI_DISABLE_REGISTRY_RESOLVE: "true",
      PULUMI_DISABLE_CI_DETECTION: "true",
      HCLOUD_TOKEN: await instanceSecret(instance, "api-token"),
      HCLOUD_ENDPOINT: `http://127.0.0.1:${instance.apiPort}/v1`,
      HCLOUD_POLL_INTERVAL: "50ms",
      ZEROSTEAL_HELM: tool("helm"),
      HELM_CACHE_HOME: path.join(instance.stateDir, "helm/cache"),
      HELM_CONFIG_HOME: path.join(instance.stateDir, "helm/config"),
      HELM_DATA_HOME: path.join(instance.stateDir, "helm/data"),
      NO_COLOR: "1",
    },
  };
}

/**
 * Puts the CLI and its language host side by side, as Pulumi's own archive has them: the CLI warns about a host that it finds elsewhere.
 * @returns the CLI's new place
 */
async function placeEngine(home: string, cli: string, languageHost: string): Promise<string> {
  // Tools lie in folders named by version and build, so another tool gets another folder here too.
  const folder = path.join(
    home,
    "bin",
    `${path.basename(path.dirname(cli))}-${path.basename(path.dirname(languageHost))}`,
  );
  await mkdir(folder, { recursive: true });
  for (const file of [languageHost, cli]) {
    const target = path.join(folder, path.basename(file));
    if (existsSync(target)) continue;
    // The cache may lie on another file system, where no hard link leads to it.
    await link(file, `${target}.new`).catch(() => copyFile(file, `${target}.new`));
    await rename(`${target}.new`, target);
  }
  return path.join(folder, path.basename(cli));
}

/** Pulumi home of an instance: its plugins, nothing of the person's own. */
export function pulumiHome(instance: Instance): string {
  return path.join(instance.stateDir, "pulumi-home");
}

/**
 * Runs a `pulumi` command that does not run the program (`stack`, `state`, …) and gives its standard output. It runs in the instance's
 * folder, where its files may lie.
 * @throws with the last lines of its error output
 */
export async function pulumi(engine: Engine, args: string[], stdin = ""): Promise<string> {
  const result = await execa(engine.pulumi, args, {
    cwd: path.dirname(engine.configFile),
    env: engine.env,
    input: stdin,
    reject: false,
  });
  if (result.failed) {
    const lines = (result.stderr || result.stdout || result.shortMessage || "")
      .trim()
      .split("\n")
      .slice(-25)
      .join("\n");
    throw new Error(`"pulumi ${args.slice(0, 2).join(" ")}" ended with ${result.exitCode ?? "a signal"}:\n${lines}`);
  }
  return result.stdout;
}

/**
 * Makes the stack unless it exists. The engine writes the stack's settings beside the project file, so the instance has a copy of that
 * file in a folder of its own; updates run in the repository and name the settings by `--config-file`.
 */
export async function ensureStack(engine: Engine): Promise<void> {
  const folder = path.dirname(engine.configFile);
  await mkdir(folder, { recursive: true });
  await mkdir(path.join(engine.instance.stateDir, "pulumi"), { recursive: true });
  await copyFile(path.join(engine.programDir, "Pulumi.yaml"), path.join(folder, "Pulumi.yaml"));
  await pulumi(engine, ["stack", "select", "--create", engine.stack]);
}
