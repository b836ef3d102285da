import assert from "node:assert/strict";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { Api, ApiError } from "../../../sandbox/plugins/hcloud/api";
import { firewall } from "../../../sandbox/plugins/hcloud/firewall";
import { network } from "../../../sandbox/plugins/hcloud/network";
import { networkSubnet } from "../../../sandbox/plugins/hcloud/networkSubnet";
import { server as serverKind } from "../../../sandbox/plugins/hcloud/server";
import { callFor } from "./calls";

interface Reply {
  status?: number;
  body?: object;
  headers?: { [name: string]: string };
  text?: string;
}

/** An API that answers each request by the next of its scripted replies. */
class ScriptedApi {
  readonly requests: { route: string; body: unknown }[] = [];
  private replies: { [route: string]: Reply[] } = {};
  private readonly server = http.createServer((request, response) => void this.answer(request, response));

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.server.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/v1`;
  }

  close(): Promise<void> {
    return new Promise((resolve) => this.server.close(() => resolve()));
  }

  /** @param replies by `METHOD /path`; the last of a list is repeated */
  script(replies: { [route: string]: Reply[] }): void {
    this.requests.length = 0;
    this.replies = replies;
  }

  get routes(): string[] {
    return this.requests.map((request) => request.route);
  }

  private async answer(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
    const route = `${request.method} ${(request.url ?? "").replace(/^\/v1/, "").replace(/\?.*/, "")}`;
    this.requests.push({ route, body: text === "" ? undefined : (JSON.parse(text) as unknown) });
    const list = this.replies[route] ?? [failure(404, "not_found", "not scripted")];
    const reply = (list.length > 1 ? list.shift() : list[0]) ?? {};
    response.writeHead(reply.status ?? 200, { "Content-Type": "application/json; charset=utf-8", ...reply.headers });
    response.end(reply.text ?? JSON.stringify(reply.body ?? {}));
  }
}

function failure(status: number, code: string, message: string, details: object | null = null): Reply {
  return { status, body: { error: { code, message, details } }, headers: { "X-Correlation-Id": "00c0ffee" } };
}

const action = (id: number, status: string, error: object | null = null) => ({ id, status, command: "c", error });

describe("the hcloud stand-in's API client", function () {
  this.timeout(20_000);
  const scripted = new ScriptedApi();
  let api: Api;
  let settings: ConstructorParameters<typeof Api>[0];

  before(async () => {
    const endpoint = await scripted.listen();
    settings = { token: "t".repeat(64), endpoint, pollInterval: 1, pollFunction: "constant", userAgent: "test" };
    api = new Api(settings, new AbortController().signal);
  });

  after(() => scripted.close());

  it("prints errors with code and correlation id, and the fields of invalid input", async () => {
    const fields = [{ name: "user_data", messages: ["Length must be between 0 and 32768."] }];
    scripted.script({
      "GET /a": [failure(409, "uniqueness_error", "server name is already used")],
      "GET /b": [failure(422, "invalid_input", "invalid input in field 'user_data'", { fields })],
      "GET /c": [{ status: 404, text: "<html>", headers: { "Content-Type": "text/html" } }],
    });
    await assert.rejects(api.get("/a"), { message: "server name is already used (uniqueness_error, 00c0ffee)" });
    await assert.rejects(api.get("/b"), {
      message:
        "invalid input in field 'user_data' (invalid_input, 00c0ffee): " +
        "[user_data => [Length must be between 0 and 32768.]]",
    });
    await assert.rejects(api.get("/c"), { message: "server responded with status code 404" });
  });

  it("says who did not answer", async () => {
    const gone = new ScriptedApi();
    const endpoint = await gone.listen();
    await gone.close();
    const nobody = new Api({ ...settings, endpoint }, new AbortController().signal);
    const { host } = new URL(endpoint);
    await assert.rejects(nobody.get("/a"), {
      message: `Get "${endpoint}/a": dial tcp ${host}: connect: connection refused`,
    });
  });

  it("tries transient errors again, and others not", async () => {
    scripted.script({
      "POST /x": [failure(409, "conflict", "busy"), { body: { fine: true } }],
      "POST /y": [failure(423, "locked", "locked")],
      "GET /z": [{ status: 502, text: "", headers: { "Content-Type": "text/plain" } }, { body: { fine: true } }],
    });
    assert.deepEqual(await api.post("/x", {}), { fine: true });
    await assert.rejects(api.post("/y", {}), (error) => error instanceof ApiError && error.code === "locked");
    assert.deepEqual(await api.get("/z"), { fine: true });
    assert.deepEqual(scripted.routes, ["POST /x", "POST /x", "POST /y", "GET /z", "GET /z"]);
  });

  it("stops waiting when the engine cancels", async () => {
    const controller = new AbortController();
    scripted.script({ "POST /x": [failure(409, "conflict", "busy")] });
    const waiting = new Api(settings, controller.signal).post("/x", {});
    setTimeout(() => controller.abort(new Error("context canceled")), 50);
    await assert.rejects(waiting, { message: "context canceled" });
  });

  it("polls only running actions, together, and reports the first that failed", async () => {
    scripted.script({
      "GET /actions": [
        { body: { actions: [action(1, "running"), action(2, "success")] } },
        { body: { actions: [action(1, "error", { code: "action_failed", message: "no room" })] } },
      ],
    });
    await api.wait(action(7, "success") as never, null, undefined);
    assert.deepEqual(scripted.routes, []);
    const failing = api.wait(action(1, "running") as never, action(2, "running") as never);
    await assert.rejects(failing, { message: "no room (action_failed, 1)" });
    assert.equal(scripted.requests.length, 2);
    scripted.script({ "GET /actions": [{ body: { actions: [] } }] });
    await assert.rejects(api.wait(action(3, "running") as never), { message: "actions not found: [3]" });
  });

  it("reads lists to their last page", async () => {
    const page = (id: number, next: number | null) => ({
      body: { things: [{ id }], meta: { pagination: { next_page: next } } },
    });
    scripted.script({ "GET /things": [page(1, 2), page(2, null)] });
    assert.deepEqual(await api.all("/things", "things"), [{ id: 1 }, { id: 2 }]);
  });

  it("deletes a firewall again while it is in use", async () => {
    const target = { type: "server", server: { id: 5 } };
    scripted.script({
      "GET /firewalls/1": [{ body: { firewall: { id: 1, applied_to: [target] } } }],
      "POST /firewalls/1/actions/remove_from_resources": [failure(404, "firewall_resource_not_found", "gone")],
      "DELETE /firewalls/1": [
        failure(422, "resource_in_use", "firewall with ID 1 is still in use"),
        { status: 204, text: "" },
      ],
    });
    await firewall.delete(api, "1", {}, callFor("t"));
    assert.deepEqual(scripted.requests[1]?.body, { remove_from: [target] });
    assert.deepEqual(scripted.routes.slice(-2), ["DELETE /firewalls/1", "DELETE /firewalls/1"]);
  });

  it("deletes a subnet again while servers are attached, and passes other service errors on", async () => {
    const found = { body: { network: { id: 3, subnets: [{ ip_range: "10.0.0.0/24" }] } } };
    const busy = failure(422, "service_error", "cannot remove subnet because servers are attached to it");
    scripted.script({
      "GET /networks/3": [found],
      "POST /networks/3/actions/delete_subnet": [busy, { body: { action: action(1, "success") } }],
    });
    await networkSubnet.delete(api, "3-10.0.0.0/24", {}, callFor("t"));
    assert.equal(scripted.routes.filter((route) => route.startsWith("POST")).length, 2);
    scripted.script({
      "GET /networks/3": [found],
      "POST /networks/3/actions/delete_subnet": [failure(422, "service_error", "something else")],
    });
    await assert.rejects(networkSubnet.delete(api, "3-10.0.0.0/24", {}, callFor("t")), /something else/);
  });

  it("takes a network that is gone for deleted", async () => {
    scripted.script({ "DELETE /networks/3": [failure(404, "not_found", "network with ID '3' not found")] });
    await network.delete(api, "3", {}, callFor("t"));
  });

  it("starts a server without public addresses only once its private NIC is there", async () => {
    scripted.script({
      "GET /server_types": [{ body: { server_types: [{ name: "ccx13", architecture: "x86" }] } }],
      "GET /images": [{ body: { images: [{ id: 42, name: "debian-13" }] } }],
      "POST /servers": [{ body: { server: { id: 8 }, action: action(1, "success"), next_actions: [] } }],
      "POST /servers/8/actions/attach_to_network": [{ body: { action: action(2, "success") } }],
      "POST /servers/8/actions/poweron": [{ body: { action: action(3, "success") } }],
    });
    const inputs = {
      name: "s",
      serverType: "ccx13",
      image: "debian-13",
      publicNets: [{ ipv4Enabled: false, ipv6Enabled: false }],
      networks: [{ networkId: 3, ip: "10.0.0.2", aliasIps: [] }],
    };
    const made: string[] = [];
    await serverKind.create(api, inputs, (id) => made.push(id));
    assert.deepEqual(made, ["8"]);
    assert.deepEqual(scripted.routes.slice(2), [
      "POST /servers",
      "POST /servers/8/actions/attach_to_network",
      "POST /servers/8/actions/poweron",
    ]);
    const request = scripted.requests[2]?.body as { image: number; start_after_create: boolean; public_net: object };
    assert.deepEqual([request.image, request.start_after_create], [42, false]);
    assert.deepEqual(request.public_net, { enable_ipv4: false, enable_ipv6: false });
    assert.deepEqual(scripted.requests[3]?.body, { network: 3, ip: "10.0.0.2", alias_ips: [] });
  });

  it("names images and keys that are not there", async () => {
    scripted.script({
      "GET /server_types": [{ body: { server_types: [{ name: "cax11", architecture: "arm" }] } }],
      "GET /images": [{ body: { images: [] } }],
    });
    const inputs = { name: "s", serverType: "cax11", image: "debian-99" };
    await assert.rejects(
      serverKind.create(api, inputs, () => undefined),
      {
        message: "image debian-99 for architecture arm not found",
      },
    );
  });
});
