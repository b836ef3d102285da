export { type ClusterNode, TunedCluster, type TunedClusterArgs } from "./cluster";
export * from "./plan";
export { hetzner } from "./underlay/args";
