import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { agentForKernel } from "../../../sandbox/images/noModules";
import { sha256File } from "../../../toolchain/cache";
import type { ToolFile } from "../../../toolchain/ensure";
import { withFolder } from "../../toolchain/support";

describe("an agent for a kernel without modules", () => {
  const agentOf = async (dir: string, version: string, text: string): Promise<ToolFile> => {
    const file = path.join(dir, "cilium-agent");
    await writeFile(file, text);
    const sha256 = await sha256File(file);
    return { name: "cilium-agent", version, path: file, sha256, origin: "build", cached: true, notes: [] };
  };

  it("reads an empty list in place of the one that is not there, and is as long as before", () =>
    withFolder(async (dir) => {
      const agent = await agentOf(dir, "1.16.1", "MIN/proc/modules=== NAME");
      const other = await agentForKernel(agent, dir, path.join(dir, "none"));
      assert.equal(await readFile(other.path, "utf8"), "MIN/dev/././null=== NAME");
      assert.equal(await readFile("/dev/././null", "utf8"), "");
      assert.equal(other.sha256, await sha256File(other.path));
      assert.notEqual(other.sha256, agent.sha256);
      assert.equal(await readFile(agent.path, "utf8"), "MIN/proc/modules=== NAME");
    }));

  it("is the agent itself where the kernel has the list, and in a version that needs none", () =>
    withFolder(async (dir) => {
      const [older, newer] = [await agentOf(dir, "1.16.1", "x"), await agentOf(dir, "1.20.2", "x")];
      assert.equal(await agentForKernel(older, dir, dir), older);
      assert.equal(await agentForKernel(newer, dir, path.join(dir, "none")), newer);
    }));

  it("is refused when the name stands there twice or never", () =>
    withFolder(async (dir) => {
      for (const text of ["nothing", "/proc/modules/proc/modules"]) {
        const agent = await agentOf(dir, "1.16.1", text);
        await assert.rejects(agentForKernel(agent, dir, path.join(dir, "none")), /does not name \/proc\/modules once/);
      }
    }));
});
