import { type Action, hasCode } from "./api";
import type { CloudResource } from "./cloudResource";
import { networkCidr, parseNetworkPart } from "./fields";
import { findNetwork } from "./network";

export const networkRoute: CloudResource = {
  schema: {
    networkId: { kind: "int", required: true, forceNew: true },
    destination: { kind: "string", required: true, forceNew: true },
    gateway: { kind: "string", required: true, forceNew: true },
  },
  create: async (api, inputs, made) => {
    const destination = networkCidr(String(inputs.destination));
    const path = `/networks/${Number(inputs.networkId)}/actions/add_route`;
    const { action } = await api.retry(5, ["conflict"], () =>
      api.post<{ action: Action }>(path, { destination, gateway: inputs.gateway }),
    );
    made(`${Number(inputs.networkId)}-${destination}`);
    await api.wait(action);
  },
  read: async (api, id) => {
    const part = parseNetworkPart(id);
    const found = part === undefined ? undefined : await findNetwork(api, part.networkId);
    const route = found?.routes.find((entry) => entry.destination === part?.cidr);
    if (found === undefined || route === undefined) return null;
    return { networkId: found.id, destination: route.destination, gateway: route.gateway };
  },
  delete: async (api, id) => {
    const part = parseNetworkPart(id);
    const found = part === undefined ? undefined : await findNetwork(api, part.networkId);
    const route = found?.routes.find((entry) => entry.destination === part?.cidr);
    if (found === undefined || route === undefined) return;
    try {
      const path = `/networks/${found.id}/actions/delete_route`;
      const { action } = await api.retry(5, ["conflict"], () => api.post<{ action: Action }>(path, route));
      await api.wait(action);
    } catch (error) {
      if (!hasCode(error, "not_found")) throw error;
    }
  },
};
