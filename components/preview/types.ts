import type { Arguments, Step } from "./previewTypes";

/** How much a change can hurt, from nothing to the loss of a cluster. */
export const grades = ["none", "low", "medium", "high", "critical"] as const;
export type Grade = (typeof grades)[number];

/** What a change does beside itself. */
export type Effect =
  /** A machine goes, with everything on its disk, and another one comes. */
  | "replaces-machine"
  /** etcd, and with it the API, stops for a while or is lost. */
  | "interrupts-etcd"
  /** Pods are moved off a node. */
  | "drains-pods"
  /** A machine is switched off and on. */
  | "switches-off"
  /** Takes full effect at the machine's next boot only. */
  | "needs-reboot"
  /** Nothing happens until the machine is replaced for another reason. */
  | "not-until-replacement";

/** One thing that a preview's reader should know. */
export interface Finding {
  /** Stable, e.g. `machine-replaced`. */
  id: string;
  grade: Grade;
  /** What it is about: a node, or a part of the cluster. */
  subject: string;
  /** What happens, as a sentence. */
  text: string;
  effects: Effect[];
}

/** A node and what happens to it. */
export interface NodeReport {
  name: string;
  role: "control-plane" | "worker";
  /** The gravest of its findings. */
  grade: Grade;
  findings: Finding[];
}

/** Servers' price a month. */
export interface Costs {
  /** Euro, net, of the servers whose price is known. Undefined when the preview leaves out what stays. */
  before?: number;
  after?: number;
  difference: number;
  /** `server type in location` without a known price, sorted. */
  unknown: string[];
}

/** A cluster and what happens to it. */
export interface ClusterReport {
  name: string;
  grade: Grade;
  /** Changed arguments, in words. */
  asked: string[];
  /** Nodes with findings, control planes first. */
  nodes: NodeReport[];
  /** How many nodes stay as they are. Undefined when the preview leaves out what stays. */
  untouched?: number;
  /** Findings about the cluster as a whole. */
  findings: Finding[];
}

/** What a preview says, for people and for a gate. */
export interface PreviewReport {
  version: 1;
  project: string;
  stack: string;
  grade: Grade;
  /** Whether the program failed: then the rest is what was seen until it did. */
  failed: boolean;
  /** What failed, in words; no values. */
  errors: string[];
  clusters: ClusterReport[];
  /** Findings about everything outside of a cluster: policies, and what this library does not know. */
  others: Finding[];
  costs: Costs | undefined;
  /** Resources by operation, e.g. `{ create: 40 }`; those that stay are not counted. */
  operations: Record<string, number>;
}

/** What is looked at together: the steps of one component and its arguments. */
export interface ClusterSteps {
  name: string;
  asked: Arguments;
  steps: Step[];
}
