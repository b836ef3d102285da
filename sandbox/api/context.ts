import type { CloudDriver } from "../cloud";
import type { Actions } from "./actions";
import type { FirewallSync } from "./firewallSync";
import type { Project, Store } from "./store";

/** Settings of an emulated cloud that its handlers need. */
export interface Settings {
  /** IPv4 /24 of public addresses. */
  publicRange: string;
  /** Architectures the driver's machines can run. */
  architectures: readonly ("x86" | "arm")[];
  /** Whether outbound firewall rules are taken although no driver enforces them. */
  acceptOutboundRules: boolean;
  /** Servers a project may have. */
  serverLimit: number;
}

/** What every handler works with. */
export interface Context {
  store: Store;
  driver: CloudDriver;
  actions: Actions;
  firewalls: FirewallSync;
  settings: Settings;
  now: () => Date;
}

/** One request, after authentication and parsing. */
export interface Call {
  project: Project;
  /** Named parts of the path. */
  params: Record<string, string>;
  query: URLSearchParams;
  /** The JSON object of the body, empty if there was none. */
  body: Record<string, unknown>;
  /** Injected by a test: the actions of this request fail with it. */
  actionFault: { code: string; message: string } | null;
  /** Absolute URL without the query, for `Link`. */
  url: string;
}

/** What a handler answers. */
export interface Answer {
  status: number;
  /** Left out for 204. */
  body?: object;
  headers?: Record<string, string>;
}

/** One endpoint; the path is relative to `/v1`, with `:name` for its parts. */
export interface Route {
  method: "GET" | "POST" | "PUT" | "DELETE";
  path: string;
  handler: (call: Call) => Promise<Answer> | Answer;
}

/** A time as the API writes it: RFC 3339 in UTC, without fractions. */
export function timestamp(now: Date): string {
  return now.toISOString().replace(/\.\d{3}Z$/, "Z");
}
