import assert from "node:assert/strict";
import { once } from "node:events";
import { readdir } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { recover } from "../../cli/recover";
import { needs } from "../capabilities";
import { World } from "./world/world";

/** What the cloud is doing when the engine is killed, and what the state then lacks though the cloud has it. */
const moments = [
  { method: "createNetwork", workers: 1, lost: "Network eng" },
  { method: "setRoutes", workers: 1, lost: "NetworkRoute eng-control-plane-1" },
  { method: "createMachine", workers: 2, lost: "Server eng-web-2" },
] as const;

describe("an engine that is killed", function () {
  this.timeout(180_000);
  let world: World;

  before(async function () {
    needs(this, "root", "ssh-port");
    world = await World.create();
  });

  after(async () => {
    await (world as World | undefined)?.remove();
  });

  /** Starts an update, kills the engine while the cloud works on something, and lets the cloud finish. */
  async function killAt(method: string, lost: string): Promise<void> {
    let letGo: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (letGo = resolve));
    const reached = new Promise<void>((resolve) => {
      world.nodes.before = async (call) => {
        // Of several machines the one is meant that the state will lack: which comes first is chance.
        const spec = call.arguments[0] as { name?: string } | undefined;
        if (call.method === method && (method !== "createMachine" || lost === `Server ${spec?.name}`)) resolve();
        // Machines wait too: whether they come before the moment or after it is chance.
        if (call.method === method || call.method === "createMachine") await held;
      };
    });
    const engine = world.start(["up", "--yes", "--skip-preview", "--continue-on-error"]);
    const exit = once(engine, "exit");
    const early = exit.then(() => {
      throw new Error(`the update ended before ${method}`);
    });
    await Promise.race([reached, early]);
    early.catch(() => undefined);
    engine.kill("SIGKILL");
    await exit;
    world.nodes.before = () => undefined;
    letGo();
    // Its plugins see within half a second that their engine is gone.
    await sleep(1_500);
  }

  for (const { method, workers, lost } of moments) {
    it(`at ${method} leaves something behind that the next run takes up`, async () => {
      await world.configure({}, workers);
      await killAt(method, lost);
      const had = (await world.resources()).map(
        ({ urn, type }) => `${type.split(":").at(-1)} ${urn.split("::").at(-1)}`,
      );
      assert.ok(!had.includes(lost), "the state does not have it");
      const told: string[] = [];
      await world.prepare();
      await recover(world.engine, (news) => told.push(news));
      assert.ok(
        told.some((news) => news.includes(lost)),
        told.join("\n"),
      );
    });
  }

  it("has nothing doubled in the end: the next update goes well, and the preview after it is empty", async () => {
    await world.upWell();
    const files = await readdir(path.join(world.instance.stateDir, "pulumi"), { recursive: true });
    const named = (ending: string): string[] => files.filter((file) => file.endsWith(ending));
    assert.equal(named("eng.json").length, 1);
    assert.deepEqual(named(".attrs"), [], "side files, which are not written in one step");
    const { servers, ...others } = await world.inventory();
    assert.deepEqual(servers, ["eng-control-plane-1", "eng-web-1", "eng-web-2"]);
    assert.deepEqual(others, {
      networks: ["eng"],
      firewalls: ["eng"],
      ssh_keys: ["eng"],
      placement_groups: ["eng-control-plane-spread-1", "eng-web-spread-1"],
    });
    assert.deepEqual([world.nodes.machines.size, world.nodes.attachments.size], [3, 3]);
    await world.succeed(["preview", "--expect-no-changes", "--diff"]);
    const told: string[] = [];
    await recover(world.engine, (news) => told.push(news));
    assert.deepEqual(told, []);
  });

  it("goes whole, with what was taken up", async () => {
    const { exitCode, errors } = await world.operate(["destroy", "--yes", "--skip-preview"]);
    assert.equal(exitCode, 0, JSON.stringify(errors));
    for (const [kind, names] of Object.entries(await world.inventory())) assert.deepEqual(names, [], kind);
  });
});
