import type { EngineLog } from "../core/engineLog";
import type { Json, JsonBag } from "../core/values";
import type { Action, Api } from "./api";
import type { CloudResource } from "./cloudResource";
import { lookUpImage, lookUpServerType, lookUpSshKey } from "./catalogue";
import { maps, numbers, strings } from "./fields";
import { changeServerType, setBackups, setFirewalls, setPlacementGroup, setProtection } from "./serverActions";
import { attach, attachmentOf, checkNetworks, type PrivateNet, recordNetworks } from "./serverNetworks";
import { updateInlineNetworks } from "./serverNetworks";
import { isPrivateOnly, prepareServer, serverSchema } from "./serverSchema";

export interface ApiServer {
  id: number;
  name: string;
  status: string;
  public_net: {
    ipv4: { id: number; ip: string } | null;
    ipv6: { id: number; ip: string } | null;
    firewalls: { id: number }[];
  };
  private_net: PrivateNet[];
  server_type: { name: string };
  location: { name: string };
  image: { id: number; name: string | null } | null;
  backup_window: string | null;
  labels: { [key: string]: Json };
  protection: { delete: boolean; rebuild: boolean };
  primary_disk_size: number;
  placement_group: { id: number } | null;
}

export async function findServer(api: Api, id: number | string): Promise<ApiServer | undefined> {
  return (await api.find<{ server: ApiServer }>(`/servers/${id}`))?.server;
}

async function createRequest(api: Api, inputs: JsonBag): Promise<object> {
  const type = await lookUpServerType(api, String(inputs.serverType));
  const image = await lookUpImage(api, String(inputs.image ?? ""), type.architecture);
  const keys: number[] = [];
  for (const key of strings(inputs.sshKeys)) keys.push(await lookUpSshKey(api, key));
  if (inputs.placementGroupId) {
    const group = Number(inputs.placementGroupId);
    const found = await api.find(`/placement_groups/${group}`);
    if (found === undefined) throw new Error(`placement group not found: ${group}`);
  }
  return {
    name: inputs.name,
    server_type: inputs.serverType,
    image: image.id,
    ...(inputs.location ? { location: inputs.location } : {}),
    ssh_keys: keys,
    ...(inputs.userData ? { user_data: inputs.userData } : {}),
    labels: inputs.labels ?? {},
    firewalls: numbers(inputs.firewallIds).map((firewall) => ({ firewall })),
    ...(inputs.placementGroupId ? { placement_group: Number(inputs.placementGroupId) } : {}),
    ...(maps(inputs.publicNets).length > 0 ? { public_net: publicNetRequest(inputs) } : {}),
    start_after_create: !startsAfterAttach(inputs),
  };
}

function publicNetRequest(inputs: JsonBag): object {
  const net = maps(inputs.publicNets)[0] ?? {};
  return {
    enable_ipv4: Boolean(net.ipv4) || net.ipv4Enabled !== false,
    enable_ipv6: Boolean(net.ipv6) || net.ipv6Enabled !== false,
    ...(net.ipv4 ? { ipv4: Number(net.ipv4) } : {}),
    ...(net.ipv6 ? { ipv6: Number(net.ipv6) } : {}),
  };
}

/** A server without public addresses gets its private NIC before its first boot. */
function startsAfterAttach(inputs: JsonBag): boolean {
  return isPrivateOnly(inputs) && maps(inputs.networks).length > 0;
}

export const server: CloudResource = {
  schema: serverSchema,
  prepare: prepareServer,
  checkTogether: (inputs) => checkNetworks(inputs.networks),

  create: async (api, inputs, made) => {
    interface Answer {
      server: ApiServer;
      action: Action;
      next_actions: Action[];
    }
    const answer = await api.post<Answer>("/servers", await createRequest(api, inputs));
    const id = String(answer.server.id);
    made(id);
    await api.wait(answer.action);
    for (const action of answer.next_actions) await api.wait(action);
    for (const entry of maps(inputs.networks)) await attach(api, id, attachmentOf(entry));
    if (startsAfterAttach(inputs)) {
      const { action } = await api.post<{ action: Action }>(`/servers/${id}/actions/poweron`);
      await api.wait(action);
    }
    if (inputs.backups === true) await setBackups(api, answer.server, true);
    if (inputs.deleteProtection === true || inputs.rebuildProtection === true) await setProtection(api, id, inputs);
  },

  read: async (api, id, known) => {
    const found = await findServer(api, id);
    if (found === undefined) return null;
    const { ipv4, ipv6, firewalls } = found.public_net;
    const knownNetworks = maps(known.networks);
    return {
      name: found.name,
      serverType: found.server_type.name,
      location: found.location.name,
      status: found.status,
      image: imageOf(found, known),
      labels: found.labels,
      backups: Boolean(found.backup_window),
      backupWindow: found.backup_window ?? "",
      deleteProtection: found.protection.delete,
      rebuildProtection: found.protection.rebuild,
      firewallIds: firewalls.map((firewall) => firewall.id),
      placementGroupId: found.placement_group?.id ?? null,
      primaryDiskSize: found.primary_disk_size,
      ipv4Address: ipv4?.ip ?? null,
      ipv6Address: ipv6 === null ? null : `${ipv6.ip.replace(/\/\d+$/, "")}1`,
      ipv6Network: ipv6?.ip ?? "<nil>",
      // Networks are recorded only where the program lists them; elsewhere they belong to other resources.
      ...(knownNetworks.length > 0 ? { networks: recordNetworks(found.private_net, knownNetworks) } : {}),
    };
  },

  update: async (api, { id, inputs, changed }) => {
    const current = await findServer(api, id);
    if (current === undefined) throw new Error(`server with ID '${id}' not found`);
    if (changed.has("publicNets")) {
      throw new Error("the sandbox's stand-in cannot change publicNets of a server; replace the server");
    }
    if (changed.has("name")) await api.put(`/servers/${id}`, { name: inputs.name });
    if (changed.has("labels")) await api.put(`/servers/${id}`, { labels: inputs.labels ?? {} });
    if (changed.has("serverType")) await changeServerType(api, current, inputs);
    if (changed.has("backups")) await setBackups(api, current, inputs.backups === true);
    if (changed.has("networks")) {
      await updateInlineNetworks(api, id, current.private_net, maps(inputs.networks).map(attachmentOf));
    }
    if (changed.has("firewallIds")) await setFirewalls(api, current, numbers(inputs.firewallIds));
    if (changed.has("placementGroupId")) await setPlacementGroup(api, current, Number(inputs.placementGroupId ?? 0));
    if (changed.has("deleteProtection") || changed.has("rebuildProtection")) await setProtection(api, id, inputs);
  },

  delete: async (api, id, state, call) => {
    if (state.shutdownBeforeDeletion === true) await shutDown(api, id, call.log);
    const { action } = await api.delete<{ action: Action }>(`/servers/${id}`);
    await api.wait(action);
  },
};

/** The image by name, unless the program gave its id or it has none. */
function imageOf({ image }: ApiServer, known: JsonBag): Json {
  if (image === null) return known.image ?? null;
  return image.name && String(image.id) !== known.image ? image.name : String(image.id);
}

async function shutDown(api: Api, id: string, log: EngineLog): Promise<void> {
  const { action } = await api.post<{ action: Action }>(`/servers/${id}/actions/shutdown`);
  await api.wait(action);
  const stillOn = "server has not shut down yet";
  const isStillOn = (error: unknown): boolean => (error as Error).message === stillOn;
  try {
    await api.retry(5, isStillOn, async () => {
      if ((await findServer(api, id))?.status !== "off") throw new Error(stillOn);
    });
  } catch (error) {
    if (!isStillOn(error)) throw error;
    log.warning(`Server id ${id} did not finish shutting down gracefully in time, deleting it anyways.`);
  }
}
