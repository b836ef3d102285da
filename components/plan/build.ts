import { addressAt, mustParse, subrangeAt } from "./addresses";
import { binFolder, resolveArtifacts, upstreamArtifacts, versionInstalled } from "./artifacts";
import { ciliumNamespace, ciliumRelease, ciliumValues, mergeValues } from "./cilium";
import { planCpu } from "./cpu";
import { valuesInChart } from "./ciliumKeys";
import { userData } from "./cloudInit";
import { apiPort, initDocuments, joinDocument } from "./kubeadm";
import { hostFirewallFiles } from "./hostFirewall";
import { podMtu } from "./mtu";
import { apiName, clusterLabels, controlPlanePool, nodeName, placementGroupName } from "./names";
import { commonFiles, nodeFiles, setupScript } from "./nodeFiles";
import { nodeLabels, nodeObject } from "./nodeObject";
import {
  defaults,
  resolveChart,
  resolveDataPath,
  resolvePools,
  resolveServices,
  resolveTuning,
  resolveVersions,
  type ResolvedPool,
} from "./resolve";
import type { Reason } from "./reason";
import { sysctlsFor } from "./sysctl";
import { hostType, planUnderlay, typeOfPool } from "./underlay";
import type {
  ClusterArgs,
  ClusterPlan,
  FirewallRulePlan,
  NodeArtifact,
  NodeFile,
  NodePlan,
  PlacementGroupPlan,
  Problem,
  UnderlayPlan,
} from "./types";

/** The parts of a plan that its nodes are made from. */
type Frame = Omit<ClusterPlan, "nodes" | "placementGroups" | "cilium" | "warnings">;

/**
 * Builds the plan of valid arguments. Pure: the same arguments give the same plan.
 * @param warnings refusals that were accepted
 */
export function buildPlan(name: string, args: ClusterArgs, warnings: Problem[]): ClusterPlan {
  const frame = buildFrame(name, args);
  const pools = resolvePools(args);
  const common = [...commonFiles({ ...frame, args }), ...hostFirewallFiles(frame)];
  const nodes = pools.flatMap((pool) =>
    Array.from({ length: pool.count }, (_, offset) => buildNode(frame, common, args, pool, offset + 1)),
  );
  return { ...frame, nodes, placementGroups: groupsOf(nodes), cilium: buildCilium(frame, args, pools), warnings };
}

function buildFrame(name: string, args: ClusterArgs): Frame {
  const { network } = args;
  const underlay = planUnderlay(name, args);
  const dataPath = resolveDataPath(network);
  const { kubernetes, cilium } = resolveVersions(args);
  const serviceCidr = network?.serviceCidr ?? defaults.serviceCidr;
  const artifacts = artifactsOf(args, kubernetes);
  const tuning = resolveTuning(args);
  return {
    name,
    labels: clusterLabels(name),
    versions: {
      kubernetes,
      cilium,
      containerd: versionInstalled(artifacts, `${binFolder}/containerd`),
      runc: versionInstalled(artifacts, "/usr/local/sbin/runc"),
    },
    underlay,
    ...dataPath,
    podCidr: network?.podCidr ?? defaults.podCidr,
    serviceCidr,
    clusterDns: addressAt(mustParse(serviceCidr), 10),
    podMtu: podMtu(underlay.mtu, { ...dataPath, cilium }),
    api: {
      name: apiName(name),
      port: apiPort,
      privateAddress: privateAddressOf(underlay, nodeName(name, controlPlanePool, 1), 2, underlay.nodeSubnet),
    },
    artifacts,
    firewall: firewallRules(args),
    sysctls: sysctlsFor(tuning),
    bbr: tuning.bbr,
    transparentHugePages: tuning.hugePages,
  };
}

function buildNode(frame: Frame, common: NodeFile[], args: ClusterArgs, pool: ResolvedPool, index: number): NodePlan {
  const { underlay } = frame;
  const cloud = underlay.kind === "hetzner";
  const name = nodeName(frame.name, pool.name, index);
  const number = pool.firstNumber + index - 1;
  const subnet = pool.subnet ?? underlay.nodeSubnet;
  const privateAddress = privateAddressOf(frame.underlay, name, number, subnet);
  const bits = args.network?.nodePodCidrBits ?? defaults.nodePodCidrBits;
  const podCidr = subrangeAt(mustParse(frame.podCidr), bits, number);
  const labels = nodeLabels(frame.name, underlay.kind === "hetzner" ? underlay.location : undefined, pool);
  const host = underlay.kind === "hosts" ? underlay.machines[name] : undefined;
  const cpu = planCpu(pool.cpuIsolation, host ? hostType(name, host) : typeOfPool(args, pool));
  const files = nodeFiles(common, {
    args,
    name,
    privateAddress,
    privateInterface: frame.underlay.interfaces.private,
    api: frame.api,
    cpu,
  });
  const facts = { name, privateAddress, taints: pool.taints };
  const api = { cluster: frame.name, apiName: frame.api.name };
  return {
    name,
    role: pool.role,
    pool: pool.name,
    index,
    number,
    ...(cloud
      ? { serverType: pool.serverType, subnet, placementGroup: placementGroupName(frame.name, pool.name, index) }
      : {}),
    cpu,
    privateAddress,
    podCidr,
    ...(frame.tunnel === "none" && underlay.nextHop === "gateway"
      ? { route: { destination: podCidr, gateway: privateAddress } }
      : {}),
    labels,
    taints: pool.taints,
    files,
    setupScript,
    userData: cloud ? userData(name, files) : "",
    kubeadm: pool.role === "control-plane" ? initDocuments(args, api, facts) : joinDocument(args, api, facts),
    nodeObject: nodeObject({ name, role: pool.role, labels, podCidr, taints: pool.taints }, cloud),
  };
}

function buildCilium(frame: Frame, args: ClusterArgs, pools: ResolvedPool[]): ClusterPlan["cilium"] {
  const memory = pools.filter((pool) => pool.count > 0).map((pool) => typeOfPool(args, pool).memoryGiB);
  const planned = ciliumValues({
    cluster: frame.name,
    version: frame.versions.cilium,
    apiName: frame.api.name,
    podCidr: frame.podCidr,
    nodeSubnets: frame.underlay.kind === "hetzner" ? frame.underlay.subnets : [frame.underlay.nodeSubnet],
    underlay: frame.underlay,
    mtu: frame.underlay.mtu,
    tunnel: frame.tunnel,
    encryption: frame.encryption,
    datapath: frame.datapath,
    xdp: frame.xdp,
    interfaces: frame.underlay.interfaces,
    bbr: frame.bbr,
    controlPlanes: args.controlPlane.count ?? defaults.controlPlaneCount,
    leastMemoryGiB: Math.min(...memory),
    services: resolveServices(args.network),
  });
  return {
    namespace: ciliumNamespace,
    release: ciliumRelease,
    ...resolveChart(args),
    version: frame.versions.cilium,
    values: mergeValues(valuesInChart(planned, frame.versions.cilium), args.cilium?.values),
  };
}

/** Inbound rules of the public side. Only these two ports, and only from the given ranges; between nodes the private network is used. */
function firewallRules(args: ClusterArgs): FirewallRulePlan[] {
  return [
    { description: "SSH", protocol: "tcp", port: "22", sourceCidrs: args.access.ssh },
    { description: "Kubernetes API", protocol: "tcp", port: String(apiPort), sourceCidrs: args.access.api },
  ];
}

/** Why the public side is open to these ranges alone. */
export const firewallReason: Reason = {
  why: "Nothing is open by default: two ports, only from the ranges given. Nodes talk to each other over the private network.",
  source: "arguments access.ssh and access.api",
};

function groupsOf(nodes: NodePlan[]): PlacementGroupPlan[] {
  const names = [...new Set(nodes.flatMap((node) => node.placementGroup ?? []))];
  return names.map((name) => ({
    name,
    nodes: nodes.filter((node) => node.placementGroup === name).map((node) => node.name),
  }));
}

function artifactsOf(args: ClusterArgs, kubernetes: string): NodeArtifact[] {
  const artifacts = args.artifacts === undefined ? upstreamArtifacts(kubernetes) : resolveArtifacts(args.artifacts);
  if (artifacts === undefined) throw new RangeError(`no artifacts are known for Kubernetes ${kubernetes}`);
  return artifacts;
}

/** A node's address in the private network: by its number where the cloud gives addresses out, by its machine where it has one. */
function privateAddressOf(underlay: UnderlayPlan, node: string, number: number, subnet: string): string {
  if (underlay.kind === "hosts") return underlay.machines[node]?.privateAddress ?? "";
  return addressAt(mustParse(subnet), number);
}
