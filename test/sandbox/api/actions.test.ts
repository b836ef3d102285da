import assert from "node:assert/strict";
import { at, hold, finished, makeNetwork, makeServer, start, type Harness, type Json } from "./harness";

describe("actions", function () {
  // Far more than needed: a busy machine must not fail a test.
  this.timeout(60_000);
  let cloud: Harness;
  beforeEach(async () => {
    cloud = await start();
  });
  afterEach(() => cloud.close());

  it("have every key", async () => {
    const network = await makeNetwork(cloud);
    const { action } = await cloud.ok("POST", `/networks/${network}/actions/change_protection`, { delete: true });
    const { id, started, finished: end, ...rest } = action as Json;
    assert.ok(Number.isInteger(id));
    for (const time of [started, end]) assert.match(String(time), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    const resources = [{ id: network, type: "network" }];
    assert.deepEqual(rest, { command: "change_protection", status: "success", progress: 100, resources, error: null });
  });

  it("are found by id, several at once, the way the vendor's client polls", async () => {
    await makeServer(cloud);
    const all = (await cloud.ok("GET", "/servers/actions")).actions as Json[];
    assert.deepEqual(
      all.map((action) => action.command),
      ["create_server", "start_server"],
    );
    const query = all.map((action) => `id=${String(action.id)}`).join("&");
    const body = await cloud.ok("GET", `/actions?${query}&id=1&page=1&sort=status&sort=id`);
    assert.deepEqual(body.actions, all);
    assert.deepEqual((await cloud.ok("GET", `/actions?id=${String(all[0]?.id)}`)).actions, [all[0]]);
    assert.deepEqual((await cloud.ok("GET", `/actions?${query}&status=running`)).actions, []);
  });

  it("cannot be listed without ids", async () => {
    const error = await cloud.fails("GET", "/actions", undefined, 410, "deprecated_api_endpoint");
    assert.match(String(at(error, "details.announcement")), /2025-01-30/);
  });

  it("are listed by kind and by resource", async () => {
    const network = await makeNetwork(cloud);
    const server = await makeServer(cloud);
    const { action } = await cloud.ok("POST", `/servers/${server}/actions/attach_to_network`, { network });
    const id = String(at(action, "id"));
    const urls = [`/networks/${network}/actions`, "/networks/actions", "/servers/actions?sort=id:desc&per_page=1"];
    for (const url of urls) assert.deepEqual((await cloud.ok("GET", url)).actions, [action], url);
    for (const url of [
      `/actions/${id}`,
      `/servers/actions/${id}`,
      `/servers/${server}/actions/${id}`,
      `/networks/${network}/actions/${id}`,
    ]) {
      assert.deepEqual((await cloud.ok("GET", url)).action, action, url);
    }
    await cloud.fails("GET", `/firewalls/actions/${id}`, undefined, 404, "not_found");
    await cloud.fails("GET", "/servers/5/actions", undefined, 404, "not_found");
    await cloud.fails("GET", "/actions/5", undefined, 404, "not_found");
  });

  it("never vanish while they run, however many end meanwhile", async () => {
    const slow = await start({ mode: "async" });
    const network = await makeNetwork(slow);
    const gate = hold(slow.driver, "setRoutes");
    const route = { destination: "10.244.0.0/24", gateway: "10.0.1.2" };
    const running = await slow.ok("POST", `/networks/${network}/actions/add_route`, route);
    const other = await makeNetwork(slow);
    for (let count = 0; count < 520; count++) {
      await slow.ok("POST", `/networks/${other}/actions/change_protection`, { delete: count % 2 === 0 });
    }
    const id = Number(at(running, "action.id"));
    assert.equal(at(await slow.ok("GET", `/actions/${id}`), "action.status"), "running");
    assert.equal(at(await slow.ok("GET", `/networks/${other}/actions`), "meta.pagination.total_entries"), 500);
    gate.release();
    assert.equal((await finished(slow, id)).status, "success");
    await slow.close();
  });
});

describe("injected faults", function () {
  // Far more than needed: a busy machine must not fail a test.
  this.timeout(60_000);
  let cloud: Harness;
  beforeEach(async () => {
    cloud = await start();
  });
  afterEach(() => cloud.close());

  it("answer with an error so many times, with all its parts", async () => {
    const error = { status: 409, code: "conflict", message: "try again", details: { x: 1 } };
    await cloud.ok("POST", "/_sandbox/faults", { method: "post", path: "/networks", times: 2, error });
    const body = { name: "n", ip_range: "10.0.0.0/8" };
    for (let count = 0; count < 2; count++) {
      const answer = await cloud.fails("POST", "/networks", body, 409, "conflict");
      assert.deepEqual(answer, { code: "conflict", message: "try again", details: { x: 1 } });
    }
    await cloud.ok("GET", "/networks");
    await cloud.ok("POST", "/networks", body);
  });

  it("let the action of a request fail without touching the driver, and take its change back", async () => {
    const network = await makeNetwork(cloud);
    const server = await makeServer(cloud);
    const fault = {
      path: "/servers/*/actions/attach_to_network",
      action_error: { code: "timeout", message: "took too long" },
    };
    await cloud.ok("POST", "/_sandbox/faults", fault);
    const { action } = await cloud.ok("POST", `/servers/${server}/actions/attach_to_network`, { network });
    assert.deepEqual(
      [at(action, "status"), at(action, "error")],
      ["error", { code: "timeout", message: "took too long" }],
    );
    assert.ok(!cloud.driver.methods().includes("attach"));
    assert.deepEqual(at(await cloud.ok("GET", `/servers/${server}`), "server.private_net"), []);
    const protect = { path: `/networks/${network}/actions/change_protection`, action_error: { code: "x" } };
    await cloud.ok("POST", "/_sandbox/faults", protect);
    await cloud.ok("POST", `/networks/${network}/actions/change_protection`, { delete: true });
    assert.equal(at(await cloud.ok("GET", `/networks/${network}`), "network.protection.delete"), false);
  });

  it("delay a request", async () => {
    await cloud.ok("POST", "/_sandbox/faults", { method: "GET", path: "/servers", delay_ms: 40 });
    const order: string[] = [];
    await Promise.all([
      cloud.ok("GET", "/servers").then(() => order.push("delayed")),
      cloud.ok("GET", "/networks").then(() => order.push("other")),
    ]);
    assert.deepEqual(order, ["other", "delayed"]);
  });

  it("are listed, cleared, checked, and belong to one project", async () => {
    await cloud.ok("POST", "/_sandbox/faults", { path: "/servers", error: { status: 500, code: "server_error" } });
    assert.equal(((await cloud.ok("GET", "/_sandbox/faults")).faults as unknown[]).length, 1);
    const other = await cloud.request("GET", "/servers", undefined, { authorization: `Bearer ${"o".repeat(64)}` });
    assert.equal(other.status, 200);
    assert.equal((await cloud.request("DELETE", "/_sandbox/faults")).status, 204);
    await cloud.ok("GET", "/servers");
    for (const body of [
      {},
      { path: "servers" },
      { path: "/x", times: 0 },
      { path: "/x", error: { status: 200, code: "ok" } },
    ]) {
      await cloud.fails("POST", "/_sandbox/faults", body, 422, "invalid_input");
    }
    const reply = await cloud.request("GET", "/_sandbox/state", undefined, { authorization: "Bearer short" });
    assert.equal(reply.status, 401);
  });

  it("and the summary are for this machine only", async () => {
    const reply = await cloud.api.app.inject({
      method: "GET",
      url: "/_sandbox/state",
      remoteAddress: "192.0.2.1",
      headers: { authorization: `Bearer ${"t".repeat(64)}` },
    });
    assert.equal(reply.statusCode, 403);
  });

  it("stand beside a summary of what there is", async () => {
    const network = await makeNetwork(cloud, { name: "net" });
    const server = await makeServer(cloud, { name: "web-1", networks: [network] });
    assert.deepEqual(await cloud.ok("GET", "/_sandbox/state"), {
      servers: [{ id: server, name: "web-1", status: "running", public_ip: "198.18.0.10", private_ips: ["10.0.1.1"] }],
      networks: [{ id: network, name: "net", routes: 0 }],
      counts: { firewalls: 0, ssh_keys: 0, placement_groups: 0 },
      running_actions: [],
    });
  });
});
