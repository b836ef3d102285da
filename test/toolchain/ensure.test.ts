import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { appendFile, mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { toolchainDir } from "../../toolchain/build";
import { ToolchainError } from "../../toolchain/cache";
import type { ToolFile } from "../../toolchain/ensure";
import { diskNeeds, ensure } from "../../toolchain/ensure";
import type { Tool } from "../../toolchain/manifest";
import { needs } from "../capabilities";
import { oneTool, quick, sha256, withFolder, withUpstream } from "./support";

const published = "#!/bin/sh\necho published\n";

function offered(url: string, change: Partial<Tool> = {}): ReadonlyMap<string, Tool> {
  return oneTool({ upstream: { amd64: { url: `${url}/probe`, sha256: sha256(published) } }, ...change });
}

async function ensured(cacheDir: string, tools: ReadonlyMap<string, Tool>): Promise<ToolFile> {
  const { probe } = await ensure(["probe"], { cacheDir, tools, arch: "amd64", limits: quick });
  assert.ok(probe);
  return probe;
}

describe("ensure", () => {
  it("downloads a tool once and finds it in the cache afterwards", async () => {
    await withFolder((dir) =>
      withUpstream(
        (_, response) => response.end(published),
        async ({ url, requests }) => {
          const first = await ensured(dir, offered(url));
          assert.equal(first.origin, "upstream");
          assert.equal(first.cached, false);
          assert.equal(first.sha256, sha256(published));
          assert.equal(execFileSync(first.path).toString(), "published\n");
          const second = await ensured(dir, offered(url));
          assert.deepEqual(second, { ...first, cached: true });
          assert.deepEqual(requests, ["/probe"]);
        },
      ),
    );
  });

  it("takes one member out of an archive, for several tools with one download", async () => {
    await withFolder(async (dir) => {
      await mkdir(path.join(dir, "bin"));
      for (const name of ["one", "two"]) await writeFile(path.join(dir, "bin", name), `${name}\n`);
      execFileSync("tar", ["-czf", "all.tar.gz", "bin"], { cwd: dir });
      const archive = await readFile(path.join(dir, "all.tar.gz"));
      await withUpstream(
        (_, response) => response.end(archive),
        async ({ url, requests }) => {
          const upstream = { url: `${url}/all.tar.gz`, sha256: sha256(archive) };
          const tools = new Map<string, Tool>();
          for (const name of ["one", "two"]) {
            const entry = oneTool({ name, upstream: { amd64: { ...upstream, member: `bin/${name}` } } });
            entry.forEach((tool) => tools.set(name, tool));
          }
          const files = await ensure(["one", "two"], { cacheDir: dir, tools, arch: "amd64", limits: quick });
          assert.equal(await readFile(files.one?.path ?? "", "utf8"), "one\n");
          assert.equal(await readFile(files.two?.path ?? "", "utf8"), "two\n");
          assert.deepEqual(requests, ["/all.tar.gz"]);
        },
      );
    });
  });

  it("builds after a wrong checksum, and says that the file was discarded", async function () {
    needs(this, "cc");
    await withFolder((dir) =>
      withUpstream(
        (_, response) => response.end("tampered"),
        async ({ url, requests }) => {
          const file = await ensured(dir, offered(url));
          assert.equal(file.origin, "build");
          assert.notEqual(file.sha256, sha256("tampered"));
          assert.match(file.notes.join(), /was expected; the file was discarded\. probe was built here instead\./);
          assert.deepEqual(requests, ["/probe"], "a wrong file must not be asked for again");
        },
      ),
    );
  });

  it("builds after 404", async function () {
    needs(this, "cc");
    await withFolder((dir) =>
      withUpstream(
        (_, response) => response.writeHead(404).end(),
        async ({ url }) => {
          const file = await ensured(dir, offered(url));
          assert.equal(file.origin, "build");
          assert.match(file.notes.join(), /answered 404/);
        },
      ),
    );
  });

  it("tries a download that breaks off three times, then builds", async function () {
    needs(this, "cc");
    await withFolder((dir) =>
      withUpstream(
        (_, response) => {
          response.writeHead(200, { "content-length": "1000" });
          response.write("half", () => response.destroy());
        },
        async ({ url, requests }) => {
          const file = await ensured(dir, offered(url));
          assert.equal(file.origin, "build");
          assert.match(file.notes.join(), /could not be downloaded/);
          assert.equal(requests.length, 3);
        },
      ),
    );
  });

  it("is content with a download that works the second time", async () => {
    await withFolder((dir) =>
      withUpstream(
        (() => {
          let asked = 0;
          return (_, response) => {
            if (asked++ === 0) response.destroy();
            else response.end(published);
          };
        })(),
        async ({ url }) => assert.equal((await ensured(dir, offered(url))).origin, "upstream"),
      ),
    );
  });

  it("builds at once, without a note, where upstream cannot be reached", async function () {
    needs(this, "cc");
    await withFolder(async (dir) => {
      const file = await ensured(dir, offered("http://127.0.0.1:1"));
      assert.equal(file.origin, "build");
      assert.deepEqual(file.notes, []);
    });
  });

  it("throws away a cached file that changed on disk", async () => {
    await withFolder((dir) =>
      withUpstream(
        (_, response) => response.end(published),
        async ({ url }) => {
          const first = await ensured(dir, offered(url));
          await appendFile(first.path, "rm -rf /\n");
          const second = await ensured(dir, offered(url));
          assert.equal(second.cached, false);
          assert.equal(second.sha256, sha256(published));
          assert.match(second.notes.join(), /The cached probe 1\.0\.0 had changed on disk and was discarded/);
        },
      ),
    );
  });

  it("makes a new file when the version changes", async () => {
    await withFolder((dir) =>
      withUpstream(
        (_, response) => response.end(published),
        async ({ url, requests }) => {
          await ensured(dir, offered(url));
          await ensured(dir, offered(url, { version: "1.0.1" }));
          assert.equal(requests.length, 2);
        },
      ),
    );
  });

  it("lets a second run wait for the first instead of doing the same", async () => {
    await withFolder((dir) =>
      withUpstream(
        (_, response) => setTimeout(() => response.end(published), 60),
        async ({ url, requests }) => {
          const runs = await Promise.all([ensured(dir, offered(url)), ensured(dir, offered(url))]);
          assert.deepEqual(runs.map((run) => run.cached).sort(), [false, true]);
          assert.equal(requests.length, 1);
        },
      ),
    );
  });

  it("refuses an unknown name", async () => {
    await assert.rejects(ensure(["kubelett"]), /No tool is called "kubelett"; the manifest has pulumi, /);
  });

  it("refuses when the disk is too small, before anything is made", async () => {
    await withFolder(async (dir) => {
      const tools = oneTool({ sizeMiB: 1e9 });
      await assert.rejects(ensured(dir, tools), /Not enough disk under .*: 976562\.5 GiB needed, [\d.]+ GiB free\./);
    });
  });

  it("asks disk only for what is missing", async () => {
    await withFolder((dir) =>
      withUpstream(
        (_, response) => response.end(published),
        async ({ url }) => {
          const tools = offered(url, { sizeMiB: 3 });
          const ask = async () => {
            const all = await diskNeeds(["probe"], { cacheDir: dir, tools, arch: "amd64", limits: quick });
            return all.reduce((sum, need) => sum + need.mib, 0);
          };
          assert.equal(await ask(), 6);
          await ensured(dir, tools);
          assert.equal(await ask(), 0);
        },
      ),
    );
  });

  it("shows the last lines of a failed build and what to do", async function () {
    needs(this, "cc");
    await withFolder(async (dir) => {
      await writeFile(path.join(dir, "broken.c"), "int main(void) { return undefined_thing; }\n");
      const source = path.relative(toolchainDir, path.join(dir, "broken.c"));
      await assert.rejects(ensured(dir, oneTool({ recipe: { kind: "c", source } })), (error) => {
        assert.ok(error instanceof ToolchainError);
        assert.match(error.message, /^Compiling probe failed after \d+ s: exit code 1\.\n/);
        assert.match(error.message, /undefined_thing/);
        assert.match(error.message, /apt-get install gcc libc6-dev\.$/);
        return true;
      });
    });
  });
});
