import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Engine, findTool } from "../sandbox/plugins/engine";
import { LoopbackSshServer } from "../sandbox/plugins/sshServer";

describe("the command stand-in under a real engine", function () {
  this.timeout(120_000);
  const server = new LoopbackSshServer();
  let engine: Engine;
  let pulumi: string;

  before(async () => {
    pulumi = await findTool("pulumi");
    engine = await Engine.create();
    await server.listen();
    engine.env.CONNECTION = JSON.stringify(server.connection());
  });

  after(async () => {
    await server.close();
    await engine.remove();
  });

  const step = (args: string, options = ""): string => `
    const connection = JSON.parse(process.env.CONNECTION);
    const step = new command.remote.Command("step", { connection, logging: "none", ${args} }, { ${options} });
    exports.out = step.stdout;`;

  const ops = async (): Promise<string[]> =>
    (await engine.steps()).map((found) => `${found.op} ${found.urn.split("::").at(-1)}`);

  /** Starts an update and returns its process once the server runs the command. */
  async function upUntil(command: string) {
    const child = spawn(pulumi, ["up", "--yes", "--skip-preview", "--non-interactive"], {
      cwd: path.join(engine.dir, "program"),
      env: engine.env,
      stdio: "ignore",
    });
    const ended = new Promise<number | null>((resolve) => child.once("exit", resolve));
    while (!server.commands.includes(command)) await sleep(50);
    return { child, ended };
  }

  it("runs a step with secret input, and nothing of it lies open", async () => {
    const stdin = `pulumi.secret("planted-marker-4410")`;
    await engine.program(step(`create: "cat", stdin: ${stdin}`, `additionalSecretOutputs: ["stdout"]`));
    const { output } = await engine.up();
    assert.equal(
      (JSON.parse((await engine.succeed(["stack", "output", "--json", "--show-secrets"])).stdout) as { out: string })
        .out,
      "planted-marker-4410",
    );
    await engine.expectNoChanges();
    for (const text of [output, await engine.rawState()]) {
      assert.ok(!text.includes("planted-marker-4410"));
      assert.ok(!text.includes(server.clientKey.private.split("\n")[1] ?? ""), "the private key");
    }
  });

  it("updates in place when the command changes and replaces when a trigger does", async () => {
    await engine.program(step(`create: "echo one", triggers: ["a"]`));
    await engine.up();
    await engine.program(step(`create: "echo two", triggers: ["a"]`));
    assert.deepEqual(await ops(), ["update step"]);
    await engine.up();
    assert.equal((await engine.resource("step")).outputs?.stdout, "two");
    await engine.program(step(`create: "echo two", triggers: ["b"]`));
    const replacing = await engine.steps();
    assert.deepEqual(
      replacing.map((found) => found.op),
      ["replace"],
    );
    assert.deepEqual(Object.keys(replacing[0]?.detailedDiff ?? {}), ["triggers[0]"]);
    await engine.up();
    await engine.succeed(["refresh", "--preview-only", "--expect-no-changes"]);
  });

  it("shows what follows from a changed step as unknown", async () => {
    const next = `new command.local.Command("next", { create: "true", environment: { OUT: step.stdout } });`;
    await engine.program(step(`create: "echo two", triggers: ["b"]`) + next);
    await engine.up();
    await engine.expectNoChanges();
    await engine.program(step(`create: "echo three", triggers: ["b"]`) + next);
    assert.deepEqual((await ops()).sort(), ["update next", "update step"]);
  });

  it("records nothing of a step that failed, and runs it again", async () => {
    await engine.destroy();
    await engine.program(step(`create: "echo why; exit 9"`));
    const { output } = await engine.failingUp();
    assert.match(output, /Process exited with status 9: running "echo why; exit 9":\n\s*why/);
    await assert.rejects(engine.resource("step"), /the state has no resource step/);
    await engine.program(step(`create: "echo fine"`));
    await engine.up();
    assert.equal((await engine.resource("step")).outputs?.stdout, "fine");
  });

  it("gives up dialling when the resource's own time is over", async () => {
    const args = `create: "true", connection: { ...connection, port: 1, dialErrorLimit: -1 }`;
    await engine.program(step(args, `customTimeouts: { update: "2s" }`));
    assert.match((await engine.failingUp()).output, /context deadline exceeded/);
  });

  it("ends and records a running step when the engine is interrupted", async () => {
    await engine.destroy();
    const command = "sleep 3; echo survived";
    await engine.program(
      step(`create: "${command}"`) + `new command.local.Command("after", { create: "true" }, { dependsOn: step });`,
    );
    const { child, ended } = await upUntil(command);
    child.kill("SIGINT");
    assert.notEqual(await ended, 0);
    assert.equal((await engine.resource("step")).outputs?.stdout, "survived");
    await assert.rejects(engine.resource("after"), /the state has no resource after/);
    await engine.up();
  });

  it("leaves no plugin behind when the engine is killed", async () => {
    await engine.destroy();
    const command = "sleep 60; echo never";
    await engine.program(step(`create: "${command}"`));
    const { child, ended } = await upUntil(command);
    assert.ok((await pluginProcesses(engine.dir)).length > 0);
    child.kill("SIGKILL");
    await ended;
    while ((await pluginProcesses(engine.dir)).length > 0) await sleep(100);
    await engine.succeed(["cancel", "--yes"]);
    await engine.program(step(`create: "echo again"`));
    await engine.succeed(["refresh", "--yes", "--skip-preview", "--clear-pending-creates"]);
    await engine.up();
  });
});

/** Process ids of the plugins of one Pulumi home. */
async function pluginProcesses(dir: string): Promise<string[]> {
  const pids = (await readdir("/proc")).filter((entry) => /^\d+$/.test(entry));
  const texts = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")));
  return pids.filter((_, i) => texts[i]?.includes(path.join(dir, "home", "plugins")));
}
