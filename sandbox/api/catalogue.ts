import { notFound } from "./errors";
import {
  images,
  locations,
  serverTypes,
  type ImageData,
  type LocationData,
  type ServerTypeData,
} from "./catalogueData";

/** An entry by id or name; a string of digits is an id first, as the real API has it. */
export function find<Entry extends { id: number; name: string }>(
  entries: readonly Entry[],
  idOrName: number | string,
): Entry | undefined {
  const byName = entries.find((entry) => entry.name === idOrName);
  if (typeof idOrName === "string" && !/^\d+$/.test(idOrName)) return byName;
  return entries.find((entry) => entry.id === Number(idOrName)) ?? byName;
}

export function findLocation(idOrName: number | string): LocationData | undefined {
  return find(locations, idOrName);
}

export function findServerType(idOrName: number | string): ServerTypeData | undefined {
  return find(serverTypes, idOrName);
}

/**
 * An image by id, or by name for an architecture.
 * @param architecture which of the two entries of a name; ids name one entry alone
 */
export function findImage(idOrName: number | string, architecture: "x86" | "arm"): ImageData | undefined {
  const id = Number(idOrName);
  const byName = images.find((image) => image.name === idOrName && image.architecture === architecture);
  return byName ?? (Number.isSafeInteger(id) ? images.find((image) => image.id === id) : undefined);
}

/** The image with this id. @throws not_found */
export function imageById(id: number): ImageData {
  const image = images.find((candidate) => candidate.id === id);
  if (!image) throw notFound("image", id);
  return image;
}

/** All network zones. */
export const networkZones: readonly string[] = [...new Set(locations.map((location) => location.networkZone))];

/** A location as the API shows it. */
export function locationView(data: LocationData): object {
  const { id, name, description, country, city, latitude, longitude, networkZone } = data;
  return { id, name, description, country, city, latitude, longitude, network_zone: networkZone };
}

/** Sample price of a type: made up from cores, memory and kind of CPU. */
function sampleMonthlyPrice(type: ServerTypeData): number {
  return type.cpu === "dedicated" ? type.cores * 5 + type.memory * 0.5 : type.cores * 1 + type.memory * 0.5;
}

function price(net: number): { net: string; gross: string } {
  return { net: net.toFixed(10), gross: (net * 1.19).toFixed(10) };
}

/** Sample prices of a server type, one entry per location. */
export function pricesOf(type: ServerTypeData): object[] {
  const monthly = sampleMonthlyPrice(type);
  return type.locations.map((location) => ({
    location,
    price_hourly: price(monthly / 730),
    price_monthly: price(monthly),
    included_traffic: 20 * 1024 ** 4,
    price_per_tb_traffic: price(1),
  }));
}

/**
 * A server type as the API shows it.
 * @param architectures those this host can run; types of others are shown as not available
 * @param now decides whether a deprecated type is gone
 */
export function serverTypeView(type: ServerTypeData, architectures: readonly string[], now: Date): object {
  const deprecation = deprecationView(type);
  const available = isOffered(type, architectures, now);
  return {
    id: type.id,
    name: type.name,
    description: type.name.toUpperCase(),
    category:
      type.cpu === "dedicated" ? "general_purpose" : type.name.startsWith("cpx") ? "regular_purpose" : "cost_optimized",
    cores: type.cores,
    memory: type.memory,
    disk: type.disk,
    deprecated: deprecation !== null,
    deprecation,
    prices: pricesOf(type),
    storage_type: "local",
    cpu_type: type.cpu,
    architecture: type.architecture,
    locations: type.locations.map((name) => ({
      id: locations.find((location) => location.name === name)?.id,
      name,
      deprecation,
      recommended: available && deprecation === null,
      available,
    })),
  };
}

/** Whether new servers of a type can be made: not gone, and of an architecture that this host runs. */
export function isOffered(type: ServerTypeData, architectures: readonly string[], now: Date): boolean {
  const gone = type.deprecation !== undefined && now >= new Date(type.deprecation.unavailableAfter);
  return !gone && architectures.includes(type.architecture);
}

function deprecationView(type: ServerTypeData): object | null {
  if (!type.deprecation) return null;
  return { announced: type.deprecation.announced, unavailable_after: type.deprecation.unavailableAfter };
}

/** An image as the API shows it. */
export function imageView(image: ImageData): object {
  return {
    id: image.id,
    type: "system",
    status: "available",
    name: image.name,
    description: image.description,
    image_size: null,
    disk_size: 5,
    created: image.created,
    created_from: null,
    bound_to: null,
    os_flavor: image.osFlavor,
    os_version: image.osVersion,
    rapid_deploy: true,
    protection: { delete: false },
    deprecated: image.deprecated,
    deleted: null,
    labels: {},
    architecture: image.architecture,
  };
}

/** The pricing document, with sample prices. */
export function pricingView(): object {
  return {
    currency: "EUR",
    vat_rate: "19.000000",
    primary_ips: [],
    floating_ip: { price_monthly: price(3) },
    floating_ips: [],
    image: { price_per_gb_month: price(0.01) },
    traffic: { price_per_tb: price(1) },
    volume: { price_per_gb_month: price(0.05) },
    server_backup: { percentage: "20.000000" },
    server_types: serverTypes.map((type) => ({ id: type.id, name: type.name, prices: pricesOf(type) })),
    load_balancer_types: [],
  };
}
