import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { cgroupVersion, createCgroup, hierarchies, processesIn, removeCgroup } from "../../../sandbox/machines/cgroups";
import { needs } from "../../capabilities";

const name = "zerosteal-test/machine";

describe("control groups of machines", () => {
  before(function () {
    needs(this, "root");
  });
  afterEach(async () => {
    if (process.getuid?.() === 0) await removeCgroup("zerosteal-test");
  });

  it("are made in every hierarchy, ready to take a process, and counted with all below them", async () => {
    await createCgroup(name);
    const folders = (await hierarchies()).map((root) => path.join(root, name));
    assert.ok(folders.length >= 1);
    const child = spawn("sleep", ["60"]);
    try {
      for (const folder of folders) await writeFile(path.join(folder, "cgroup.procs"), String(child.pid));
      assert.deepEqual(await processesIn("zerosteal-test"), [child.pid]);
    } finally {
      child.kill("SIGKILL");
      await new Promise((resolve) => child.once("exit", resolve));
    }
    assert.deepEqual(await processesIn("zerosteal-test"), []);
  });

  it("have CPUs where the host keeps them in a hierarchy of its own", async () => {
    await createCgroup(name);
    const file = path.join("/sys/fs/cgroup/cpuset", name, "cpuset.cpus");
    assert.equal(existsSync(file), cgroupVersion() === 1);
    if (existsSync(file)) assert.notEqual((await readFile(file, "utf8")).trim(), "");
  });

  it("are gone after removal, and removing them again is fine", async () => {
    await createCgroup(name);
    await removeCgroup("zerosteal-test");
    for (const root of await hierarchies()) assert.equal(existsSync(path.join(root, "zerosteal-test")), false, root);
    await removeCgroup("zerosteal-test");
  });
});
