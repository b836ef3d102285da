import assert from "node:assert/strict";
import { mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { once } from "node:events";
import { createServer } from "node:net";
import os from "node:os";
import path from "node:path";
import { describeInstance } from "../../../sandbox/instance";
import { ensureNamespace, ip, listNamespaces, removeNamespace } from "../../../sandbox/network/namespaces";
import { PrivateNetwork } from "../../../sandbox/network/private";
import { PublicNetwork } from "../../../sandbox/network/public";
import { run, succeeds } from "../../../sandbox/run";
import { needs } from "../../capabilities";

/** Far from any range that a person's sandbox takes: the lowest free one comes first. */
const instance = {
  ...describeInstance("nettest", 251),
  stateDir: mkdtempSync(path.join(os.tmpdir(), "zerosteal-net-")),
};
const machine = (id: number): string => `${instance.prefix}-s${id}`;

async function ping(from: string, address: string, ...flags: string[]): Promise<boolean> {
  return succeeds("ip", ["netns", "exec", from, "ping", "-c", "1", "-W", "1", ...flags, address]);
}

async function drops(): Promise<number> {
  const text = await run("ip", [
    "netns",
    "exec",
    `${instance.prefix}-n5`,
    "nft",
    "list",
    "counter",
    "ip",
    "zerosteal",
    "drops",
  ]);
  return Number(/packets (\d+)/.exec(text)?.[1]);
}

describe("emulated networks", function () {
  this.timeout(60_000);
  const outside = new PublicNetwork(instance);
  const inside = new PrivateNetwork(
    instance.prefix,
    { networkId: 5, ipRange: "10.0.0.0/8", gateway: "10.0.0.1", segment: "routed" },
    machine,
  );

  before(async function () {
    needs(this, "root", "ping");
    await clean();
    await outside.open();
    await inside.open();
    for (const id of [1, 2]) {
      await ensureNamespace(machine(id));
      await outside.plug(id, machine(id), `198.18.251.1${id}`);
      const mac = `86:00:00:00:00:0${id}`;
      await inside.attach({
        networkId: 5,
        serverId: id,
        ip: `10.0.0.${id + 1}`,
        aliasIps: [],
        mac,
        interfaceNumber: 1,
      });
    }
  });
  after(async () => {
    await clean();
    await rm(instance.stateDir, { recursive: true });
  });

  async function clean(): Promise<void> {
    if (process.getuid?.() !== 0) return;
    await outside.close();
    await inside.close();
    for (const id of [1, 2]) await removeNamespace(machine(id));
  }

  it("give a machine a /32 with everything behind the gateway, at MTU 1450", async () => {
    const routes = await ip(machine(1), "route show dev enp7s0");
    assert.match(routes, /10\.0\.0\.0\/8 via 10\.0\.0\.1/);
    assert.match(routes, /10\.0\.0\.1 scope link/);
    assert.match(await ip(machine(1), "link show dev enp7s0"), /mtu 1450/);
    assert.match(await ip(machine(1), "addr show dev enp7s0"), /10\.0\.0\.2\/32/);
  });

  it("carry packets of exactly the MTU between machines, and no larger ones", async () => {
    assert.equal(await ping(machine(1), "10.0.0.3", "-M", "do", "-s", "1422"), true);
    assert.equal(await ping(machine(1), "10.0.0.3", "-M", "do", "-s", "1423"), false);
  });

  it("drop and count a source that is not the machine's, until a route makes it so", async () => {
    await ip(machine(1), "addr add 10.244.1.5/32 dev lo");
    const before = await drops();
    assert.equal(await ping(machine(1), "10.0.0.3", "-I", "10.244.1.5"), false);
    assert.equal(await drops(), before + 1);
    await inside.setRoutes([{ destination: "10.244.1.0/24", gateway: "10.0.0.2" }]);
    assert.equal(await ping(machine(1), "10.0.0.3", "-I", "10.244.1.5"), true);
    await inside.setRoutes([]);
    assert.equal(await ping(machine(1), "10.0.0.3", "-I", "10.244.1.5"), false);
  });

  it("lead a route without an attached machine nowhere, and what no route names neither", async () => {
    await inside.setRoutes([{ destination: "10.244.9.0/24", gateway: "10.0.0.9" }]);
    assert.equal(await ping(machine(1), "10.244.9.1"), false);
    assert.equal(await ping(machine(1), "10.200.0.1"), false);
    await inside.setRoutes([]);
  });

  it("let the host reach a server without a firewall, and only by its rules with one", async () => {
    const host = (): Promise<boolean> => succeeds("ping", ["-c", "1", "-W", "1", "198.18.251.11"]);
    assert.equal(await host(), true);
    await outside.setFirewall(1, [{ protocol: "tcp", port: "22", sourceCidrs: ["198.18.251.1/32"] }]);
    assert.equal(await host(), false);
    assert.equal(await ping(machine(1), "198.18.251.1"), true, "answers to what the server sent come back");
    await outside.setFirewall(1, [{ protocol: "icmp", port: null, sourceCidrs: ["198.18.251.1/32"] }]);
    assert.equal(await host(), true);
    assert.equal(await ping(machine(2), "198.18.251.11"), false, "another server is no operator");
    await outside.setFirewall(1, null);
  });

  it("keep a server's firewall while the sandbox's process starts again", async () => {
    const host = (): Promise<boolean> => succeeds("ping", ["-c", "1", "-W", "1", "198.18.251.11"]);
    await outside.setFirewall(1, []);
    assert.equal(await host(), false);
    const next = new PublicNetwork(instance);
    await next.open();
    assert.equal(await host(), false);
    await next.setFirewall(2, []);
    assert.equal(await host(), false, "and while that of another server is set");
    await outside.setFirewall(1, null);
    assert.equal(await host(), true);
  });

  it("let machines reach the mirror on the host and none of its other services", async () => {
    const reached = async (port: number): Promise<boolean> => {
      const server = createServer((socket) => socket.end()).listen(port, instance.hostAddress);
      await once(server, "listening");
      try {
        const connect = `exec 3<>/dev/tcp/${instance.hostAddress}/${port}`;
        return await succeeds("ip", ["netns", "exec", machine(1), "timeout", "2", "bash", "-c", connect]);
      } finally {
        server.close();
      }
    };
    assert.equal(await reached(instance.mirrorPort), true);
    assert.equal(await reached(5001), false);
  });

  it("unplug a machine and forget it", async () => {
    await inside.detach(2);
    assert.equal(await ping(machine(1), "10.0.0.3"), false);
    assert.doesNotMatch(await ip(machine(2), "link show"), /enp7s0/);
    await inside.detach(2);
  });

  it("are the same after being opened again, and gone after being closed twice", async () => {
    await outside.open();
    await inside.open();
    await clean();
    await clean();
    const left = (await listNamespaces()).filter((name) => name.startsWith(`${instance.prefix}-`));
    assert.deepEqual(left, []);
    assert.doesNotMatch(await run("ip", ["route", "show"]), /198\.18\.251/);
  });
});
