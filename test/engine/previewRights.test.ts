import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import net from "node:net";
import path from "node:path";
import { type PreviewReport, readPreview, reportPreview } from "../../components/preview";
import { needs } from "../capabilities";
import { readOnlyToken, World } from "./world/world";

const tuned = { tuning: { sysctls: { "net.core.somaxconn": "32768" } } };

/** What a job for pull requests has: it may read the cloud, and reaches no machine and no API server. */
describe("a preview with as few rights as can be, under the real engine", function () {
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

  const readOnly = { HCLOUD_TOKEN: readOnlyToken };

  /** Previews with every port of the machines blocked, and sees that nothing was asked for that is not given. */
  async function preview(): Promise<PreviewReport> {
    const [asked, dials, state] = [world.asked.length, world.nodes.dials.length, await stateFiles()];
    world.nodes.blocked = true;
    const { exitCode, stdout, output } = await world.run(["preview", "--json", "--show-sames"], readOnly);
    world.nodes.blocked = false;
    assert.equal(exitCode, 0, output);
    const requests = world.asked.slice(asked);
    assert.deepEqual(
      requests.filter((request) => !request.startsWith("GET ")),
      [],
    );
    assert.deepEqual(world.nodes.dials.slice(dials), []);
    assert.deepEqual(await stateFiles(), state, "the state is read, never written");
    return reportPreview(readPreview(stdout));
  }

  async function stateFiles(): Promise<Record<string, string>> {
    const folder = path.join(world.instance.stateDir, "pulumi");
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name));
    return Object.fromEntries(
      await Promise.all(files.sort().map(async (file) => [file, await readFile(file, "utf8")] as const)),
    );
  }

  it("shows a first cluster whole", async () => {
    const { grade, failed, clusters, operations } = await preview();
    assert.deepEqual([grade, failed], ["low", false]);
    assert.ok(clusters[0]?.findings.some(({ id }) => id === "cluster-new"));
    assert.ok((operations.create ?? 0) > 20, JSON.stringify(operations));
  });

  it("has rights with which an update makes nothing, and says which one is missing", async () => {
    const asked = world.asked.length;
    const { exitCode, output } = await world.run(["up", "--yes", "--skip-preview"], readOnly);
    assert.notEqual(exitCode, 0);
    assert.match(output, /the token is only allowed to perform GET requests \(token_readonly/);
    assert.ok(
      world.asked.slice(asked).some((request) => request.startsWith("POST ")),
      "it tried, and was seen",
    );
    assert.ok(!output.includes(readOnlyToken));
    for (const [kind, names] of Object.entries(await world.inventory())) assert.deepEqual(names, [], kind);
  });

  it("would be seen dialling: an update dials machines, and who dials an API server is seen", async () => {
    await world.upWell();
    const machines = [...world.nodes.machines.values()].map(({ spec }) => spec);
    for (const { name } of machines) assert.ok(world.nodes.dials.includes(`${name}:22`), name);
    for (const { name, publicAddress } of machines) {
      await new Promise<void>((resolve) =>
        net
          .connect(6443, publicAddress)
          .resume()
          .once("close", () => resolve()),
      );
      assert.equal(world.nodes.dials.at(-1), `${name}:6443`);
    }
  });

  it("shows that a standing cluster stays as it is", async () => {
    const { grade, operations } = await preview();
    assert.deepEqual([grade, operations], ["none", {}]);
  });

  it("shows what a change does to each node of a standing cluster, and to the bill", async () => {
    await world.configure(tuned, 3);
    const { grade, clusters, costs } = await preview();
    assert.equal(grade, "medium");
    const found = clusters[0]?.nodes.map(({ name, findings }) => [name, findings.map(({ id }) => id)]);
    assert.deepEqual(found, [
      ["eng-control-plane-1", ["node-settings"]],
      ["eng-web-1", ["node-settings"]],
      ["eng-web-2", ["node-settings"]],
      ["eng-web-3", ["machine-new"]],
    ]);
    assert.ok((costs?.difference ?? 0) > 0);
  });

  it("fails where the change needs a right that it lacks only when it is made", async () => {
    const { exitCode, output } = await world.run(["up", "--yes", "--skip-preview"], readOnly);
    assert.notEqual(exitCode, 0);
    assert.match(output, /token_readonly/);
    assert.deepEqual((await world.inventory()).servers, ["eng-control-plane-1", "eng-web-1", "eng-web-2"]);
  });
});
