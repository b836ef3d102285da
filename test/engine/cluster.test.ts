import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { pulumi } from "../../cli/engine";
import type { Expectation } from "../../components/doctor";
import { needs } from "../capabilities";
import { comparePlanned } from "./world/planned";
import { planted } from "./world/nodes";
import { cloudToken, World } from "./world/world";

const component = "update TunedCluster eng";
const nodes = ["control-plane-1", "web-1", "web-2"].map((name) => `eng-${name}`);

const tuned = { tuning: { sysctls: { "net.core.somaxconn": "32768" } } };

describe("a cluster's life under the real engine", function () {
  this.timeout(120_000);
  let world: World;
  let preview: string;

  before(async function () {
    needs(this, "root", "ssh-port");
    world = await World.create();
    await world.configure();
  });

  after(async () => {
    await (world as World | undefined)?.remove();
  });

  it("is previewed before anything is there, without asking a machine", async () => {
    preview = (await world.succeed(["preview", "--json"])).stdout;
    assert.deepEqual(world.nodes.calls, []);
    assert.deepEqual(await world.tools.calls("helm"), []);
  });

  it("is made by one update, each step once and in its order", async () => {
    const { changes, errors } = await world.upWell();
    assert.deepEqual(errors, []);
    assert.deepEqual(Object.keys(changes), ["create"]);
    const steps = world.nodes.stepsSince(0);
    const perNode = nodes.flatMap((node) => [`hostkey-${node}`, `tune-${node}`]);
    const joining = nodes.slice(1).flatMap((node) => [`admit-${node}`, `join-${node}`]);
    assert.deepEqual([...steps].sort(), [...perNode, ...joining, "init-eng-control-plane-1", "kubeconfig-eng"].sort());
    const inOrder = ["hostkey-eng-web-1", "tune-eng-web-1", "join-eng-web-1"];
    assert.deepEqual(
      steps.filter((step) => inOrder.includes(step)),
      inOrder,
    );
    assert.ok(steps.indexOf("admit-eng-web-1") < steps.indexOf("join-eng-web-1"));
    assert.ok(steps.indexOf("init-eng-control-plane-1") < steps.indexOf("admit-eng-web-1"));
    assert.equal((await world.tools.calls("helm")).length, 1);
    assert.equal((await world.tools.calls("doctor")).length, 1);
  });

  it("was previewed as it was made: the same registrations, every planned input equal", async () => {
    const { unknown, different, only } = comparePlanned(preview, await world.resources());
    assert.deepEqual(only, { planned: [], applied: [] });
    assert.deepEqual(different, []);
    assert.deepEqual(unknown, [
      "Command stdin",
      "Command triggers[0]",
      "NetworkRoute networkId",
      "NetworkSubnet networkId",
      "Server firewallIds[0]",
      "Server networks[0].networkId",
      "Server placementGroupId",
      "Server sshKeys[0]",
      "SshKey publicKey",
      "kubernetes kubeconfig",
    ]);
  });

  it("has machines as planned: addresses, routes, keys, and user data with a key of its own each", () => {
    const attachments = [...world.nodes.attachments.values()].map(({ ip }) => ip).sort();
    assert.deepEqual(attachments, ["10.0.0.11", "10.0.0.12", "10.0.0.2"]);
    const [network] = [...world.nodes.networks.values()];
    assert.deepEqual(network?.routes.map(({ destination, gateway }) => `${destination} ${gateway}`).sort(), [
      "10.244.11.0/24 10.0.0.11",
      "10.244.12.0/24 10.0.0.12",
      "10.244.2.0/24 10.0.0.2",
    ]);
    const machines = [...world.nodes.machines.values()].map(({ spec }) => spec);
    const keys = machines.map(({ userData }) => /BEGIN OPENSSH.*?END/s.exec(userData)?.[0]);
    assert.equal(new Set(keys).size, 3);
    assert.ok(machines.every(({ userData }) => !userData.includes("ONE_TIME_HOST_KEY")));
    assert.equal(new Set(machines.map(({ sshKeys }) => sshKeys.join())).size, 1);
  });

  it("needs nothing more: the second preview and a refresh are empty, and nothing is asked of a machine", async () => {
    const steps = world.nodes.steps.length;
    await world.succeed(["preview", "--expect-no-changes", "--diff"]);
    await world.succeed(["refresh", "--preview-only", "--expect-no-changes"]);
    const again = await world.upWell();
    assert.deepEqual(again.did, []);
    assert.equal(again.doctorRan, false);
    assert.deepEqual(world.nodes.stepsSince(steps), []);
  });

  it("shows by a refresh exactly what was changed behind its back, and the next update mends exactly that", async () => {
    const { servers } = await world.cloud<{ servers: { id: number; name: string; labels: object }[] }>(
      "GET",
      "/servers",
    );
    const server = servers.find(({ name }) => name === "eng-web-1");
    const { networks } = await world.cloud<{ networks: { id: number }[] }>("GET", "/networks");
    await world.cloud("PUT", `/servers/${server?.id}`, { labels: { ...server?.labels, drift: "yes" } });
    await world.cloud("POST", `/networks/${networks[0]?.id}/actions/delete_route`, {
      destination: "10.244.12.0/24",
      gateway: "10.0.0.12",
    });
    const refreshed = await world.operate(["refresh", "--yes", "--skip-preview"]);
    assert.deepEqual(refreshed.did.filter((step) => !step.startsWith("refresh")).sort(), [
      "delete NetworkRoute eng-web-2",
      "update Server eng-web-1",
    ]);
    const mended = await world.upWell();
    assert.deepEqual(mended.did.sort(), ["create NetworkRoute eng-web-2", "update Server eng-web-1"]);
  });

  it("takes a changed sysctl in place: every node tuned once, nothing replaced, the doctor once", async () => {
    const [steps, doctors] = [world.nodes.steps.length, (await world.tools.calls("doctor")).length];
    await world.configure(tuned);
    const { did } = await world.upWell();
    const tunes = nodes.map((node) => `tune-${node}`);
    assert.deepEqual(
      did.sort(),
      [...tunes, "doctor-eng"]
        .map((name) => `update Command ${name}`)
        .concat(component)
        .sort(),
    );
    assert.deepEqual(world.nodes.stepsSince(steps).sort(), tunes.sort());
    assert.ok(world.nodes.steps.slice(steps).every(({ script }) => script.includes("net.core.somaxconn = 32768\n")));
    const calls = await world.tools.calls("doctor");
    assert.equal(calls.length, doctors + 1);
    const { expectation } = JSON.parse(calls.at(-1)?.stdin ?? "") as { expectation: Expectation };
    assert.equal(expectation.sysctls.find(({ key }) => key === "net.core.somaxconn")?.value, "32768");
  });

  it("grows by a worker: creates, and one update of the doctor", async () => {
    const steps = world.nodes.steps.length;
    await world.configure(tuned, 3);
    const { did, changes } = await world.upWell();
    const commands = ["hostkey", "tune", "admit", "join"].map((step) => `create Command ${step}-eng-web-3`);
    assert.deepEqual(
      did.sort(),
      [
        ...commands,
        "create NetworkRoute eng-web-3",
        "create Server eng-web-3",
        "create Stash hostkey-eng-web-3",
        "update Command doctor-eng",
        component,
      ].sort(),
    );
    assert.deepEqual(changes, { create: 7, update: 2, same: changes.same });
    assert.deepEqual(
      world.nodes.stepsSince(steps).filter((step) => !step.endsWith("-eng-web-3")),
      [],
      "no step of another node",
    );
  });

  it("shrinks by a worker: drained while its machine still runs, then its Node, machine and route go", async () => {
    const steps = world.nodes.steps.length;
    let running = 0;
    world.nodes.onStep = () => void (running = world.nodes.machines.size);
    await world.configure(tuned, 2);
    const { did } = await world.upWell();
    world.nodes.onStep = () => undefined;
    assert.deepEqual(did.filter((step) => !step.startsWith("delete")).sort(), ["update Command doctor-eng", component]);
    assert.deepEqual(world.nodes.stepsSince(steps), ["dismiss-eng-web-3"]);
    assert.equal(running, 4);
    assert.ok(did.indexOf("delete Command admit-eng-web-3") < did.indexOf("delete Server eng-web-3"));
    assert.deepEqual([...world.nodes.kubernetes.keys()].sort(), nodes);
    assert.deepEqual((await world.inventory()).servers, nodes);
    const [network] = [...world.nodes.networks.values()];
    assert.equal(network?.routes.length, 3);
    await world.succeed(["preview", "--expect-no-changes"]);
  });

  it("keeps its secrets: in clear they stand in no state, log or output, and in no file of the engine", async () => {
    const log = path.join(world.dir, "events");
    world.said.push((await world.succeed(["up", "--yes", "--skip-preview", "--event-log", log])).output);
    world.said.push(eventsForPeople(await readFile(log, "utf8")));
    world.said.push(await pulumi(world.engine, ["stack", "output", "--json"]));
    const key = privateKeyOf(await world.resources());
    const secrets = [cloudToken, planted.joinToken, planted.kubeconfig, ...key];
    const files = await allFiles(path.join(world.instance.stateDir, "pulumi"));
    const texts = { state: await world.rawState(), said: world.said.join("\n"), files: files.join("\n") };
    for (const [place, text] of Object.entries(texts)) {
      for (const secret of secrets) assert.ok(!text.includes(secret), `${place} has ${secret.slice(0, 20)}…`);
    }
    assert.ok(texts.said.includes("eng-web-3") && texts.files.includes("eng-web-3"), "the right texts are searched");
    const inState = JSON.stringify(await world.resources());
    for (const secret of [planted.joinToken, planted.kubeconfig])
      assert.ok(inState.includes(secret), "it is kept, encrypted");
  });

  it("goes whole: nothing is left in the cloud, and no machine is asked to clean up", async () => {
    const [steps, helms] = [world.nodes.steps.length, (await world.tools.calls("helm")).length];
    const { exitCode, errors } = await world.operate(["destroy", "--yes", "--skip-preview"]);
    assert.equal(exitCode, 0, JSON.stringify(errors));
    for (const [kind, names] of Object.entries(await world.inventory())) assert.deepEqual(names, [], kind);
    assert.deepEqual([world.nodes.machines.size, world.nodes.networks.size, world.nodes.attachments.size], [0, 0, 0]);
    assert.deepEqual(await world.resources(), []);
    assert.deepEqual(world.nodes.stepsSince(steps), []);
    assert.equal((await world.tools.calls("helm")).length, helms);
  });
});

/** The engine's events without what the SDK tells it for debugging, which no display shows and which holds inputs as they are. */
function eventsForPeople(log: string): string {
  const lines = log.split("\n").filter(Boolean);
  const events = lines.map((line) => JSON.parse(line) as { diagnosticEvent?: { severity: string } });
  const kept = lines.filter((_, index) => events[index]?.diagnosticEvent?.severity !== "debug");
  assert.ok(kept.length > 30 && kept.length < lines.length);
  return kept.join("\n");
}

/** The longest line of each private key in the state: text that nothing else has. */
function privateKeyOf(resources: { type: string; outputs?: Record<string, unknown> }[]): string[] {
  const stashes = resources.filter(({ type }) => type === "pulumi:index:Stash");
  const keys = stashes.flatMap(
    (stash) => /BEGIN OPENSSH PRIVATE KEY-+(\\+n)(.*?)\1-+END/.exec(JSON.stringify(stash.outputs)) ?? [],
  );
  const bodies = keys.filter((part) => part.length > 200).map((part) => part.split(/\\+n/)[1] ?? "");
  assert.ok(bodies.length >= stashes.length && bodies.every((line) => line.length >= 60));
  return bodies;
}

async function allFiles(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name));
  return Promise.all(files.map((file) => readFile(file, "utf8")));
}
