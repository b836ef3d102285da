import assert from "node:assert/strict";
import { adviceFor, withoutScript } from "../../cli/advice";
import { ensureHosts, type Hosts } from "../../cli/hosts";
import { upExit } from "../../cli/summary";
import { newKeyPair } from "../../components/node/keys";
import { needs } from "../capabilities";
import { World } from "./world/world";

const names = ["control-plane-1", "web-1", "web-2", "web-3"];
const machines = names.map((name) => `eng-${name}`);

describe("a cluster of existing hosts under the real engine", function () {
  this.timeout(180_000);
  let world: World;
  let hosts: Hosts;

  before(async function () {
    needs(this, "root", "ssh-port");
    world = await World.create();
    hosts = await ensureHosts(world.engine, "hosts-l2", names, "debian-12");
    await world.configureHosts(hosts);
  });

  after(async () => {
    await (world as World | undefined)?.remove();
  });

  const server = async (name: string): Promise<number> => {
    const { servers } = await world.cloud<{ servers: { id: number }[] }>("GET", `/servers?name=${name}`);
    return servers[0]?.id ?? assert.fail(`no server ${name}`);
  };

  it("names all at once what keeps machines from becoming nodes, what to do, and changes none of them", async () => {
    const finding = "node eng-control-plane-1: has a clock that is 7200 s off that of http://mirror/; set it";
    world.nodes.failures.set("preflight-eng-control-plane-1", { code: 1, stderr: `${finding}\n` });
    await world.cloud("POST", `/servers/${await server("eng-web-1")}/actions/poweroff`);
    world.nodes.locked.add("eng-web-2");
    const stranger = newKeyPair("ed25519").public.split(" ").slice(0, 2).join(" ");
    const other = structuredClone(hosts);
    Object.assign(other.underlay.machines["web-3"] ?? assert.fail(), { hostKey: stranger });
    await world.configureHosts(other);

    const result = await world.up();
    assert.notEqual(result.exitCode, 0);
    const said = new Map(result.errors.map(({ resource, message }) => [resource, message]));
    assert.deepEqual([...said.keys()].sort(), machines.map((name) => `preflight-${name}`).sort());
    const found = said.get("preflight-eng-control-plane-1") ?? "";
    assert.match(found, /check_foreign_cluster/, "the engine shows the whole script");
    assert.equal(withoutScript(found), `Process exited with status 1:\n${finding}`);
    const expected: [string, RegExp, RegExp][] = [
      ["eng-web-1", /dial tcp 127\.77\.0\.\d+:22: connect: connection refused/, /does not answer.*switched on/],
      ["eng-web-2", /unable to authenticate/, /does not let this key in.*authorized_keys/],
      ["eng-web-3", /host key mismatch/, /shows another host key.*ssh-keyscan/],
    ];
    for (const [name, words, advice] of expected) {
      const message = said.get(`preflight-${name}`) ?? "";
      assert.match(message, words);
      assert.match(adviceFor(message) ?? "", advice);
    }
    assert.equal(upExit({ update: result, report: undefined }), 4);
    assert.deepEqual(world.nodes.stepsSince(0), ["preflight-eng-control-plane-1"], "no machine ran anything else");
    assert.deepEqual(
      result.did.filter((step) => !step.startsWith("failed ") && !/ (Stack|TunedCluster|command) /.test(step)),
      [],
    );
  });

  it("goes on once all is mended: each machine after its own preflight", async () => {
    world.nodes.failures.clear();
    world.nodes.locked.clear();
    await world.cloud("POST", `/servers/${await server("eng-web-1")}/actions/poweron`);
    await world.configureHosts(hosts);
    const ran = world.nodes.steps.length;
    await world.upWell();
    const steps = world.nodes.stepsSince(ran);
    for (const name of machines) {
      const [looked, tuned] = [steps.indexOf(`preflight-${name}`), steps.indexOf(`tune-${name}`)];
      assert.ok(looked >= 0 && looked < tuned, `${name}: ${steps.join(" ")}`);
    }
    assert.deepEqual((await world.upWell()).did, []);
  });

  it("frees every machine when it ends, and leaves the machines to their owner", async () => {
    const ran = world.nodes.steps.length;
    const { exitCode, errors } = await world.operate(["destroy", "--yes", "--skip-preview"]);
    assert.equal(exitCode, 0, JSON.stringify(errors));
    assert.deepEqual(
      world.nodes
        .stepsSince(ran)
        .filter((step) => step.startsWith("dismantle-"))
        .sort(),
      machines.map((name) => `dismantle-${name}`).sort(),
    );
    assert.deepEqual((await world.inventory()).servers, [...machines].sort());
    assert.deepEqual(await world.resources(), []);
  });
});
