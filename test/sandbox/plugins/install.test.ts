import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { mkdir, mkdtemp, readFile, readdir, rm, stat, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { installPlugins, pluginDir, pluginNames, sdkVersion } from "../../../sandbox/plugins/install";

describe("installing the stand-in plugins", function () {
  this.timeout(60_000);
  let home: string;

  before(async () => {
    home = await mkdtemp(path.join(os.tmpdir(), "zerosteal plugins-"));
    await installPlugins(home);
  });

  after(() => rm(home, { recursive: true, force: true }));

  it("makes one executable a plugin, in the folder of the version that the SDK asks for", async () => {
    for (const name of pluginNames) {
      const version = await sdkVersion(name);
      const { mode } = await stat(path.join(pluginDir(home, name, version), `pulumi-resource-${name}`));
      assert.equal(mode & 0o111, 0o111);
    }
    const folders = (await readdir(path.join(home, "plugins"))).sort();
    assert.deepEqual(folders, ["resource-command-v1.2.1", "resource-hcloud-v1.41.0", "resource-kubernetes-v4.34.2"]);
  });

  it("leaves up-to-date folders alone and mends changed ones", async () => {
    const dir = pluginDir(home, "command", await sdkVersion("command"));
    const { ino } = await stat(dir);
    await installPlugins(home);
    assert.equal((await stat(dir)).ino, ino);
    await writeFile(path.join(dir, "zerosteal-stand-in"), "older\n");
    await installPlugins(home);
    assert.notEqual(await readFile(path.join(dir, "zerosteal-stand-in"), "utf8"), "older\n");
  });

  it("never touches a real plugin", async () => {
    const other = await mkdtemp(path.join(os.tmpdir(), "zerosteal-real-"));
    const dir = pluginDir(other, "hcloud", await sdkVersion("hcloud"));
    await mkdir(dir, { recursive: true });
    await writeFile(path.join(dir, "pulumi-resource-hcloud"), "real");
    await installPlugins(other, ["hcloud"]);
    assert.deepEqual(await readdir(dir), ["pulumi-resource-hcloud"]);
    await rm(other, { recursive: true });
  });

  for (const name of pluginNames) {
    it(`starts ${name}: it prints its port, and ends when asked`, async () => {
      const dir = pluginDir(home, name, await sdkVersion(name));
      const child = spawn(path.join(dir, `pulumi-resource-${name}`), ["127.0.0.1:1"], { cwd: os.tmpdir() });
      const port = await new Promise<string>((resolve, reject) => {
        child.stdout.once("data", (chunk: Buffer) => resolve(chunk.toString()));
        child.stderr.once("data", (chunk: Buffer) => reject(new Error(chunk.toString())));
      });
      assert.match(port, /^\d+\n$/);
      const ended = new Promise((resolve) => child.once("exit", resolve));
      child.kill("SIGINT");
      assert.equal(await ended, 0);
    });
  }

  it("works from any folder and by a relative path", async () => {
    const dir = pluginDir(home, "command", await sdkVersion("command"));
    const script = `timeout 20 ./pulumi-resource-command & sleep 2; kill -INT $!; wait $!`;
    assert.match(execFileSync("sh", ["-c", script], { cwd: dir, encoding: "utf8" }), /^\d+\n$/);
  });
});
