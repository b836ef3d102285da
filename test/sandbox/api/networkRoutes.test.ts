import assert from "node:assert/strict";
import { at, breakMethod, makeNetwork, start, type Harness } from "./harness";

describe("routes of networks", function () {
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

  it("reach the driver whole, and show", async () => {
    const id = await makeNetwork(cloud);
    const first = { destination: "10.244.0.0/24", gateway: "10.0.1.2" };
    const all = { destination: "0.0.0.0/0", gateway: "10.0.1.3" };
    await cloud.ok("POST", `/networks/${id}/actions/add_route`, first);
    await cloud.ok("POST", `/networks/${id}/actions/add_route`, all);
    assert.deepEqual(cloud.driver.networks.get(id)?.routes, [first, all]);
    assert.deepEqual(at(await cloud.ok("GET", `/networks/${id}`), "network.routes"), [first, all]);
    await cloud.ok("POST", `/networks/${id}/actions/delete_route`, first);
    assert.deepEqual(cloud.driver.networks.get(id)?.routes, [all]);
  });

  it("may have a gateway that no server has", async () => {
    const id = await makeNetwork(cloud);
    await cloud.ok("POST", `/networks/${id}/actions/add_route`, {
      destination: "10.100.1.0/24",
      gateway: "10.0.200.1",
    });
  });

  it("are refused where the rules say so", async () => {
    const id = await makeNetwork(cloud);
    const url = `/networks/${id}/actions/add_route`;
    const via = (destination: string): object => ({ destination, gateway: "10.0.1.2" });
    await cloud.ok("POST", url, via("10.244.0.0/16"));
    await cloud.ok("POST", url, via("0.0.0.0/0"));
    await refuses(url, via("10.244.3.0/24"), "destination", /overlaps with the destination 10\.244\.0\.0\/16/);
    await refuses(url, via("10.0.1.0/26"), "destination", /overlaps with subnet 10\.0\.1\.0\/24/);
    await refuses(url, via("8.8.8.0/24"), "destination", /must be 0\.0\.0\.0\/0 or inside/);
    await refuses(url, via("172.31.1.0/24"), "destination", /must not hold 172\.31\.1\.1/);
    await refuses(url, via("0.0.0.0/0"), "destination", /is already routed/);
    await refuses(url, via("nowhere"), "destination", /is not an IPv4 CIDR/);
    for (const gateway of ["10.0.0.1", "172.31.1.1", "10.1.0.1", "x"]) {
      const error = await cloud.fails("POST", url, { destination: "10.245.0.0/24", gateway }, 422, "invalid_input");
      assert.equal(error.message, "invalid gateway");
      assert.equal(at(error, "details.fields.0.name"), "gateway");
    }
    await cloud.fails("POST", `/networks/${id}/actions/delete_route`, via("10.9.0.0/24"), 404, "not_found");
  });

  it("are at most 100", async () => {
    const routes = Array.from({ length: 100 }, (_, index) => ({
      destination: `10.200.${index}.0/24`,
      gateway: "10.0.1.2",
    }));
    const id = await makeNetwork(cloud, { routes });
    const route = { destination: "10.201.0.0/24", gateway: "10.0.1.2" };
    const error = await cloud.fails("POST", `/networks/${id}/actions/add_route`, route, 403, "resource_limit_exceeded");
    assert.deepEqual(error.details, { limits: [{ name: "route_limit" }] });
  });

  it("are taken back if the driver refuses them", async () => {
    const id = await makeNetwork(cloud);
    const route = { destination: "10.244.0.0/24", gateway: "10.0.1.2" };
    const mend = breakMethod(cloud.driver, "setRoutes", "table is full");
    const { action } = await cloud.ok("POST", `/networks/${id}/actions/add_route`, route);
    assert.equal(at(action, "status"), "error");
    assert.deepEqual(at(action, "error"), { code: "action_failed", message: "table is full" });
    assert.deepEqual(at(await cloud.ok("GET", `/networks/${id}`), "network.routes"), []);
    mend();
    await cloud.ok("POST", `/networks/${id}/actions/add_route`, route);
    breakMethod(cloud.driver, "setRoutes", "busy");
    await cloud.ok("POST", `/networks/${id}/actions/delete_route`, route);
    assert.deepEqual(at(await cloud.ok("GET", `/networks/${id}`), "network.routes"), [route]);
  });
});
