import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { commandResource } from "../../../sandbox/plugins/command/commandResource";
import { localCommand } from "../../../sandbox/plugins/command/local";
import { type Bag, Secret, unknown } from "../../../sandbox/plugins/core/values";
import { callFor, create } from "./calls";

const local = commandResource(localCommand);

describe("local.Command", () => {
  it("runs by /bin/sh with directory, environment and input", async () => {
    const dir = mkdtempSync(path.join(os.tmpdir(), "zerosteal-local-"));
    const news = { create: "pwd; echo $A; cat", dir, environment: { A: "b" }, stdin: "in" };
    assert.equal((await create(local, news)).state.stdout, `${dir}\nb\nin`);
    rmSync(dir, { recursive: true });
  });

  it("runs by another interpreter", async () => {
    const news = { create: "console.log(6 * 7)", interpreter: [process.execPath, "-e"] };
    assert.equal((await create(local, news)).state.stdout, "42");
  });

  it("reports failures as the real plugin does", async () => {
    await assert.rejects(create(local, { create: "echo no; exit 2" }), {
      message: 'exit status 2: running "echo no; exit 2":\nno\n',
    });
    const missing = create(local, { create: "x", interpreter: ["no-such-shell"] });
    await assert.rejects(missing, /exec: "no-such-shell": executable file not found in \$PATH/);
    await assert.rejects(create(local, { create: "true", assetPaths: ["*"] }), /has no assetPaths/);
  });

  it("is ended when the engine cancels", async () => {
    const controller = new AbortController();
    const running = create(local, { create: "exec sleep 60" }, callFor("t", controller.signal));
    setTimeout(() => controller.abort(), 100);
    await assert.rejects(running, /signal: killed/);
  });
});

describe("a command's changes", () => {
  const diff = (oldInputs: Bag, inputs: Bag, ignoreChanges: string[] = []) =>
    local.diff({ ...callFor("t"), id: "x", state: oldInputs, oldInputs, inputs, ignoreChanges });

  it("are found by path, and new triggers replace", async () => {
    const olds = { create: "a", environment: { A: "1" } };
    const news = { create: "b", environment: { A: "1", "b.c": "2" }, triggers: [1] };
    assert.deepEqual((await diff(olds, news)).changes, [
      { path: "create", kind: "update", replace: false },
      { path: 'environment["b.c"]', kind: "add", replace: false },
      { path: "triggers", kind: "add", replace: true },
    ]);
    assert.deepEqual((await diff({ triggers: [1, 2] }, { triggers: [1, 3] })).changes, [
      { path: "triggers[1]", kind: "update", replace: false },
    ]);
  });

  it("are none for equal secrets, and one path for different ones", async () => {
    const olds = { stdin: new Secret("a") };
    assert.deepEqual((await diff(olds, { stdin: new Secret("a") })).changes, []);
    const changed = await diff({ connection: new Secret({ host: "a" }) }, { connection: new Secret({ host: "b" }) });
    assert.deepEqual(changed.changes, [{ path: "connection", kind: "update", replace: false }]);
  });

  it("leave out what is ignored", async () => {
    assert.deepEqual((await diff({ create: "a" }, { create: "b" }, ["create"])).changes, []);
  });

  it("make the outputs unknown in a preview, and only then", async () => {
    const state = { create: "a", stdout: "x", stderr: "" };
    const call = { ...callFor("t"), id: "x", oldInputs: { create: "a" }, state, preview: true };
    assert.equal((await local.update({ ...call, inputs: { create: "b" } })).stdout, unknown);
    assert.equal((await local.update({ ...call, inputs: { create: unknown } })).stdout, unknown);
    assert.equal((await local.update({ ...call, inputs: { create: "a" } })).stdout, "x");
    const first = await local.create({ ...callFor("t"), inputs: { create: "a" }, preview: true });
    assert.deepEqual(first.state, { create: "a", stdout: unknown, stderr: unknown });
  });
});
