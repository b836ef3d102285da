import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import type { JsonBag } from "../core/values";

/** A release as `helm … --output json` shows it. */
export interface LiveRelease {
  name: string;
  namespace: string;
  /** Revision. */
  version: number;
  info: { status: string; description?: string };
  chart?: { metadata: ChartMetadata };
  config?: JsonBag;
  manifest?: string;
}

export interface ChartMetadata {
  name: string;
  version: string;
  appVersion?: string;
}

export class HelmError extends Error {
  /** Whether the API server could not be reached at all. */
  get unreachable(): boolean {
    return /Kubernetes cluster unreachable|connection refused|no such host|i\/o timeout/.test(this.message);
  }

  get notFound(): boolean {
    return this.message.includes("release: not found");
  }
}

export interface HelmCall {
  args: string[];
  /** Content of a kubeconfig; undefined: helm finds its own. */
  kubeconfig?: string;
  /** Written to helm's input: values, which may hold secrets. */
  stdin?: string;
  signal: AbortSignal;
}

const children = new Set<ChildProcess>();
// A plugin whose engine was killed must not leave a helm at work: the next update would meet an operation in progress.
process.on("exit", () => children.forEach((child) => child.kill("SIGTERM")));

/**
 * Runs helm (ZEROSTEAL_HELM, or `helm` on the PATH) and returns what it printed.
 * The kubeconfig lies in a private file for as long as helm runs, values go through its input: neither is an argument.
 * @throws HelmError with helm's own words
 */
export async function helm(call: HelmCall): Promise<string> {
  const dir = await mkdtemp(path.join(os.tmpdir(), "zerosteal-helm-"));
  try {
    const args = [...call.args];
    if (call.kubeconfig !== undefined) {
      const file = path.join(dir, "kubeconfig");
      await writeFile(file, call.kubeconfig, { mode: 0o600 });
      args.push("--kubeconfig", file);
    }
    return await run(args, call);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

function run(args: string[], { stdin, signal }: HelmCall): Promise<string> {
  const program = process.env.ZEROSTEAL_HELM ?? "helm";
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ["pipe", "pipe", "pipe"] });
    // Helm marks a release as failed when it is asked to end, and leaves it pending when it is killed.
    const stop = () => child.kill("SIGTERM");
    children.add(child);
    signal.addEventListener("abort", stop, { once: true });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => out.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => err.push(chunk));
    // Helm may end before it has read its input; its exit status tells why.
    child.stdin.on("error", () => undefined);
    child.stdin.end(stdin ?? "");
    const settle = (finish: () => void) => {
      children.delete(child);
      signal.removeEventListener("abort", stop);
      finish();
    };
    child.once("error", (error: NodeJS.ErrnoException) =>
      settle(() => reject(new HelmError(startFailure(program, error)))),
    );
    child.once("close", (code) => {
      const text = Buffer.concat(err).toString();
      settle(() =>
        code === 0 ? resolve(Buffer.concat(out).toString()) : reject(new HelmError(lastError(text, code))),
      );
    });
  });
}

function startFailure(program: string, error: NodeJS.ErrnoException): string {
  if (error.code !== "ENOENT") return `${program}: ${error.message}`;
  return `${program}: no such program; put helm 3 on the PATH or name it in ZEROSTEAL_HELM`;
}

/** Helm prints warnings first and `Error: …` last. */
function lastError(text: string, code: number | null): string {
  const at = text.lastIndexOf("Error: ");
  const message = at === -1 ? text.trim() : text.slice(at + "Error: ".length).trim();
  return message === "" ? `helm ended with status ${code}` : message.replace(/^(INSTALLATION|UPGRADE) FAILED: /, "");
}
