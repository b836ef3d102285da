import type { BbrScope, ClusterArgs, CpuIsolation, Taint } from "./types";
import { firstWorkerNumber } from "./addresses";
import { controlPlanePool } from "./names";
import { defaultVersions } from "./versions";

/** Defaults of the arguments that have one. */
export const defaults = {
  networkRange: "10.0.0.0/8",
  nodeSubnet: "10.0.0.0/24",
  image: "debian-13",
  publicInterface: "eth0",
  privateInterface: "enp7s0",
  controlPlaneCount: 1,
  podCidr: "10.244.0.0/16",
  serviceCidr: "10.96.0.0/12",
  nodePodCidrBits: 24,
  expectedServices: 5000,
  expectedEndpointsPerService: 10,
  bbr: "node-and-pod",
  chart: "cilium",
  repository: "https://helm.cilium.io/",
} as const;

/** A pool of nodes with defaults filled in; the control plane is one too. */
export interface ResolvedPool {
  name: string;
  role: "control-plane" | "worker";
  count: number;
  firstNumber: number;
  serverType: string;
  cpuIsolation: CpuIsolation;
  labels: Record<string, string>;
  taints: Taint[];
}

/** Taint of control plane nodes, as kubeadm sets it. */
export const controlPlaneTaint: Taint = { key: "node-role.kubernetes.io/control-plane", effect: "NoSchedule" };

/** The pools of valid arguments, control plane first. */
export function resolvePools(args: ClusterArgs): ResolvedPool[] {
  const workers = (args.pools ?? []).map((pool): ResolvedPool => ({
    name: pool.name,
    role: "worker",
    count: pool.count,
    firstNumber: pool.firstNumber ?? firstWorkerNumber,
    serverType: pool.serverType,
    cpuIsolation: pool.cpuIsolation ?? "none",
    labels: pool.labels ?? {},
    taints: pool.taints ?? [],
  }));
  const controlPlane: ResolvedPool = {
    name: controlPlanePool,
    role: "control-plane",
    count: args.controlPlane.count ?? defaults.controlPlaneCount,
    firstNumber: 2,
    serverType: args.controlPlane.serverType,
    cpuIsolation: "none",
    labels: {},
    taints: [controlPlaneTaint],
  };
  return [controlPlane, ...workers];
}

/** BBR scope of valid arguments. */
export function resolveBbr(args: ClusterArgs): BbrScope {
  return args.tuning?.bbr ?? defaults.bbr;
}

/** How many Services to expect, and endpoints of each. */
export function resolveServices(network: Partial<NonNullable<ClusterArgs["network"]>> = {}): {
  count: number;
  endpoints: number;
} {
  return {
    count: network.expectedServices ?? defaults.expectedServices,
    endpoints: network.expectedEndpointsPerService ?? defaults.expectedEndpointsPerService,
  };
}

/** Versions of valid arguments. */
export function resolveVersions(args: ClusterArgs): { kubernetes: string; cilium: string } {
  return {
    kubernetes: args.kubernetes?.version ?? defaultVersions.kubernetes,
    cilium: args.cilium?.version ?? defaultVersions.cilium,
  };
}

/** Chart of valid arguments: a path or an OCI reference has no repository. */
export function resolveChart(args: ClusterArgs): { chart: string; repository?: string } {
  const chart = args.cilium?.chart ?? defaults.chart;
  if (isChartLocation(chart)) return { chart };
  return { chart, repository: args.cilium?.repository ?? defaults.repository };
}

/** Whether a chart is named by where it lies (path, archive or OCI reference), not by its name in a repository. */
export function isChartLocation(chart: string): boolean {
  return /^(oci:\/\/|\.{0,2}\/)/.test(chart) || chart.endsWith(".tgz");
}
