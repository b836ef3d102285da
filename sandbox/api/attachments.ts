import * as addresses from "./addresses";
import type { Body } from "./body";
import type { Context } from "./context";
import { findLocation } from "./catalogue";
import { conflict, invalidField, limitExceeded, refused } from "./errors";
import { isReserved } from "./networkRules";
import type { Project } from "./store";
import type { AttachmentRecord, NetworkRecord, ServerRecord, SubnetRecord } from "./types";
import type { AttachmentSpec } from "../cloud";

const networksPerServer = 3;
const serversPerNetwork = 100;
const aliasesPerAttachment = 5;

/** What a client may say about a new attachment. */
export interface AttachmentWishes {
  ip?: string;
  /** Range of the subnet to take the address from. */
  ipRange?: string;
  aliasIps: string[];
}

/** Reads the wishes out of a request. */
export function readWishes(body: Body): AttachmentWishes {
  return { ip: body.string("ip"), ipRange: body.string("ip_range"), aliasIps: body.strings("alias_ips") };
}

/**
 * Plans a private NIC: checks all rules and picks the address. Changes nothing.
 * @throws server_already_attached, networks_overlap, no_subnet_available, ip_not_available, resource_limit_exceeded, invalid_input
 */
export function planAttachment(
  project: Project,
  server: ServerRecord,
  network: NetworkRecord,
  wishes: AttachmentWishes,
): AttachmentRecord {
  if (network.deleting) throw conflict("network is being deleted");
  requireAttachable(project, server, network);
  const used = usedAddresses(project, network.id);
  const ip = pickAddress(server, network, wishes, used);
  requireAliases(network, wishes.aliasIps, new Set([...used, ip]));
  return {
    networkId: network.id,
    ip,
    aliasIps: wishes.aliasIps,
    mac: macOf(project.nextId()),
    interfaceNumber: freeInterfaceNumber(server),
    state: "attaching",
  };
}

/** Checks new alias addresses of a NIC that exists. @throws as planAttachment */
export function requireNewAliases(
  project: Project,
  network: NetworkRecord,
  nic: AttachmentRecord,
  aliasIps: string[],
): void {
  const used = usedAddresses(project, network.id);
  for (const alias of nic.aliasIps) used.delete(alias);
  requireAliases(network, aliasIps, used);
}

/** A NIC as the driver takes it. */
export function attachmentSpec(server: ServerRecord, nic: AttachmentRecord): AttachmentSpec {
  const { networkId, ip, aliasIps, mac, interfaceNumber } = nic;
  return { networkId, serverId: server.id, ip, aliasIps, mac, interfaceNumber };
}

/** Plugs a planned NIC in. */
export async function plug(context: Context, server: ServerRecord, nic: AttachmentRecord): Promise<void> {
  await context.driver.attach(attachmentSpec(server, nic));
  nic.state = "attached";
}

/** Unplugs a NIC and forgets it. */
export async function unplug(context: Context, server: ServerRecord, nic: AttachmentRecord): Promise<void> {
  await context.driver.detach(nic.networkId, server.id);
  server.attachments = server.attachments.filter((other) => other !== nic);
}

function requireAttachable(project: Project, server: ServerRecord, network: NetworkRecord): void {
  if (server.attachments.some((nic) => nic.networkId === network.id)) {
    throw refused("server_already_attached", "server is already attached to network");
  }
  if (server.attachments.length >= networksPerServer) {
    throw limitExceeded("server_network_limit", `a server can be attached to at most ${networksPerServer} networks`);
  }
  const attached = project.state.servers
    .flatMap((other) => other.attachments)
    .filter((nic) => nic.networkId === network.id);
  if (attached.length >= serversPerNetwork) {
    throw limitExceeded("network_server_limit", `a network takes at most ${serversPerNetwork} servers`);
  }
  const range = addresses.blockOf(network.ipRange);
  const clash = project.state.networks.find(
    (other) =>
      server.attachments.some((nic) => nic.networkId === other.id) &&
      addresses.overlaps(range, addresses.blockOf(other.ipRange)),
  );
  if (clash) throw refused("networks_overlap", `network overlaps with network ${clash.name} of the server`);
}

/** Addresses of a network that NICs have, aliases included. */
function usedAddresses(project: Project, networkId: number): Set<string> {
  const nics = project.state.servers
    .flatMap((server) => server.attachments)
    .filter((nic) => nic.networkId === networkId);
  return new Set(nics.flatMap((nic) => [nic.ip, ...nic.aliasIps]));
}

function pickAddress(
  server: ServerRecord,
  network: NetworkRecord,
  wishes: AttachmentWishes,
  used: Set<string>,
): string {
  const subnets = candidateSubnets(server, network, wishes.ipRange);
  if (wishes.ip !== undefined) return requireAddress(wishes.ip, network, subnets, used, wishes.ipRange);
  for (const subnet of subnets) {
    const free = firstFree(network, subnet, used);
    if (free !== null) return free;
  }
  throw refused("no_subnet_available", "no subnet or IP address available in the network");
}

/** Subnets in the server's zone; the last by range first, since the real API takes that one when asked for none. */
function candidateSubnets(server: ServerRecord, network: NetworkRecord, ipRange: string | undefined): SubnetRecord[] {
  const zone = findLocation(server.location)?.networkZone;
  const block = ipRange === undefined ? null : addresses.parseBlock(ipRange);
  if (ipRange !== undefined && !block) throw invalidField("ip_range", `'${ipRange}' is not an IPv4 CIDR`);
  const wanted = block && addresses.formatBlock(block);
  const subnets = network.subnets
    .filter((subnet) => subnet.networkZone === zone && (wanted === null || subnet.ipRange === wanted))
    .sort((a, b) => addresses.blockOf(b.ipRange).base - addresses.blockOf(a.ipRange).base);
  if (subnets.length === 0) throw refused("no_subnet_available", "no subnet or IP address available in the network");
  return subnets;
}

function requireAddress(
  ip: string,
  network: NetworkRecord,
  subnets: SubnetRecord[],
  used: Set<string>,
  ipRange: string | undefined,
): string {
  const address = addresses.numberOf(ip);
  if (address === null) throw invalidField("ip", `'${ip}' is not an IPv4 address`);
  const subnet = subnets.find((candidate) => addresses.holds(addresses.blockOf(candidate.ipRange), address));
  if (!subnet && ipRange !== undefined) throw invalidField("ip", `must be inside ${ipRange}`);
  if (!subnet || used.has(ip) || isReserved(network, subnet, address)) {
    throw refused("ip_not_available", `IP ${ip} is not available`);
  }
  return ip;
}

function firstFree(network: NetworkRecord, subnet: SubnetRecord, used: Set<string>): string | null {
  const block = addresses.blockOf(subnet.ipRange);
  for (let address = block.base; address <= addresses.lastOf(block); address++) {
    const ip = addresses.addressOf(address);
    if (!used.has(ip) && !isReserved(network, subnet, address)) return ip;
  }
  return null;
}

function requireAliases(network: NetworkRecord, aliasIps: string[], used: Set<string>): void {
  if (aliasIps.length > aliasesPerAttachment) {
    throw limitExceeded("alias_ip_limit", `a NIC takes at most ${aliasesPerAttachment} alias IPs`);
  }
  const taken = new Set(used);
  for (const ip of aliasIps) {
    const address = addresses.numberOf(ip);
    if (address === null) throw invalidField("alias_ips", `'${ip}' is not an IPv4 address`);
    const subnet = network.subnets.find((candidate) => addresses.holds(addresses.blockOf(candidate.ipRange), address));
    if (!subnet || taken.has(ip) || isReserved(network, subnet, address)) {
      throw refused("ip_not_available", `IP ${ip} is not available`);
    }
    taken.add(ip);
  }
}

/** MAC of a private NIC: the vendor's prefix and three bytes of an id that is never used twice. */
function macOf(id: number): string {
  const bytes = [Math.floor(id / 65536) % 256, Math.floor(id / 256) % 256, id % 256];
  return ["86:00:00", ...bytes.map((byte) => byte.toString(16).padStart(2, "0"))].join(":");
}

function freeInterfaceNumber(server: ServerRecord): number {
  const taken = server.attachments.map((nic) => nic.interfaceNumber);
  let number = 1;
  while (taken.includes(number)) number++;
  return number;
}
