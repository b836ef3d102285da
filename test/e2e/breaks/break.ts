import type { Cluster, LiveNode } from "../support/cluster";
import type { DoctorSettings } from "../support/doctor";

/** A finding that must come, and no other. */
export interface Finding {
  check: string;
  /** Node, pair of nodes, or `cluster`. */
  subject: string;
  wanted: string | RegExp;
  found: string | RegExp;
}

/** One thing that is broken on purpose on the live cluster. */
export interface Break {
  /** Check that it is about. */
  check: string;
  what: string;
  make: (cluster: Cluster) => Promise<unknown>;
  mend: (cluster: Cluster) => Promise<unknown>;
  findings: (cluster: Cluster) => Finding[];
  settings?: (cluster: Cluster) => DoctorSettings;
}

/** All ordered pairs of nodes of which one end is this node. */
export function pairsWith(cluster: Cluster, { name }: LiveNode): string[] {
  const others = cluster.nodes.map((node) => node.name).filter((other) => other !== name);
  return others.flatMap((other) => [`${name} -> ${other}`, `${other} -> ${name}`]);
}
