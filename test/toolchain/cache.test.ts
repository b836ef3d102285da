import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdir, readdir, utimes, writeFile } from "node:fs/promises";
import path from "node:path";
import { keepUsed, placeFolder, withLock } from "../../toolchain/cache";
import { checkDisk } from "../../toolchain/disk";
import { withFolder } from "./support";

describe("placeFolder", () => {
  it("puts a folder in place whole, replacing what was there", async () => {
    await withFolder(async (dir) => {
      const target = path.join(dir, "a", "thing");
      await placeFolder(target, (temporary) => writeFile(path.join(temporary, "old"), ""));
      await placeFolder(target, (temporary) => writeFile(path.join(temporary, "new"), ""));
      assert.deepEqual(await readdir(target), ["new"]);
      assert.deepEqual(await readdir(path.join(dir, "a")), ["thing"]);
    });
  });

  it("leaves what was there when filling fails, and no half-made folder", async () => {
    await withFolder(async (dir) => {
      const target = path.join(dir, "thing");
      await placeFolder(target, (temporary) => writeFile(path.join(temporary, "old"), ""));
      await assert.rejects(
        placeFolder(target, async (temporary) => {
          await writeFile(path.join(temporary, "new"), "");
          throw new Error("no luck");
        }),
        /no luck/,
      );
      assert.deepEqual(await readdir(target), ["old"]);
      assert.deepEqual(await readdir(dir), ["thing"]);
    });
  });

  it("removes what a run that died left behind, and leaves alone what a living one is filling", async () => {
    await withFolder(async (dir) => {
      await mkdir(path.join(dir, ".partial-999999999-dead"));
      await mkdir(path.join(dir, `.partial-${process.ppid}-alive`));
      await placeFolder(path.join(dir, "thing"), async () => undefined);
      assert.deepEqual((await readdir(dir)).sort(), [`.partial-${process.ppid}-alive`, "thing"]);
    });
  });
});

describe("keepUsed", () => {
  it("removes only what nobody used for a week", async () => {
    await withFolder(async (dir) => {
      const longAgo = new Date(Date.now() - 8 * 24 * 3600 * 1000);
      for (const name of ["used", "unused", "recent"]) await mkdir(path.join(dir, name));
      for (const name of ["used", "unused"]) await utimes(path.join(dir, name), longAgo, longAgo);
      await keepUsed(dir, ["used"]);
      assert.deepEqual((await readdir(dir)).sort(), ["recent", "used"]);
      await keepUsed(dir, []);
      assert.ok(existsSync(path.join(dir, "used")), "use is remembered");
    });
  });

  it("is content with a folder that does not exist", async () => {
    await keepUsed("/nonexistent/folder", []);
  });
});

describe("withLock", () => {
  it("runs jobs one after the other, and frees the lock when one fails", async () => {
    await withFolder(async (dir) => {
      const order: string[] = [];
      const job = (name: string, fails = false) =>
        withLock(dir, async () => {
          order.push(`${name} begins`);
          await new Promise((resolve) => setTimeout(resolve, 20));
          order.push(`${name} ends`);
          if (fails) throw new Error(`${name} failed`);
        });
      await Promise.allSettled([job("a", true), job("b")]);
      assert.deepEqual(order.length, 4);
      assert.equal(order[0]?.charAt(0), order[1]?.charAt(0), order.join());
    });
  });
});

describe("checkDisk", () => {
  it("adds up what lies on one file system", async () => {
    await withFolder(async (dir) => {
      const needs = [
        { folder: path.join(dir, "a"), mib: 1024 },
        { folder: path.join(dir, "b"), mib: 2048 },
      ];
      await checkDisk(needs, async () => 3072);
      await assert.rejects(
        checkDisk(needs, async () => 3071),
        /Not enough disk under .*\/a: 3\.0 GiB needed, 3\.0 GiB free\. Free some space/,
      );
    });
  });

  it("asks nothing of a folder that needs nothing", async () => {
    await checkDisk([{ folder: "/nonexistent/readonly", mib: 0 }], async () => 0);
  });
});
