import ipaddr from "ipaddr.js";
import * as addresses from "./addresses";
import { findLocation, locationView } from "./catalogue";
import { timestamp, type Context, type Route } from "./context";
import { ApiError, notEmulated } from "./errors";
import { listAnswer } from "./lists";
import { byId } from "./objects";
import type { Project } from "./store";
import type { PrimaryIpRecord } from "./types";

/** Machines get the public addresses .10 to .199: the lower ones are the host's and gateways', the upper ones test clients'. */
const [firstHost, lastHost] = [10, 199];

/** Endpoints of primary IPs: those that servers brought along can be seen, not made. */
export function primaryIpRoutes(): Route[] {
  const refuse = (what: string) => () => {
    throw notEmulated(what);
  };
  return [
    {
      method: "GET",
      path: "/primary_ips",
      handler: (call) =>
        listAnswer(call, call.project.state.primaryIps, {
          key: "primary_ips",
          sorts: { id: (item) => item.id, created: (item) => item.created },
          filters: { ip: (item) => item.ip },
          view: primaryIpView,
        }),
    },
    {
      method: "GET",
      path: "/primary_ips/:id",
      handler: (call) => {
        const record = byId(call.project.state.primaryIps, call.params.id, "primary_ip");
        return { status: 200, body: { primary_ip: primaryIpView(record) } };
      },
    },
    { method: "POST", path: "/primary_ips", handler: refuse("POST /primary_ips") },
    { method: "PUT", path: "/primary_ips/:id", handler: refuse("PUT /primary_ips/{id}") },
    { method: "DELETE", path: "/primary_ips/:id", handler: refuse("DELETE /primary_ips/{id}") },
  ];
}

/**
 * Makes the primary IP that comes with a server.
 * @throws resource_unavailable if the public range is used up
 */
export function newPrimaryIp(
  context: Context,
  project: Project,
  type: "ipv4" | "ipv6",
  location: string,
  assigneeId: number,
): PrimaryIpRecord {
  const id = project.nextId();
  const ip = type === "ipv4" ? freePublicAddress(context) : documentationNetwork(id);
  const created = timestamp(context.now());
  return { id, name: `primary_ip-${id}`, created, labels: {}, type, ip, location, autoDelete: true, assigneeId };
}

/** The name that a public address resolves to by default. */
export function defaultDnsName(ip: string): string {
  return `static.${ip.split(".").reverse().join(".")}.clients.your-server.de`;
}

function primaryIpView(record: PrimaryIpRecord): object {
  const location = findLocation(record.location);
  return {
    id: record.id,
    name: record.name,
    labels: record.labels,
    created: record.created,
    blocked: false,
    location: location ? locationView(location) : null,
    ip: record.ip,
    dns_ptr: record.type === "ipv4" ? [{ ip: record.ip, dns_ptr: defaultDnsName(record.ip) }] : [],
    protection: { delete: false },
    type: record.type,
    auto_delete: record.autoDelete,
    assignee_type: record.assigneeId === null ? "unassigned" : "server",
    assignee_id: record.assigneeId,
  };
}

/** The lowest address no project of the instance uses. */
function freePublicAddress(context: Context): string {
  const { base } = addresses.blockOf(context.settings.publicRange);
  const used = new Set(context.store.all().flatMap((project) => project.state.primaryIps.map((record) => record.ip)));
  for (let host = firstHost; host <= lastHost; host++) {
    const ip = addresses.addressOf(base + host);
    if (!used.has(ip)) return ip;
  }
  throw new ApiError(412, "resource_unavailable", "error during placement: no public IPv4 address is free");
}

/** A /64 of the documentation range 2001:db8::/32, unique by its id. */
function documentationNetwork(id: number): string {
  const groups = [0x2001, 0xdb8, Math.floor(id / 65536) % 65536, id % 65536, 0, 0, 0, 0];
  return `${new ipaddr.IPv6(groups).toString()}/64`;
}
