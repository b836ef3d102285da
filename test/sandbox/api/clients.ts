import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { defaultCacheDir } from "../../../toolchain/cache";

const sources = path.join(__dirname, "clients");
const requirements = path.join(sources, "requirements.txt");
const goModule = path.join(sources, "hcloud-go");
const minutes = 60_000;

/** Whether the vendor's Python client is in the cache or can be fetched. Changes nothing. */
export function canHavePythonClient(): boolean {
  if (existsSync(pythonReady())) return true;
  const dryRun = ["-m", "pip", "install", "--quiet", "--dry-run", "--ignore-installed", "--requirement", requirements];
  return succeeds("python3", ["-c", "import ensurepip, venv"]) && succeeds("python3", dryRun);
}

/** Whether the vendor's Go client is in the cache or can be built. Fills Go's module cache at most. */
export function canHaveGoClient(): boolean {
  return existsSync(goBinary()) || succeeds("go", ["mod", "download"], goModule);
}

/**
 * Puts the vendor's Python client, at its pinned version, into the cache if it is not there.
 * @returns the command that runs our script with it
 */
export function pythonClient(): [command: string, ...args: string[]] {
  const folder = pythonFolder();
  if (!existsSync(pythonReady())) {
    rmSync(folder, { recursive: true, force: true });
    run("python3", ["-m", "venv", folder]);
    run(path.join(folder, "bin/python"), ["-m", "pip", "install", "--quiet", "--requirement", requirements]);
    writeFileSync(pythonReady(), "");
  }
  return [path.join(folder, "bin/python"), path.join(sources, "smoke.py")];
}

/**
 * Builds our program on the vendor's Go client, at its pinned version, into the cache if it is not there.
 * @returns the command that runs it
 */
export function goClient(): [command: string, ...args: string[]] {
  const binary = goBinary();
  if (!existsSync(binary)) {
    mkdirSync(path.dirname(binary), { recursive: true });
    run("go", ["build", "-o", binary, "."], goModule);
  }
  return [binary];
}

function pythonFolder(): string {
  return path.join(defaultCacheDir(), "clients", `hcloud-python-${digest(requirements)}`);
}

/** Written last: a virtual environment without it is half-made. */
function pythonReady(): string {
  return path.join(pythonFolder(), ".ready");
}

function goBinary(): string {
  const files = readdirSync(goModule).sort();
  const name = `hcloud-go-${digest(...files.map((file) => path.join(goModule, file)))}`;
  return path.join(defaultCacheDir(), "clients", name);
}

/** Names a cache entry by what it is made from. */
function digest(...files: string[]): string {
  const hash = createHash("sha256");
  for (const file of files) hash.update(readFileSync(file));
  return hash.digest("hex").slice(0, 12);
}

function run(command: string, args: string[], cwd?: string): void {
  execFileSync(command, args, { cwd, stdio: ["ignore", "pipe", "pipe"], timeout: 5 * minutes });
}

function succeeds(command: string, args: string[], cwd?: string): boolean {
  try {
    // The dry run installs nothing, so a distribution's guard of its own packages has nothing to object to.
    const env = { ...process.env, PIP_BREAK_SYSTEM_PACKAGES: "1" };
    execFileSync(command, args, { cwd, env, stdio: "ignore", timeout: minutes });
    return true;
  } catch {
    return false;
  }
}
