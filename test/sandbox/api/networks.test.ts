import assert from "node:assert/strict";
import { at, breakMethod, finished, hold, makeNetwork, makeServer, start, type Harness, type Json } from "./harness";

const subnet = (ipRange: string, zone = "eu-central"): object => ({
  type: "cloud",
  ip_range: ipRange,
  network_zone: zone,
});

describe("networks", function () {
  // Far more than needed: a busy machine must not fail a test.
  this.timeout(60_000);
  let cloud: Harness;
  beforeEach(async () => {
    cloud = await start();
  });
  afterEach(() => cloud.close());

  const refuses = async (url: string, body: object, field: string, message: RegExp): Promise<void> => {
    const error = await cloud.fails("POST", url, body, 422, "invalid_input");
    assert.equal(at(error, "details.fields.0.name"), field);
    assert.match(String(at(error, "details.fields.0.messages.0")), message);
  };

  it("have every key, the canonical range and the network's first address as gateway of every subnet", async () => {
    const { network } = await cloud.ok("POST", "/networks", {
      name: "net",
      ip_range: "10.0.0.7/16",
      subnets: [subnet("10.0.0.0/24"), subnet("10.0.16.0/24")],
      routes: [{ destination: "10.244.0.0/24", gateway: "10.0.0.5" }],
      labels: { a: "b" },
    });
    const { id, created, ...rest } = network as Json;
    assert.ok(Number.isInteger(id));
    assert.match(String(created), /Z$/);
    assert.deepEqual(rest, {
      name: "net",
      ip_range: "10.0.0.0/16",
      subnets: [
        { type: "cloud", ip_range: "10.0.0.0/24", network_zone: "eu-central", gateway: "10.0.0.1" },
        { type: "cloud", ip_range: "10.0.16.0/24", network_zone: "eu-central", gateway: "10.0.0.1" },
      ],
      routes: [{ destination: "10.244.0.0/24", gateway: "10.0.0.5" }],
      servers: [],
      load_balancers: [],
      protection: { delete: false },
      labels: { a: "b" },
      expose_routes_to_vswitch: false,
    });
    assert.deepEqual(cloud.driver.networks.get(Number(id)), {
      networkId: id,
      ipRange: "10.0.0.0/16",
      gateway: "10.0.0.1",
      routes: [{ destination: "10.244.0.0/24", gateway: "10.0.0.5" }],
      segment: "routed",
    });
  });

  it("are one segment with the sandbox's own label, and with no other", async () => {
    for (const [name, labels, segment] of [
      ["one", { "sandbox/segment": "l2" }, "l2"],
      ["other", { "sandbox/segment": "l3" }, "routed"],
    ] as const) {
      await makeNetwork(cloud, { name, labels });
      assert.equal([...cloud.driver.networks.values()].at(-1)?.segment, segment);
    }
  });

  it("need a private range of /24 or more", async () => {
    const make = (ipRange: unknown): object => ({ name: "n", ip_range: ipRange });
    await refuses("/networks", make("8.8.8.0/24"), "ip_range", /must be inside 10\.0\.0\.0\/8/);
    await refuses("/networks", make("10.0.0.0/7"), "ip_range", /must be inside/);
    await refuses("/networks", make("10.0.0.0/25"), "ip_range", /must be \/24 or larger/);
    await refuses("/networks", make("ten"), "ip_range", /'ten' is not an IPv4 CIDR/);
    await refuses("/networks", make(undefined), "ip_range", /is required/);
    await refuses("/networks", make(10), "ip_range", /must be a string/);
  });

  it("have a name of their own", async () => {
    await makeNetwork(cloud, { name: "one" });
    const error = await cloud.fails(
      "POST",
      "/networks",
      { name: "one", ip_range: "10.0.0.0/8" },
      409,
      "uniqueness_error",
    );
    assert.equal(error.message, "name is already used");
    await refuses("/networks", { name: "", ip_range: "10.0.0.0/8" }, "name", /must not be empty/);
    const two = await makeNetwork(cloud, { name: "two" });
    await cloud.fails("PUT", `/networks/${two}`, { name: "one" }, 409, "uniqueness_error");
    const { network } = await cloud.ok("PUT", `/networks/${two}`, {
      name: "three",
      labels: { x: "y" },
      expose_routes_to_vswitch: true,
    });
    assert.deepEqual(
      [at(network, "name"), at(network, "labels.x"), at(network, "expose_routes_to_vswitch")],
      ["three", "y", true],
    );
  });

  it("are not made if the driver cannot", async () => {
    breakMethod(cloud.driver, "createNetwork", "no namespace");
    const error = await cloud.fails("POST", "/networks", { name: "n", ip_range: "10.0.0.0/8" }, 503, "unavailable");
    assert.match(String(error.message), /no namespace/);
    assert.deepEqual((await cloud.ok("GET", "/networks")).networks, []);
  });

  describe("subnets", () => {
    it("lie in the network, do not overlap, are /30 or larger, of one zone", async () => {
      const id = await makeNetwork(cloud, { routes: [{ destination: "10.0.9.0/24", gateway: "10.0.1.2" }] });
      const url = `/networks/${id}/actions/add_subnet`;
      await refuses(url, subnet("10.1.0.0/24"), "ip_range", /must be inside the network's range 10\.0\.0\.0\/16/);
      await refuses(url, subnet("10.0.1.128/25"), "ip_range", /overlaps with subnet 10\.0\.1\.0\/24/);
      await refuses(url, subnet("10.0.0.0/22"), "ip_range", /overlaps with subnet/);
      await refuses(url, subnet("10.0.9.0/30"), "ip_range", /overlaps with route destination 10\.0\.9\.0\/24/);
      await refuses(url, subnet("10.0.2.0/31"), "ip_range", /must be \/30 or larger/);
      await refuses(url, subnet("10.0.2.0/24", "us-east"), "network_zone", /same network zone/);
      await refuses(url, subnet("10.0.2.0/24", "mars"), "network_zone", /'mars' is not a network zone/);
      await refuses(url, { ...subnet("10.0.2.0/24"), type: "lan" }, "type", /must be one of cloud, server, vswitch/);
      const vswitch = { ...subnet("10.0.2.0/24"), type: "vswitch", vswitch_id: 1 };
      const error = await cloud.fails("POST", url, vswitch, 422, "service_error");
      assert.equal(error.message, "vswitch not found");
      await cloud.ok("POST", url, subnet("10.0.2.0/30"));
    });

    it("get the first free /24 if none is named", async () => {
      const id = await makeNetwork(cloud, { subnets: [subnet("10.0.0.0/24"), subnet("10.0.2.0/25")] });
      const url = `/networks/${id}/actions/add_subnet`;
      const free = { type: "cloud", network_zone: "eu-central" };
      const { action } = await cloud.ok("POST", url, free);
      assert.deepEqual([at(action, "command"), at(action, "status")], ["add_subnet", "success"]);
      await cloud.ok("POST", url, free);
      const { network } = await cloud.ok("GET", `/networks/${id}`);
      assert.deepEqual(
        (at(network, "subnets") as Json[]).map((item) => item.ip_range),
        ["10.0.0.0/24", "10.0.2.0/25", "10.0.1.0/24", "10.0.3.0/24"],
      );
      const small = await makeNetwork(cloud, { ip_range: "10.9.0.0/24", subnets: [subnet("10.9.0.0/25")] });
      await refuses(`/networks/${small}/actions/add_subnet`, free, "ip_range", /no free \/24/);
    });

    it("are at most 50", async () => {
      const subnets = Array.from({ length: 50 }, (_, index) => subnet(`10.0.${index}.0/24`));
      const id = await makeNetwork(cloud, { subnets });
      const error = await cloud.fails(
        "POST",
        `/networks/${id}/actions/add_subnet`,
        subnet("10.0.99.0/24"),
        403,
        "resource_limit_exceeded",
      );
      assert.deepEqual(error.details, { limits: [{ name: "subnet_limit" }] });
    });

    it("cannot go while a server is in them", async () => {
      const id = await makeNetwork(cloud);
      const server = await makeServer(cloud);
      await cloud.ok("POST", `/servers/${server}/actions/attach_to_network`, { network: id });
      const url = `/networks/${id}/actions/delete_subnet`;
      const error = await cloud.fails("POST", url, { ip_range: "10.0.1.0/24" }, 422, "service_error");
      assert.equal(error.message, "cannot remove subnet because servers are attached to it");
      await cloud.fails("POST", url, { ip_range: "10.0.7.0/24" }, 404, "not_found");
      await cloud.ok("POST", `/servers/${server}/actions/detach_from_network`, { network: id });
      await cloud.ok("POST", url, { ip_range: "10.0.1.0/24" });
      assert.deepEqual(at(await cloud.ok("GET", `/networks/${id}`), "network.subnets"), []);
    });

    it("cannot go while only an alias is in them", async () => {
      const id = await makeNetwork(cloud, { subnets: [subnet("10.0.1.0/24"), subnet("10.0.2.0/24")] });
      const server = await makeServer(cloud);
      const wishes = { network: id, ip: "10.0.2.5", alias_ips: ["10.0.1.9"] };
      await cloud.ok("POST", `/servers/${server}/actions/attach_to_network`, wishes);
      await cloud.fails(
        "POST",
        `/networks/${id}/actions/delete_subnet`,
        { ip_range: "10.0.1.0/24" },
        422,
        "service_error",
      );
    });
  });

  it("answer conflict while another change of the same network runs, and only of that one", async () => {
    const slow = await start({ mode: "async" });
    const [one, two] = [await makeNetwork(slow), await makeNetwork(slow)];
    const gate = hold(slow.driver, "setRoutes");
    const route = { destination: "10.244.0.0/24", gateway: "10.0.1.2" };
    const { action } = await slow.ok("POST", `/networks/${one}/actions/add_route`, route);
    assert.equal(at(action, "status"), "running");
    await slow.fails("POST", `/networks/${one}/actions/add_subnet`, subnet("10.0.3.0/24"), 409, "conflict");
    await slow.fails("DELETE", `/networks/${one}`, undefined, 409, "conflict");
    await slow.fails("PUT", `/networks/${one}`, { labels: {} }, 409, "conflict");
    await slow.ok("POST", `/networks/${two}/actions/add_subnet`, subnet("10.0.3.0/24"));
    gate.release();
    await finished(slow, Number(at(action, "id")));
    await slow.ok("POST", `/networks/${one}/actions/add_subnet`, subnet("10.0.3.0/24"));
    await slow.close();
  });

  it("grow at the same base address only, and not into another network of their servers", async () => {
    const id = await makeNetwork(cloud, { ip_range: "10.0.0.0/16" });
    const url = `/networks/${id}/actions/change_ip_range`;
    await refuses(url, { ip_range: "10.0.0.0/16" }, "ip_range", /must be larger/);
    await refuses(url, { ip_range: "10.64.0.0/10" }, "ip_range", /must begin with the same address/);
    await refuses(url, { ip_range: "10.0.0.0/17" }, "ip_range", /must be larger/);
    const other = await makeNetwork(cloud, { ip_range: "10.1.0.0/16", subnets: [subnet("10.1.1.0/24")] });
    const server = await makeServer(cloud, { networks: [id, other] });
    await cloud.fails("POST", url, { ip_range: "10.0.0.0/8" }, 422, "networks_overlap");
    await cloud.ok("POST", `/servers/${server}/actions/detach_from_network`, { network: other });
    await cloud.ok("POST", url, { ip_range: "10.0.0.0/8" });
    assert.equal(at(await cloud.ok("GET", `/networks/${id}`), "network.ip_range"), "10.0.0.0/8");
    assert.equal(cloud.driver.networks.get(id)?.ipRange, "10.0.0.0/8");
  });

  it("can be protected from deletion", async () => {
    const id = await makeNetwork(cloud);
    await cloud.ok("POST", `/networks/${id}/actions/change_protection`, { delete: true });
    const error = await cloud.fails("DELETE", `/networks/${id}`, undefined, 423, "protected");
    assert.equal(error.message, "network is delete protected");
    await cloud.ok("POST", `/networks/${id}/actions/change_protection`, { delete: false });
    assert.equal((await cloud.request("DELETE", `/networks/${id}`)).status, 204);
  });

  it("detach their servers when they are deleted", async () => {
    const id = await makeNetwork(cloud);
    const server = await makeServer(cloud, { networks: [id] });
    assert.deepEqual(at(await cloud.ok("GET", `/networks/${id}`), "network.servers"), [server]);
    assert.equal((await cloud.request("DELETE", `/networks/${id}`)).status, 204);
    assert.deepEqual(at(await cloud.ok("GET", `/servers/${server}`), "server.private_net"), []);
    assert.equal(cloud.driver.attachments.size, 0);
    assert.equal(cloud.driver.networks.size, 0);
    await cloud.fails("GET", `/networks/${id}`, undefined, 404, "not_found");
  });

  it("stay, and can be deleted again, if the driver fails to delete them", async () => {
    const id = await makeNetwork(cloud);
    const mend = breakMethod(cloud.driver, "destroyNetwork", "busy");
    await cloud.fails("DELETE", `/networks/${id}`, undefined, 503, "unavailable");
    mend();
    assert.equal((await cloud.request("DELETE", `/networks/${id}`)).status, 204);
  });
});
