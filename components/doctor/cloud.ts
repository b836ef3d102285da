import type { Evidence } from "./evidence";

/** Access to the cloud that holds the private network. */
export interface CloudAccess {
  /** Secret; sent only in the Authorization header. */
  token: string;
  /** Base URL of the API, e.g. `https://api.hetzner.cloud/v1`. */
  endpoint: string;
  /** Name or number. */
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
  const byNumber = /^\d+$/.test(networkName);
  const path = byNumber ? `/networks/${networkName}` : `/networks?name=${encodeURIComponent(networkName)}`;
  const url = `${endpoint.replace(/\/$/, "")}${path}`;
  try {
    const response = await fetch(url, {
      headers: { authorization: `Bearer ${token}` },
      signal: AbortSignal.any([signal, AbortSignal.timeout(10_000)]),
    });
    if (response.status === 401) return { unseen: `The cloud API at ${endpoint} does not accept the token.` };
    if (byNumber && response.status === 404) return { value: { networkName, found: false, routes: [] } };
    if (!response.ok) return { unseen: `The cloud API at ${endpoint} answered HTTP ${response.status}.` };
    const body = (await response.json()) as { networks?: CloudNetwork[]; network?: CloudNetwork };
    const network = body.network ?? body.networks?.find((candidate) => candidate.name === networkName);
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
