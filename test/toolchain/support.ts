import { createHash } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import os from "node:os";
import path from "node:path";
import type { Recipe, Tool } from "../../toolchain/manifest";

/** Limits short enough for tests, and long enough for a loaded machine to answer itself. */
export const quick = { probeMs: 2_000, idleMs: 2_000 };

/** A temporary folder that is gone after the job. */
export async function withFolder<T>(job: (dir: string) => Promise<T>): Promise<T> {
  const dir = await mkdtemp(path.join(os.tmpdir(), "zerosteal-test-"));
  try {
    return await job(dir);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** A stand-in for upstream on loopback; `requests` counts what was asked, probes left out. */
export interface LoopbackUpstream {
  url: string;
  requests: string[];
}

/** Serves on a free loopback port for the time of a job. */
export async function withUpstream<T>(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
  job: (upstream: LoopbackUpstream) => Promise<T>,
): Promise<T> {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    if (request.method === "HEAD") {
      response.end();
      return;
    }
    requests.push(request.url ?? "");
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  try {
    return await job({ url: `http://127.0.0.1:${port}`, requests });
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

/** SHA-256 of bytes, 64 hex digits. */
export function sha256(content: string | Buffer): string {
  return createHash("sha256").update(content).digest("hex");
}

/** A manifest of one tool that upstream offers for amd64 and that a C compiler can build. */
export function oneTool(change: Partial<Tool> = {}): ReadonlyMap<string, Tool> {
  const recipe: Recipe = { kind: "c", source: "pause/pause.c" };
  const tool: Tool = { name: "probe", version: "1.0.0", purpose: "test", sizeMiB: 1, recipe, ...change };
  return new Map([[tool.name, tool]]);
}
