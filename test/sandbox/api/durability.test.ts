import assert from "node:assert/strict";
import fs from "node:fs/promises";
import path from "node:path";
import { RecordingDriver } from "../../../sandbox/api";
import { Store } from "../../../sandbox/api/store";
import {
  at,
  breakMethod,
  finished,
  hold,
  makeNetwork,
  makeServer,
  publicKey,
  start,
  token,
  type Harness,
} from "./harness";

const kinds = ["servers", "networks", "firewalls", "ssh_keys", "placement_groups", "primary_ips"];

describe("durable state", function () {
  // Far more than needed: a busy machine must not fail a test.
  this.timeout(60_000);
  let cloud: Harness;
  beforeEach(async () => {
    cloud = await start({ mode: "async" });
  });
  afterEach(() => cloud.close());

  const settled = async (): Promise<void> => {
    for (const { id } of (await cloud.ok("GET", "/servers/actions?per_page=50")).actions as { id: number }[])
      await finished(cloud, id);
  };
  const everything = async (): Promise<unknown> => Promise.all(kinds.map((kind) => cloud.ok("GET", `/${kind}`)));
  const fill = async (): Promise<{ server: number; network: number }> => {
    await cloud.ok("POST", "/ssh_keys", { name: "k", public_key: publicKey("k") });
    await cloud.ok("POST", "/placement_groups", { name: "g", type: "spread" });
    const rules = [{ direction: "in", protocol: "tcp", port: "22", source_ips: ["203.0.113.0/24"] }];
    const apply = [{ type: "label_selector", label_selector: { selector: "role=web" } }];
    await cloud.ok("POST", "/firewalls", { name: "f", rules, apply_to: apply });
    const network = await makeNetwork(cloud, { routes: [{ destination: "10.244.0.0/24", gateway: "10.0.1.1" }] });
    const server = await makeServer(cloud, {
      labels: { role: "web" },
      networks: [network],
      user_data: "#cloud-config",
    });
    await settled();
    return { server, network };
  };

  it("survives a restart whole", async () => {
    await fill();
    const before = await everything();
    await cloud.restart();
    await cloud.api.reconcile();
    assert.deepEqual(await everything(), before);
  });

  it("lies in one file per project, named by the token's hash, for its owner only, without the token", async () => {
    await fill();
    // A restart waits for the last write.
    await cloud.restart();
    const names = await fs.readdir(cloud.stateDir);
    assert.deepEqual(names.length, 1);
    assert.match(names[0] ?? "", /^[0-9a-f]{64}\.json$/);
    const file = path.join(cloud.stateDir, names[0] ?? "");
    assert.ok(!(await fs.readFile(file, "utf8")).includes(token));
    assert.equal((await fs.stat(file)).mode & 0o777, 0o600);
  });

  it("never gives an id twice, over restarts and projects", async () => {
    const first = await makeNetwork(cloud);
    assert.ok(first >= 1_000_001);
    assert.equal((await cloud.request("DELETE", `/networks/${first}`)).status, 204);
    await cloud.restart();
    const second = await makeNetwork(cloud);
    assert.ok(second > first);
    const body = { name: "n", ip_range: "10.0.0.0/8" };
    const other = await cloud.request("POST", "/networks", body, { authorization: `Bearer ${"o".repeat(64)}` });
    assert.ok(Number(at(other.body, "network.id")) > second);
    await cloud.restart();
    assert.ok((await makeNetwork(cloud)) > Number(at(other.body, "network.id")));
  });

  it("brings everything back on a host that lost it", async () => {
    const { server, network } = await fill();
    const old = cloud.driver;
    await cloud.restart(new RecordingDriver());
    assert.equal(at(await cloud.ok("GET", `/servers/${server}`), "server.status"), "off");
    assert.deepEqual(await cloud.api.reconcile(), []);
    assert.deepEqual(cloud.driver.machines.get(server), old.machines.get(server));
    assert.deepEqual(cloud.driver.attachments, old.attachments);
    assert.deepEqual(cloud.driver.networks, old.networks);
    assert.equal(cloud.driver.networks.get(network)?.routes.length, 1);
    assert.equal(at(await cloud.ok("GET", `/servers/${server}`), "server.status"), "running");
    const methods = cloud.driver.methods();
    for (const earlier of ["setFirewall", "attach"])
      assert.ok(methods.indexOf(earlier) < methods.indexOf("powerOn"), earlier);
  });

  it("leaves servers off that were off", async () => {
    const { server } = await fill();
    await cloud.ok("POST", `/servers/${server}/actions/poweroff`);
    await settled();
    await cloud.restart(new RecordingDriver());
    await cloud.api.reconcile();
    assert.equal(cloud.driver.machines.get(server)?.running, false);
  });

  describe("after a process that died", () => {
    it("finishes a server that was being made", async () => {
      hold(cloud.driver, "createMachine");
      const body = await cloud.ok("POST", "/servers", { name: "a", server_type: "ccx13", image: "debian-13" });
      await cloud.restart(new RecordingDriver());
      assert.equal(at(await cloud.ok("GET", `/actions/${String(at(body, "action.id"))}`), "action.status"), "running");
      await cloud.api.reconcile();
      for (const id of [at(body, "action.id"), at(body, "next_actions.0.id")]) {
        assert.equal((await finished(cloud, Number(id))).status, "success");
      }
      const server = at(await cloud.ok("GET", `/servers/${String(at(body, "server.id"))}`), "server");
      assert.deepEqual([at(server, "status"), at(server, "locked")], ["running", false]);
    });

    it("finishes attaching, detaching and deleting", async () => {
      const { server, network } = await fill();
      hold(cloud.driver, "detach");
      const detach = await cloud.ok("POST", `/servers/${server}/actions/detach_from_network`, { network });
      await cloud.restart(new RecordingDriver());
      await cloud.api.reconcile();
      assert.equal((await finished(cloud, Number(at(detach, "action.id")))).status, "success");
      assert.equal(cloud.driver.attachments.size, 0);
      hold(cloud.driver, "attach");
      const attach = await cloud.ok("POST", `/servers/${server}/actions/attach_to_network`, { network });
      await cloud.restart(new RecordingDriver());
      await cloud.api.reconcile();
      assert.equal((await finished(cloud, Number(at(attach, "action.id")))).status, "success");
      assert.equal(at(await cloud.ok("GET", `/servers/${server}`), "server.private_net.0.ip"), "10.0.1.1");
      hold(cloud.driver, "destroyMachine");
      const gone = await cloud.ok("DELETE", `/servers/${server}`);
      assert.equal(at(await cloud.ok("GET", `/servers/${server}`), "server.status"), "deleting");
      await cloud.restart();
      cloud.driver.before = () => undefined;
      await cloud.api.reconcile();
      assert.equal((await finished(cloud, Number(at(gone, "action.id")))).status, "success");
      await cloud.fails("GET", `/servers/${server}`, undefined, 404, "not_found");
      assert.deepEqual([cloud.driver.machines.size, cloud.driver.attachments.size], [0, 0]);
    });

    it("finishes deleting a network that servers are still plugged into", async () => {
      const { server, network } = await fill();
      const gate = hold(cloud.driver, "detach");
      const pending = cloud.request("DELETE", `/networks/${network}`);
      while (!cloud.driver.methods().includes("detach")) await new Promise((resolve) => setTimeout(resolve, 5));
      const copy = path.join(cloud.stateDir, "..", `${path.basename(cloud.stateDir)}-copy`);
      await fs.cp(cloud.stateDir, copy, { recursive: true });
      const second = await start({ stateDir: copy });
      assert.deepEqual(await second.api.reconcile(), []);
      await second.fails("GET", `/networks/${network}`, undefined, 404, "not_found");
      assert.deepEqual(at(await second.ok("GET", `/servers/${server}`), "server.private_net"), []);
      assert.deepEqual([second.driver.networks.size, second.driver.attachments.size], [0, 0]);
      await second.close();
      gate.release();
      assert.equal((await pending).status, 204);
    });

    it("reports a server that cannot be made, and goes on with the others", async () => {
      hold(cloud.driver, "createMachine");
      const fields = { server_type: "ccx13", image: "debian-13" };
      const bad = await cloud.ok("POST", "/servers", { ...fields, name: "bad" });
      const good = await cloud.ok("POST", "/servers", { ...fields, name: "good" });
      await cloud.restart(new RecordingDriver());
      const badId = at(bad, "server.id");
      cloud.driver.before = (call) =>
        call.method === "createMachine" && at(call.arguments[0], "serverId") === badId
          ? Promise.reject(new Error("image is gone"))
          : undefined;
      assert.deepEqual(await cloud.api.reconcile(), [{ resource: "server bad", message: "image is gone" }]);
      const action = await finished(cloud, Number(at(bad, "action.id")));
      assert.deepEqual([action.status, action.error], ["error", { code: "interrupted", message: "image is gone" }]);
      assert.equal((await finished(cloud, Number(at(good, "action.id")))).status, "success");
      const server = at(await cloud.ok("GET", `/servers/${String(badId)}`), "server");
      assert.deepEqual([at(server, "status"), at(server, "locked")], ["off", false]);
      await cloud.ok("DELETE", `/servers/${String(badId)}`);
    });
  });

  it("does not let late results of an old process reach the disk", async () => {
    const network = await makeNetwork(cloud);
    const gate = hold(cloud.driver, "setRoutes");
    const route = { destination: "10.244.0.0/24", gateway: "10.0.1.2" };
    const body = await cloud.ok("POST", `/networks/${network}/actions/add_route`, route);
    await cloud.restart(new RecordingDriver());
    gate.release();
    await new Promise((resolve) => setTimeout(resolve, 20));
    await cloud.restart();
    assert.equal(at(await cloud.ok("GET", `/actions/${String(at(body, "action.id"))}`), "action.status"), "running");
  });

  it("refuses a file that is no state, naming it, and removes half-written ones", async () => {
    const dir = path.join(cloud.stateDir, "other");
    await fs.mkdir(dir);
    const file = path.join(dir, `${"a".repeat(64)}.json`);
    await fs.writeFile(`${file}.tmp`, "{");
    await Store.open(dir);
    assert.deepEqual(await fs.readdir(dir), []);
    for (const text of ["{", '{"version":2}', '{"version":1,"nextId":5}']) {
      await fs.writeFile(file, text);
      await assert.rejects(
        Store.open(dir),
        (error: Error) => error.message.startsWith(file) && error.message.includes("restore it or move it away"),
      );
    }
  });

  it("tells the client when it cannot be written", async () => {
    const lines: string[] = [];
    const broken = await start({ log: (line) => lines.push(line) });
    await fs.rm(broken.stateDir, { recursive: true });
    const error = await broken.fails("POST", "/placement_groups", { name: "g", type: "spread" }, 500, "server_error");
    assert.match(String(error.message), /ENOENT/);
    assert.match(lines[0] ?? "", /^POST \/v1\/placement_groups failed: /);
    await broken.close();
  });

  it("shows one project's reconcile problems in the log", async () => {
    const lines: string[] = [];
    const noisy = await start({ log: (line) => lines.push(line) });
    await makeNetwork(noisy, { name: "net" });
    await noisy.restart(new RecordingDriver());
    breakMethod(noisy.driver, "createNetwork", "no bridge");
    const problems = await noisy.api.reconcile();
    assert.deepEqual(problems, [{ resource: "network net", message: "no bridge" }] satisfies object[]);
    assert.deepEqual(lines, ["network net is not as it should be: no bridge"]);
    await noisy.close();
  });
});
