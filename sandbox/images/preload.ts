import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { link, mkdir, mkdtemp, readFile, readdir, rename, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { execa } from "execa";
import {
  ToolchainError,
  contentKey,
  defaultCacheDir,
  exists,
  keepUsed,
  placeFolder,
  withLock,
} from "../../toolchain/cache";
import type { ToolFile } from "../../toolchain/ensure";
import { ensure } from "../../toolchain/ensure";
import type { Step } from "../../toolchain/progress";
import { beginStep } from "../../toolchain/progress";
import { createMirror } from "../mirror/mirror";
import type { ImageOptions } from "./bootstrap";
import type { ImageSet } from "./images";
import { ensureImages } from "./images";

/** containerd's name for the namespace of Kubernetes. */
const namespace = "k8s.io";

/** Kubelet's garbage collection leaves a pinned image alone: on a nearly full host it would throw away what was prepared. */
const pinned = "io.cri-containerd.pinned=pinned";

/**
 * Makes sure that a /var/lib/containerd with all images pulled and unpacked lies in the cache. A machine starts from a copy of it: its
 * content may be hard-linked, its databases (`*.db`) must be copied.
 * @param options cache folder and progress
 * @returns the folder
 * @throws ToolchainError when containerd cannot start or a pull fails, with its last lines
 */
export async function preloadContainerd(options: ImageOptions = {}): Promise<string> {
  const set = await ensureImages(options);
  const tools = await ensure(["containerd", "ctr"], options);
  const parent = path.join(options.cacheDir ?? defaultCacheDir(), "containerd");
  const key = contentKey([set.images.map(({ reference, digest }) => [reference, digest]), tools.containerd?.sha256, 1]);
  const dir = path.join(parent, key);
  const make = async () => {
    if (await exists(dir)) return;
    const step = beginStep("prepared container runtime", options.onProgress);
    try {
      await placeFolder(dir, (temporary) => pullInto(temporary, set, tools, step));
    } finally {
      step.end();
    }
  };
  if (!(await exists(dir))) await withLock(parent, make, options.onProgress);
  await keepUsed(parent, [key]);
  return dir;
}

/**
 * Pulls all images of a set into an empty folder by a containerd of our own, which is gone afterwards.
 * @param dir becomes a /var/lib/containerd
 * @param set what to pull; served by a mirror on loopback meanwhile
 * @param tools containerd and ctr
 * @param step is told each image
 * @throws ToolchainError with the last lines of containerd's log
 */
export async function pullInto(dir: string, set: ImageSet, tools: Record<string, ToolFile>, step: Step): Promise<void> {
  // A socket's path may have 108 bytes: the cache's may be longer.
  const runtime = await mkdtemp(path.join(os.tmpdir(), "zerosteal-preload-"));
  const mirror = createMirror({ artifacts: [], images: set });
  try {
    const port = await mirror.listen("127.0.0.1", 0);
    await writeHosts(path.join(runtime, "hosts"), set, port);
    const daemon = await startContainerd(dir, runtime, (tools.containerd as ToolFile).path);
    try {
      const ctr = async (...args: string[]) => {
        const file = (tools.ctr as ToolFile).path;
        const result = await execa(file, ["-a", path.join(runtime, "sock"), "-n", namespace, ...args], {
          all: true,
          reject: false,
        });
        if (result.failed) throw await failure(`ctr ${args.join(" ")} failed: ${result.all}`, runtime);
      };
      for (const { reference } of set.images) {
        step.tell(`pulling ${reference}`);
        await ctr("images", "pull", "--hosts-dir", path.join(runtime, "hosts"), reference);
        await ctr("images", "label", reference, pinned);
      }
    } finally {
      await stop(daemon);
    }
    await shareBlobs(dir, set);
    // Each machine's containerd gives itself an identity of its own.
    await rm(path.join(dir, "io.containerd.grpc.v1.introspection"), { recursive: true, force: true });
  } finally {
    await mirror.close();
    await rm(runtime, { recursive: true, force: true });
  }
}

async function writeHosts(dir: string, set: ImageSet, port: number): Promise<void> {
  for (const registry of new Set(set.images.map((image) => image.registry))) {
    await mkdir(path.join(dir, registry), { recursive: true });
    const text = `server = "http://127.0.0.1:${port}"\n[host."http://127.0.0.1:${port}"]\ncapabilities = ["pull", "resolve"]\n`;
    await writeFile(path.join(dir, registry, "hosts.toml"), text);
  }
}

/**
 * Starts a containerd of our own. Its mounts lie in a mount namespace of its own and it ends with this process: neither survives
 * a run that is killed.
 */
async function startContainerd(root: string, runtime: string, file: string): Promise<ChildProcess> {
  const config = path.join(runtime, "config.toml");
  const unused = ["grpc.v1.cri", "cri.v1.images", "cri.v1.runtime", "nri.v1.nri"].map(
    (name) => `"io.containerd.${name}"`,
  );
  const lines = [
    "version = 3",
    `root = "${root}"`,
    `state = "${path.join(runtime, "state")}"`,
    `disabled_plugins = [${unused.join(", ")}]`,
    "[grpc]",
    `address = "${path.join(runtime, "sock")}"`,
    "[ttrpc]",
    `address = "${path.join(runtime, "sock.ttrpc")}"`,
  ];
  await writeFile(config, `${lines.join("\n")}\n`);
  const log = path.join(runtime, "log");
  const command = `exec unshare --mount --propagation private setpriv --pdeathsig KILL "$0" -c "$1" >"$2" 2>&1`;
  const daemon = spawn("/bin/sh", ["-c", command, file, config, log], { stdio: "ignore" });
  for (let tries = 0; tries < 200; tries++) {
    if (daemon.exitCode !== null) break;
    if (await exists(path.join(runtime, "sock"))) return daemon;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  await stop(daemon);
  throw await failure("containerd did not start", runtime);
}

async function failure(what: string, runtime: string): Promise<ToolchainError> {
  const log = await readFile(path.join(runtime, "log"), "utf8").catch(() => "");
  const last = log.trimEnd().split("\n").slice(-20);
  return new ToolchainError(
    [`Preparing the container runtime: ${what}`, ...last.map((line) => `  ${line}`)].join("\n"),
  );
}

async function stop(daemon: ChildProcess): Promise<void> {
  if (daemon.exitCode !== null || daemon.signalCode !== null) return;
  const ended = new Promise((resolve) => daemon.once("exit", resolve));
  daemon.kill("SIGTERM");
  await ended;
}

/** containerd's copy of each blob becomes another name of ours: the same bytes under the same hash need room only once. */
async function shareBlobs(dir: string, set: ImageSet): Promise<void> {
  const blobs = path.join(dir, "io.containerd.content.v1.content/blobs/sha256");
  for (const hex of await readdir(blobs)) {
    const temporary = path.join(dir, ".link");
    await link(set.store.file(`sha256:${hex}`), temporary);
    await rename(temporary, path.join(blobs, hex));
  }
}
