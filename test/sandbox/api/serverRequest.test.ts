import assert from "node:assert/strict";
import { at, start, type Harness } from "./harness";

const base = { name: "web-1", server_type: "ccx13", image: "debian-13", location: "fsn1" };

describe("server create requests", function () {
  // Far more than needed: a busy machine must not fail a test.
  this.timeout(60_000);
  let cloud: Harness;
  beforeEach(async () => {
    cloud = await start();
  });
  afterEach(() => cloud.close());

  const refuses = async (fields: object, field: string, message: RegExp): Promise<void> => {
    const error = await cloud.fails("POST", "/servers", { ...base, ...fields }, 422, "invalid_input");
    assert.equal(at(error, "details.fields.0.name"), field);
    assert.match(String(at(error, "details.fields.0.messages.0")), message);
  };

  it("take ids and names, and ids as text", async () => {
    const body = await cloud.ok("POST", "/servers", { name: "a", server_type: 96, image: 161547269, location: 3 });
    assert.deepEqual(
      [at(body, "server.server_type.name"), at(body, "server.image.name"), at(body, "server.location.name")],
      ["ccx13", "ubuntu-24.04", "hel1"],
    );
    const text = await cloud.ok("POST", "/servers", { name: "b", server_type: "96", image: "161547269" });
    assert.equal(at(text, "server.location.name"), "fsn1");
  });

  it("take the image of the type's architecture", async () => {
    const body = await cloud.ok("POST", "/servers", { ...base, server_type: "cax11" });
    assert.equal(at(body, "server.image.architecture"), "arm");
    await refuses({ name: "c", server_type: "cax11", image: 161547269 }, "image", /architecture x86 does not fit/);
  });

  it("name every unknown thing", async () => {
    await refuses({ server_type: "cx99" }, "server_type", /'cx99' not found/);
    await refuses({ server_type: undefined }, "server_type", /is required/);
    await refuses({ image: "windows-11" }, "image", /'windows-11' not found/);
    await refuses({ image: undefined }, "image", /is required/);
    await refuses({ location: "mars" }, "location", /'mars' not found/);
    await refuses({ location: "ash", server_type: "cx23" }, "location", /unsupported location for server type/);
    await refuses({ ssh_keys: ["nobody"] }, "ssh_keys", /'nobody' not found/);
    await refuses({ networks: [5] }, "networks", /'5' not found/);
    await refuses({ firewalls: [{ firewall: 5 }] }, "firewalls.0.firewall", /'5' not found/);
    await refuses({ placement_group: 5 }, "placement_group", /'5' not found/);
    await refuses({ datacenter: "fsn1-dc14" }, "datacenter", /use location/);
    await refuses({ labels: { "-": "x" } }, "labels", /not a valid label key/);
    assert.deepEqual((await cloud.ok("GET", "/servers")).servers, []);
    assert.deepEqual((await cloud.ok("GET", "/primary_ips")).primary_ips, []);
  });

  it("refuse an image that is gone for three months", async () => {
    const late = await start({ now: () => new Date("2026-12-01T00:00:00Z") });
    await late.fails("POST", "/servers", { ...base, image: "debian-11" }, 422, "invalid_input");
    const early = await start({ now: () => new Date("2026-11-29T00:00:00Z") });
    await early.ok("POST", "/servers", { ...base, image: "debian-11" });
    await Promise.all([late.close(), early.close()]);
  });

  it("need a host name of their own", async () => {
    for (const name of ["bad_name", "-a", "a-", "a..b", "a".repeat(64), `${"a.".repeat(130)}a`]) {
      await refuses({ name }, "name", /RFC 1123/);
    }
    await cloud.ok("POST", "/servers", { ...base, name: "Web-1.example.com" });
    await cloud.ok("POST", "/servers", base);
    const error = await cloud.fails("POST", "/servers", base, 409, "uniqueness_error");
    assert.equal(error.message, "server name is already used");
    assert.deepEqual(error.details, { fields: [{ name: "name" }] });
  });

  it("take user data up to 32768 bytes", async () => {
    await cloud.ok("POST", "/servers", { ...base, user_data: "x".repeat(32768) });
    await refuses({ name: "b", user_data: "x".repeat(32769) }, "user_data", /^Length must be between 0 and 32768\.$/);
    await refuses({ name: "b", user_data: "ä".repeat(16385) }, "user_data", /^Length must be/);
  });

  it("cannot be placed where the host has no such CPU, or the type is gone", async () => {
    const x86 = await start({ architectures: ["x86"] });
    const error = await x86.fails("POST", "/servers", { ...base, server_type: "cax11" }, 412, "resource_unavailable");
    assert.match(String(error.message), /^error during placement: cax11 \(arm\) is not available/);
    await x86.fails("POST", "/servers", { ...base, server_type: "cx11" }, 412, "resource_unavailable");
    await x86.close();
  });

  it("say so where this sandbox cannot follow", async () => {
    for (const fields of [{ public_net: { enable_ipv4: false } }, { volumes: [1] }, { public_net: { ipv4: 7 } }]) {
      await cloud.fails("POST", "/servers", { ...base, ...fields }, 422, "unsupported_error");
    }
  });
});
