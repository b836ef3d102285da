import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmod, mkdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import path from "node:path";
import { BlobStore } from "../../../sandbox/images/blobs";
import type { LayerRecipe } from "../../../sandbox/images/layers";
import { ensureLayer } from "../../../sandbox/images/layers";
import { needs } from "../../capabilities";
import { withFolder } from "../../toolchain/support";
import { manyBytes } from "./support";

function digest(bytes: Buffer): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

async function sample(dir: string): Promise<LayerRecipe> {
  await mkdir(path.join(dir, "lib/one/deep"), { recursive: true });
  await writeFile(path.join(dir, "lib/one/deep/library.so"), manyBytes(5));
  await writeFile(path.join(dir, "program"), "#!/bin/sh\n");
  await chmod(path.join(dir, "program"), 0o755);
  return {
    identity: "sample",
    content: {
      files: [
        { from: path.join(dir, "program"), to: "usr/bin/program" },
        { from: path.join(dir, "lib/*/deep/library.so"), to: "usr/lib/library.so" },
        { from: path.join(dir, "lib/one"), to: "opt/one" },
      ],
      links: [{ at: "usr/bin/alias", to: "program" }],
    },
  };
}

describe("layers", () => {
  for (const compression of ["none", "zstd"] as const) {
    it(`names content by its own hash (${compression})`, async function () {
      if (compression === "zstd") needs(this, "zstd");
      await withFolder(async (dir) => {
        const store = new BlobStore(path.join(dir, "store"));
        const layer = await ensureLayer(store, await sample(dir), compression);
        const stored = await readFile(store.file(layer.digest));
        assert.equal(digest(stored), layer.digest);
        assert.equal(stored.length, layer.size);
        const plain =
          compression === "none" ? stored : execFileSync("zstd", ["-dc"], { input: stored, maxBuffer: 1e9 });
        assert.equal(digest(plain), layer.diffId);
        const out = path.join(dir, "out");
        await mkdir(out);
        execFileSync("tar", ["-xf", "-", "-C", out], { input: plain });
        assert.equal(digest(await readFile(path.join(out, "usr/lib/library.so"))), digest(manyBytes(5)));
        assert.equal(execFileSync("readlink", [path.join(out, "usr/bin/alias")]).toString(), "program\n");
        assert.equal(execFileSync("stat", ["-c", "%a %Y", path.join(out, "usr/bin/program")]).toString(), "755 0\n");
      });
    });
  }

  it("gives the same bytes from the same content, whatever times and places", async () => {
    await withFolder(async (dir) => {
      const digests: string[] = [];
      for (const name of ["a", "b"]) {
        await mkdir(path.join(dir, name));
        const recipe = await sample(path.join(dir, name));
        await utimes(path.join(dir, name, "program"), digests.length, digests.length);
        digests.push((await ensureLayer(new BlobStore(path.join(dir, name, "store")), recipe, "none")).digest);
      }
      assert.equal(digests[0], digests[1]);
    });
  });

  it("packs a recipe once, and again when its blob is gone or its identity changes", async () => {
    await withFolder(async (dir) => {
      const store = new BlobStore(path.join(dir, "store"));
      const recipe = await sample(dir);
      const first = await ensureLayer(store, recipe, "none");
      await writeFile(path.join(dir, "program"), "changed\n");
      assert.deepEqual(await ensureLayer(store, recipe, "none"), first, "the identity says that nothing changed");
      const changed = await ensureLayer(store, { ...recipe, identity: "changed" }, "none");
      assert.notEqual(changed.digest, first.digest);
      await rm(store.file(changed.digest));
      await ensureLayer(store, { ...recipe, identity: "changed" }, "none");
      assert.equal(digest(await readFile(store.file(changed.digest))), changed.digest);
    });
  });

  it("leaves out of a tree what its patterns name", async () => {
    await withFolder(async (dir) => {
      const tree = path.join(dir, "tree");
      for (const folder of ["usr/share/doc/x", "usr/share/keep", "run"])
        await mkdir(path.join(tree, folder), { recursive: true });
      await writeFile(path.join(tree, "usr/share/doc/x/file"), "");
      await writeFile(path.join(tree, "run/pid"), "");
      const store = new BlobStore(path.join(dir, "store"));
      const content = { tree, without: ["./usr/share/doc", "./run/*"] };
      const layer = await ensureLayer(store, { content, identity: "tree" }, "none");
      const members = execFileSync("tar", ["-tf", store.file(layer.digest)])
        .toString()
        .trim()
        .split("\n");
      assert.deepEqual(members, ["./", "./run/", "./usr/", "./usr/share/", "./usr/share/keep/"]);
    });
  });

  it("refuses a pattern that matches no file or several", async () => {
    await withFolder(async (dir) => {
      const recipe = await sample(dir);
      await mkdir(path.join(dir, "lib/two/deep"), { recursive: true });
      await writeFile(path.join(dir, "lib/two/deep/library.so"), "");
      const store = new BlobStore(path.join(dir, "store"));
      await assert.rejects(ensureLayer(store, recipe, "none"), /library\.so matches 2 files, one was expected/);
    });
  });

  it("fails when tar fails", async () => {
    await withFolder(async (dir) => {
      const content = { tree: path.join(dir, "absent"), without: [] };
      const store = new BlobStore(path.join(dir, "store"));
      await assert.rejects(ensureLayer(store, { content, identity: 1 }, "none"), /tar .* ended with 2: .*absent/s);
    });
  });
});
