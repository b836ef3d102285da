import { addressAt, mustParse } from "./addresses";
import { locations, serverType, type ServerType } from "./catalogue";
import { kernelNeeded } from "./kernels";
import { at } from "./merge";
import { hetznerNetworkMtu, vSwitchNetworkMtu } from "./mtu";
import { machineKey, nodeName } from "./names";
import { defaults, resolveDataPath, resolvePools, resolveTuning, type ResolvedPool } from "./resolve";
import type { Draft } from "./rules/rule";
import type { Reason } from "./reason";
import { serviceObjects } from "./serviceAddresses";
import type {
  ClusterArgs,
  HetznerUnderlayArgs,
  HetznerUnderlayPlan,
  HostArgs,
  HostsUnderlayArgs,
  HostsUnderlayPlan,
  UnderlayPlan,
} from "./types";

/** The arguments of a Hetzner Cloud project, which is also what an underlay is read as that does not say its kind; undefined with another. */
export function hetznerOf(args: Draft<ClusterArgs>): Draft<HetznerUnderlayArgs> | undefined {
  const { underlay = {} } = args;
  return hostsOf(args) ? undefined : (underlay as Draft<HetznerUnderlayArgs>);
}

/** The arguments of existing hosts; undefined with another underlay. */
export function hostsOf(args: Draft<ClusterArgs>): Draft<HostsUnderlayArgs> | undefined {
  return args.underlay?.kind === "hosts" ? args.underlay : undefined;
}

/** What the data path is chosen by, as far as the arguments tell. */
export interface Capabilities {
  nextHop: "direct" | "gateway";
  sourceCheck: boolean;
  /** The underlay in words, for sentences. */
  words: string;
}

/** Capabilities of the arguments' underlay. */
export function capabilitiesOf(args: Draft<ClusterArgs>): Capabilities {
  const hosts = hostsOf(args);
  if (hosts === undefined) return { nextHop: "gateway", sourceCheck: true, words: "Hetzner Cloud networks" };
  const direct = hosts.segment === "l2";
  return {
    nextHop: direct ? "direct" : "gateway",
    sourceCheck: hosts.sourceCheck ?? !direct,
    words: direct ? "segments with such checks" : "the routers between these hosts",
  };
}

/** MTU of the network between the nodes, bytes. */
export function mtuOf(args: Draft<ClusterArgs>): number {
  const hosts = hostsOf(args);
  if (hosts !== undefined) return hosts.mtu ?? defaults.hostMtu;
  return hetznerOf(args)?.vSwitch === undefined ? hetznerNetworkMtu : vSwitchNetworkMtu;
}

/** Names or Cilium patterns of the NICs. */
export function interfacesOf(args: Draft<ClusterArgs>): { public: string; private: string } {
  return {
    public: args.underlay?.publicInterface ?? defaults.publicInterface,
    private:
      args.underlay?.privateInterface ?? (hostsOf(args) ? defaults.hostPrivateInterface : defaults.privateInterface),
  };
}

/** The pods' kind of device when it is a kind of netkit, and the argument that says so. */
export function netkitOf({ network, cilium }: Draft<ClusterArgs>): { mode: string; path: string } | undefined {
  const own = at({ ...cilium?.values }, "bpf.datapathMode");
  if (own === "netkit" || own === "netkit-l2") return { mode: own, path: "cilium.values.bpf.datapathMode" };
  return own === undefined && network?.datapath === "netkit" ? { mode: "netkit", path: "network.datapath" } : undefined;
}

/**
 * Where clouds answer machines about themselves: nearly all, Alibaba, Oracle's older one, Azure. Azure's is the machines' resolver too, as
 * the first is on some clouds: pods of a machine that asks there would get no answers, which the preflight refuses.
 */
export function metadataAddresses(args: ClusterArgs): string[] {
  const common = "169.254.169.254";
  return args.underlay.kind === "hosts" ? [common, "100.100.100.200", "192.0.0.192", "168.63.129.16"] : [common];
}

/** Plans the underlay of valid arguments. */
export function planUnderlay(cluster: string, args: ClusterArgs): UnderlayPlan {
  return args.underlay.kind === "hosts" ? planHosts(cluster, args, args.underlay) : planHetzner(args, args.underlay);
}

function planHetzner(args: ClusterArgs, underlay: HetznerUnderlayArgs): HetznerUnderlayPlan {
  const { nextHop, sourceCheck } = capabilitiesOf(args);
  const networkRange = underlay.networkRange ?? defaults.networkRange;
  const nodeSubnet = underlay.nodeSubnet ?? defaults.nodeSubnet;
  const { existingNetwork, vSwitch } = underlay;
  return {
    kind: "hetzner",
    location: underlay.location,
    networkZone: locations[underlay.location] ?? "",
    ...(existingNetwork === undefined ? {} : { existingNetwork }),
    networkRange,
    nodeSubnet,
    subnets: [...new Set([nodeSubnet, ...resolvePools(args).map(({ subnet }) => subnet ?? nodeSubnet)])],
    ...(vSwitch === undefined ? {} : { vSwitch }),
    otherRoutes: underlay.otherRoutes ?? [],
    gateway: addressAt(mustParse(networkRange), 1),
    image: underlay.image ?? defaults.image,
    mtu: mtuOf(args),
    nextHop,
    sourceCheck,
    interfaces: interfacesOf(args),
  };
}

function planHosts(cluster: string, args: ClusterArgs, underlay: HostsUnderlayArgs): HostsUnderlayPlan {
  const { nextHop, sourceCheck } = capabilitiesOf(args);
  const resolvConf = args.kubernetes?.kubelet?.resolvConf;
  const machines = resolvePools(args).flatMap((pool) =>
    Array.from({ length: pool.count }, (_, offset): [string, Required<HostArgs>] => {
      return [nodeName(cluster, pool.name, offset + 1), hostOf(underlay, pool.name, offset + 1)];
    }),
  );
  return {
    kind: "hosts",
    segment: underlay.segment,
    nodeSubnet: underlay.nodeSubnet,
    mtu: mtuOf(args),
    nextHop,
    sourceCheck,
    interfaces: interfacesOf(args),
    user: underlay.user ?? defaults.hostUser,
    machines: Object.fromEntries(machines),
    preflight: {
      kernel: kernelNeeded({
        podBbr: resolveTuning(args).bbr === "node-and-pod",
        netkit: netkitOf(args) !== undefined,
      }),
      modules: resolveDataPath(args.network).encryption === "wireguard" ? ["wireguard"] : [],
      // Every host fetches from there in any case, so its clock is at hand on networks without time servers too.
      clockUrl: args.artifacts?.baseUrl ?? "https://dl.k8s.io/",
      guarded: metadataAddresses(args),
      resolvConf: typeof resolvConf === "string" ? resolvConf : "",
    },
    ...(underlay.serviceAddresses === undefined
      ? {}
      : { serviceObjects: serviceObjects(cluster, underlay.serviceAddresses, args, interfacesOf(args).private) }),
  };
}

function hostOf(underlay: HostsUnderlayArgs, pool: string, index: number): Required<HostArgs> {
  const host = underlay.machines[machineKey(pool, index)];
  if (host === undefined) throw new RangeError(`there is no machine ${machineKey(pool, index)}`);
  return { sshPort: defaults.sshPort, dedicatedCpus: false, ...host };
}

/** CPUs and memory of a pool's nodes: of its server type, or of the smallest of its machines. */
export function typeOfPool(args: ClusterArgs, pool: ResolvedPool): ServerType {
  if (args.underlay.kind === "hosts") {
    const hosts = Array.from({ length: pool.count }, (_, offset) => offset + 1).map((index) =>
      hostType(machineKey(pool.name, index), hostOf(args.underlay as HostsUnderlayArgs, pool.name, index)),
    );
    const first = hosts[0] ?? hostType(pool.name, {});
    return hosts.reduce((least, type) => (type.cores < least.cores ? type : least), first);
  }
  const type = serverType(pool.serverType ?? "");
  if (type === undefined) throw new RangeError(`${pool.serverType ?? "an unnamed type"} is not in the catalogue`);
  return type;
}

/** A machine as the catalogue would name its type. */
export function hostType(name: string, host: Draft<HostArgs>): ServerType {
  return {
    name,
    cpuType: host.dedicatedCpus === true ? "dedicated" : "shared",
    cores: host.cpus ?? 1,
    memoryGiB: host.memoryGiB ?? 1,
    arch: "x86",
    locations: [],
  };
}

/** What a kind of network between existing hosts means. */
export const hostsReasons = {
  l2: {
    why: "The machines are on one segment: Cilium routes pods from node to node, and a backend's node may answer a client itself.",
    source: "Cilium documentation, routing: native routing; argument underlay.segment",
  },
  routed: {
    why: "A router is between the machines: pods travel in a tunnel, or by routes that the routers are declared to have.",
    source: "Cilium documentation, routing; argument underlay.segment",
  },
} as const satisfies Record<string, Reason>;
