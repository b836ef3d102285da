/**
 * Entries of Cilium's service maps that a number of Services needs: one for the Service itself and one for each of its endpoints.
 * @param services frontends: a Service counts once for each of its ports
 * @param endpoints backends of each
 */
export function serviceEntries(services: number, endpoints: number): number {
  return services * (1 + endpoints);
}

/** The same with room to change: twice as many, for endpoints that come before others go. */
export function serviceEntriesWanted(services: number, endpoints: number): number {
  return 2 * serviceEntries(services, endpoints);
}

/** Size of the maps by the chart's default; smaller ones would save nothing worth having. */
export const leastServiceMap = 65536;

/**
 * Largest size that is planned. Cilium allows its large tables no more, and says that such a one takes about 1 GiB; there are
 * several, on every node.
 */
export const largestServiceMap = 16777216;

/** Most frontends, and most backends of one: Cilium numbers both with 16 bits. */
export const serviceNumberLimit = 65535;

/**
 * Size of the service maps (`bpf.lbMapMax`), in entries: the next power of two. Cilium makes its map of backends as large, and
 * that is enough: there cannot be more backends than entries which point to one.
 */
export function serviceMapSize(services: number, endpoints: number): number {
  const wanted = serviceEntriesWanted(services, endpoints);
  return Math.max(leastServiceMap, 2 ** Math.ceil(Math.log2(Math.max(1, wanted))));
}
