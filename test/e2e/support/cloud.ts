import assert from "node:assert/strict";
import type { Engine } from "../../../cli/engine";
import { eventually } from "./wait";

/** A server as the cloud's API shows it, as far as the suites read it. */
export interface ServerView {
  id: number;
  name: string;
  status: string;
  labels: Record<string, string>;
  public_net: { ipv4: { ip: string } };
}

/** Calls the cloud's API as the operator. @throws when it refuses */
export async function cloud<T>(engine: Engine, method: string, route: string, body?: object): Promise<T> {
  const response = await fetch(`${engine.env.HCLOUD_ENDPOINT}${route}`, {
    method,
    headers: { authorization: `Bearer ${engine.env.HCLOUD_TOKEN}`, "content-type": "application/json" },
    body: body && JSON.stringify(body),
  });
  const text = await response.text();
  assert.ok(response.ok, `${method} ${route}: HTTP ${response.status} ${text}`);
  return (text ? JSON.parse(text) : {}) as T;
}

/** Calls an endpoint that answers with an action, and waits until the action has succeeded. */
export async function act(engine: Engine, route: string, body?: object): Promise<void> {
  const { action } = await cloud<{ action: { id: number } }>(engine, "POST", route, body);
  await eventually(async () => {
    const now = await cloud<{ action: { status: string; error: unknown } }>(engine, "GET", `/actions/${action.id}`);
    assert.equal(now.action.status, "success", `${route}: ${JSON.stringify(now.action)}`);
  });
}
