import type { Json } from "../core/values";
import type { Action } from "./api";
import type { CloudResource } from "./cloudResource";
import { labels, name } from "./fields";

interface ApiPlacementGroup {
  id: number;
  name: string;
  type: string;
  servers: number[];
  labels: { [key: string]: Json };
}

export const placementGroup: CloudResource = {
  schema: {
    name,
    labels,
    type: {
      kind: "string",
      required: true,
      check: (type) => (type === "spread" ? undefined : `${String(type)} is not a valid placement group type`),
    },
    servers: { kind: "set", output: true },
  },
  create: async (api, inputs, made) => {
    const body = { name: inputs.name, type: inputs.type, labels: inputs.labels ?? {} };
    interface Answer {
      placement_group: ApiPlacementGroup;
      action?: Action | null;
    }
    const answer = await api.post<Answer>("/placement_groups", body);
    made(String(answer.placement_group.id));
    await api.wait(answer.action);
  },
  read: async (api, id) => {
    const answer = await api.find<{ placement_group: ApiPlacementGroup }>(`/placement_groups/${id}`);
    if (answer === undefined) return null;
    const group = answer.placement_group;
    return { name: group.name, labels: group.labels, type: group.type, servers: group.servers };
  },
  update: async (api, { id, inputs, changed }) => {
    if (changed.has("name")) await api.put(`/placement_groups/${id}`, { name: inputs.name });
    if (changed.has("labels")) await api.put(`/placement_groups/${id}`, { labels: inputs.labels ?? {} });
  },
  delete: async (api, id) => {
    await api.delete(`/placement_groups/${id}`);
  },
};
