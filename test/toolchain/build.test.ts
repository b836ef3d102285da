import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmod, mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { checkGo, goGroups, goOutput, goSources, recipeKey, toolchainDir } from "../../toolchain/build";
import { ensure } from "../../toolchain/ensure";
import type { Tool } from "../../toolchain/manifest";
import { manifest } from "../../toolchain/manifest";
import type { ProgressEvent } from "../../toolchain/progress";
import { needs } from "../capabilities";
import { oneTool, quick, withFolder } from "./support";

/** A Go module in a temporary folder, as if it lay under toolchain/go. */
async function goModule(dir: string, files: Record<string, string>): Promise<string> {
  for (const [name, text] of Object.entries({
    "go.mod": "module example.org/probe\n\ngo 1.21\n",
    "go.sum": "",
    ...files,
  })) {
    await mkdir(path.dirname(path.join(dir, name)), { recursive: true });
    await writeFile(path.join(dir, name), text);
  }
  return path.relative(path.join(toolchainDir, "go"), dir);
}

function goTool(name: string, module: string, change: Partial<Tool["recipe"]> = {}): ReadonlyMap<string, Tool> {
  const recipe = { kind: "go", module, package: `example.org/probe/${name}`, ...change } as Tool["recipe"];
  return oneTool({ name, recipe });
}

const hello = `package main\n\nvar version = "none"\n\nfunc main() { println(version) }\n`;

describe("Go builds", () => {
  it("makes several tools of one module by one build, with flags, and tells what it does", async function () {
    needs(this, "go");
    await withFolder(async (dir) => {
      const module = await goModule(dir, { "one/main.go": hello, "two/main.go": hello });
      const ldflags = "-X main.version=v7";
      const tools = new Map([...goTool("one", module, { ldflags }), ...goTool("two", module, { ldflags })]);
      const events: ProgressEvent[] = [];
      const files = await ensure(["one", "two"], {
        cacheDir: dir,
        tools,
        limits: quick,
        onProgress: (event) => events.push(event),
      });
      for (const name of ["one", "two"]) {
        const output = execFileSync("/bin/sh", ["-c", `${files[name]?.path} 2>&1`]).toString();
        assert.equal(output, "v7\n");
        assert.equal(files[name]?.origin, "build");
      }
      assert.deepEqual(
        [...new Set(events.map((event) => event.step))],
        ["building one, two"],
        "one build for both tools",
      );
      assert.ok(events.every((event) => event.elapsedMs >= 0));
    });
  }).timeout(60_000);

  it("shows the compiler's last lines and what to do", async function () {
    needs(this, "go");
    await withFolder(async (dir) => {
      const module = await goModule(dir, { "one/main.go": "package main\n\nfunc main() { missing() }\n" });
      await assert.rejects(
        ensure(["one"], { cacheDir: dir, tools: goTool("one", module), limits: quick }),
        /^ToolchainError: Building one 1\.0\.0 failed after \d+ s: exit code 1\.\n(.*\n)*.*undefined: missing\n.*GOPROXY/,
      );
    });
  }).timeout(60_000);

  it("groups tools that share module, tags and linker flags", () => {
    const groups = goGroups([...manifest.values()]).map((group) => group.map((tool) => tool.name));
    assert.ok(groups.some((group) => group.includes("kubeadm") && group.includes("kube-apiserver")));
    const operator = groups.find((group) => group.includes("cilium-operator-generic"));
    assert.deepEqual(operator, ["cilium-operator-generic"], "the operator has a build tag of its own");
  });

  it("knows what Go calls an executable", () => {
    assert.equal(goOutput("k8s.io/kubernetes/cmd/kubelet"), "kubelet");
    assert.equal(goOutput("go.etcd.io/etcd/server/v3"), "server");
  });

  it("keys a tool by everything that decides its content", async () => {
    const tool = manifest.get("kubelet") as Tool;
    const key = await recipeKey(tool, "amd64");
    assert.equal(await recipeKey({ ...tool }, "amd64"), key);
    assert.notEqual(await recipeKey(tool, "arm64"), key);
    assert.notEqual(await recipeKey({ ...tool, version: "0" }, "amd64"), key);
    assert.notEqual(
      await recipeKey({ ...tool, recipe: { ...tool.recipe, tags: "x" } as Tool["recipe"] }, "amd64"),
      key,
    );
    assert.deepEqual(await goSources("kubernetes"), ["go/kubernetes/go.mod", "go/kubernetes/go.sum"]);
    assert.deepEqual(await goSources("httpecho"), ["go/httpecho/go.mod", "go/httpecho/main.go"]);
  });
});

describe("checkGo", () => {
  async function withGo<T>(version: string, toolchain: string, job: (go: string) => Promise<T>): Promise<T> {
    return withFolder(async (dir) => {
      const go = path.join(dir, "go");
      await writeFile(go, `#!/bin/sh\nprintf '%s\\n' '${version}' '${toolchain}'\n`);
      await chmod(go, 0o755);
      return job(go);
    });
  }

  it("says in one sentence that Go is missing", async () => {
    await assert.rejects(
      checkGo(["etcd"], "/nonexistent/go"),
      /Go 1\.26\.0 or newer is needed to build etcd, and `\/nonexistent\/go` does not run here\. Install it from/,
    );
  });

  it("says in one sentence that Go is too old", async () => {
    await withGo("go1.22.5", "local", (go) =>
      assert.rejects(
        checkGo(["etcd", "containerd"], go),
        /Go 1\.26\.3 or newer is needed to build etcd, containerd; go1\.22\.5 was found\./,
      ),
    );
  });

  it("accepts a newer Go, and an older one that may fetch the newer", async () => {
    await withGo("go1.27.0", "local", (go) => checkGo(["etcd"], go));
    await withGo("go1.22.5", "auto", (go) => checkGo(["etcd"], go));
  });
});
