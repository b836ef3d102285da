import { createHash } from "node:crypto";
import { type Bag, type JsonBag, revealBag } from "../core/values";
import type { Api } from "./api";
import { type ApiImage, type ApiServerType, findServerType } from "./catalogue";
import { strings } from "./fields";
import { type ApiNetwork, findNetwork } from "./network";
import type { ApiServer } from "./server";

type Function = (api: Api, args: JsonBag) => Promise<JsonBag>;

/** The package's functions, by their token without the package. */
export const functions: { [token: string]: Function } = {
  "index/getServerType:getServerType": async (api, args) => {
    const type = await findServerType(api, String(args.id ?? args.name ?? ""));
    if (type === undefined) throw notFound("Server Type", args);
    return serverTypeResult(type);
  },
  "index/getLocation:getLocation": async (api, args) => {
    type Location = { id: number; name: string; description: string; country: string; city: string } & JsonBag;
    const locations = await api.all<Location>("/locations", "locations", args.name ? { name: String(args.name) } : {});
    const found = locations.find((entry) => (args.id ? entry.id === Number(args.id) : entry.name === args.name));
    if (found === undefined) throw notFound("Location", args);
    const { id, name, description, country, city, latitude = 0, longitude = 0, network_zone: networkZone = "" } = found;
    return { id, name, description, country, city, latitude, longitude, networkZone };
  },
  "index/getImage:getImage": getImage,
  "index/getNetwork:getNetwork": async (api, args) => {
    const found = args.id ? await findNetwork(api, Number(args.id)) : await networkByQuery(api, args);
    if (found === undefined) throw new Error(`no network found with ${describe(args)}`);
    return {
      ...args,
      id: found.id,
      name: found.name,
      ipRange: found.ip_range,
      labels: found.labels,
      deleteProtection: found.protection.delete,
      exposeRoutesToVswitch: found.expose_routes_to_vswitch,
    };
  },
  "index/getServers:getServers": async (api, args) => {
    const query = { label_selector: optional(args.withSelector), status: strings(args.withStatuses) };
    const servers = (await api.all<ApiServer>("/servers", "servers", query)).map(serverResult);
    return { ...args, id: listId(servers), servers };
  },
  "index/getSshKeys:getSshKeys": async (api, args) => {
    interface Key {
      id: number;
      name: string;
      fingerprint: string;
      public_key: string;
      labels: JsonBag;
    }
    const keys = await api.all<Key>("/ssh_keys", "ssh_keys", { label_selector: optional(args.withSelector) });
    const sshKeys = keys.map(({ public_key: publicKey, ...key }) => ({
      id: key.id,
      name: key.name,
      fingerprint: key.fingerprint,
      publicKey,
      labels: key.labels,
    }));
    return { ...args, id: listId(sshKeys), sshKeys };
  },
};

/** Runs one function with arguments that may be secret. */
export async function callFunction(run: Function, api: Api, args: Bag): Promise<Bag> {
  return run(api, revealBag(args));
}

function serverTypeResult(type: ApiServerType): JsonBag {
  return {
    id: type.id,
    name: type.name,
    description: type.description,
    category: type.category ?? "",
    cores: type.cores,
    memory: type.memory,
    disk: type.disk,
    storageType: type.storage_type,
    cpuType: type.cpu_type,
    architecture: type.architecture,
    includedTraffic: type.included_traffic ?? 0,
    isDeprecated: Boolean(type.deprecation),
    deprecationAnnounced: type.deprecation?.announced ?? "",
    unavailableAfter: type.deprecation?.unavailable_after ?? "",
    locations: (type.locations ?? []).map((location) => ({
      id: location.id,
      name: location.name,
      isDeprecated: location.deprecation !== null,
      deprecationAnnounced: location.deprecation?.announced ?? "",
      unavailableAfter: location.deprecation?.unavailable_after ?? "",
      ...(location.available === undefined ? {} : { isAvailable: location.available }),
      ...(location.recommended === undefined ? {} : { isRecommended: location.recommended }),
    })),
  };
}

async function getImage(api: Api, args: JsonBag): Promise<JsonBag> {
  const found = args.id ? (await api.find<{ image: ApiImage }>(`/images/${Number(args.id)}`))?.image : undefined;
  const image = found ?? (args.id ? undefined : await imageByQuery(api, args));
  if (image === undefined) throw notFound("Image", args);
  return {
    ...args,
    id: image.id,
    name: image.name ?? "",
    type: image.type,
    description: image.description,
    created: image.created,
    deprecated: image.deprecated ?? "",
    osFlavor: image.os_flavor,
    osVersion: image.os_version ?? "",
    rapidDeploy: image.rapid_deploy,
    architecture: image.architecture,
    labels: image.labels,
  };
}

async function imageByQuery(api: Api, args: JsonBag): Promise<ApiImage | undefined> {
  const images = await api.all<ApiImage>("/images", "images", {
    name: optional(args.name),
    label_selector: optional(args.withSelector ?? args.selector),
    status: strings(args.withStatuses),
    architecture: optional(args.withArchitecture) ?? "x86",
    include_deprecated: args.includeDeprecated === true ? true : undefined,
    sort: args.mostRecent === true ? "created:desc" : undefined,
  });
  if (images.length > 1 && args.mostRecent !== true) {
    throw new Error(`more than one image found with ${describe(args)}; narrow it, or set mostRecent`);
  }
  return images[0];
}

async function networkByQuery(api: Api, args: JsonBag): Promise<ApiNetwork | undefined> {
  const query = { name: optional(args.name), label_selector: optional(args.withSelector) };
  const networks = await api.all<ApiNetwork>("/networks", "networks", query);
  if (networks.length > 1 && args.mostRecent !== true) {
    throw new Error(`more than one network found with ${describe(args)}`);
  }
  return networks.sort((a, b) => b.id - a.id)[0];
}

function serverResult(server: ApiServer): JsonBag {
  const { ipv4, ipv6, firewalls } = server.public_net;
  return {
    id: server.id,
    name: server.name,
    status: server.status,
    serverType: server.server_type.name,
    location: server.location.name,
    datacenter: "",
    image: server.image?.name ?? String(server.image?.id ?? ""),
    iso: "",
    rescue: "",
    labels: server.labels,
    backups: Boolean(server.backup_window),
    backupWindow: server.backup_window ?? "",
    ipv4Address: ipv4?.ip ?? "",
    ipv6Address: ipv6 === null ? "" : `${ipv6.ip.replace(/\/\d+$/, "")}1`,
    ipv6Network: ipv6?.ip ?? "",
    firewallIds: firewalls.map((firewall) => firewall.id),
    placementGroupId: server.placement_group?.id ?? 0,
    deleteProtection: server.protection.delete,
    rebuildProtection: server.protection.rebuild,
    primaryDiskSize: server.primary_disk_size,
    networks: server.private_net.map((net) => ({
      networkId: net.network,
      ip: net.ip,
      aliasIps: net.alias_ips,
      macAddress: net.mac_address,
    })),
  };
}

const optional = (value: JsonBag[string] | undefined): string | undefined => (value ? String(value) : undefined);

function listId(entries: JsonBag[]): string {
  return createHash("sha1")
    .update(entries.map((entry) => String(entry.id)).join(""))
    .digest("hex");
}

function describe(args: JsonBag): string {
  return Object.entries(args)
    .map(([key, value]) => `${key}=${String(value)}`)
    .join(" ");
}

function notFound(what: string, args: JsonBag): Error {
  return new Error(`Resource not found: Resource (${what}) was not found: ${describe(args)}`);
}
