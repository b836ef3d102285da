import type { Evidence } from "./evidence";

/** Access to the cloud that holds the private network. */
export interface CloudAccess {
  /** Secret; sent only in the Authorization header. */
  token: string;
  /** Base URL of the API, e.g. `https://api.hetzner.cloud/v1`. */
  endpoint: string;
  networkName: string;
}

/** Hetzner's public API. */
export const defaultCloudEndpoint = "https://api.hetzner.cloud/v1";

/**
 * Reads the routes of the private network.
 * @returns routes, or the reason why they could not be seen; never throws
 */
export async function readCloudRoutes(access: CloudAccess, signal: AbortSignal): Promise<Evidence["cloud"]> {
  const { endpoint, networkName, token } = access;
  const url = `${endpoint.replace(/\/$/, "")}/networks?name=${encodeURIComponent(networkName)}`;
  try {
    const response = await fetch(url, {
      headers: { authorization: `Bearer ${token}` },
      signal: AbortSignal.any([signal, AbortSignal.timeout(10_000)]),
    });
    if (response.status === 401) return { unseen: `The cloud API at ${endpoint} does not accept the token.` };
    if (!response.ok) return { unseen: `The cloud API at ${endpoint} answered HTTP ${response.status}.` };
    const body = (await response.json()) as { networks?: CloudNetwork[] };
    const network = body.networks?.find((candidate) => candidate.name === networkName);
    const routes = (network?.routes ?? []).map(({ destination, gateway }) => ({ destination, gateway }));
    return { value: { networkName, found: network !== undefined, routes } };
  } catch (error) {
    const cause = (error as { cause?: { code?: string } }).cause?.code ?? (error as Error).name;
    return { unseen: `The cloud API at ${endpoint} does not answer (${cause}).` };
  }
}

interface CloudNetwork {
  name: string;
  routes?: { destination: string; gateway: string }[];
}
