import { setTimeout as sleep } from "node:timers/promises";
import { invalidInputText, requestFailure } from "./errorText";

/** An action as the API shows it. */
export interface Action {
  id: number;
  status: "running" | "success" | "error";
  command: string;
  error: { code: string; message: string } | null;
}

/** An error that the API answered with. */
export class ApiError extends Error {
  constructor(
    readonly code: string,
    readonly apiMessage: string,
    readonly correlationId: string,
    readonly details: unknown,
  ) {
    const origin = correlationId === "" ? code : `${code}, ${correlationId}`;
    super(`${apiMessage} (${origin})${invalidInputText(code, details)}`);
  }
}

export function hasCode(error: unknown, ...codes: string[]): boolean {
  return error instanceof ApiError && codes.includes(error.code);
}

export interface ApiSettings {
  token: string;
  /** Base URL with the version, e.g. `http://127.0.0.1:18000/v1`. */
  endpoint: string;
  /** Milliseconds between polls of an action; the first ones if exponential. */
  pollInterval: number;
  pollFunction: "constant" | "exponential";
  userAgent: string;
}

interface Query {
  [key: string]: string | number | boolean | (string | number)[] | undefined;
}

// What a client of this API tries again by itself, and how often.
const transientCodes = ["conflict", "rate_limit_exceeded", "bad_gateway", "timeout"];
const transientRetries = 5;

/** A client of the Hetzner Cloud API with the retries and polls of the real provider's client. */
export class Api {
  constructor(
    private readonly settings: ApiSettings,
    private readonly signal: AbortSignal,
  ) {}

  get<T>(path: string, query: Query = {}): Promise<T> {
    return this.request<T>("GET", withQuery(path, query));
  }

  post<T>(path: string, body?: object): Promise<T> {
    return this.request<T>("POST", path, body);
  }

  put<T>(path: string, body: object): Promise<T> {
    return this.request<T>("PUT", path, body);
  }

  delete<T>(path: string): Promise<T> {
    return this.request<T>("DELETE", path);
  }

  /** As get, with undefined for an object that does not exist. */
  async find<T>(path: string): Promise<T | undefined> {
    try {
      return await this.get<T>(path);
    } catch (error) {
      if (hasCode(error, "not_found")) return undefined;
      throw error;
    }
  }

  /** All entries of a list, page after page. */
  async all<T>(path: string, key: string, query: Query = {}): Promise<T[]> {
    const found: T[] = [];
    for (let page: number | null = 1; page !== null;) {
      type Page = { meta: { pagination: { next_page: number | null } } } & { [key: string]: T[] };
      const answer: Page = await this.get<Page>(path, { ...query, page, per_page: 50 });
      found.push(...(answer[key] ?? []));
      page = answer.meta.pagination.next_page;
    }
    return found;
  }

  /** Waits until all actions have ended. Throws the first failure in the API's words. */
  async wait(...actions: (Action | null | undefined)[]): Promise<void> {
    let pending = actions.filter((action) => action !== null && action !== undefined);
    for (let polls = 0; ; polls++) {
      const failed = pending.find((action) => action.status === "error");
      if (failed) throw new Error(actionFailure(failed));
      pending = pending.filter((action) => action.status === "running");
      if (pending.length === 0) return;
      await this.pause(this.pollDelay(polls));
      const ids = pending.map((action) => action.id);
      const { actions: seen } = await this.get<{ actions: Action[] }>("/actions", { id: ids, sort: ["status", "id"] });
      const missing = ids.filter((id) => !seen.some((action) => action.id === id));
      if (missing.length > 0) throw new Error(`actions not found: [${missing.join(" ")}]`);
      pending = seen;
    }
  }

  /**
   * Does something up to `tries` times while it fails with one of the codes, waiting 1, 2, 4, … 60 s in between.
   * @param retryable codes, or a test of the error
   */
  async retry<T>(
    tries: number,
    retryable: string[] | ((error: unknown) => boolean),
    work: () => Promise<T>,
  ): Promise<T> {
    const again = Array.isArray(retryable) ? (error: unknown) => hasCode(error, ...retryable) : retryable;
    for (let attempt = 0; ; attempt++) {
      try {
        return await work();
      } catch (error) {
        if (!again(error) || attempt + 1 >= tries) throw error;
        await this.pause(Math.min(1000 * 2 ** attempt, 60_000));
      }
    }
  }

  /** Waits unless the engine has cancelled; a request under way is never torn, so that what it makes is not lost. */
  async pause(milliseconds: number): Promise<void> {
    await sleep(milliseconds, undefined, { signal: this.signal }).catch(() => {
      throw this.signal.reason;
    });
  }

  private pollDelay(polls: number): number {
    const { pollInterval, pollFunction } = this.settings;
    return pollFunction === "constant" ? pollInterval : Math.min(pollInterval * 2 ** polls, 60_000);
  }

  private async request<T>(method: string, path: string, body?: object): Promise<T> {
    for (let attempt = 0; ; attempt++) {
      try {
        return await this.send<T>(method, path, body);
      } catch (error) {
        if (!hasCode(error, ...transientCodes) || attempt >= transientRetries) throw error;
        const full = Math.min(1000 * 2 ** attempt, 60_000);
        await this.pause(full * (0.5 + Math.random() / 2));
      }
    }
  }

  private async send<T>(method: string, path: string, body: object | undefined): Promise<T> {
    const { endpoint, token, userAgent } = this.settings;
    const url = endpoint.replace(/\/+$/, "") + path;
    const headers: { [name: string]: string } = { Authorization: `Bearer ${token}`, "User-Agent": userAgent };
    if (body !== undefined) headers["Content-Type"] = "application/json";
    const text = body === undefined ? undefined : JSON.stringify(body);
    const response = await fetch(url, { method, headers, body: text }).catch((error: unknown) => {
      throw new Error(requestFailure(method, url, error as Error), { cause: error });
    });
    const answer = await response.text();
    const isJson = (response.headers.get("content-type") ?? "").startsWith("application/json");
    const parsed: unknown = isJson && answer !== "" ? JSON.parse(answer) : undefined;
    if (response.ok) return parsed as T;
    const correlation = response.headers.get("x-correlation-id") ?? "";
    const error = (parsed as { error?: { code?: string; message?: string; details?: unknown } } | undefined)?.error;
    if (error?.code) throw new ApiError(error.code, error.message ?? "", correlation, error.details);
    const code = { 502: "bad_gateway", 504: "timeout" }[response.status];
    if (code) throw new ApiError(code, `server responded with status code ${response.status}`, correlation, null);
    throw new Error(`server responded with status code ${response.status}`);
  }
}

function withQuery(path: string, query: Query): string {
  const parameters = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) {
    for (const item of Array.isArray(value) ? value : [value]) {
      if (item !== undefined) parameters.append(key, String(item));
    }
  }
  return parameters.size === 0 ? path : `${path}?${parameters.toString()}`;
}

function actionFailure(action: Action): string {
  return `${action.error?.message ?? "action failed"} (${action.error?.code ?? "unknown"}, ${action.id})`;
}
