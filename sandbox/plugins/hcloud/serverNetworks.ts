import { canonical } from "../core/diff";
import type { JsonBag } from "../core/values";
import { type Action, type Api, hasCode } from "./api";
import { maps, parseNetworkPart, strings } from "./fields";

export interface PrivateNet {
  network: number;
  ip: string;
  alias_ips: string[];
  mac_address: string;
}

export interface Attachment {
  networkId: number;
  ip?: string;
  aliasIps: string[];
  /** The subnet to take an address from. */
  ipRange?: string;
}

/** The API's reasons to try an attachment again. */
const attachAgain = ["conflict", "locked", "service_error", "no_subnet_available"];
const detachAgain = ["conflict", "locked", "service_error"];

/** Reads an entry of a server's `networks`, or the inputs of a server network. */
export function attachmentOf(entry: JsonBag): Attachment {
  const shared = { ip: entry.ip ? String(entry.ip) : undefined, aliasIps: strings(entry.aliasIps) };
  if (!entry.subnetId) {
    if (!entry.networkId) throw new Error("either subnet_id or network_id must be set");
    return { networkId: Number(entry.networkId), ...shared };
  }
  const part = parseNetworkPart(String(entry.subnetId));
  if (part === undefined) {
    throw new Error(`unexpected subnet id '${String(entry.subnetId)}', expected '$NETWORK_ID-$SUBNET_IP_RANGE'`);
  }
  return { networkId: part.networkId, ipRange: part.cidr, ...shared };
}

/** Attaches a server to a network; one that is attached already is fine. */
export async function attach(api: Api, serverId: number | string, attachment: Attachment): Promise<void> {
  const body = {
    network: attachment.networkId,
    ip: attachment.ip,
    alias_ips: attachment.aliasIps,
    ip_range: attachment.ipRange,
  };
  const path = `/servers/${serverId}/actions/attach_to_network`;
  try {
    const { action } = await api.retry(5, attachAgain, () => api.post<{ action: Action }>(path, body));
    await api.wait(action);
  } catch (error) {
    if (!hasCode(error, "server_already_attached")) throw error;
  }
}

/** Detaches a server from a network; one of both being gone is fine. */
export async function detach(api: Api, serverId: number | string, networkId: number): Promise<void> {
  const path = `/servers/${serverId}/actions/detach_from_network`;
  try {
    const { action } = await api.retry(5, detachAgain, () =>
      api.post<{ action: Action }>(path, { network: networkId }),
    );
    await api.wait(action);
  } catch (error) {
    if (!hasCode(error, "not_found")) throw error;
  }
}

export async function changeAliases(api: Api, serverId: number | string, wanted: Attachment): Promise<void> {
  const body = { network: wanted.networkId, alias_ips: wanted.aliasIps };
  const { action } = await api.post<{ action: Action }>(`/servers/${serverId}/actions/change_alias_ips`, body);
  await api.wait(action);
}

/** Attaches, detaches and re-attaches until a server's networks are the wanted ones. */
export async function updateInlineNetworks(
  api: Api,
  serverId: string,
  current: PrivateNet[],
  wanted: Attachment[],
): Promise<void> {
  const rest = new Map(wanted.map((attachment) => [attachment.networkId, attachment]));
  for (const net of current) {
    const target = rest.get(net.network);
    rest.delete(net.network);
    if (target === undefined) await detach(api, serverId, net.network);
    else if (target.ip !== net.ip) {
      // An address cannot be changed in place.
      await detach(api, serverId, net.network);
      await attach(api, serverId, target);
    } else if (canonical([...target.aliasIps].sort()) !== canonical([...net.alias_ips].sort())) {
      await changeAliases(api, serverId, target);
    }
  }
  for (const added of rest.values()) await attach(api, serverId, added);
}

/** A server's networks in the shape, and as far as possible in the order, in which the program gave them. */
export function recordNetworks(nets: PrivateNet[], known: JsonBag[]): JsonBag[] {
  const place = (net: PrivateNet): number => {
    const at = known.findIndex((entry) => attachmentOf(entry).networkId === net.network);
    return at === -1 ? known.length : at;
  };
  return [...nets]
    .sort((a, b) => place(a) - place(b))
    .map((net) => {
      const entry = known[place(net)];
      return {
        networkId: net.network,
        ...(entry?.subnetId ? { subnetId: entry.subnetId } : {}),
        ip: net.ip,
        aliasIps: net.alias_ips,
        macAddress: net.mac_address,
      };
    });
}

/** Whether a recorded network is what the program asks for; what it leaves open is as the API chose it. */
export function networkMatches(recorded: JsonBag, wanted: JsonBag): boolean {
  const [have, want] = [attachmentOf(recorded), attachmentOf(wanted)];
  if (have.networkId !== want.networkId) return false;
  if (want.ipRange !== undefined && have.ipRange !== undefined && have.ipRange !== want.ipRange) return false;
  if (want.ip !== undefined && want.ip !== have.ip) return false;
  if (wanted.aliasIps === undefined) return true;
  return canonical([...have.aliasIps].sort()) === canonical([...want.aliasIps].sort());
}

/** A sentence if a server is attached to one network twice, or an entry names none. */
export function checkNetworks(networks: JsonBag[string] | undefined): string | undefined {
  const seen = new Set<number>();
  for (const entry of maps(networks)) {
    if (!entry.networkId && !entry.subnetId) return "must specify either network_id or subnet_id";
    const { networkId } = attachmentOf(entry);
    if (seen.has(networkId)) return `server is only allowed to be attached to each network once: ${networkId}`;
    seen.add(networkId);
  }
  return undefined;
}
