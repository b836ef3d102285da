import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, statSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import path from "node:path";
import { pullInto } from "../../../sandbox/images/preload";
import { ensure } from "../../../toolchain/ensure";
import { beginStep } from "../../../toolchain/progress";
import { needs } from "../../capabilities";
import { withFolder } from "../../toolchain/support";
import { smallSet } from "./support";

const names = ["quay.io/a/one:v1", "registry.k8s.io/two:v2"];

describe("prepared container runtime", () => {
  before(function () {
    needs(this, "root", "go");
  });

  async function prepare(dir: string, spoil?: (blob: string) => Promise<void>): Promise<string> {
    const set = await smallSet(dir, names);
    await spoil?.(set.store.file(set.images[1]?.blobs[1] ?? ""));
    const target = path.join(dir, "containerd");
    await mkdir(target);
    const step = beginStep("test");
    await pullInto(target, set, await ensure(["containerd", "ctr"]), step).finally(() => step.end());
    return target;
  }

  it("holds every image, unpacked, its blobs shared with the store, and leaves nothing running", async () => {
    await withFolder(async (dir) => {
      const target = await prepare(dir);
      const texts = execFileSync("find", [target, "-path", "*/snapshots/*/fs/etc/text"]).toString().trim().split("\n");
      assert.deepEqual(texts.map((file) => readFileSync(file, "utf8")).sort(), [
        "quay-io-a-one-v1",
        "registry-k8s-io-two-v2",
      ]);
      const blobs = execFileSync("find", [path.join(target, "io.containerd.content.v1.content"), "-type", "f"]);
      for (const blob of blobs.toString().trim().split("\n")) assert.equal(statSync(blob).nlink, 2, blob);
      const database = readFileSync(path.join(target, "io.containerd.metadata.v1.bolt/meta.db"), "latin1");
      for (const name of names) assert.ok(database.includes(name), `${name} is known`);
      assert.ok(database.includes("io.cri-containerd.pinned"));
      assert.ok(!existsSync(path.join(target, "io.containerd.grpc.v1.introspection")));
      assert.ok(!readFileSync("/proc/mounts", "utf8").includes(dir));
      assert.doesNotMatch(
        execFileSync("ps", ["-eo", "args"]).toString(),
        new RegExp(`containerd -c.*${path.basename(dir)}`),
      );
    });
  }).timeout(300_000);

  it("fails with the image's name and containerd's last lines when a pull fails", async () => {
    await withFolder(async (dir) => {
      await assert.rejects(
        prepare(dir, (blob) => rm(blob)),
        /^ToolchainError: Preparing the container runtime: ctr images pull .*registry\.k8s\.io\/two:v2 failed: (.|\n)*not found/,
      );
      assert.ok(!readFileSync("/proc/mounts", "utf8").includes(dir));
    });
  }).timeout(300_000);
});
