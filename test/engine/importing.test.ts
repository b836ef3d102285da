import assert from "node:assert/strict";
import { after, before, describe, it } from "mocha";
import { needs } from "../capabilities";
import { Importer } from "./world/importer";
import { planted } from "./world/nodes";
import { World } from "./world/world";

describe("a project of its own that imports the packed library", function () {
  this.timeout(300_000);
  let world: World;
  let importer: Importer;

  before(async function () {
    needs(this, "root", "ssh-port");
    world = await World.create();
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
});
