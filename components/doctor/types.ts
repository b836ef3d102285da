import type { CpuPlan, HugePages } from "../plan/types";

/** What the doctor compares the live cluster with. Derived from a ClusterPlan; absent where only a kubeconfig is at hand. */
export interface Expectation {
  cluster: string;
  /** `kernel`: the oldest minor that has what was chosen. */
  versions: { kubernetes: string; cilium: string; containerd: string; kernel: string };
  /** `taints` as text: `key[=value]:effect`. */
  nodes: {
    name: string;
    role: "control-plane" | "worker";
    privateAddress: string;
    podCidr: string;
    taints: string[];
    cpu: CpuPlan;
  }[];
  podCidr: string;
  serviceCidr: string;
  clusterDns: string;
  /** Bytes: path between nodes, path between pods. */
  mtu: { node: number; pod: number };
  sysctls: { key: string; value: string; podsInherit: boolean; namespaced: boolean; podsMaySet?: true }[];
  transparentHugePages: HugePages;
  cilium: {
    kubeProxyReplacement: boolean;
    routingMode: "native" | "tunnel";
    hostRouting: "BPF" | "Legacy";
    masquerading: "BPF" | "iptables";
    nativeRoutingCidr: string;
    loadBalancerMode: "snat" | "dsr" | "hybrid";
    /** Kind of the pods' devices. */
    deviceMode: string;
    encryption: "none" | "wireguard" | "ipsec";
    /** Devices as configured: `eth0`, wildcards such as `enp+`, exclusions such as `!eth1`. Empty: left to Cilium. */
    devices: string[];
    /** `off`, `on`, `on with bbr`. */
    bandwidthManager: string;
    /** Ranges of the nodes' addresses at which Services' node ports answer; empty: at all of them. */
    nodePortAddresses: string[];
  };
  /**
   * What nodes and routes beyond the plan are: `failed`, the default; `unseen` within an update, which removes what left the plan only
   * after everything else, the doctor included.
   */
  unplanned?: "failed" | "unseen";
  /** Routes that the underlay must hold; absent where the underlay has none. */
  cloudRoutes?: {
    /** Name or number. */
    networkName: string;
    routes: { destination: string; gateway: string }[];
    /** Destinations of routes that others have there and that were told of. */
    others?: string[];
    /** Range in which no other route may be; absent: anywhere. In a network of others the rest is theirs. */
    within?: string;
  };
}

/**
 * Outcome of one check on one subject. `unprovable`: only where the machine is a container and the key is absent or
 * read-only there. `unseen`: what is needed to judge was not at hand.
 */
export type Outcome = "ok" | "failed" | "unprovable" | "unseen";

/** One finding. */
export interface CheckResult {
  /** Stable id of the check, e.g. `pod-mtu`. */
  check: string;
  /** A node `web-1`, an ordered pair of nodes `web-1 -> web-2`, or `cluster`. */
  subject: string;
  outcome: Outcome;
  wanted: string;
  found: string;
  /** What to do, when failed; why, when unprovable or unseen. */
  hint?: string;
}

/** What was not run in this run, and why. */
export interface NotRun {
  /** Id of a check, or the name of something that the doctor leaves to others. */
  check: string;
  reason: string;
}

/** A whole run. */
export interface Report {
  cluster: string;
  results: CheckResult[];
  notRun: NotRun[];
  counts: Record<Outcome, number>;
  /** True when no result failed. */
  healthy: boolean;
}
