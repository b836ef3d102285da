import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmod, mkdir, readdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { upstreamArtifacts } from "../../../components/plan/artifacts";
import { packArchive } from "../../../sandbox/mirror/artifacts";
import type { ToolFile } from "../../../toolchain/ensure";
import { versions } from "../../../toolchain/manifest";
import { sha256, withFolder } from "../../toolchain/support";

async function tool(dir: string, name: string, text = name): Promise<ToolFile> {
  const file = path.join(dir, name, name);
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, text);
  await chmod(file, 0o700);
  return { name, version: "1", path: file, sha256: sha256(text), origin: "build", cached: true, notes: [] };
}

function planned(name: string): unknown {
  const artifact = upstreamArtifacts(versions.kubernetes)?.find((candidate) => candidate.name === name);
  return { to: artifact?.extract?.to, members: artifact?.extract?.members, strip: artifact?.extract?.stripComponents };
}

describe("artifact archives", () => {
  it("have the shape of upstream's, so that one node script serves both", async () => {
    await withFolder(async (dir) => {
      const out = path.join(dir, "out");
      const tools = [];
      for (const name of ["containerd", "containerd-shim-runc-v2", "ctr"]) tools.push(await tool(dir, name));
      const containerd = await packArchive(out, "containerd", "bin/", tools, {
        to: "/usr/local/bin",
        stripComponents: 1,
      });
      const { extract } = containerd.artifact;
      assert.deepEqual(planned("containerd"), {
        to: extract?.to,
        members: extract?.members,
        strip: extract?.stripComponents,
      });
      const plugins = [await tool(dir, "loopback")];
      const cni = await packArchive(out, "cni-plugins", "./", plugins, { to: "/opt/cni/bin", stripComponents: 0 });
      assert.deepEqual(planned("cni-plugins"), {
        to: "/opt/cni/bin",
        members: cni.artifact.extract?.members,
        strip: 0,
      });
      const list = execFileSync("tar", ["-tvf", containerd.file]).toString();
      assert.match(list, /^-rwxr-xr-x 0\/0 .* 1970-01-01 00:00 bin\/containerd\n/);
      assert.match(execFileSync("tar", ["-tf", cni.file]).toString(), /^\.\/loopback\n$/);
    });
  });

  it("are packed once for the same executables, and keep their checksum wherever they are packed", async () => {
    await withFolder(async (dir) => {
      const place = { to: "/opt/cni/bin", stripComponents: 0 };
      const pack = async (out: string, text: string) =>
        packArchive(
          path.join(dir, out),
          "cni-plugins",
          "./",
          [await tool(path.join(dir, out), "loopback", text)],
          place,
        );
      const first = await pack("a", "one");
      assert.equal((await pack("b", "one")).artifact.sha256, first.artifact.sha256);
      assert.notEqual((await pack("a", "two")).artifact.sha256, first.artifact.sha256);
      assert.equal((await pack("a", "one")).file, first.file);
      assert.deepEqual(
        (await readdir(path.join(dir, "a"))).filter((name) => name.endsWith(".new")),
        [],
      );
    });
  });
});
