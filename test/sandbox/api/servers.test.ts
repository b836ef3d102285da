import assert from "node:assert/strict";
import {
  at,
  breakMethod,
  finished,
  hold,
  makeNetwork,
  makeServer,
  publicKey,
  start,
  type Harness,
  type Json,
} from "./harness";

const base = { name: "web-1", server_type: "ccx13", image: "debian-13", location: "fsn1" };

describe("servers", function () {
  // Far more than needed: a busy machine must not fail a test.
  this.timeout(60_000);
  let cloud: Harness;
  beforeEach(async () => {
    cloud = await start();
  });
  afterEach(() => cloud.close());

  it("are made by create_server and start_server, and reach the driver complete", async () => {
    await cloud.ok("POST", "/ssh_keys", { name: "me", public_key: `${publicKey("me")}\n` });
    const body = await cloud.ok("POST", "/servers", {
      ...base,
      ssh_keys: ["me"],
      user_data: "#cloud-config\n",
      labels: { a: "b" },
    });
    assert.equal(at(body, "action.command"), "create_server");
    assert.deepEqual(
      (body.next_actions as Json[]).map((action) => action.command),
      ["start_server"],
    );
    assert.equal(body.root_password, null);
    const id = Number(at(body, "server.id"));
    assert.deepEqual(cloud.driver.machines.get(id), {
      spec: {
        serverId: id,
        name: "web-1",
        image: "debian-13",
        publicAddress: "198.18.0.10",
        cores: 2,
        memoryGiB: 8,
        userData: "#cloud-config\n",
        sshKeys: [publicKey("me")],
        start: false,
      },
      running: true,
      firewall: null,
    });
  });

  it("show every key, null where there is nothing", async () => {
    const id = await makeServer(cloud, { ...base, public_net: { enable_ipv4: true, enable_ipv6: false } });
    const server = at(await cloud.ok("GET", `/servers/${id}`), "server") as Json;
    assert.deepEqual(
      Object.keys(server).sort(),
      (
        "backup_window created id image included_traffic ingoing_traffic iso labels load_balancers location locked name outgoing_traffic " +
        "placement_group primary_disk_size private_net protection public_net rescue_enabled server_type status volumes"
      ).split(" "),
    );
    assert.deepEqual(at(server, "public_net.ipv6"), null);
    assert.deepEqual(at(server, "public_net.firewalls"), []);
    assert.deepEqual([server.iso, server.backup_window, server.placement_group], [null, null, null]);
    assert.deepEqual(server.protection, { delete: false, rebuild: false });
    assert.deepEqual([server.status, server.locked, server.primary_disk_size], ["running", false, 80]);
    assert.equal(at(server, "image.name"), "debian-13");
    assert.equal(at(server, "image.architecture"), "x86");
    assert.equal(at(server, "public_net.ipv4.dns_ptr"), "static.10.0.18.198.clients.your-server.de");
  });

  it("go through initializing, starting and running, locked meanwhile", async () => {
    const slow = await start({ mode: "async" });
    const create = hold(slow.driver, "createMachine");
    const body = await slow.ok("POST", "/servers", base);
    const url = `/servers/${String(at(body, "server.id"))}`;
    assert.deepEqual([at(body, "server.status"), at(body, "server.locked")], ["initializing", true]);
    assert.deepEqual(
      [at(body, "action.status"), at(body, "action.finished"), at(body, "action.error")],
      ["running", null, null],
    );
    await slow.fails("POST", `${url}/actions/poweroff`, undefined, 423, "locked");
    await slow.fails("DELETE", url, undefined, 423, "locked");
    const boot = hold(slow.driver, "powerOn");
    create.release();
    const power = hold(slow.driver, "powerOn");
    await finished(slow, Number(at(body, "action.id")));
    assert.equal(at(await slow.ok("GET", url), "server.status"), "starting");
    boot.release();
    power.release();
    const action = await finished(slow, Number(at(body, "next_actions.0.id")));
    assert.deepEqual([action.status, action.progress, action.error], ["success", 100, null]);
    assert.deepEqual(at(await slow.ok("GET", url), "server.locked"), false);
    assert.equal(at(await slow.ok("GET", url), "server.status"), "running");
    await slow.close();
  });

  it("stay off if start_after_create is false", async () => {
    const body = await cloud.ok("POST", "/servers", { ...base, start_after_create: false });
    assert.deepEqual(body.next_actions, []);
    assert.equal(at(body, "server.status"), "off");
    assert.ok(!cloud.driver.methods().includes("powerOn"));
  });

  it("get the lowest free public address from .10 on, and give it back", async () => {
    const first = await makeServer(cloud);
    await makeServer(cloud);
    const ips = async (): Promise<unknown[]> =>
      ((await cloud.ok("GET", "/servers")).servers as Json[]).map((server) => at(server, "public_net.ipv4.ip"));
    assert.deepEqual(await ips(), ["198.18.0.10", "198.18.0.11"]);
    await cloud.ok("DELETE", `/servers/${first}`);
    await makeServer(cloud);
    assert.deepEqual(await ips(), ["198.18.0.11", "198.18.0.10"]);
  });

  it("never share a public address between projects", async () => {
    await makeServer(cloud);
    const other = { authorization: `Bearer ${"o".repeat(64)}` };
    const reply = await cloud.request("POST", "/servers", base, other);
    assert.equal(at(reply.body, "server.public_net.ipv4.ip"), "198.18.0.11");
  });

  it("run out of public addresses at .199, and of room at the project's limit", async () => {
    const roomy = await start({ serverLimit: 1000 });
    for (let count = 10; count <= 199; count++) await makeServer(roomy);
    const error = await roomy.fails("POST", "/servers", base, 412, "resource_unavailable");
    assert.match(String(error.message), /no public IPv4 address is free/);
    await roomy.close();
    const narrow = await start({ serverLimit: 1 });
    await makeServer(narrow);
    const limit = await narrow.fails("POST", "/servers", base, 403, "resource_limit_exceeded");
    assert.deepEqual(limit.details, { limits: [{ name: "server_limit" }] });
    await narrow.close();
  });

  it("bring primary IPs along that can be seen and go with them", async () => {
    const id = await makeServer(cloud);
    const list = (await cloud.ok("GET", "/primary_ips")).primary_ips as Json[];
    assert.deepEqual(
      list.map((item) => [item.type, item.assignee_id, item.assignee_type, item.auto_delete]),
      [
        ["ipv4", id, "server", true],
        ["ipv6", id, "server", true],
      ],
    );
    assert.match(String(list[1]?.ip), /^2001:db8:.*::\/64$/);
    const server = await cloud.ok("GET", `/servers/${id}`);
    assert.equal(at(server, "server.public_net.ipv6.ip"), list[1]?.ip);
    assert.equal(
      (await cloud.ok("GET", "/primary_ips?ip=198.18.0.10&sort=created")).primary_ips instanceof Array,
      true,
    );
    assert.deepEqual((await cloud.ok("GET", `/primary_ips/${String(list[0]?.id)}`)).primary_ip, list[0]);
    await cloud.ok("DELETE", `/servers/${id}`);
    assert.deepEqual((await cloud.ok("GET", "/primary_ips")).primary_ips, []);
  });

  it("are plugged into networks before their first boot when the request names them", async () => {
    const network = await makeNetwork(cloud);
    const body = await cloud.ok("POST", "/servers", { ...base, networks: [network] });
    assert.equal(at(body, "server.private_net.0.ip"), "10.0.1.1");
    const methods = cloud.driver.methods();
    assert.ok(methods.indexOf("attach") < methods.indexOf("powerOn"));
    await cloud.fails(
      "POST",
      "/servers",
      { ...base, name: "b", networks: [network, network] },
      422,
      "server_already_attached",
    );
  });

  it("fail by their actions if the driver fails, and can be deleted then", async () => {
    const mend = breakMethod(cloud.driver, "createMachine", "no disk left");
    const body = await cloud.ok("POST", "/servers", base);
    assert.deepEqual(at(body, "action.error"), { code: "action_failed", message: "no disk left" });
    assert.deepEqual(at(body, "next_actions.0.error"), {
      code: "action_failed",
      message: "the server could not be created",
    });
    assert.deepEqual([at(body, "server.status"), at(body, "server.locked")], ["off", false]);
    mend();
    const url = `/servers/${String(at(body, "server.id"))}`;
    await cloud.ok("POST", `${url}/actions/poweron`);
    assert.equal(at(await cloud.ok("GET", url), "server.status"), "running");
    await cloud.ok("DELETE", url);
    assert.equal(cloud.driver.machines.size, 0);
  });

  it("show what the machine does by itself", async () => {
    const id = await makeServer(cloud);
    const machine = cloud.driver.machines.get(id);
    assert.ok(machine);
    machine.running = false;
    assert.equal(at(await cloud.ok("GET", `/servers/${id}`), "server.status"), "off");
    assert.deepEqual(((await cloud.ok("GET", "/servers?status=off")).servers as Json[]).length, 1);
    assert.deepEqual((await cloud.ok("GET", "/servers?status=running")).servers, []);
    cloud.driver.isRunning = () => Promise.reject(new Error("no answer"));
    assert.equal(at(await cloud.ok("GET", `/servers/${id}`), "server.status"), "unknown");
  });

  it("can be renamed and relabelled", async () => {
    const id = await makeServer(cloud, { labels: { a: "b" } });
    await makeServer(cloud, { name: "taken" });
    const { server } = await cloud.ok("PUT", `/servers/${id}`, { name: "new" });
    assert.deepEqual([at(server, "name"), at(server, "labels")], ["new", { a: "b" }]);
    const changed = await cloud.ok("PUT", `/servers/${id}`, { labels: {} });
    assert.deepEqual(at(changed, "server.labels"), {});
    await cloud.fails("PUT", `/servers/${id}`, { name: "taken" }, 409, "uniqueness_error");
    await cloud.fails("PUT", `/servers/${id}`, { name: "bad_name" }, 422, "invalid_input");
  });

  it("answer a delete with 200 and its action, and are gone after", async () => {
    const network = await makeNetwork(cloud);
    const id = await makeServer(cloud, { networks: [network] });
    const reply = await cloud.request("DELETE", `/servers/${id}`);
    assert.equal(reply.status, 200);
    assert.deepEqual([at(reply.body, "action.command"), at(reply.body, "action.status")], ["delete_server", "success"]);
    await cloud.fails("GET", `/servers/${id}`, undefined, 404, "not_found");
    assert.deepEqual([cloud.driver.machines.size, cloud.driver.attachments.size], [0, 0]);
    assert.equal((await finished(cloud, Number(at(reply.body, "action.id")))).status, "success");
  });

  it("stay if the driver cannot delete them", async () => {
    const id = await makeServer(cloud);
    const mend = breakMethod(cloud.driver, "destroyMachine", "mount is busy");
    assert.equal(at(await cloud.ok("DELETE", `/servers/${id}`), "action.error.message"), "mount is busy");
    assert.equal(at(await cloud.ok("GET", `/servers/${id}`), "server.status"), "running");
    mend();
    await cloud.ok("DELETE", `/servers/${id}`);
  });
});
