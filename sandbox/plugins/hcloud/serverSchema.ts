import { createHash } from "node:crypto";
import { type Bag, type Json, type JsonBag, open, type Value } from "../core/values";
import { labels, maps, name } from "./fields";
import type { Field, Schema } from "./schema";
import { networkMatches } from "./serverNetworks";

const onlyReal = (what: string): Pick<Field, "check"> => ({
  check: () => `the sandbox's stand-in has no ${what}; drop it, or use the real plugin`,
});

/** What is recorded of user data: its hash, so that a state stays small. */
export function userDataHash(userData: Json): string {
  return createHash("sha1").update(String(userData)).digest("base64");
}

export const serverSchema: Schema = {
  name,
  serverType: { kind: "string", required: true },
  image: { kind: "string", computed: true, forceNew: true },
  location: { kind: "string", computed: true, forceNew: true },
  datacenter: {
    kind: "string",
    computed: true,
    check: () => "Removed Attribute. The datacenter attribute is removed; use the location attribute instead.",
  },
  userData: { kind: "string", forceNew: true, recorded: userDataHash },
  sshKeys: {
    kind: "list",
    forceNew: true,
    check: (keys) =>
      Array.isArray(keys) && keys.includes("")
        ? "Invalid ssh key passed. You need to pass a string with at least 1 character"
        : undefined,
  },
  keepDisk: { kind: "bool", default: false },
  allowDeprecatedImages: { kind: "bool" },
  backups: { kind: "bool", default: false },
  iso: { kind: "string", ...onlyReal("iso") },
  rescue: { kind: "string", ...onlyReal("rescue") },
  labels,
  publicNets: { kind: "set", computed: true, matches: publicNetMatches },
  networks: { kind: "set", computed: true, matches: networkMatches },
  ignoreRemoteFirewallIds: { kind: "bool", default: false },
  firewallIds: { kind: "set", computed: true },
  placementGroupId: { kind: "int" },
  deleteProtection: { kind: "bool", default: false },
  rebuildProtection: { kind: "bool", default: false },
  shutdownBeforeDeletion: { kind: "bool", default: false },
  backupWindow: { kind: "string", output: true },
  ipv4Address: { kind: "string", output: true },
  ipv6Address: { kind: "string", output: true },
  ipv6Network: { kind: "string", output: true },
  status: { kind: "string", output: true },
  primaryDiskSize: { kind: "int", output: true },
};

function publicNetMatches(recorded: JsonBag, wanted: JsonBag): boolean {
  const enabled = (net: JsonBag, key: string): boolean => (net[key] ?? true) === true;
  return ["ipv4", "ipv6"].every((version) => {
    if (enabled(recorded, `${version}Enabled`) !== enabled(wanted, `${version}Enabled`)) return false;
    return !wanted[version] || Number(recorded[version]) === Number(wanted[version]);
  });
}

/** Fills in what the entries of lists leave out, as the real plugin does before it checks. */
export function prepareServer(inputs: Bag): Bag {
  const prepared = { ...inputs };
  mapEntries(prepared, "networks", { aliasIps: [] });
  mapEntries(prepared, "publicNets", { ipv4Enabled: true, ipv6Enabled: true });
  return prepared;
}

function mapEntries(inputs: Bag, key: string, defaults: Bag): void {
  const list = inputs[key];
  if (!Array.isArray(list)) return;
  inputs[key] = list.map((entry): Value => {
    const opened = open(entry);
    if (opened === null || typeof opened !== "object" || Array.isArray(opened)) return entry;
    return { ...defaults, ...(entry as Bag) };
  });
}

/** Whether the program switches both public addresses off. */
export function isPrivateOnly(inputs: JsonBag): boolean {
  const nets = maps(inputs.publicNets);
  return nets.length > 0 && nets.every((net) => net.ipv4Enabled === false && net.ipv6Enabled === false);
}
