import * as addresses from "./addresses";
import { networkZones } from "./catalogue";
import type { Block } from "./addresses";
import type { Body } from "./body";
import { invalidField, limitExceeded, refused } from "./errors";
import type { NetworkRecord, RouteRecord, SubnetRecord } from "./types";

const subnetsPerNetwork = 50;
const routesPerNetwork = 100;

/** What the rules look at: a network that exists, or one being made. */
export type NetworkShape = Pick<NetworkRecord, "ipRange" | "subnets" | "routes">;

/** First address of the network: the gateway of all its subnets. */
export function gatewayOf(network: { ipRange: string }): string {
  return addresses.addressOf(addresses.blockOf(network.ipRange).base + 1);
}

/** Reads the range of a network: inside RFC 1918, /24 or larger. Canonical text; empty after a refusal. */
export function readNetworkRange(body: Body): string {
  const text = body.requiredString("ip_range");
  if (text === "") return "";
  const block = addresses.parseBlock(text);
  if (!block) body.refuse("ip_range", `'${text}' is not an IPv4 CIDR`);
  else if (!addresses.isPrivate(block))
    body.refuse("ip_range", "must be inside 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16");
  else if (block.prefix > 24) body.refuse("ip_range", "must be /24 or larger");
  else return addresses.formatBlock(block);
  return "";
}

/**
 * Reads one subnet and checks it against its network.
 * @returns the subnet; without meaning after a refusal
 * @throws service_error for a vSwitch, resource_limit_exceeded for too many
 */
export function readSubnet(body: Body, network: NetworkShape): SubnetRecord {
  const type = body.oneOf("type", ["cloud", "server", "vswitch"] as const);
  const networkZone = body.requiredString("network_zone");
  if (type === "vswitch") throw refused("service_error", "vswitch not found");
  if (network.subnets.length >= subnetsPerNetwork) throw limitExceeded("subnet_limit", "subnet limit reached");
  if (networkZone !== "" && !networkZones.includes(networkZone)) {
    body.refuse("network_zone", `'${networkZone}' is not a network zone`);
  } else if (network.subnets.some((subnet) => subnet.networkZone !== networkZone)) {
    body.refuse("network_zone", "all subnets of a network must be in the same network zone");
  }
  return { type, networkZone, ipRange: readSubnetRange(body, network) };
}

/** Reads one route and checks it against its network. */
export function readRoute(body: Body, network: NetworkShape): RouteRecord {
  const destination = readBlock(body, "destination");
  const gateway = readGateway(body, network);
  if (network.routes.length >= routesPerNetwork) throw limitExceeded("route_limit", "route limit reached");
  if (!destination) return { destination: "", gateway };
  const text = addresses.formatBlock(destination);
  const problem = destinationProblem(destination, network);
  if (problem) body.refuse("destination", problem);
  return { destination: text, gateway };
}

/**
 * What is wrong with a longer range for a network.
 * @returns a sentence, null if it fits
 */
export function newRangeProblem(network: NetworkShape, ipRange: string): string | null {
  const [old, wanted] = [addresses.blockOf(network.ipRange), addresses.blockOf(ipRange)];
  if (wanted.base !== old.base) return "must begin with the same address as the present range";
  if (wanted.prefix >= old.prefix) return "must be larger than the present range";
  return null;
}

/** An address that no server may have: the gateways, and the first and last address of a subnet. */
export function isReserved(network: NetworkShape, subnet: SubnetRecord, address: number): boolean {
  const block = addresses.blockOf(subnet.ipRange);
  return (
    address === block.base ||
    address === addresses.lastOf(block) ||
    address === addresses.numberOf(gatewayOf(network)) ||
    address === addresses.numberOf(addresses.publicGateway)
  );
}

function readSubnetRange(body: Body, network: NetworkShape): string {
  if (network.ipRange === "") return "";
  if (!body.given("ip_range")) {
    const free = firstFreeSubnet(network);
    if (!free) body.refuse("ip_range", "the network has no free /24, name a smaller range");
    return free ? addresses.formatBlock(free) : "";
  }
  const block = readBlock(body, "ip_range");
  if (!block) return "";
  const problem = subnetProblem(block, network);
  if (problem) body.refuse("ip_range", problem);
  return addresses.formatBlock(block);
}

function subnetProblem(block: Block, network: NetworkShape): string | null {
  if (!addresses.contains(addresses.blockOf(network.ipRange), block))
    return `must be inside the network's range ${network.ipRange}`;
  if (block.prefix > 30) return "must be /30 or larger";
  const subnet = network.subnets.find((other) => addresses.overlaps(block, addresses.blockOf(other.ipRange)));
  if (subnet) return `overlaps with subnet ${subnet.ipRange}`;
  const route = network.routes.find(
    (other) => !isDefault(other.destination) && addresses.overlaps(block, addresses.blockOf(other.destination)),
  );
  return route ? `overlaps with route destination ${route.destination}` : null;
}

function firstFreeSubnet(network: NetworkShape): Block | null {
  const range = addresses.blockOf(network.ipRange);
  for (let base = range.base; base <= addresses.lastOf(range); base += addresses.sizeOf(24)) {
    const block = { base, prefix: 24 };
    if (subnetProblem(block, network) === null) return block;
  }
  return null;
}

function destinationProblem(block: Block, network: NetworkShape): string | null {
  const text = addresses.formatBlock(block);
  if (isDefault(text)) return network.routes.some((route) => isDefault(route.destination)) ? "is already routed" : null;
  if (!addresses.isPrivate(block)) return "must be 0.0.0.0/0 or inside 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16";
  if (addresses.holds(block, addresses.numberOf(addresses.publicGateway) ?? 0))
    return `must not hold ${addresses.publicGateway}`;
  const subnet = network.subnets.find((other) => addresses.overlaps(block, addresses.blockOf(other.ipRange)));
  if (subnet) return `overlaps with subnet ${subnet.ipRange}`;
  const route = network.routes.find(
    (other) => !isDefault(other.destination) && addresses.overlaps(block, addresses.blockOf(other.destination)),
  );
  return route ? `overlaps with the destination ${route.destination} of another route` : null;
}

function isDefault(destination: string): boolean {
  return destination === "0.0.0.0/0";
}

/** @throws invalid_input with the message the real API gives for gateways */
function readGateway(body: Body, network: NetworkShape): string {
  const text = body.requiredString("gateway");
  if (text === "" || network.ipRange === "") return text;
  const problem = gatewayProblem(text, network);
  if (problem) throw invalidField("gateway", problem, "invalid gateway");
  return text;
}

function gatewayProblem(text: string, network: NetworkShape): string | null {
  const address = addresses.numberOf(text);
  if (address === null) return `'${text}' is not an IPv4 address`;
  if (text === addresses.publicGateway) return `must not be ${addresses.publicGateway}`;
  if (text === gatewayOf(network)) return "must not be the first address of the network";
  const inside = addresses.holds(addresses.blockOf(network.ipRange), address);
  return inside ? null : `must be inside the network's range ${network.ipRange}`;
}

function readBlock(body: Body, field: string): Block | null {
  const text = body.requiredString(field);
  if (text === "") return null;
  const block = addresses.parseBlock(text);
  if (!block) body.refuse(field, `'${text}' is not an IPv4 CIDR`);
  return block;
}
