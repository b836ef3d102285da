import type { FastifyInstance } from "fastify";
import type { CloudDriver } from "../cloud";
import { actionRoutes } from "./actionRoutes";
import { Actions } from "./actions";
import { parseBlock } from "./addresses";
import { catalogueRoutes } from "./catalogueRoutes";
import type { Context, Settings } from "./context";
import { firewallActionRoutes } from "./firewallActions";
import { firewallRoutes } from "./firewalls";
import { FirewallSync } from "./firewallSync";
import { buildServer, tokenLength } from "./http";
import { networkActionRoutes } from "./networkActions";
import { networkRoutes } from "./networks";
import { placementGroupRoutes } from "./placementGroups";
import { primaryIpRoutes } from "./primaryIps";
import type { RateLimit } from "./rateLimit";
import { reconcile, type ReconcileProblem } from "./reconcile";
import { serverActionRoutes } from "./serverActions";
import { serverRoutes } from "./servers";
import { sshKeyRoutes } from "./sshKeys";
import { Store } from "./store";

export type { ReconcileProblem } from "./reconcile";
export { RecordingDriver } from "./recordingDriver";

/** How an emulated cloud is made. */
export interface ApiOptions {
  /** Folder of the durable state, one file per project. Made if missing. */
  stateDir: string;
  /** What has the machines and networks. */
  driver: CloudDriver;
  /** IPv4 /24 for public addresses, e.g. `198.18.0.0/24`; machines get .10 to .199. */
  publicRange: string;
  /** Tokens that are let in, 64 characters each. Default: any token of that length; each is a project of its own. */
  tokens?: readonly string[];
  /**
   * `async` (default): replies show actions that need the driver as running, as the real API does.
   * `settled`: replies wait for them, so clients never poll. For tests of engines.
   */
  mode?: "async" | "settled";
  /** Default: the real API's 3600 requests an hour. */
  rateLimit?: RateLimit;
  /** Architectures that the driver's machines can run. Default: this host's own. */
  architectures?: Settings["architectures"];
  /** Whether outbound firewall rules are stored although no driver enforces them. Default false: they are refused. */
  acceptOutboundRules?: boolean;
  /** Servers a project may have. Default 100. */
  serverLimit?: number;
  /** Clock. Default: the system's. */
  now?: () => Date;
  /** Takes lines about failures that no client sees in full. Default: standard error. */
  log?: (line: string) => void;
}

/** An emulated cloud. */
export interface Api {
  /** The HTTP server, for tests that inject requests. */
  app: FastifyInstance;
  /**
   * Listens on 127.0.0.1.
   * @param port 0 picks a free one
   * @returns the endpoint for clients, e.g. `http://127.0.0.1:18000/v1`
   */
  listen(port: number): Promise<string>;
  /** Brings the driver to what the state says and ends interrupted actions. Call it once at the start, before `listen`. */
  reconcile(): Promise<ReconcileProblem[]>;
  /** Stops listening. Work of the driver under way is left to it; the next `reconcile` takes it up. */
  close(): Promise<void>;
}

/**
 * Makes an emulated Hetzner Cloud API on top of a driver.
 * @throws an error if the range is no /24 or a state file is unreadable
 */
export async function createApi(options: ApiOptions): Promise<Api> {
  if (parseBlock(options.publicRange)?.prefix !== 24) {
    throw new Error(`publicRange ${options.publicRange} is not an IPv4 /24; give one such as 198.18.0.0/24`);
  }
  if (options.tokens?.some((token) => token.length !== tokenLength)) {
    throw new Error(`every token must have ${tokenLength} characters, as the real ones do`);
  }
  const log = options.log ?? ((line: string) => process.stderr.write(`${line}\n`));
  const context = await contextOf(options, log);
  const app = buildServer({
    context,
    routes: routesOf(context),
    tokens: options.tokens ?? null,
    rateLimit: options.rateLimit ?? { limit: 3600, perSecond: 1 },
    log,
  });
  return {
    app,
    listen: async (port) => `${await app.listen({ host: "127.0.0.1", port })}/v1`,
    reconcile: async () => {
      const problems = await reconcile(context);
      for (const { resource, message } of problems) log(`${resource} is not as it should be: ${message}`);
      return problems;
    },
    close: async () => {
      await app.close();
      await context.store.close();
    },
  };
}

async function contextOf(options: ApiOptions, log: (line: string) => void): Promise<Context> {
  const now = options.now ?? (() => new Date());
  return {
    store: await Store.open(options.stateDir),
    driver: options.driver,
    actions: new Actions(options.mode === "settled", now, log),
    firewalls: new FirewallSync(options.driver),
    settings: {
      publicRange: options.publicRange,
      architectures: options.architectures ?? [process.arch === "arm64" ? "arm" : "x86"],
      acceptOutboundRules: options.acceptOutboundRules ?? false,
      serverLimit: options.serverLimit ?? 100,
    },
    now,
  };
}

function routesOf(context: Context): ReturnType<typeof actionRoutes> {
  return [
    ...actionRoutes(),
    ...catalogueRoutes(context),
    ...sshKeyRoutes(context),
    ...networkRoutes(context),
    ...networkActionRoutes(context),
    ...serverRoutes(context),
    ...serverActionRoutes(context),
    ...placementGroupRoutes(context),
    ...firewallRoutes(context),
    ...firewallActionRoutes(context),
    ...primaryIpRoutes(),
  ];
}
