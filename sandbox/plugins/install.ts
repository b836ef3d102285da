import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import path from "node:path";
import type typescript from "typescript";

/** The plugins that have a stand-in here. */
export const pluginNames = ["hcloud", "command", "kubernetes"] as const;
export type PluginName = (typeof pluginNames)[number];

const sourceDir = __dirname;
const requireHere = createRequire(__filename);

/**
 * Puts the stand-in plugins where the Pulumi CLI looks for plugins, each under the version that the installed SDK asks
 * for, so that nothing is downloaded and no project file names them. Idempotent: a folder that is up to date is left
 * alone; a real plugin already there is never touched.
 * @param pulumiHome the PULUMI_HOME to install into
 * @param names which plugins; default all
 */
export async function installPlugins(pulumiHome: string, names: readonly PluginName[] = pluginNames): Promise<void> {
  const sources = await readSources();
  let compiled: Sources | undefined;
  for (const name of names) await installPlugin(pulumiHome, name, sources, () => (compiled ??= transpile(sources)));
}

/** Version of a plugin that its SDK asks for, e.g. `1.41.0`. */
export async function sdkVersion(name: PluginName): Promise<string> {
  const manifest = requireHere.resolve(`@pulumi/${name}/package.json`);
  const { version, pulumi } = JSON.parse(await readFile(manifest, "utf8")) as {
    version: string;
    pulumi?: { version?: string };
  };
  return pulumi?.version ?? version;
}

/** Folder of a plugin inside a PULUMI_HOME. */
export function pluginDir(pulumiHome: string, name: PluginName, version: string): string {
  return path.join(pulumiHome, "plugins", `resource-${name}-v${version}`);
}

async function installPlugin(
  pulumiHome: string,
  name: PluginName,
  sources: Sources,
  compile: () => Sources,
): Promise<void> {
  const version = await sdkVersion(name);
  const dir = pluginDir(pulumiHome, name, version);
  const stamp = createHash("sha256").update(JSON.stringify([process.execPath, nodeModules(), version, sources]));
  const digest = stamp.digest("hex");
  const installed = await readInstalled(dir);
  if (installed === digest || installed === "real") return;
  const fresh = `${dir}.new-${process.pid}`;
  await rm(fresh, { recursive: true, force: true });
  await writeFiles(path.join(fresh, "lib"), compile());
  const wrapper = path.join(fresh, `pulumi-resource-${name}`);
  await writeFile(wrapper, wrapperScript(name, version), { mode: 0o755 });
  await writeFile(path.join(fresh, stampFile), `${digest}\n`);
  await rm(dir, { recursive: true, force: true });
  await rename(fresh, dir);
}

const stampFile = "zerosteal-stand-in";

/** Digest of the stand-in in a folder; "real" for a plugin that is none; undefined if there is nothing. */
async function readInstalled(dir: string): Promise<string | undefined> {
  const entries = await readdir(dir).catch(ignoreMissing);
  if (entries === undefined || entries.length === 0) return undefined;
  if (!entries.includes(stampFile)) return "real";
  return (await readFile(path.join(dir, stampFile), "utf8")).trim();
}

function ignoreMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== "ENOENT") throw error;
  return undefined;
}

/** Relative path to TypeScript text. */
interface Sources {
  [file: string]: string;
}

async function readSources(): Promise<Sources> {
  const entries = await readdir(sourceDir, { recursive: true });
  const files = entries.filter((file) => file.endsWith(".ts") && file.includes(path.sep)).sort();
  const texts = await Promise.all(files.map((file) => readFile(path.join(sourceDir, file), "utf8")));
  return Object.fromEntries(files.map((file, i) => [file, texts[i] ?? ""]));
}

/** Compiled once here, a plugin starts in a quarter of a second instead of more than one, and three start each time. */
function transpile(sources: Sources): Sources {
  const ts = requireHere("typescript") as typeof typescript;
  const compilerOptions = { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.CommonJS, esModuleInterop: true };
  const compiled = Object.entries(sources).map(([file, text]) => {
    const { outputText } = ts.transpileModule(text, { compilerOptions, fileName: file });
    return [file.replace(/\.ts$/, ".js"), outputText];
  });
  return Object.fromEntries(compiled) as Sources;
}

async function writeFiles(dir: string, files: Sources): Promise<void> {
  for (const [file, text] of Object.entries(files)) {
    const target = path.join(dir, file);
    await mkdir(path.dirname(target), { recursive: true });
    await writeFile(target, text);
  }
}

/** The node_modules folder that has the SDK: the compiled plugins lie outside the repository and find packages by it. */
function nodeModules(): string {
  return path.resolve(path.dirname(requireHere.resolve("@pulumi/pulumi/package.json")), "..", "..");
}

function wrapperScript(name: PluginName, version: string): string {
  return [
    "#!/bin/sh",
    `# The sandbox's stand-in for the Pulumi resource plugin ${name} ${version}.`,
    `NODE_PATH=${quote(nodeModules())} ZEROSTEAL_PLUGIN_VERSION=${quote(version)} \\`,
    `  exec ${quote(process.execPath)} "$(dirname "$0")/lib/${name}/main.js" "$@"`,
    "",
  ].join("\n");
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
