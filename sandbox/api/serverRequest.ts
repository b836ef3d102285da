import { findImage, findLocation, findServerType, find, isOffered } from "./catalogue";
import type { ImageData, LocationData, ServerTypeData } from "./catalogueData";
import type { Body } from "./body";
import type { Call, Context } from "./context";
import { ApiError, notEmulated } from "./errors";
import type { Project } from "./store";
import type { FirewallRecord, Labels, NetworkRecord } from "./types";

const largestUserData = 32768;
const hostLabel = /^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/;
const monthsUntilGone = 3;

/** A server create request that passed all checks of its own fields. */
export interface ServerRequest {
  name: string;
  type: ServerTypeData;
  location: LocationData;
  image: ImageData;
  start: boolean;
  sshKeys: string[];
  userData: string;
  labels: Labels;
  networks: NetworkRecord[];
  firewalls: FirewallRecord[];
  placementGroupId: number | null;
  ipv6: boolean;
}

/** Whether a text is an RFC 1123 host name, dots allowed. */
export function isHostName(name: string): boolean {
  return name.length <= 253 && name.split(".").every((label) => hostLabel.test(label));
}

/**
 * Reads a server create request.
 * @throws invalid_input naming all refused fields, resource_unavailable if no host can run the type
 */
export function readServerRequest(context: Context, call: Call, body: Body): ServerRequest {
  const { project } = call;
  const name = readServerName(body);
  const type = readServerType(body);
  const location = readLocation(body, type);
  const image = readImage(body, type, context.now());
  const userData = readUserData(body);
  const rest = {
    start: body.boolean("start_after_create") ?? true,
    sshKeys: readSshKeys(body, project),
    labels: body.labels() ?? {},
    networks: body.integers("networks").flatMap((id) => known(body, "networks", project.state.networks, id)),
    firewalls: body.objects("firewalls").flatMap((item) => {
      return known(item, "firewall", project.state.firewalls, item.requiredInteger("firewall"));
    }),
    placementGroupId: readPlacementGroup(body, project),
    ipv6: readPublicNet(body),
  };
  if (body.integers("volumes").length > 0) throw notEmulated("attaching volumes");
  if (body.given("datacenter")) body.refuse("datacenter", "was removed from the API, use location");
  body.check();
  if (!type || !location || !image) throw new Error("a request without type, location or image passed its check");
  if (!isOffered(type, context.settings.architectures, context.now())) {
    const message = `error during placement: ${type.name} (${type.architecture}) is not available on this host`;
    throw new ApiError(412, "resource_unavailable", message);
  }
  return { name, type, location, image, userData, ...rest };
}

/** Reads the name of a server; it becomes the host name. */
export function readServerName(body: Body): string {
  const name = body.requiredString("name");
  if (name !== "" && !isHostName(name)) body.refuse("name", "must be a valid host name as per RFC 1123");
  return name;
}

/** Reads `server_type`, an id or a name. */
export function readServerType(body: Body): ServerTypeData | undefined {
  const wanted = body.idOrName("server_type");
  if (!body.given("server_type")) body.refuse("server_type", "is required");
  const type = wanted === undefined ? undefined : findServerType(wanted);
  if (wanted !== undefined && !type) body.refuse("server_type", `server type '${wanted}' not found`);
  return type;
}

/** Reads `image`, an id or the name of one for the type's architecture; without a type only its form is checked. */
export function readImage(body: Body, type: ServerTypeData | undefined, now: Date): ImageData | undefined {
  const wanted = body.idOrName("image");
  if (!body.given("image")) body.refuse("image", "is required");
  if (wanted === undefined || !type) return undefined;
  const image = findImage(wanted, type.architecture);
  if (!image || isGone(image, now)) body.refuse("image", `image '${wanted}' not found`);
  else if (image.architecture !== type.architecture) {
    body.refuse(
      "image",
      `image architecture ${image.architecture} does not fit server type ${type.name} (${type.architecture})`,
    );
  }
  return image;
}

/** Reads `user_data`; its length counts in bytes. */
export function readUserData(body: Body): string {
  const userData = body.string("user_data") ?? "";
  if (Buffer.byteLength(userData) > largestUserData) {
    body.refuse("user_data", `Length must be between 0 and ${largestUserData}.`);
  }
  return userData;
}

function isGone(image: ImageData, now: Date): boolean {
  if (image.deprecated === null) return false;
  const end = new Date(image.deprecated);
  const day = end.getUTCDate();
  end.setUTCMonth(end.getUTCMonth() + monthsUntilGone);
  // The 31st plus three months may be the 30th: Date would go on into the next month.
  if (end.getUTCDate() !== day) end.setUTCDate(0);
  return now > end;
}

function readLocation(body: Body, type: ServerTypeData | undefined): LocationData | undefined {
  const wanted = body.idOrName("location") ?? type?.locations[0];
  const location = wanted === undefined ? undefined : findLocation(wanted);
  if (wanted !== undefined && !location) body.refuse("location", `location '${wanted}' not found`);
  if (location && type && !type.locations.includes(location.name)) {
    body.refuse("location", "unsupported location for server type");
  }
  return location;
}

function readSshKeys(body: Body, project: Project): string[] {
  return body.idsOrNames("ssh_keys").flatMap((wanted) => {
    const key = find(project.state.sshKeys, wanted);
    if (!key) body.refuse("ssh_keys", `SSH key '${wanted}' not found`);
    return key ? [key.publicKey.trim()] : [];
  });
}

function readPlacementGroup(body: Body, project: Project): number | null {
  const id = body.integer("placement_group");
  if (id === undefined) return null;
  return known(body, "placement_group", project.state.placementGroups, id)[0]?.id ?? null;
}

/** Whether the server gets IPv6. Every machine here has a public IPv4 NIC: the API's operator reaches it by that. */
function readPublicNet(body: Body): boolean {
  const net = body.object("public_net");
  if (net?.boolean("enable_ipv4") === false) throw notEmulated("a server without public IPv4");
  if (net?.given("ipv4") || net?.given("ipv6")) throw notEmulated("giving a server a primary IP that exists");
  return net?.boolean("enable_ipv6") ?? true;
}

function known<Item extends { id: number }>(body: Body, field: string, items: readonly Item[], id: number): Item[] {
  const item = items.find((candidate) => candidate.id === id);
  if (!item) body.refuse(field, `'${id}' not found`);
  return item ? [item] : [];
}
