import path from "node:path";

/** Where one sandbox lives on this host. Everything that an instance makes carries its name or lies in its folder. */
export interface Instance {
  /** DNS label, at most 12 characters. */
  name: string;
  /** 0 to 255, unique on this host: picks ranges, ports and interface names. */
  index: number;
  /** Durable state: API data, machines, Pulumi home, stack files, logs. */
  stateDir: string;
  /** Public addresses of machines and of the host's end, a /24 out of the benchmarking range 198.18.0.0/16. */
  publicRange: string;
  /** The host's own address in that range: the operator as machines see him. The mirror listens here. */
  hostAddress: string;
  /** Loopback port of the emulated cloud API. */
  apiPort: number;
  /** Port of the artifact and image mirror on hostAddress. */
  mirrorPort: number;
  /** Prefix of interfaces, namespaces and cgroups, e.g. `zs0`. */
  prefix: string;
}

/** Folder of all instances. */
export const instancesDir = "/var/lib/zerosteal";

/**
 * Describes an instance by name and index.
 * @param name DNS label, at most 12 characters
 * @param index 0 to 255, unique on this host
 */
export function describeInstance(name: string, index: number): Instance {
  return {
    name,
    index,
    stateDir: path.join(instancesDir, name),
    publicRange: `198.18.${index}.0/24`,
    hostAddress: `198.18.${index}.1`,
    apiPort: 18000 + index,
    mirrorPort: 5000,
    prefix: `zs${index}`,
  };
}
