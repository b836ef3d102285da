import type { Json } from "../core/values";
import { hasCode } from "./api";
import type { CloudResource } from "./cloudResource";
import { labels, name } from "./fields";

interface ApiSshKey {
  id: number;
  name: string;
  fingerprint: string;
  public_key: string;
  labels: { [key: string]: Json };
}

export const sshKey: CloudResource = {
  schema: {
    name,
    publicKey: { kind: "string", required: true, forceNew: true },
    labels,
    fingerprint: { kind: "string", output: true },
  },
  create: async (api, inputs, made) => {
    const body = { name: inputs.name, public_key: inputs.publicKey, labels: inputs.labels ?? {} };
    const answer = await api.post<{ ssh_key: ApiSshKey }>("/ssh_keys", body);
    made(String(answer.ssh_key.id));
  },
  read: async (api, id) => {
    const key = (await api.find<{ ssh_key: ApiSshKey }>(`/ssh_keys/${id}`))?.ssh_key;
    if (key === undefined) return null;
    return { name: key.name, publicKey: key.public_key, fingerprint: key.fingerprint, labels: key.labels };
  },
  update: async (api, { id, inputs, changed }) => {
    const body = {
      ...(changed.has("name") ? { name: inputs.name } : {}),
      ...(changed.has("labels") ? { labels: inputs.labels ?? {} } : {}),
    };
    await api.put(`/ssh_keys/${id}`, body);
  },
  delete: async (api, id) => {
    await api.delete(`/ssh_keys/${id}`).catch((error: unknown) => {
      if (!hasCode(error, "not_found")) throw error;
    });
  },
};
