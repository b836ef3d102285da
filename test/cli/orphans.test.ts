import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { copyFile, mkdir, mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { describe, it } from "mocha";
import { endOrphans } from "../../cli/orphans";

describe("what a killed engine leaves behind", () => {
  let home: string;
  const started: ChildProcess[] = [];

  before(async () => {
    home = await mkdtemp(path.join(os.tmpdir(), "zerosteal-orphans-"));
    await mkdir(path.join(home, "bin/v1"), { recursive: true });
    await copyFile("/bin/bash", path.join(home, "bin/v1/pulumi"));
    await copyFile("/bin/sleep", path.join(home, "bin/v1/pulumi-language-nodejs"));
  });

  after(async () => {
    for (const { pid } of started) if (pid) kill(-pid);
    await rm(home, { recursive: true, force: true });
  });

  /** An engine, which is a shell, with a language host, which sleeps in a process group of its own. */
  async function startEngine(): Promise<{ engine: ChildProcess; host: number }> {
    const host = path.join(home, "bin/v1/pulumi-language-nodejs");
    const script = `set -m; ${host} 60 & echo $!; wait`;
    const engine = spawn(path.join(home, "bin/v1/pulumi"), ["-c", script], { detached: true });
    started.push(engine);
    const [line] = (await once(engine.stdout, "data")) as [Buffer];
    return { engine, host: Number(line.toString()) };
  }

  it("is ended; the language host of an engine that runs is not", async () => {
    const [killed, running] = [await startEngine(), await startEngine()];
    assert.equal(await endOrphans(home), 0);
    killed.engine.kill("SIGKILL");
    await once(killed.engine, "exit");
    assert.equal(await endOrphans(path.join(home, "other")), 0);
    assert.equal(await endOrphans(home), 1);
    assert.equal(isAlive(running.host), true);
    running.engine.kill("SIGKILL");
    await once(running.engine, "exit");
    assert.equal(await endOrphans(home), 1);
    assert.equal(await endOrphans(home), 0);
  });
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // Ended already.
  }
}
