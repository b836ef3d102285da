import { readFile, readdir, rename } from "node:fs/promises";
import path from "node:path";
import { execa } from "execa";
import semver from "semver";
import { ToolchainError, contentKey } from "./cache";
import type { Arch, Recipe, Tool } from "./manifest";
import { goModules } from "./manifest";
import type { OnProgress } from "./progress";
import { beginStep } from "./progress";

/** This folder, with go/<module> and the C sources in it. */
export const toolchainDir = __dirname;

type GoRecipe = Extract<Recipe, { kind: "go" }>;

/**
 * Key of everything that decides a built tool's content: version, recipe, pinned modules.
 * @param tool from the manifest
 * @param arch target
 */
export async function recipeKey(tool: Tool, arch: Arch): Promise<string> {
  const { recipe } = tool;
  const sources = recipe.kind === "go" ? await goSources(recipe.module) : [recipe.source];
  const texts = await Promise.all(sources.map((file) => readFile(path.join(toolchainDir, file), "utf8")));
  return contentKey([tool.name, tool.version, arch, recipe, tool.upstream?.[arch] ?? null, texts]);
}

/**
 * Files that decide a Go build: the pins of an upstream project, or a program of our own.
 * @param module folder name under toolchain/go
 * @returns paths below toolchain/, sorted
 */
export async function goSources(module: string): Promise<string[]> {
  const files = (await readdir(path.join(toolchainDir, "go", module))).sort();
  return files.filter((file) => /^go\.(mod|sum)$|\.go$/.test(file)).map((file) => `go/${module}/${file}`);
}

/**
 * Checks that Go is there and new enough for the given module folders.
 * @param modules folder names under toolchain/go
 * @param go the command; replaced in tests
 * @throws ToolchainError one sentence
 */
export async function checkGo(modules: string[], go = "go"): Promise<void> {
  const wanted = await requiredGo(modules);
  const answer = await execa(go, ["env", "GOVERSION", "GOTOOLCHAIN"], { reject: false, cwd: "/" });
  if (answer.failed) {
    throw new ToolchainError(
      `Go ${wanted} or newer is needed to build ${modules.join(", ")}, and \`${go}\` does not run here. ` +
        "Install it from https://go.dev/dl/, or give this machine access to the upstream downloads.",
    );
  }
  const [version = "", toolchain = ""] = answer.stdout.split("\n");
  const found = semver.coerce(version.replace(/^go/, ""));
  // Any setting but `local` lets Go fetch the newer toolchain that a go.mod asks for.
  const canSwitch =
    found !== null && semver.gte(found, "1.21.0") && toolchain !== "local" && !toolchain.startsWith("go");
  if (found === null || (semver.lt(found, wanted) && !canSwitch)) {
    throw new ToolchainError(
      `Go ${wanted} or newer is needed to build ${modules.join(", ")}; ${version || "an unknown version"} was found. ` +
        "Install a newer one from https://go.dev/dl/, or set GOTOOLCHAIN=auto.",
    );
  }
}

async function requiredGo(modules: string[]): Promise<string> {
  let wanted = "1.21.0";
  for (const module of modules) {
    const text = await readFile(path.join(toolchainDir, "go", module, "go.mod"), "utf8");
    const line = semver.coerce(/^go (\S+)$/m.exec(text)?.[1])?.version;
    if (line && semver.gt(line, wanted)) wanted = line;
  }
  return wanted;
}

/**
 * Splits tools into groups that one `go build` makes together.
 * @param tools all with Go recipes
 */
export function goGroups(tools: Tool[]): Tool[][] {
  const groups = new Map<string, Tool[]>();
  for (const tool of tools) {
    if (tool.recipe.kind !== "go") continue;
    const key = contentKey([tool.recipe.module, tool.recipe.tags ?? "", tool.recipe.ldflags ?? ""]);
    groups.set(key, [...(groups.get(key) ?? []), tool]);
  }
  return [...groups.values()];
}

/**
 * Builds one group of Go tools.
 * @param group tools with the same module folder, tags and linker flags
 * @param arch target
 * @param outDir existing empty folder; each tool lies there under its name afterwards
 * @param onProgress is told which package is being compiled
 * @throws ToolchainError with the build's last 20 lines and what to do
 */
export async function buildGo(group: Tool[], arch: Arch, outDir: string, onProgress?: OnProgress): Promise<void> {
  const recipe = group[0]?.recipe as GoRecipe;
  const names = group.map((tool) => tool.name).join(", ");
  const step = beginStep(`building ${names}`, onProgress);
  step.tell(`go build in toolchain/go/${recipe.module}; cold about ${goModules[recipe.module]?.seconds ?? "?"} s`);
  const flags = ["-mod=readonly", "-trimpath", "-buildvcs=false", "-tags", recipe.tags ?? ""];
  const link = ["-ldflags", `-s -w ${recipe.ldflags ?? ""}`];
  const packages = group.map((tool) => (tool.recipe as GoRecipe).package);
  try {
    await run("go", ["build", "-v", ...flags, ...link, "-o", `${outDir}/`, ...packages], {
      cwd: path.join(toolchainDir, "go", recipe.module),
      env: { CGO_ENABLED: "0", GOOS: "linux", GOARCH: arch, GOFLAGS: "", GOWORK: "off" },
      what: `Building ${names} ${group[0]?.version}`,
      advice:
        "If it is the network: `go env GOPROXY` names the module proxy that must be reachable. Then run again; what was compiled is kept.",
      onLine: (line) => step.set(line.startsWith("go: ") ? line.slice(4) : `compiling ${line}`),
      elapsedMs: () => step.elapsedMs(),
    });
    for (const tool of group) {
      await rename(path.join(outDir, goOutput((tool.recipe as GoRecipe).package)), path.join(outDir, tool.name));
    }
  } finally {
    step.end();
  }
}

/** Name that Go gives a main package's executable: the last path element that is not a major version. */
export function goOutput(mainPackage: string): string {
  const parts = mainPackage.split("/");
  const last = parts.pop() ?? "";
  return /^v\d+$/.test(last) ? (parts.pop() ?? last) : last;
}

/**
 * Compiles a C tool into a static executable.
 * @param tool with a C recipe
 * @param outDir existing folder; the tool lies there under its name afterwards
 * @throws ToolchainError with the compiler's last 20 lines and what to do
 */
export async function buildC(tool: Tool, outDir: string): Promise<void> {
  if (tool.recipe.kind !== "c") throw new Error(`${tool.name} has no C recipe`);
  const started = Date.now();
  await run("cc", ["-Os", "-static", "-s", "-o", path.join(outDir, tool.name), tool.recipe.source], {
    cwd: toolchainDir,
    env: {},
    what: `Compiling ${tool.name}`,
    advice: "It needs a C compiler and the static C library: apt-get install gcc libc6-dev.",
    elapsedMs: () => Date.now() - started,
  });
}

/** A command whose failure a person must understand. */
interface Job {
  cwd: string;
  env: Record<string, string>;
  what: string;
  advice: string;
  onLine?: (line: string) => void;
  elapsedMs: () => number;
}

async function run(command: string, args: string[], job: Job): Promise<void> {
  const child = execa(command, args, { cwd: job.cwd, env: job.env, all: true, reject: false, stdin: "ignore" });
  const last: string[] = [];
  for await (const line of child.iterable({ from: "all" })) {
    last.push(line);
    if (last.length > 20) last.shift();
    job.onLine?.(line);
  }
  const result = await child;
  if (!result.failed) return;
  const why = result.code === "ENOENT" ? `\`${command}\` is not installed` : `exit code ${result.exitCode ?? "none"}`;
  throw new ToolchainError(
    [
      `${job.what} failed after ${Math.round(job.elapsedMs() / 1000)} s: ${why}.`,
      ...last.map((l) => `  ${l}`),
      job.advice,
    ].join("\n"),
  );
}

/** Folders where Go keeps downloaded modules and compiled packages. */
export async function goCacheDirs(): Promise<string[]> {
  const { stdout } = await execa("go", ["env", "GOMODCACHE", "GOCACHE"], { cwd: "/" });
  return stdout.split("\n");
}

/**
 * Folder of a downloaded Go module, read-only, with everything that its authors publish in it.
 * @param folder name under toolchain/go
 * @param module module path that its go.mod requires
 */
export async function goModuleDir(folder: string, module: string): Promise<string> {
  const cwd = path.join(toolchainDir, "go", folder);
  const env = { GOFLAGS: "", GOWORK: "off" };
  const { stdout } = await execa("go", ["mod", "download", "-json", module], { cwd, env });
  const { Dir } = JSON.parse(stdout) as { Dir: string };
  await readdir(Dir);
  return Dir;
}
