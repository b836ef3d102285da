import assert from "node:assert/strict";
import { at, breakMethod, finished, hold, makeNetwork, makeServer, start, type Harness, type Json } from "./harness";

const subnet = (ipRange: string, zone = "eu-central"): object => ({
  type: "cloud",
  ip_range: ipRange,
  network_zone: zone,
});

describe("private NICs", function () {
  // Far more than needed: a busy machine must not fail a test.
  this.timeout(60_000);
  let cloud: Harness;
  let network: number;
  let server: number;
  const attach = (id: number, body: object): Promise<Json> =>
    cloud.ok("POST", `/servers/${id}/actions/attach_to_network`, body);
  const refuses = (body: object, code: string, status = 422): Promise<Json> =>
    cloud.fails("POST", `/servers/${server}/actions/attach_to_network`, body, status, code);
  const nics = async (id: number): Promise<Json[]> =>
    at(await cloud.ok("GET", `/servers/${id}`), "server.private_net") as Json[];

  beforeEach(async () => {
    cloud = await start();
    network = await makeNetwork(cloud);
    server = await makeServer(cloud);
  });
  afterEach(() => cloud.close());

  it("are plugged into the machine while it runs, and show with address and MAC", async () => {
    const { action } = await attach(server, { network, ip: "10.0.1.5", alias_ips: ["10.0.1.6"] });
    assert.equal(at(action, "command"), "attach_to_network");
    assert.deepEqual(at(action, "resources"), [
      { id: server, type: "server" },
      { id: network, type: "network" },
    ]);
    const [nic] = await nics(server);
    assert.deepEqual(Object.keys(nic ?? {}).sort(), ["alias_ips", "ip", "mac_address", "network"]);
    assert.deepEqual([nic?.network, nic?.ip, nic?.alias_ips], [network, "10.0.1.5", ["10.0.1.6"]]);
    assert.match(String(nic?.mac_address), /^86:00:00(:[0-9a-f]{2}){3}$/);
    assert.deepEqual(cloud.driver.attachments.get(`${network}/${server}`), {
      networkId: network,
      serverId: server,
      ip: "10.0.1.5",
      aliasIps: ["10.0.1.6"],
      mac: nic?.mac_address,
      interfaceNumber: 1,
    });
    assert.deepEqual(at(await cloud.ok("GET", `/networks/${network}`), "network.servers"), [server]);
  });

  it("get the lowest free address that is not reserved", async () => {
    const first = await makeNetwork(cloud, { subnets: [subnet("10.0.0.0/29")] });
    const given: unknown[] = [];
    for (let count = 0; count < 5; count++)
      given.push((await nics(await makeServer(cloud, { networks: [first] })))[0]?.ip);
    // .0 is the subnet's first address, .1 the network's gateway, .7 the subnet's last.
    assert.deepEqual(given, ["10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.0.5", "10.0.0.6"]);
    const error = await refuses({ network: first }, "no_subnet_available");
    assert.match(String(error.message), /no subnet or IP address available/);
  });

  it("fill gaps", async () => {
    const [a, b] = [await makeServer(cloud, { networks: [network] }), await makeServer(cloud, { networks: [network] })];
    await cloud.ok("POST", `/servers/${a}/actions/detach_from_network`, { network });
    await attach(server, { network });
    assert.deepEqual([(await nics(server))[0]?.ip, (await nics(b))[0]?.ip], ["10.0.1.1", "10.0.1.2"]);
  });

  it("may have the .1 of a subnet that is not the network's first", async () => {
    await attach(server, { network, ip: "10.0.1.1" });
  });

  it("come out of the last subnet if none is named, or the named one", async () => {
    const two = await makeNetwork(cloud, {
      ip_range: "10.1.0.0/16",
      subnets: [subnet("10.1.2.0/24"), subnet("10.1.1.0/24")],
    });
    await attach(server, { network: two });
    assert.equal((await nics(server))[0]?.ip, "10.1.2.1");
    const other = await makeServer(cloud);
    await attach(other, { network: two, ip_range: "10.1.1.0/24" });
    assert.equal((await nics(other))[0]?.ip, "10.1.1.1");
  });

  it("need a subnet in the server's zone", async () => {
    const far = await makeNetwork(cloud, { ip_range: "10.1.0.0/16", subnets: [subnet("10.1.1.0/24", "us-east")] });
    await refuses({ network: far }, "no_subnet_available");
    const empty = await makeNetwork(cloud, { ip_range: "10.2.0.0/16", subnets: [] });
    await refuses({ network: empty }, "no_subnet_available");
    await refuses({ network, ip_range: "10.0.9.0/24" }, "no_subnet_available");
  });

  it("refuse addresses that are taken, reserved or outside", async () => {
    await makeServer(cloud, { networks: [network] });
    for (const ip of ["10.0.1.1", "10.0.1.0", "10.0.1.255", "10.0.2.1", "10.0.0.1"]) {
      const error = await refuses({ network, ip }, "ip_not_available");
      assert.equal(error.message, `IP ${ip} is not available`);
    }
    await refuses({ network, ip: "x" }, "invalid_input");
    await refuses({ network, ip: "10.0.1.5", ip_range: "nope" }, "invalid_input");
    await refuses({ network: 5 }, "not_found", 404);
    await refuses({}, "invalid_input");
    const reserved = await makeNetwork(cloud, { ip_range: "172.16.0.0/12", subnets: [subnet("172.31.1.0/24")] });
    await refuses({ network: reserved, ip: "172.31.1.1" }, "ip_not_available");
    await attach(server, { network: reserved });
    assert.equal((await nics(server))[0]?.ip, "172.31.1.2");
  });

  it("refuse an address outside the named subnet", async () => {
    const two = await makeNetwork(cloud, {
      ip_range: "10.1.0.0/16",
      subnets: [subnet("10.1.2.0/24"), subnet("10.1.1.0/24")],
    });
    const error = await refuses({ network: two, ip: "10.1.2.5", ip_range: "10.1.1.0/24" }, "invalid_input");
    assert.equal(at(error, "details.fields.0.name"), "ip");
  });

  it("refuse a second NIC in a network, overlapping networks, and a fourth network", async () => {
    await attach(server, { network });
    await refuses({ network }, "server_already_attached");
    const same = await makeNetwork(cloud, { ip_range: "10.0.0.0/8" });
    await refuses({ network: same }, "networks_overlap");
    for (const part of ["10.1", "10.2", "10.3"]) {
      const id = await makeNetwork(cloud, { ip_range: `${part}.0.0/16`, subnets: [subnet(`${part}.1.0/24`)] });
      if (part === "10.3") await refuses({ network: id }, "resource_limit_exceeded", 403);
      else await attach(server, { network: id });
    }
    const numbers = [...cloud.driver.attachments.values()].map((nic) => nic.interfaceNumber);
    assert.deepEqual(numbers, [1, 2, 3]);
    assert.equal(new Set((await nics(server)).map((nic) => nic.mac_address)).size, 3);
  });

  it("are at most a hundred in a network", async () => {
    const many = await start({ serverLimit: 200 });
    const net = await makeNetwork(many);
    for (let count = 0; count < 100; count++) await makeServer(many, { networks: [net] });
    const id = await makeServer(many);
    await many.fails(
      "POST",
      `/servers/${id}/actions/attach_to_network`,
      { network: net },
      403,
      "resource_limit_exceeded",
    );
    await many.close();
  });

  it("go, once", async () => {
    await attach(server, { network });
    const { action } = await cloud.ok("POST", `/servers/${server}/actions/detach_from_network`, { network });
    assert.equal(at(action, "command"), "detach_from_network");
    assert.deepEqual(await nics(server), []);
    assert.equal(cloud.driver.attachments.size, 0);
    await cloud.fails("POST", `/servers/${server}/actions/detach_from_network`, { network }, 404, "not_found");
    await cloud.fails("POST", `/servers/${server}/actions/detach_from_network`, { network: 5 }, 404, "not_found");
  });

  it("have up to five alias addresses, free and inside a subnet", async () => {
    const url = `/servers/${server}/actions/change_alias_ips`;
    await cloud.fails("POST", url, { network, alias_ips: [] }, 404, "not_found");
    await attach(server, { network, ip: "10.0.1.5" });
    await makeServer(cloud, { networks: [network] });
    const six = Array.from({ length: 6 }, (_, index) => `10.0.1.${20 + index}`);
    await cloud.fails("POST", url, { network, alias_ips: six }, 403, "resource_limit_exceeded");
    for (const ip of ["10.0.1.5", "10.0.1.1", "10.0.1.255", "10.9.0.1"]) {
      await cloud.fails("POST", url, { network, alias_ips: [ip] }, 422, "ip_not_available");
    }
    await cloud.fails("POST", url, { network, alias_ips: ["10.0.1.9", "10.0.1.9"] }, 422, "ip_not_available");
    await cloud.fails("POST", url, { network, alias_ips: ["x"] }, 422, "invalid_input");
    await cloud.fails("POST", url, { network }, 422, "invalid_input");
    await cloud.ok("POST", url, { network, alias_ips: six.slice(1) });
    // The same list again: a server's own aliases are no obstacle to it.
    await cloud.ok("POST", url, { network, alias_ips: six.slice(2) });
    assert.deepEqual((await nics(server))[0]?.alias_ips, six.slice(2));
    assert.deepEqual(cloud.driver.attachments.get(`${network}/${server}`)?.aliasIps, six.slice(2));
    await cloud.fails(
      "POST",
      "/servers",
      { name: "x", server_type: "ccx13", image: "debian-13", networks: [5] },
      422,
      "invalid_input",
    );
  });

  it("are not there until the driver has plugged them, but hold their address", async () => {
    const slow = await start({ mode: "async" });
    const net = await makeNetwork(slow);
    const one = await makeServer(slow, { start_after_create: false });
    const two = await makeServer(slow, { start_after_create: false });
    for (const { id } of (await slow.ok("GET", "/servers/actions")).actions as { id: number }[])
      await finished(slow, id);
    const gate = hold(slow.driver, "attach");
    const first = await slow.ok("POST", `/servers/${one}/actions/attach_to_network`, {
      network: net,
      ip: "10.0.1.7",
    });
    assert.deepEqual(at(await slow.ok("GET", `/servers/${one}`), "server.private_net"), []);
    assert.deepEqual(at(await slow.ok("GET", `/networks/${net}`), "network.servers"), []);
    const second = { network: net, ip: "10.0.1.7" };
    await slow.fails("POST", `/servers/${two}/actions/attach_to_network`, second, 422, "ip_not_available");
    await slow.fails("POST", `/servers/${one}/actions/attach_to_network`, second, 423, "locked");
    await slow.fails("DELETE", `/networks/${net}`, undefined, 409, "conflict");
    gate.release();
    await finished(slow, Number(at(first, "action.id")));
    assert.equal(at(await slow.ok("GET", `/servers/${one}`), "server.private_net.0.ip"), "10.0.1.7");
    await slow.close();
  });

  it("leave nothing behind if the driver cannot plug them", async () => {
    const mend = breakMethod(cloud.driver, "attach", "no link");
    assert.deepEqual(at(await attach(server, { network, ip: "10.0.1.9" }), "action.error"), {
      code: "action_failed",
      message: "no link",
    });
    assert.deepEqual(await nics(server), []);
    assert.equal(cloud.driver.methods().at(-1), "detach");
    mend();
    await attach(server, { network, ip: "10.0.1.9" });
    breakMethod(cloud.driver, "detach", "stuck");
    await cloud.ok("POST", `/servers/${server}/actions/detach_from_network`, { network });
    assert.equal((await nics(server))[0]?.ip, "10.0.1.9");
  });

  it("say both reasons if taking back fails too", async () => {
    cloud.driver.before = ({ method }) =>
      ["attach", "detach"].includes(method) ? Promise.reject(new Error(`${method} broke`)) : undefined;
    const { action } = await attach(server, { network });
    assert.equal(at(action, "error.message"), "attach broke; taking the NIC back failed too: detach broke");
  });
});
