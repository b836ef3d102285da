import { randomBytes } from "node:crypto";
import { setTimeout as wait } from "node:timers/promises";
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import type { Answer, Call, Context, Route } from "./context";
import { ApiError, messageOf } from "./errors";
import { errorOf, Faults } from "./faults";
import { RateLimiter, type RateLimit } from "./rateLimit";
import { sandboxRoutes } from "./sandboxRoutes";
import { keyOf, readOnlyPrefix } from "./store";

/** What the HTTP side needs beside the handlers. */
export interface HttpOptions {
  context: Context;
  routes: Route[];
  /** Tokens that are let in; null: any of the right length. */
  tokens: readonly string[] | null;
  rateLimit: RateLimit;
  log: (line: string) => void;
}

/** Characters of a token; the Terraform provider insists on it. */
export const tokenLength = 64;
const prefix = "/v1";

/** Builds the server: authentication, rate limit, faults, errors, headers around the given endpoints. */
export function buildServer(options: HttpOptions): FastifyInstance {
  const app = Fastify({
    logger: false,
    forceCloseConnections: true,
    // Errors before routing, e.g. a path that is not valid percent-encoding.
    frameworkErrors: (error, request, reply) => {
      void sendError(reply, error, request, options.log);
    },
  });
  const faults = new Faults();
  const limiter = new RateLimiter(options.rateLimit, options.context.now);
  acceptJson(app);
  app.addHook("onRequest", (_request, reply, done) => {
    void reply.header("x-correlation-id", randomBytes(8).toString("hex"));
    done();
  });
  app.setErrorHandler((error, request, reply) => sendError(reply, error, request, options.log));
  app.setNotFoundHandler((request, reply) =>
    sendError(reply, unknownEndpoint(options.routes, request), request, options.log),
  );
  for (const route of options.routes) {
    app.route({
      method: route.method,
      url: prefix + route.path,
      handler: async (request, reply) => {
        const call = admit(options, limiter, request, reply);
        await meetFault(faults, call, request);
        return send(reply, await route.handler(call));
      },
    });
  }
  for (const route of sandboxRoutes(options.context, faults)) {
    app.route({
      method: route.method,
      url: route.path,
      handler: async (request, reply) => {
        requireLoopback(request);
        return send(reply, await route.handler(callOf(options, request)));
      },
    });
  }
  return app;
}

/** Bodies are JSON whatever their Content-Type says, and may be missing. */
function acceptJson(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", { parseAs: "string" }, (_request, text, done) => {
    try {
      const value: unknown = text.length === 0 ? {} : JSON.parse(text.toString());
      if (typeof value !== "object" || value === null || Array.isArray(value)) throw new Error("not an object");
      done(null, value);
    } catch (error) {
      done(new ApiError(400, "json_error", `invalid JSON in request body: ${messageOf(error)}`));
    }
  });
}

/** Lets a request in: token, then rate limit, then rights. */
function admit(options: HttpOptions, limiter: RateLimiter, request: FastifyRequest, reply: FastifyReply): Call {
  const call = callOf(options, request);
  const { allowed, headers } = limiter.take(call.project.key);
  void reply.headers(headers);
  if (!allowed) throw new ApiError(429, "rate_limit_exceeded", "limit of requests per hour reached");
  if (request.method !== "GET" && tokenOf(request).startsWith(readOnlyPrefix)) {
    throw new ApiError(401, "token_readonly", "the token is only allowed to perform GET requests");
  }
  return call;
}

function callOf(options: HttpOptions, request: FastifyRequest): Call {
  const token = tokenOf(request);
  const known = options.tokens === null || options.tokens.some((candidate) => keyOf(candidate) === keyOf(token));
  if (token.length !== tokenLength || !known) {
    throw new ApiError(401, "unauthorized", "unable to authenticate");
  }
  const { pathname, searchParams } = new URL(request.url, `http://${request.host}`);
  return {
    project: options.context.store.projectOf(token),
    params: (request.params ?? {}) as Record<string, string>,
    query: searchParams,
    body: (request.body ?? {}) as Record<string, unknown>,
    actionFault: null,
    url: `http://${request.host}${pathname}`,
  };
}

function tokenOf(request: FastifyRequest): string {
  return /^Bearer (\S+)$/i.exec(request.headers.authorization ?? "")?.[1] ?? "";
}

async function meetFault(faults: Faults, call: Call, request: FastifyRequest): Promise<void> {
  const fault = faults.take(call.project.key, request.method, pathOf(request).slice(prefix.length));
  if (!fault) return;
  if (fault.delayMs > 0) await wait(fault.delayMs);
  if (fault.error) throw errorOf(fault.error);
  call.actionFault = fault.actionError;
}

function send(reply: FastifyReply, answer: Answer): FastifyReply {
  void reply.code(answer.status).headers(answer.headers ?? {});
  // A 204 must be empty, everything else must be JSON by its header too: clients ignore other bodies.
  if (!answer.body) return reply.send();
  return reply.header("content-type", "application/json; charset=utf-8").send(JSON.stringify(answer.body));
}

function sendError(
  reply: FastifyReply,
  error: unknown,
  request: FastifyRequest,
  log: (line: string) => void,
): FastifyReply {
  const answer = asApiError(error);
  if (answer.status === 500) log(`${request.method} ${pathOf(request)} failed: ${messageOf(error)}`);
  return send(reply, { status: answer.status, body: answer.toBody() });
}

function asApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  const status = (error as { statusCode?: number } | null)?.statusCode;
  if (status !== undefined && status >= 400 && status < 500) return new ApiError(400, "json_error", messageOf(error));
  return new ApiError(500, "server_error", `the sandbox failed: ${messageOf(error)}`);
}

function unknownEndpoint(routes: Route[], request: FastifyRequest): ApiError {
  const parts = pathOf(request).split("/");
  const exists = routes.some((route) => {
    const wanted = (prefix + route.path).split("/");
    return (
      wanted.length === parts.length && wanted.every((part, index) => part.startsWith(":") || part === parts[index])
    );
  });
  if (exists) return new ApiError(405, "method_not_allowed", `${request.method} is not allowed here`);
  return new ApiError(404, "not_found", `${pathOf(request)} does not exist; the API's paths begin with ${prefix}`);
}

function pathOf(request: FastifyRequest): string {
  return request.url.split("?", 1)[0] ?? "";
}

function requireLoopback(request: FastifyRequest): void {
  if (!/^(::ffff:)?127\.|^::1$/.test(request.ip)) throw new ApiError(403, "forbidden", "only from this machine");
}
