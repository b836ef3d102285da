import assert from "node:assert/strict";
import fs from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { createApi, RecordingDriver, type Api, type ApiOptions } from "../../../sandbox/api";

/** A token of the right length. */
export const token = "t".repeat(64);

/** A JSON object as a client gets it; `at` reads in it. */
export type Json = Record<string, unknown>;

/**
 * Reads a value in JSON by its path, e.g. `servers.0.public_net.ipv4.ip`.
 * @returns undefined where the path leads nowhere
 */
export function at(value: unknown, where: string): unknown {
  return where.split(".").reduce<unknown>((inner, key) => {
    return typeof inner === "object" && inner !== null ? (inner as Json)[key] : undefined;
  }, value);
}

/** An answer as tests look at it. */
export interface Reply {
  status: number;
  body: Json;
  headers: Record<string, string | string[] | number | undefined>;
}

/** An emulated cloud in memory, with its state in a temporary folder. */
export interface Harness {
  api: Api;
  driver: RecordingDriver;
  stateDir: string;
  request(method: string, url: string, body?: object | string, headers?: Record<string, string>): Promise<Reply>;
  /** As `request`, and insists on a status from 200 to 299. */
  ok(method: string, url: string, body?: object): Promise<Json>;
  /** As `request`, and insists on this error. Returns its message and details. */
  fails(method: string, url: string, body: object | undefined, status: number, code: string): Promise<Json>;
  /** Closes the API and makes a new one on the same state. */
  restart(driver?: RecordingDriver): Promise<void>;
  close(): Promise<void>;
}

const options = { publicRange: "198.18.0.0/24", mode: "settled", rateLimit: { limit: 1e9, perSecond: 1e6 } } as const;

/** Starts an emulated cloud on a RecordingDriver; replies wait for their actions unless told otherwise. */
export async function start(overrides: Partial<ApiOptions> = {}): Promise<Harness> {
  const stateDir = overrides.stateDir ?? (await fs.mkdtemp(path.join(os.tmpdir(), "zerosteal-api-")));
  const make = (driver: RecordingDriver): Promise<Api> =>
    createApi({ ...options, architectures: ["x86", "arm"], ...overrides, stateDir, driver });
  const firstDriver = new RecordingDriver();
  const harness: Harness = {
    driver: firstDriver,
    api: await make(firstDriver),
    stateDir,
    async request(method, url, body, headers = {}) {
      const response = await harness.api.app.inject({
        method: method as "GET",
        url: url.startsWith("/_") ? url : `/v1${url}`,
        headers: { authorization: `Bearer ${token}`, ...headers },
        ...(body === undefined ? {} : { payload: body }),
      });
      const parsed = response.body === "" ? {} : (JSON.parse(response.body) as unknown);
      return { status: response.statusCode, body: parsed as Json, headers: response.headers };
    },
    async ok(method, url, body) {
      const reply = await harness.request(method, url, body);
      assert.ok(reply.status < 300, `${method} ${url}: ${reply.status} ${JSON.stringify(reply.body)}`);
      return reply.body;
    },
    async fails(method, url, body, status, code) {
      const reply = await harness.request(method, url, body);
      assert.deepEqual(
        { status: reply.status, code: at(reply.body, "error.code") },
        { status, code },
        `${method} ${url}: ${JSON.stringify(reply.body)}`,
      );
      return reply.body.error as Json;
    },
    async restart(driver = harness.driver) {
      await harness.api.close();
      harness.driver = driver;
      harness.api = await make(driver);
    },
    async close() {
      await harness.api.close();
      await fs.rm(stateDir, { recursive: true, force: true });
    },
  };
  return harness;
}

/** A public key whose blob is this seed: each seed has another fingerprint. */
export function publicKey(seed: string, comment = "test"): string {
  const part = (data: Buffer): Buffer => Buffer.concat([Buffer.from([0, 0, 0, data.length]), data]);
  const blob = Buffer.concat([part(Buffer.from("ssh-ed25519")), part(Buffer.from(seed.padEnd(32, ".")))]);
  return `ssh-ed25519 ${blob.toString("base64")} ${comment}`;
}

let counter = 0;

/** Makes a server. @returns its id */
export async function makeServer(cloud: Harness, fields: object = {}): Promise<number> {
  const defaults = { name: `server-${++counter}`, server_type: "ccx13", image: "debian-13", location: "fsn1" };
  const body = await cloud.ok("POST", "/servers", { ...defaults, ...fields });
  return Number(at(body, "server.id"));
}

/** Makes a network 10.0.0.0/16 with the subnet 10.0.1.0/24, or another. @returns its id */
export async function makeNetwork(cloud: Harness, fields: object = {}): Promise<number> {
  const body = await cloud.ok("POST", "/networks", {
    name: `network-${++counter}`,
    ip_range: "10.0.0.0/16",
    subnets: [{ type: "cloud", ip_range: "10.0.1.0/24", network_zone: "eu-central" }],
    ...fields,
  });
  return Number(at(body, "network.id"));
}

/** Holds the driver's calls of a method until released. */
export function hold(
  driver: RecordingDriver,
  method: string,
): { release: () => void; fail: (message: string) => void } {
  let settle: { resolve: () => void; reject: (error: Error) => void } | undefined;
  const gate = new Promise<void>((resolve, reject) => {
    settle = { resolve, reject };
  });
  // A rejection is delivered to the held call; until one is held it must not count as unhandled.
  gate.catch(() => undefined);
  driver.before = (call) => (call.method === method ? gate : undefined);
  const end = (): void => {
    driver.before = () => undefined;
  };
  return {
    release: () => {
      end();
      settle?.resolve();
    },
    fail: (message) => {
      end();
      settle?.reject(new Error(message));
    },
  };
}

/** Lets a method of the driver fail. @returns a function that mends it */
export function breakMethod(driver: RecordingDriver, method: string, message: string): () => void {
  driver.before = (call) => (call.method === method ? Promise.reject(new Error(message)) : undefined);
  return () => {
    driver.before = () => undefined;
  };
}

/** Polls an action until it is over. */
export async function finished(cloud: Harness, id: number): Promise<Json> {
  for (let tries = 0; tries < 500; tries++) {
    const action = at(await cloud.ok("GET", `/actions/${id}`), "action") as Json;
    if (action.status !== "running") return action;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error(`action ${id} does not end`);
}
