import type { PeerArgs } from "./types";

/**
 * The pods of a workload, by their label `app`.
 * @param name value of the label
 * @param namespace of the pods; default: that of the graph
 */
export function app(name: string, namespace?: string): PeerArgs {
  return { labels: { app: name }, ...(namespace === undefined ? {} : { namespace }) };
}
