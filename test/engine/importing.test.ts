import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { after, before, describe, it } from "mocha";
import { needs } from "../capabilities";
import { type ExportedState, statePassphrase, writtenStates } from "./states/states";
import { Importer, type PlannedStep } from "./world/importer";
import { planted } from "./world/nodes";
import { World } from "./world/world";

describe("a project of its own that imports the packed library", function () {
  this.timeout(300_000);
  let world: World;
  let importer: Importer;

  before(async function () {
    needs(this, "root", "ssh-port");
    world = await World.create(statePassphrase);
    importer = await Importer.create(world);
  });

  after(async () => {
    await (world as World | undefined)?.remove();
  });

  it("makes a cluster from a strictly typed CommonJS program", async () => {
    await importer.compile("commonjs");
    assert.match(await importer.compiled(), /require\("zerosteal"\)/);
    await importer.succeed(["up", "--yes", "--skip-preview"]);
    assert.deepEqual([...world.nodes.kubernetes.keys()].sort(), ["eng-control-plane-1", "eng-web-1"]);
    assert.equal((await world.tools.calls("helm")).length, 1);
    const outputs = JSON.parse(await importer.succeed(["stack", "output", "--json", "--show-secrets"])) as {
      kubeconfig: string;
      doctorReport: string;
    };
    assert.ok(outputs.kubeconfig.includes(planted.kubeconfig));
    assert.equal((JSON.parse(outputs.doctorReport) as { healthy: boolean }).healthy, true);
  });

  it("ran the doctor that lies in the package", async () => {
    const [call, ...more] = await world.tools.calls("doctor");
    assert.deepEqual(more, []);
    assert.deepEqual(call?.args, ["node_modules/zerosteal/dist/components/doctor/main.js"]);
  });

  it("finds nothing to change as an ES module", async () => {
    await importer.compile("module");
    assert.match(await importer.compiled(), /from "zerosteal"/);
    await importer.succeed(["preview", "--expect-no-changes", "--diff"]);
  });

  it("makes the same cluster as an ES module from nothing, and takes it away", async () => {
    await importer.succeed(["destroy", "--yes", "--skip-preview"]);
    assert.deepEqual((await world.inventory()).servers, []);
    await importer.succeed(["up", "--yes", "--skip-preview"]);
    assert.deepEqual((await world.inventory()).servers, ["eng-control-plane-1", "eng-web-1"]);
    await importer.succeed(["destroy", "--yes", "--skip-preview"]);
    assert.deepEqual((await world.inventory()).servers, []);
  });

  for (const [version, state] of writtenStates()) {
    it(`replaces and deletes nothing of what version ${version} made`, async () => {
      assert.ok(state.deployment.resources.length > 20);
      const steps = await previewedFrom(state);
      assert.deepEqual(steps.filter(takesAway), []);
    });
  }

  it("would notice: a location that cannot be changed in place, and a resource under another name", async () => {
    const moved = structuredClone([...writtenStates().values()].at(-1) as ExportedState);
    for (const { urn, inputs, outputs } of moved.deployment.resources) {
      if (!urn.endsWith("Server::eng-web-1")) continue;
      for (const values of [inputs, outputs]) Object.assign(values ?? {}, { location: "nbg1" });
    }
    const text = JSON.stringify(moved).replaceAll("NetworkRoute::eng-web-1", "NetworkRoute::eng-web-one");
    const steps = (await previewedFrom(JSON.parse(text) as ExportedState)).filter(takesAway);
    const found = steps.map(({ op, urn }) => `${op} ${urn.split("::").at(-1)}`);
    assert.ok(found.includes("delete eng-web-one") && found.includes("replace eng-web-1"), found.join());
  });

  async function previewedFrom(state: ExportedState): Promise<PlannedStep[]> {
    const file = path.join(world.dir, "state.json");
    await writeFile(file, JSON.stringify(state));
    await importer.succeed(["stack", "import", "--file", file]);
    return importer.previewed();
  }
});

/** Whether a step takes something of the stack away, to make it anew or for good. */
function takesAway({ op }: PlannedStep): boolean {
  return /delete|replace/.test(op);
}
