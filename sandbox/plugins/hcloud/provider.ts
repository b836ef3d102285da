import type { PluginProvider, ResourceHandler } from "../core/provider";
import { type Bag, type JsonBag, revealBag } from "../core/values";
import { Api, type ApiSettings } from "./api";
import { type CloudResource, cloudResource } from "./cloudResource";
import { firewall } from "./firewall";
import { firewallAttachment } from "./firewallAttachment";
import { callFunction, functions } from "./functions";
import { network } from "./network";
import { networkRoute } from "./networkRoute";
import { networkSubnet } from "./networkSubnet";
import { placementGroup } from "./placementGroup";
import { server } from "./server";
import { serverNetwork } from "./serverNetwork";
import { sshKey } from "./sshKey";

const kinds: { [module: string]: CloudResource } = {
  firewall,
  firewallAttachment,
  network,
  networkRoute,
  networkSubnet,
  placementGroup,
  server,
  serverNetwork,
  sshKey,
};

const publicEndpoint = "https://api.hetzner.cloud/v1";

/** The stand-in for the hcloud plugin. */
export function hcloudProvider(version: string): PluginProvider {
  let settings: ApiSettings | undefined;
  const connect = (signal: AbortSignal): Api => {
    if (settings === undefined) throw new Error("the hcloud provider is not configured");
    return new Api(settings, signal);
  };
  const resources: { [type: string]: ResourceHandler } = {};
  for (const [module, kind] of Object.entries(kinds)) {
    const className = module.charAt(0).toUpperCase() + module.slice(1);
    resources[`hcloud:index/${module}:${className}`] = cloudResource(kind, connect);
  }
  return {
    name: "hcloud",
    version,
    configure: async (config) => {
      settings = readSettings(config, version);
    },
    resource: (type) => resources[type],
    invoke: (token) => {
      const run = functions[token.replace(/^hcloud:/, "")];
      return run && ((args, { signal }) => callFunction(run, connect(signal), args));
    },
  };
}

/** Reads the provider's settings: what the program or the stack says, else the environment. */
export function readSettings(config: Bag, version: string): ApiSettings {
  const given = revealBag(config);
  const token = text(given, "token") ?? process.env.HCLOUD_TOKEN ?? "";
  if (token === "") {
    throw new Error(
      "hcloud:token is missing: run `pulumi config set --secret hcloud:token`, or set HCLOUD_TOKEN in the environment",
    );
  }
  if (token.length !== 64) throw new Error("entered token is invalid (must be exactly 64 characters long)");
  const pollFunction = text(given, "pollFunction") ?? "exponential";
  if (pollFunction !== "constant" && pollFunction !== "exponential") {
    throw new Error(`poll_function "${pollFunction}" is neither "constant" nor "exponential"`);
  }
  return {
    token,
    endpoint: text(given, "endpoint") ?? (process.env.HCLOUD_ENDPOINT || publicEndpoint),
    pollInterval: parseDuration(text(given, "pollInterval") ?? "500ms"),
    pollFunction,
    userAgent: `zerosteal-hcloud-stand-in/${version}`,
  };
}

const units: { [unit: string]: number } = { ns: 1e-6, us: 1e-3, ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** Milliseconds of a duration as Go writes it: `500ms`, `1m30s`. */
export function parseDuration(duration: string): number {
  const parts = [...duration.matchAll(/(\d+(?:\.\d+)?)(ns|us|ms|s|m|h)/g)];
  if (parts.length === 0 || parts.map((part) => part[0]).join("") !== duration) {
    throw new Error(`time: invalid duration ${JSON.stringify(duration)}; write it like 500ms or 1m30s`);
  }
  return parts.reduce((sum, [, count, unit]) => sum + Number(count) * (units[unit ?? ""] ?? 0), 0);
}

function text(config: JsonBag, key: string): string | undefined {
  const value = config[key];
  return typeof value === "string" && value !== "" ? value : undefined;
}
