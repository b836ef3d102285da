import assert from "node:assert/strict";
import { upExit } from "../../cli/summary";
import type { ClusterArgs } from "../../components/plan";
import { needs } from "../capabilities";
import { World } from "./world/world";

describe("a cluster in trouble under the real engine", function () {
  this.timeout(180_000);
  let world: World;

  before(async function () {
    needs(this, "root", "ssh-port");
    world = await World.create();
    await world.configure();
  });

  after(async () => {
    await (world as World | undefined)?.remove();
  });

  const nothingMade = async (): Promise<void> => {
    for (const [kind, names] of Object.entries(await world.inventory())) assert.deepEqual(names, [], kind);
  };

  it("names every problem of the arguments in one error, and makes nothing", async () => {
    await world.configure({
      access: { ssh: [], api: ["203.0.113.7/32"] },
      controlPlane: { count: 2, serverType: "ccx99" },
    } satisfies Partial<ClusterArgs>);
    const { exitCode, output } = await world.run(["up", "--yes", "--skip-preview"]);
    assert.notEqual(exitCode, 0);
    assert.match(output, /Cluster "eng": \d problems/);
    for (const path of ["access.ssh", "controlPlane.count", "controlPlane.serverType"]) {
      assert.equal(output.split(`  ${path}: `).length - 1, 1, `${path} once in:\n${output}`);
    }
    assert.doesNotMatch(output, /at new TunedCluster|node_modules/, "no stack of calls");
    await nothingMade();
    await world.configure();
  });

  it("names a token of the wrong length, and makes nothing", async () => {
    const { exitCode, output } = await world.run(["up", "--yes", "--skip-preview"], { HCLOUD_TOKEN: "short-token" });
    assert.notEqual(exitCode, 0);
    assert.match(output, /must be exactly 64 characters/);
    assert.doesNotMatch(output, /short-token/);
    await nothingMade();
  });

  it("makes the others when a new worker's first step fails, names it, and mends it with the next update", async () => {
    world.nodes.failures.set("hostkey-eng-web-1", {
      code: 1,
      stderr: "step hostkey-eng-web-1 failed on node eng-web-1",
    });
    const { errors, exitCode } = await world.up();
    assert.notEqual(exitCode, 0);
    assert.deepEqual(
      errors.map(({ resource }) => resource),
      ["hostkey-eng-web-1"],
    );
    assert.match(errors[0]?.message ?? "", /failed on node eng-web-1/);
    assert.deepEqual(
      world.nodes.stepsSince(0).filter((step) => step.startsWith("join-")),
      ["join-eng-web-2"],
    );
    assert.deepEqual(await world.tools.calls("doctor"), [], "nothing to verify before all is there");
    world.nodes.failures.clear();
    const steps = world.nodes.steps.length;
    const { did } = await world.upWell();
    assert.deepEqual(world.nodes.stepsSince(steps).sort(), ["hostkey-eng-web-1", "join-eng-web-1", "tune-eng-web-1"]);
    assert.deepEqual(
      did.filter((step) => !/ (Command|Stack|TunedCluster) /.test(step)),
      [],
    );
  });

  it("goes on with the others when a worker is switched off, names it, and mends it later", async () => {
    const { servers } = await world.cloud<{ servers: { id: number; name: string }[] }>("GET", "/servers");
    const server = servers.find(({ name }) => name === "eng-web-1")?.id ?? 0;
    await world.cloud("POST", `/servers/${server}/actions/poweroff`);
    await world.configure({ tuning: { sysctls: { "net.core.somaxconn": "32768" } } }, 3);
    const steps = world.nodes.steps.length;
    const result = await world.up();
    assert.deepEqual(
      result.errors.map(({ resource }) => resource),
      ["tune-eng-web-1"],
    );
    assert.match(result.errors[0]?.message ?? "", /connection refused/);
    assert.equal(upExit({ update: result, report: undefined }), 4);
    const ran = world.nodes.stepsSince(steps);
    for (const step of ["tune-eng-control-plane-1", "tune-eng-web-2", "join-eng-web-3"])
      assert.ok(ran.includes(step), step);
    await world.cloud("POST", `/servers/${server}/actions/poweron`);
    const later = await world.upWell();
    assert.deepEqual(later.did.filter((step) => step.includes("Command")).sort(), [
      "update Command doctor-eng",
      "update Command tune-eng-web-1",
    ]);
  });

  it("fails when the doctor finds something, in its words, and verifies again next time", async () => {
    await world.tools.find("mtu-path: eng-web-1 to eng-web-2: wanted 1450, found 1400");
    await world.configure({ tuning: { sysctls: { "net.core.somaxconn": "16384" } } }, 3);
    const { errors } = await world.up();
    assert.deepEqual(
      errors.map(({ resource }) => resource),
      ["doctor-eng"],
    );
    assert.match(errors[0]?.message ?? "", /wanted 1450, found 1400/);
    await world.tools.find(undefined);
    assert.deepEqual((await world.upWell()).did, ["update Command doctor-eng"]);
  });

  it("goes whole after all of that", async () => {
    const { exitCode, errors } = await world.operate(["destroy", "--yes", "--skip-preview"]);
    assert.equal(exitCode, 0, JSON.stringify(errors));
    await nothingMade();
    assert.deepEqual(await world.resources(), []);
  });
});
