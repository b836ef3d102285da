import assert from "node:assert/strict";
import { at, breakMethod, makeServer, start, type Harness, type Json } from "./harness";

const ssh = { direction: "in", protocol: "tcp", port: "22", source_ips: ["203.0.113.0/24"] };
const ping = { direction: "in", protocol: "icmp", source_ips: ["0.0.0.0/0", "::/0"], description: "ping" };
const onServer = (id: number): object => ({ type: "server", server: { id } });
const onLabel = (selector: string): object => ({ type: "label_selector", label_selector: { selector } });

describe("firewalls", function () {
  // Far more than needed: a busy machine must not fail a test.
  this.timeout(60_000);
  let cloud: Harness;
  beforeEach(async () => {
    cloud = await start();
  });
  afterEach(() => cloud.close());

  let counter = 0;
  const make = async (fields: object = {}): Promise<number> => {
    const body = await cloud.ok("POST", "/firewalls", { name: `fw-${++counter}`, rules: [ssh], ...fields });
    return Number(at(body, "firewall.id"));
  };
  const filterOf = (server: number): unknown => cloud.driver.machines.get(server)?.firewall;
  const sshRule = { protocol: "tcp", port: "22", sourceCidrs: ["203.0.113.0/24"] };

  it("show rules with all six keys and what they are applied to", async () => {
    const server = await makeServer(cloud, { labels: { role: "web" } });
    const body = await cloud.ok("POST", "/firewalls", {
      name: "fw",
      labels: { a: "b" },
      rules: [ssh, ping],
      apply_to: [onServer(server), onLabel("role=web")],
    });
    const { id, created, ...rest } = body.firewall as Json;
    assert.ok(Number.isInteger(id));
    assert.match(String(created), /Z$/);
    assert.deepEqual(rest, {
      name: "fw",
      labels: { a: "b" },
      rules: [
        {
          direction: "in",
          protocol: "tcp",
          port: "22",
          source_ips: ["203.0.113.0/24"],
          destination_ips: [],
          description: null,
        },
        {
          direction: "in",
          protocol: "icmp",
          port: null,
          source_ips: ["0.0.0.0/0", "::/0"],
          destination_ips: [],
          description: "ping",
        },
      ],
      applied_to: [
        { type: "server", server: { id: server } },
        {
          type: "label_selector",
          label_selector: { selector: "role=web" },
          applied_to_resources: [{ type: "server", server: { id: server } }],
        },
      ],
    });
    const [action] = body.actions as Json[];
    assert.deepEqual([action?.command, action?.status], ["apply_firewall", "success"]);
    assert.deepEqual(action?.resources, [
      { id, type: "firewall" },
      { id: server, type: "server" },
    ]);
    assert.deepEqual(at(await cloud.ok("GET", `/servers/${server}`), "server.public_net.firewalls"), [
      { id, status: "applied" },
    ]);
  });

  it("reach a server as the union of all its firewalls, each rule once, before its first boot", async () => {
    const [one, two] = [await make(), await make({ rules: [ssh, ping], apply_to: [onLabel("role=web")] })];
    const server = await makeServer(cloud, { firewalls: [{ firewall: one }], labels: { role: "web" } });
    assert.deepEqual(filterOf(server), [sshRule, { protocol: "icmp", port: null, sourceCidrs: ["0.0.0.0/0", "::/0"] }]);
    const methods = cloud.driver.methods();
    assert.ok(methods.indexOf("setFirewall") < methods.indexOf("powerOn"));
    const listed = at(await cloud.ok("GET", `/servers/${server}`), "server.public_net.firewalls");
    assert.deepEqual(
      listed,
      [one, two].map((id) => ({ id, status: "applied" })),
    );
  });

  it("let nothing in without a rule, and everything without a firewall", async () => {
    const bare = await makeServer(cloud);
    assert.equal(filterOf(bare), null);
    const closed = await makeServer(cloud, { firewalls: [{ firewall: await make({ rules: [] }) }] });
    assert.deepEqual(filterOf(closed), []);
  });

  it("follow a server's labels", async () => {
    await make({ apply_to: [onLabel("role in (web,api)")] });
    const server = await makeServer(cloud);
    assert.equal(filterOf(server), null);
    await cloud.ok("PUT", `/servers/${server}`, { labels: { role: "api" } });
    assert.deepEqual(filterOf(server), [sshRule]);
    await cloud.ok("PUT", `/servers/${server}`, { labels: {} });
    assert.equal(filterOf(server), null);
  });

  it("tell when labels were stored but the rules could not be applied, and apply them on the next try", async () => {
    await make({ apply_to: [onLabel("role=web")] });
    const server = await makeServer(cloud);
    const mend = breakMethod(cloud.driver, "setFirewall", "nft failed");
    const put = { labels: { role: "web" } };
    const error = await cloud.fails("PUT", `/servers/${server}`, put, 503, "unavailable");
    assert.match(String(error.message), /nft failed; repeat the request/);
    assert.equal(at(await cloud.ok("GET", `/servers/${server}`), "server.public_net.firewalls.0.status"), "pending");
    mend();
    await cloud.ok("PUT", `/servers/${server}`, put);
    assert.equal(at(await cloud.ok("GET", `/servers/${server}`), "server.public_net.firewalls.0.status"), "applied");
  });

  it("replace all rules by set_rules, at every server", async () => {
    const servers = [await makeServer(cloud, { labels: { role: "web" } }), await makeServer(cloud)];
    const id = await make({ apply_to: [onLabel("role"), onServer(servers[1] ?? 0)] });
    const { actions } = await cloud.ok("POST", `/firewalls/${id}/actions/set_rules`, { rules: [ping] });
    assert.deepEqual(
      (actions as Json[]).map((action) => action.command),
      ["set_firewall_rules", "apply_firewall", "apply_firewall"],
    );
    for (const server of servers)
      assert.deepEqual(filterOf(server), [{ protocol: "icmp", port: null, sourceCidrs: ["0.0.0.0/0", "::/0"] }]);
    await cloud.ok("POST", `/firewalls/${id}/actions/set_rules`, { rules: [] });
    for (const server of servers) assert.deepEqual(filterOf(server), []);
    await cloud.fails("POST", `/firewalls/${id}/actions/set_rules`, {}, 422, "invalid_input");
  });

  it("do not lock their servers, and show as pending until applied", async () => {
    const server = await makeServer(cloud);
    const id = await make();
    breakMethod(cloud.driver, "setFirewall", "nft failed");
    const url = `/firewalls/${id}/actions/apply_to_resources`;
    const { actions } = await cloud.ok("POST", url, { apply_to: [onServer(server)] });
    assert.deepEqual(at(actions, "0.error"), { code: "action_failed", message: "nft failed" });
    const view = at(await cloud.ok("GET", `/servers/${server}`), "server");
    assert.deepEqual([at(view, "locked"), at(view, "public_net.firewalls")], [false, [{ id, status: "pending" }]]);
  });

  it("are applied and removed by resource", async () => {
    const server = await makeServer(cloud, { labels: { role: "web" } });
    const id = await make();
    const apply = (body: object): Promise<Json> =>
      cloud.ok("POST", `/firewalls/${id}/actions/apply_to_resources`, body);
    const remove = (body: object): Promise<Json> =>
      cloud.ok("POST", `/firewalls/${id}/actions/remove_from_resources`, body);
    await apply({ apply_to: [onServer(server)] });
    assert.deepEqual(filterOf(server), [sshRule]);
    const again = { apply_to: [onServer(server)] };
    await cloud.fails("POST", `/firewalls/${id}/actions/apply_to_resources`, again, 422, "firewall_already_applied");
    const removed = await remove({ remove_from: [onServer(server)] });
    assert.equal(at(removed, "actions.0.command"), "remove_firewall");
    assert.equal(filterOf(server), null);
    // Removing what is not applied is no error.
    assert.deepEqual((await remove({ remove_from: [onServer(server)] })).actions, []);
    await apply({ apply_to: [onLabel("role=web")] });
    assert.deepEqual(filterOf(server), [sshRule]);
    const managed = { remove_from: [onServer(server)] };
    await cloud.fails(
      "POST",
      `/firewalls/${id}/actions/remove_from_resources`,
      managed,
      422,
      "firewall_managed_by_label_selector",
    );
    await remove({ remove_from: [onLabel("role=web")] });
    assert.equal(filterOf(server), null);
  });

  it("refuse resources that do not exist or have no meaning", async () => {
    const id = await make();
    await cloud.fails("POST", "/firewalls", { name: "x", apply_to: [onServer(5)] }, 422, "firewall_resource_not_found");
    for (const [action, field] of [
      ["apply_to_resources", "apply_to"],
      ["remove_from_resources", "remove_from"],
    ] as const) {
      const url = `/firewalls/${id}/actions/${action}`;
      await cloud.fails("POST", url, { [field]: [onServer(5)] }, 404, "firewall_resource_not_found");
      await cloud.fails("POST", url, {}, 422, "invalid_input");
      await cloud.fails("POST", url, { [field]: [{ type: "server" }] }, 422, "invalid_input");
      await cloud.fails("POST", url, { [field]: [{ type: "subnet" }] }, 422, "invalid_input");
      await cloud.fails("POST", url, { [field]: [onLabel("=")] }, 422, "invalid_input");
      await cloud.fails("POST", url, { [field]: [onLabel("")] }, 422, "invalid_input");
    }
    const server = await makeServer(cloud);
    const twice = { name: "y", apply_to: [onServer(server), onServer(server)] };
    await cloud.fails("POST", "/firewalls", twice, 422, "server_already_added");
  });

  it("are at most five at a server, whichever way the sixth comes", async () => {
    const server = await makeServer(cloud, { labels: { role: "web" } });
    for (let count = 0; count < 5; count++) await make({ apply_to: [onServer(server)] });
    const sixth = await make();
    const body = { apply_to: [onServer(server)] };
    await cloud.fails("POST", `/firewalls/${sixth}/actions/apply_to_resources`, body, 403, "resource_limit_exceeded");
    await cloud.fails("POST", "/firewalls", { name: "z", apply_to: [onLabel("role")] }, 403, "resource_limit_exceeded");
    assert.equal((at(await cloud.ok("GET", "/firewalls?per_page=50"), "firewalls") as unknown[]).length, 6);
    for (let count = 0; count < 5; count++) await make({ apply_to: [onLabel("k=0")] });
    await make({ apply_to: [onLabel("l")] });
    const third = await makeServer(cloud, { labels: { k: "0" } });
    const labels = { k: "0", l: "" };
    await cloud.fails("PUT", `/servers/${third}`, { labels }, 403, "resource_limit_exceeded");
    assert.deepEqual(at(await cloud.ok("GET", `/servers/${third}`), "server.labels"), { k: "0" });
    const fields = { name: "q", server_type: "ccx13", image: "debian-13", labels };
    await cloud.fails("POST", "/servers", fields, 403, "resource_limit_exceeded");
    assert.deepEqual((await cloud.ok("GET", "/servers?name=q")).servers, []);
  });

  it("are at most fifty in a project", async () => {
    for (let count = 0; count < 50; count++) await make();
    await cloud.fails("POST", "/firewalls", { name: "over" }, 403, "resource_limit_exceeded");
  });

  it("have their own names, and go only when nothing uses them", async () => {
    const server = await makeServer(cloud);
    const id = await make({ name: "one", apply_to: [onServer(server)] });
    await cloud.fails("POST", "/firewalls", { name: "one" }, 409, "uniqueness_error");
    assert.equal(
      at(await cloud.ok("PUT", `/firewalls/${id}`, { name: "two", labels: { x: "y" } }), "firewall.labels.x"),
      "y",
    );
    const error = await cloud.fails("DELETE", `/firewalls/${id}`, undefined, 422, "resource_in_use");
    assert.equal(error.message, `firewall with ID ${id} is still in use`);
    await cloud.ok("DELETE", `/servers/${server}`);
    assert.equal((await cloud.request("DELETE", `/firewalls/${id}`)).status, 204);
    await cloud.fails("GET", `/firewalls/${id}`, undefined, 404, "not_found");
  });
});
