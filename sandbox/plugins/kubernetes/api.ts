import https from "node:https";
import type { JsonBag } from "../core/values";

/** An object as the API server writes it. */
export interface KubeObject {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string; generation?: number; [key: string]: unknown };
  spec?: JsonBag;
  status?: JsonBag;
  [key: string]: unknown;
}

/** The API server said no, in its own words. */
export class KubeError extends Error {
  constructor(
    message: string,
    readonly status: number,
    /** e.g. `AlreadyExists`, `Conflict`. */
    readonly reason: string,
  ) {
    super(message);
  }
}

/** No answer at all. */
export class Unreachable extends Error {}

/** The API server does not know the kind: usually one whose CustomResourceDefinition is not there yet. */
export class NoSuchKind extends Error {}

export interface Target {
  apiVersion: string;
  kind: string;
  namespace?: string;
  name: string;
}

interface Discovered {
  /** Name in paths, e.g. `deployments`. */
  plural: string;
  namespaced: boolean;
}

interface Reply {
  status: number;
  body: unknown;
}

const longestAnswer = 60_000;

/** A cluster's API, as far as single objects need it. */
export class KubeApiClient {
  private connection: Promise<{ server: string; options: https.RequestOptions }> | undefined;
  private readonly kinds = new Map<string, Discovered>();

  /** @param kubeconfig content; undefined: found as kubectl finds it */
  constructor(
    private readonly kubeconfig: string | undefined,
    private readonly context?: string,
  ) {}

  /** Whether objects of a kind lie in namespaces. @throws NoSuchKind, Unreachable, KubeError */
  async namespaced(apiVersion: string, kind: string, signal?: AbortSignal): Promise<boolean> {
    return (await this.discover(apiVersion, kind, signal)).namespaced;
  }

  /** Undefined: there is none. @throws NoSuchKind, Unreachable, KubeError */
  async get(target: Target, signal?: AbortSignal): Promise<KubeObject | undefined> {
    try {
      return (await this.request("GET", await this.pathOf(target, signal), { signal })) as KubeObject;
    } catch (error) {
      if (error instanceof KubeError && error.status === 404) return undefined;
      throw error;
    }
  }

  /** Reads by path. @throws Unreachable, KubeError */
  list(path: string, signal?: AbortSignal): Promise<{ items: KubeObject[] }> {
    return this.request("GET", path, { signal }) as Promise<{ items: KubeObject[] }>;
  }

  /** Server-side apply. @throws NoSuchKind, Unreachable, KubeError */
  async apply(
    target: Target,
    object: JsonBag,
    { fieldManager, force }: { fieldManager: string; force: boolean },
    signal?: AbortSignal,
  ): Promise<KubeObject> {
    const query = new URLSearchParams({ fieldManager, force: String(force), fieldValidation: "Warn" });
    const path = `${await this.pathOf(target, signal)}?${query.toString()}`;
    const applied = await this.request("PATCH", path, { body: object, type: "application/apply-patch+yaml", signal });
    return applied as KubeObject;
  }

  /** False: there was none. @throws NoSuchKind, Unreachable, KubeError */
  async delete(target: Target, propagationPolicy: string, signal?: AbortSignal): Promise<boolean> {
    const body = { apiVersion: "v1", kind: "DeleteOptions", propagationPolicy };
    try {
      await this.request("DELETE", await this.pathOf(target, signal), { body, signal });
      return true;
    } catch (error) {
      if (error instanceof KubeError && error.status === 404) return false;
      throw error;
    }
  }

  private async pathOf({ apiVersion, kind, namespace, name }: Target, signal?: AbortSignal): Promise<string> {
    const { plural, namespaced } = await this.discover(apiVersion, kind, signal);
    const within = namespaced ? `/namespaces/${encodeURIComponent(namespace ?? "default")}` : "";
    return `${groupPath(apiVersion)}${within}/${plural}/${encodeURIComponent(name)}`;
  }

  private async discover(apiVersion: string, kind: string, signal?: AbortSignal): Promise<Discovered> {
    const key = `${apiVersion}/${kind}`;
    const known = this.kinds.get(key);
    if (known) return known;
    interface Entry {
      name: string;
      kind: string;
      namespaced: boolean;
    }
    const missing = new NoSuchKind(`no matches for kind "${kind}" in version "${apiVersion}"`);
    const list = (await this.request("GET", groupPath(apiVersion), { signal }).catch((error: unknown) => {
      throw error instanceof KubeError && error.status === 404 ? missing : error;
    })) as { resources: Entry[] };
    const found = list.resources.find((entry) => entry.kind === kind && !entry.name.includes("/"));
    if (!found) throw missing;
    const discovered = { plural: found.name, namespaced: found.namespaced };
    this.kinds.set(key, discovered);
    return discovered;
  }

  private async request(
    method: string,
    path: string,
    { body, type = "application/json", signal }: { body?: unknown; type?: string; signal?: AbortSignal },
  ): Promise<unknown> {
    const { server, options } = await this.connect();
    const text = body === undefined ? undefined : JSON.stringify(body);
    const headers = {
      ...(options.headers as { [name: string]: string } | undefined),
      accept: "application/json",
      ...(text ? { "content-type": type } : {}),
    };
    const reply = await send(new URL(server.replace(/\/$/, "") + path), { ...options, method, headers, signal }, text);
    if (reply.status < 400) return reply.body;
    const { message, reason } = (reply.body ?? {}) as { message?: string; reason?: string };
    throw new KubeError(message ?? `the server answered ${reply.status}`, reply.status, reason ?? "");
  }

  private connect(): Promise<{ server: string; options: https.RequestOptions }> {
    this.connection ??= (async () => {
      // Loading it takes a while, and most runs of the plugin do without.
      const { KubeConfig } = await import("@kubernetes/client-node");
      const config = new KubeConfig();
      if (this.kubeconfig === undefined) config.loadFromDefault();
      else config.loadFromString(this.kubeconfig);
      if (this.context !== undefined) config.setCurrentContext(this.context);
      const cluster = config.getCurrentCluster();
      if (!cluster) throw new Error("the kubeconfig names no current cluster");
      const options: https.RequestOptions = {};
      await config.applyToHTTPSOptions(options);
      return { server: cluster.server, options };
    })();
    return this.connection;
  }
}

function groupPath(apiVersion: string): string {
  return apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
}

function send(url: URL, options: https.RequestOptions, text: string | undefined): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void =>
      reject(options.signal?.aborted ? (options.signal.reason as Error) : new Unreachable(error.message));
    const request = https.request(url, { ...options, timeout: longestAnswer }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", fail);
      response.on("end", () => resolve({ status: response.statusCode ?? 0, body: parsed(Buffer.concat(chunks)) }));
    });
    request.on("timeout", () => request.destroy(new Error("i/o timeout")));
    request.on("error", fail);
    request.end(text);
  });
}

function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    return undefined;
  }
}
