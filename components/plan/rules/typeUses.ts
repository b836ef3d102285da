import { serverType, type ServerType } from "../catalogue";
import type { HostsUnderlayArgs } from "../types";
import { hostsOf, hostType } from "../underlay";
import { type Draft, items, type Subject } from "./rule";

/** A pool's server type, or an existing machine, with its place in the arguments. */
export interface TypeUse {
  name: string;
  /** What the catalogue says of it, or the machine's own arguments; undefined when nothing is known. */
  type: ServerType | undefined;
  path: string;
  pool: "control-plane" | "worker";
  isolation: string;
}

/** What the nodes of all pools are made of. */
export function typeUses({ args }: Subject): TypeUse[] {
  const hosts = hostsOf(args);
  if (hosts) return hostUses(args, hosts);
  const name = args.controlPlane?.serverType;
  const controlPlane: TypeUse[] =
    name === undefined
      ? []
      : [
          {
            name,
            type: serverType(name),
            path: "controlPlane.serverType",
            pool: "control-plane",
            isolation: "none",
          },
        ];
  const workers = items(args.pools, "pools").flatMap(({ item, path }): TypeUse[] =>
    item.serverType === undefined
      ? []
      : [
          {
            name: item.serverType,
            type: serverType(item.serverType),
            path: `${path}.serverType`,
            pool: "worker",
            isolation: item.cpuIsolation ?? "none",
          },
        ],
  );
  return [...controlPlane, ...workers];
}

/** Existing machines, each as a type of its own. */
function hostUses(args: Subject["args"], hosts: Draft<HostsUnderlayArgs>): TypeUse[] {
  return Object.entries(hosts.machines ?? {}).flatMap(([key, host]): TypeUse[] => {
    if (host?.cpus === undefined) return [];
    const pool = items(args.pools, "pools").find(({ item }) => key.replace(/-\d+$/, "") === item.name)?.item;
    return [
      {
        name: key,
        type: hostType(key, host),
        path: `underlay.machines[${JSON.stringify(key)}].cpus`,
        pool: pool === undefined ? "control-plane" : "worker",
        isolation: pool?.cpuIsolation ?? "none",
      },
    ];
  });
}
