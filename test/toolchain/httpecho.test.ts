import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { execa } from "execa";
import { buildGo } from "../../toolchain/build";
import { hostArch, manifest, type Tool } from "../../toolchain/manifest";
import { needs } from "../capabilities";

/** A port of loopback that nobody listens on now. */
async function freePort(): Promise<number> {
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as net.AddressInfo;
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return port;
}

describe("httpecho", function () {
  this.timeout(300_000);
  let dir: string;
  let program: string;
  const children: ChildProcess[] = [];
  const urls: string[] = [];

  before(async function () {
    needs(this, "go");
    dir = await mkdtemp(path.join(os.tmpdir(), "zerosteal-echo-"));
    await buildGo([manifest.get("httpecho") as Tool], hostArch(), dir);
    program = path.join(dir, "httpecho");
    const [backend, frontend] = [await freePort(), await freePort()];
    urls.push(`http://127.0.0.1:${backend}`, `http://127.0.0.1:${frontend}`);
    await serve(backend, "-name", "backend-api");
    await serve(frontend, "-name", "frontend-proxy", "-forward", `http://127.0.0.1:${backend}`);
  });

  after(async () => {
    for (const child of children) child.kill("SIGKILL");
    if (dir) await rm(dir, { recursive: true, force: true });
  });

  async function serve(port: number, ...flags: string[]): Promise<void> {
    children.push(spawn(program, ["serve", "-listen", `127.0.0.1:${port}`, ...flags], { stdio: "ignore" }));
    while ((await call("GET", `http://127.0.0.1:${port}/healthz`)) !== "200") await sleep(50);
  }

  async function call(...args: string[]): Promise<string> {
    return (await execa(program, ["call", ...args])).stdout;
  }

  it("says back what it was asked, itself and through another", async () => {
    for (const url of urls) {
      const response = await fetch(`${url}/v1/transaction?id=1`, { method: "POST", body: "12345" });
      const wanted = { name: "backend-api", method: "POST", path: "/v1/transaction?id=1", bytes: 5 };
      assert.deepEqual(await response.json(), wanted);
    }
  });

  it("tells how a call ended: a status, refused, no such name, no answer", async () => {
    assert.equal(await call("POST", `${urls[1]}/v1/transaction`), "200");
    assert.equal(await call("GET", `http://127.0.0.1:${await freePort()}/`), "refused");
    assert.equal(await call("GET", "http://no..name/"), "unknown name");
    // Takes connections and says nothing.
    const silent = net.createServer(() => undefined);
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    const { port } = silent.address() as net.AddressInfo;
    assert.equal(await call("-seconds", "1", "GET", `http://127.0.0.1:${port}/`), "timed out");
    silent.close();
  });

  it("answers 502 for a target that refuses", async () => {
    const port = await freePort();
    await serve(port, "-forward", `http://127.0.0.1:${await freePort()}`);
    assert.equal(await call("GET", `http://127.0.0.1:${port}/`), "502");
  });
});
