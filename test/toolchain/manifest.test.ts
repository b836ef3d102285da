import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { upstreamArtifacts } from "../../components/plan/artifacts";
import { defaultVersions, sandboxImage } from "../../components/plan/versions";
import { toolchainDir } from "../../toolchain/build";
import { ciliumVersions } from "../../toolchain/cilium";
import { goModules, manifest, manifestWith, toolNames, versions } from "../../toolchain/manifest";

const tools = ciliumVersions.flatMap((version) => [...manifestWith(version).values()]);

describe("manifest", () => {
  it("pins in each go.mod the version that it names", () => {
    for (const { name, version, recipe } of tools) {
      if (recipe.kind !== "go") continue;
      const folder = path.join(toolchainDir, "go", recipe.module);
      assert.ok(goModules[recipe.module], `${recipe.module} has a cost`);
      // A program of our own needs nobody else's.
      if (existsSync(path.join(folder, "main.go"))) continue;
      const required = /^require (\S+) v(\S+)$/m.exec(readFileSync(path.join(folder, "go.mod"), "utf8"));
      if (recipe.module !== "pulumi") assert.equal(required?.[2], version, `${name} in ${recipe.module}/go.mod`);
      assert.ok(existsSync(path.join(folder, "go.sum")), `${recipe.module} has checksums`);
    }
  });

  it("builds Pulumi's engine at its version", () => {
    const text = readFileSync(path.join(toolchainDir, "go/pulumi/go.mod"), "utf8");
    assert.match(text, new RegExp(`github.com/pulumi/pulumi/pkg/v3 v${versions.pulumi.replaceAll(".", "\\.")}`));
  });

  it("has a checksum of 64 hex digits for every published file, and the version in its address", () => {
    for (const { name, version, upstream } of tools) {
      for (const [arch, file] of Object.entries(upstream ?? {})) {
        assert.match(file.sha256, /^[0-9a-f]{64}$/, name);
        assert.ok(file.url.startsWith("https://") && file.url.includes(version) && file.url.includes(arch), file.url);
      }
    }
  });

  it("agrees with the plan's versions and published checksums", () => {
    for (const [name, version] of Object.entries(versions)) {
      const planned: unknown = (defaultVersions as Record<string, string>)[name];
      if (planned !== undefined) assert.equal(version, planned, name);
    }
    assert.equal(sandboxImage, `registry.k8s.io/pause:${versions.pause}`);
    for (const { name, sha256 } of upstreamArtifacts(versions.kubernetes) ?? []) {
      const published = manifest.get(name)?.upstream?.amd64?.sha256;
      if (published !== undefined) assert.equal(published, sha256, name);
    }
  });

  it("holds one Cilium at a time, and the first unasked", () => {
    for (const version of ciliumVersions) {
      const cilium = [...manifestWith(version).values()].filter(({ name }) => name.startsWith("cilium-"));
      assert.deepEqual([...new Set(cilium.map((tool) => tool.version))], [version]);
    }
    assert.deepEqual([...manifestWith("1.16.1").keys()], [...manifest.keys()]);
    assert.equal(manifest.get("cilium-agent")?.version, versions.cilium);
  });

  it("lists tools by purpose", () => {
    assert.deepEqual(toolNames("engine"), ["pulumi", "pulumi-language-nodejs", "helm"]);
    assert.ok(toolNames("node").includes("kubelet") && !toolNames("node").includes("etcd"));
  });
});
