import type { Json } from "../core/values";
import type { Api } from "./api";

export interface ApiServerType {
  id: number;
  name: string;
  description: string;
  category?: string;
  cores: number;
  memory: number;
  disk: number;
  storage_type: string;
  cpu_type: string;
  architecture: string;
  included_traffic?: number;
  deprecation?: { announced: string; unavailable_after: string } | null;
  locations?: ApiTypeLocation[];
}

export interface ApiTypeLocation {
  id: number;
  name: string;
  available?: boolean;
  recommended?: boolean;
  deprecation: { announced: string; unavailable_after: string } | null;
}

export interface ApiImage {
  id: number;
  type: string;
  name: string | null;
  description: string;
  created: string;
  deprecated: string | null;
  os_flavor: string;
  os_version: string | null;
  rapid_deploy: boolean;
  architecture: string;
  labels: { [key: string]: Json };
}

const isId = (text: string): boolean => /^\d+$/.test(text);

/** An object by id, if the text is a number, else by name. */
async function byIdOrName<T>(api: Api, path: string, keys: [one: string, many: string], text: string, query = {}) {
  if (isId(text)) {
    const found = (await api.find<{ [key: string]: T }>(`${path}/${text}`))?.[keys[0]];
    if (found !== undefined) return found;
  }
  const answer = await api.get<{ [key: string]: T[] }>(path, { name: text, ...query });
  return answer[keys[1]]?.[0];
}

export async function findServerType(api: Api, text: string): Promise<ApiServerType | undefined> {
  return byIdOrName<ApiServerType>(api, "/server_types", ["server_type", "server_types"], text);
}

export async function lookUpServerType(api: Api, text: string): Promise<ApiServerType> {
  const type = await findServerType(api, text);
  if (type === undefined) throw new Error(`server type ${text} not found`);
  return type;
}

export async function lookUpImage(api: Api, text: string, architecture: string): Promise<ApiImage> {
  const query = { architecture, include_deprecated: true };
  const image = await byIdOrName<ApiImage>(api, "/images", ["image", "images"], text, query);
  if (image === undefined) throw new Error(`image ${text} for architecture ${architecture} not found`);
  return image;
}

/** Id of an SSH key given by id or name. */
export async function lookUpSshKey(api: Api, text: string): Promise<number> {
  const key = await byIdOrName<{ id: number }>(api, "/ssh_keys", ["ssh_key", "ssh_keys"], text);
  if (key === undefined) throw new Error(`SSH key not found: ${text}`);
  return key.id;
}
