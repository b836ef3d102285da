import assert from "node:assert/strict";
import { createApi, RecordingDriver } from "../../../sandbox/api";
import { at, makeServer, start, token, type Harness } from "./harness";

describe("API protocol", function () {
  // Far more than needed: a busy machine must not fail a test.
  this.timeout(60_000);
  let cloud: Harness;
  beforeEach(async () => {
    cloud = await start();
  });
  afterEach(() => cloud.close());

  it("refuses requests without a token, with a short one, and with one that is not listed", async () => {
    const other = await start({ tokens: [token] });
    const expected = { error: { code: "unauthorized", message: "unable to authenticate", details: null } };
    for (const authorization of ["", "Bearer short", `Basic ${token}`]) {
      const reply = await cloud.request("GET", "/servers", undefined, { authorization });
      assert.equal(reply.status, 401);
      assert.deepEqual(reply.body, expected);
    }
    const reply = await other.request("GET", "/servers", undefined, { authorization: `Bearer ${"x".repeat(64)}` });
    assert.deepEqual([reply.status, reply.body], [401, expected]);
    await other.ok("GET", "/servers");
    await other.close();
  });

  it("keeps the projects of two tokens apart", async () => {
    await makeServer(cloud, { name: "mine" });
    const reply = await cloud.request("GET", "/servers", undefined, { authorization: `Bearer ${"o".repeat(64)}` });
    assert.deepEqual(reply.body.servers, []);
    assert.equal(at(await cloud.ok("GET", "/servers"), "servers.0.name"), "mine");
  });

  it("lets a read-only token read the project of its twin and nothing more", async () => {
    const rest = "r".repeat(61);
    const make = await cloud.request(
      "POST",
      "/ssh_keys",
      { name: "k", public_key: "x" },
      { authorization: `Bearer ro-${rest}` },
    );
    assert.deepEqual([make.status, at(make.body, "error.code")], [401, "token_readonly"]);
    const group = { name: "g", type: "spread" };
    await cloud.request("POST", "/placement_groups", group, { authorization: `Bearer rw-${rest}` });
    const list = await cloud.request("GET", "/placement_groups", undefined, { authorization: `Bearer ro-${rest}` });
    assert.equal(at(list.body, "placement_groups.0.name"), "g");
  });

  it("carries content type, correlation id and rate limit on every answer", async () => {
    for (const url of ["/servers", "/servers/1", "/nowhere"]) {
      const { headers } = await cloud.request("GET", url);
      assert.equal(headers["content-type"], "application/json; charset=utf-8");
      assert.match(String(headers["x-correlation-id"]), /^[0-9a-f]{16}$/);
    }
    const { headers } = await cloud.request("GET", "/servers");
    for (const name of ["ratelimit-limit", "ratelimit-remaining", "ratelimit-reset"]) {
      assert.match(String(headers[name]), /^\d+$/, name);
    }
  });

  it("answers 429 when the bucket is empty and serves again once it filled", async () => {
    let now = Date.UTC(2026, 10, 1);
    const limited = await start({ rateLimit: { limit: 2, perSecond: 1 }, now: () => new Date(now) });
    const first = await limited.request("GET", "/servers");
    assert.equal(first.headers["ratelimit-limit"], "2");
    assert.equal(first.headers["ratelimit-remaining"], "1");
    assert.equal(first.headers["ratelimit-reset"], String(now / 1000 + 1));
    await limited.ok("GET", "/servers");
    await limited.fails("GET", "/servers", undefined, 429, "rate_limit_exceeded");
    now += 1000;
    await limited.ok("GET", "/servers");
    await limited.fails("GET", "/servers", undefined, 429, "rate_limit_exceeded");
    await limited.close();
  });

  it("answers json_error for bodies that are no JSON object", async () => {
    for (const body of ["{", "[]", "3", "null"]) {
      const reply = await cloud.request("POST", "/networks", body, { "content-type": "application/json" });
      assert.deepEqual([reply.status, at(reply.body, "error.code")], [400, "json_error"], body);
    }
  });

  it("takes a body whatever its content type, and none at all", async () => {
    const text = JSON.stringify({ name: "g", type: "spread" });
    const reply = await cloud.request("POST", "/placement_groups", text, { "content-type": "text/plain" });
    assert.equal(reply.status, 201);
    const id = await makeServer(cloud);
    await cloud.ok("POST", `/servers/${id}/actions/poweroff`);
  });

  it("tells unknown paths, unknown objects and wrong methods apart", async () => {
    const unknown = await cloud.fails("GET", "/nowhere", undefined, 404, "not_found");
    assert.match(String(unknown.message), /\/v1\/nowhere does not exist/);
    const missing = await cloud.fails("GET", "/servers/7", undefined, 404, "not_found");
    assert.equal(missing.message, "server with ID '7' not found");
    assert.equal(missing.details, null);
    await cloud.fails("GET", "/servers/abc", undefined, 404, "not_found");
    await cloud.fails("PUT", "/servers", {}, 405, "method_not_allowed");
    await cloud.fails("DELETE", "/locations/1", undefined, 405, "method_not_allowed");
    const outside = await cloud.api.app.inject({ method: "GET", url: "/servers" });
    assert.equal(outside.statusCode, 404);
  });

  it("survives a path that is not valid percent-encoding", async () => {
    const reply = await cloud.api.app.inject({ method: "GET", url: "/v1/servers/%zz" });
    assert.equal(reply.statusCode, 400);
    assert.equal(at(JSON.parse(reply.body), "error.code"), "json_error");
  });

  it("answers invalid_input with details.fields, also for several fields at once", async () => {
    const error = await cloud.fails("POST", "/servers", { name: "bad_name", image: 3.5 }, 422, "invalid_input");
    assert.match(String(error.message), /^invalid input in fields /);
    const fields = at(error, "details.fields") as { name: string; messages: string[] }[];
    assert.deepEqual(fields.map((field) => field.name).sort(), ["image", "name", "server_type"]);
    for (const field of fields) assert.ok(field.messages.every((message) => typeof message === "string"));
  });

  it("refuses what it does not emulate, by name", async () => {
    const error = await cloud.fails("POST", "/volumes", { name: "v" }, 422, "unsupported_error");
    assert.match(String(error.message), /POST \/volumes is not emulated/);
    assert.deepEqual((await cloud.ok("GET", "/volumes")).volumes, []);
    await cloud.fails("GET", "/volumes/1", undefined, 404, "not_found");
    const id = await makeServer(cloud);
    await cloud.fails("POST", `/servers/${id}/actions/enable_rescue`, {}, 422, "unsupported_error");
    await cloud.fails("POST", "/primary_ips", {}, 422, "unsupported_error");
  });

  it("listens on loopback and says where", async () => {
    const endpoint = await cloud.api.listen(0);
    assert.match(endpoint, /^http:\/\/127\.0\.0\.1:\d+\/v1$/);
    const reply = await fetch(`${endpoint}/locations`, { headers: { authorization: `Bearer ${token}` } });
    assert.equal(reply.status, 200);
  });

  it("refuses a public range that is no /24 and a token of the wrong length", async () => {
    const driver = new RecordingDriver();
    const base = { stateDir: cloud.stateDir, driver, publicRange: "198.18.0.0/24" };
    await assert.rejects(createApi({ ...base, publicRange: "198.18.0.0/16" }), /198\.18\.0\.0\/16 is not an IPv4 \/24/);
    await assert.rejects(createApi({ ...base, tokens: ["secret"] }), (error: Error) => {
      assert.match(error.message, /every token must have 64 characters/);
      return !error.message.includes("secret");
    });
  });
});

describe("API lists", function () {
  // Far more than needed: a busy machine must not fail a test.
  this.timeout(60_000);
  let cloud: Harness;
  before(async () => {
    // One moment for all, so that sorting by it leaves the order to the next field.
    cloud = await start({ now: () => new Date("2026-11-01T00:00:00Z") });
    for (let number = 1; number <= 60; number++) {
      const labels = { odd: String(number % 2) };
      await cloud.ok("POST", "/networks", {
        name: `n${String(number).padStart(2, "0")}`,
        ip_range: "10.0.0.0/8",
        labels,
      });
    }
  });
  after(() => cloud.close());

  const names = async (query: string): Promise<string[]> => {
    const body = await cloud.ok("GET", `/networks?${query}`);
    return (body.networks as { name: string }[]).map((network) => network.name);
  };

  it("shows 25 a page, with exactly the six pagination keys", async () => {
    const { meta, networks } = await cloud.ok("GET", "/networks");
    assert.equal((networks as unknown[]).length, 25);
    assert.deepEqual(meta, {
      pagination: { page: 1, per_page: 25, previous_page: null, next_page: 2, last_page: 3, total_entries: 60 },
    });
  });

  it("pages on, with Link headers", async () => {
    const reply = await cloud.request("GET", "/networks?page=2&per_page=20&label_selector=odd");
    assert.equal(at(reply.body, "networks.0.name"), "n21");
    assert.deepEqual(at(reply.body, "meta.pagination"), {
      page: 2,
      per_page: 20,
      previous_page: 1,
      next_page: 3,
      last_page: 3,
      total_entries: 60,
    });
    const relations = [...String(reply.headers.link).matchAll(/<([^>]*)>; rel="(\w+)"/g)];
    assert.deepEqual(
      relations.map(([, url, relation]) => [relation, new URL(url ?? "").searchParams.get("page")]),
      [
        ["first", "1"],
        ["prev", "1"],
        ["next", "3"],
        ["last", "3"],
      ],
    );
    assert.ok(relations.every(([, url]) => new URL(url ?? "").searchParams.get("label_selector") === "odd"));
  });

  it("answers an empty page past the end", async () => {
    assert.deepEqual(await names("page=9"), []);
  });

  it("answers page 1 of 1 when there is nothing", async () => {
    assert.deepEqual(at(await cloud.ok("GET", "/servers"), "meta.pagination"), {
      page: 1,
      per_page: 25,
      previous_page: null,
      next_page: null,
      last_page: 1,
      total_entries: 0,
    });
  });

  it("refuses pages and sizes that are none", async () => {
    for (const query of ["page=0", "page=x", "per_page=0", "per_page=51", "page=-1"]) {
      const error = await cloud.fails("GET", `/networks?${query}`, undefined, 422, "invalid_input");
      assert.equal(at(error, "details.fields.0.name"), query.split("=")[0]);
    }
  });

  it("filters by name and by label", async () => {
    assert.deepEqual(await names("name=n07"), ["n07"]);
    assert.deepEqual(await names("name=n07&name=n09"), ["n07", "n09"]);
    assert.deepEqual(await names("name=nobody"), []);
    assert.equal((await names("label_selector=odd%3D1&per_page=50")).length, 30);
    const error = await cloud.fails("GET", "/networks?label_selector=%3D", undefined, 422, "invalid_input");
    assert.equal(at(error, "details.fields.0.name"), "label_selector");
  });

  it("sorts by the fields of the kind, and by several", async () => {
    assert.equal((await names("sort=name:desc"))[0], "n60");
    assert.equal((await names("sort=created:asc&sort=id:desc"))[0], "n60");
    for (const query of ["sort=colour", "sort=name:up", "sort=toString"]) {
      await cloud.fails("GET", `/networks?${query}`, undefined, 422, "invalid_input");
    }
    await cloud.fails("GET", "/ssh_keys?sort=created", undefined, 422, "invalid_input");
    await cloud.fails("GET", "/server_types?sort=id", undefined, 422, "invalid_input");
  });
});
