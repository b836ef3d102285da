import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { ip } from "../../../sandbox/network/namespaces";
import { type Cluster, type LiveNode, routerNamespace } from "./cluster";

/** Device of the delayed way in the router, and number of its routing table. */
const device = "delay";
const table = 77;

/**
 * Has packets from one node to another node's pods arrive later while some work is done: the private network's router sends them through
 * a forwarder in user space.
 * @param milliseconds how much later
 */
export async function withDelay<T>(
  cluster: Cluster,
  from: LiveNode,
  to: LiveNode,
  milliseconds: number,
  work: () => Promise<T>,
): Promise<T> {
  const router = await routerNamespace(cluster);
  const script = path.join(__dirname, "delay.py");
  const forwarder = spawn("ip", ["netns", "exec", router, "python3", script, device, String(milliseconds)], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const ended = new Promise((resolve) => forwarder.on("exit", resolve));
  const rule = `iif s${from.serverId} to ${to.podCidr} lookup ${table}`;
  try {
    assert.equal(await firstLine(forwarder.stdout), "ready");
    await ip(router, `link set dev ${device} up`);
    await ip(router, `route replace default dev ${device} table ${table}`);
    await ip(router, `rule add ${rule}`);
    return await work();
  } finally {
    // The device goes with the forwarder, and its route with the device.
    forwarder.stdin.end();
    await ended;
    await ip(router, `rule delete ${rule}`).catch(() => "");
  }
}

/** What a program says first. Its output stays open: a program whose reader is gone ends when it says more. */
async function firstLine(stream: NodeJS.ReadableStream): Promise<string> {
  return await Promise.race([
    once(stream, "data").then(([chunk]) => String(chunk).trim()),
    once(stream, "end").then(() => ""),
  ]);
}
