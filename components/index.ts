export { type ClusterNode, TunedCluster, type TunedClusterArgs } from "./cluster";
export { checkCluster, planCluster } from "./plan/cluster";
export { PlanError } from "./plan/problems";
export type * from "./plan/types";
export { hetzner } from "./underlay/args";
