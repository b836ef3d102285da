import { findLocation, findServerType, imageById, imageView, locationView, serverTypeView } from "./catalogue";
import type { Call, Context } from "./context";
import { firewallsOf } from "./firewallSync";
import { isBusy } from "./actions";
import { byId } from "./objects";
import { placementGroupView } from "./placementGroups";
import { defaultDnsName } from "./primaryIps";
import type { Project } from "./store";
import type { ServerRecord } from "./types";

/** The server in the path. @throws not_found */
export function findServer(call: Call): ServerRecord {
  return byId(call.project.state.servers, call.params.id, "server");
}

/**
 * The status that clients see. Machines can switch themselves off, so between actions the machine is asked.
 * @returns `unknown` if the driver cannot tell
 */
export async function observedStatus(context: Context, server: ServerRecord): Promise<string> {
  if (!server.machineMade || (server.status !== "running" && server.status !== "off")) return server.status;
  try {
    return (await context.driver.isRunning(server.id)) ? "running" : "off";
  } catch {
    // The API has a status of its own for a machine whose state cannot be read.
    return "unknown";
  }
}

/** A server as the API shows it, every key always present. */
export async function serverView(context: Context, project: Project, server: ServerRecord): Promise<object> {
  const type = findServerType(server.serverType);
  const location = findLocation(server.location);
  const group = project.state.placementGroups.find(({ id }) => id === server.placementGroupId);
  return {
    id: server.id,
    name: server.name,
    status: await observedStatus(context, server),
    created: server.created,
    public_net: publicNetView(context, project, server),
    private_net: server.attachments
      .filter((nic) => nic.state !== "attaching")
      .map(({ networkId, ip, aliasIps, mac }) => ({ network: networkId, ip, alias_ips: aliasIps, mac_address: mac })),
    server_type: type ? serverTypeView(type, context.settings.architectures, context.now()) : null,
    location: location ? locationView(location) : null,
    image: imageView(imageById(server.imageId)),
    iso: null,
    rescue_enabled: false,
    locked: isBusy(project, "server", server.id),
    backup_window: null,
    outgoing_traffic: 0,
    ingoing_traffic: 0,
    included_traffic: 20 * 1024 ** 4,
    protection: { delete: server.deleteProtected, rebuild: server.rebuildProtected },
    labels: server.labels,
    volumes: [],
    load_balancers: [],
    primary_disk_size: server.primaryDiskSize,
    placement_group: group ? placementGroupView(project, group) : null,
  };
}

function publicNetView(context: Context, project: Project, server: ServerRecord): object {
  const { primaryIps } = project.state;
  const ipv4 = primaryIps.find((record) => record.id === server.ipv4Id);
  const ipv6 = primaryIps.find((record) => record.id === server.ipv6Id);
  const status = context.firewalls.isApplied(project, server) ? "applied" : "pending";
  return {
    ipv4: ipv4 ? { id: ipv4.id, ip: ipv4.ip, blocked: false, dns_ptr: defaultDnsName(ipv4.ip) } : null,
    ipv6: ipv6 ? { id: ipv6.id, ip: ipv6.ip, blocked: false, dns_ptr: [] } : null,
    floating_ips: [],
    firewalls: firewallsOf(project, server).map((firewall) => ({ id: firewall.id, status })),
  };
}
