import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { readdir } from "node:fs/promises";
import path from "node:path";
import type { DebianRecipe } from "../../../sandbox/images/bootstrap";
import { ensureDebianTree } from "../../../sandbox/images/bootstrap";
import { needs } from "../../capabilities";
import { withFolder } from "../../toolchain/support";

const recipe: DebianRecipe = { name: "test", suite: "trixie", packages: ["bash"], without: [], sizeMiB: 1 };

async function withMirror<T>(url: string, job: () => Promise<T>): Promise<T> {
  const before = process.env.ZEROSTEAL_DEBIAN_MIRROR;
  process.env.ZEROSTEAL_DEBIAN_MIRROR = url;
  try {
    return await job();
  } finally {
    if (before === undefined) delete process.env.ZEROSTEAL_DEBIAN_MIRROR;
    else process.env.ZEROSTEAL_DEBIAN_MIRROR = before;
  }
}

describe("ensureDebianTree", () => {
  it("shows the last lines and names the mirror when packages cannot be had, and leaves nothing", async function () {
    needs(this, "root", "mmdebstrap");
    this.timeout(60_000);
    await withFolder((dir) =>
      withMirror("http://127.0.0.1:1/debian", async () => {
        await assert.rejects(
          ensureDebianTree(recipe, { cacheDir: dir }),
          /^ToolchainError: Making the test root file system \(Debian trixie\) failed:\n(.*\n)*It needs mmdebstrap and Debian's packages from http:\/\/127\.0\.0\.1:1\/debian;/,
        );
        assert.deepEqual(await readdir(path.join(dir, "debian")), []);
        assert.ok(!readFileSync("/proc/mounts", "utf8").includes(dir));
      }),
    );
  });

  it("asks for room before it begins", async function () {
    needs(this, "root");
    await withFolder((dir) =>
      assert.rejects(
        ensureDebianTree({ ...recipe, sizeMiB: 1e9 }, { cacheDir: dir }),
        /Not enough disk under .*debian/,
      ),
    );
  });
});
