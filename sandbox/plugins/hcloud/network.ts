import type { Json } from "../core/values";
import { type Action, type Api, hasCode } from "./api";
import type { CloudResource } from "./cloudResource";
import { checkCidr, labels, name, networkCidr } from "./fields";

export interface ApiNetwork {
  id: number;
  name: string;
  ip_range: string;
  subnets: { type: string; ip_range: string; network_zone: string; gateway: string; vswitch_id?: number }[];
  routes: { destination: string; gateway: string }[];
  labels: { [key: string]: Json };
  protection: { delete: boolean };
  expose_routes_to_vswitch: boolean;
}

export async function findNetwork(api: Api, id: number | string): Promise<ApiNetwork | undefined> {
  return (await api.find<{ network: ApiNetwork }>(`/networks/${id}`))?.network;
}

async function protect(api: Api, id: string, on: boolean): Promise<void> {
  const { action } = await api.post<{ action: Action }>(`/networks/${id}/actions/change_protection`, { delete: on });
  await api.wait(action);
}

export const network: CloudResource = {
  schema: {
    name,
    ipRange: { kind: "string", required: true, forceNew: true, check: checkCidr },
    labels,
    deleteProtection: { kind: "bool", default: false },
    exposeRoutesToVswitch: { kind: "bool", default: false },
  },
  create: async (api, inputs, made) => {
    const answer = await api.post<{ network: ApiNetwork }>("/networks", {
      name: inputs.name,
      ip_range: networkCidr(String(inputs.ipRange)),
      labels: inputs.labels ?? {},
      expose_routes_to_vswitch: inputs.exposeRoutesToVswitch === true,
    });
    const id = String(answer.network.id);
    made(id);
    if (inputs.deleteProtection === true) await protect(api, id, true);
  },
  read: async (api, id) => {
    const found = await findNetwork(api, id);
    if (found === undefined) return null;
    return {
      name: found.name,
      ipRange: found.ip_range,
      labels: found.labels,
      deleteProtection: found.protection.delete,
      exposeRoutesToVswitch: found.expose_routes_to_vswitch,
    };
  },
  update: async (api, { id, inputs, changed }) => {
    if (changed.has("name")) await api.put(`/networks/${id}`, { name: inputs.name });
    if (changed.has("labels")) await api.put(`/networks/${id}`, { labels: inputs.labels ?? {} });
    if (changed.has("exposeRoutesToVswitch")) {
      await api.put(`/networks/${id}`, { expose_routes_to_vswitch: inputs.exposeRoutesToVswitch === true });
    }
    if (changed.has("deleteProtection")) await protect(api, id, inputs.deleteProtection === true);
  },
  delete: async (api, id) => {
    await api.delete(`/networks/${id}`).catch((error: unknown) => {
      if (!hasCode(error, "not_found")) throw error;
    });
  },
};
