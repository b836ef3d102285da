export { type ClusterNode, TunedCluster, type TunedClusterArgs } from "./cluster";
export * from "./plan";
export * from "./policy";
export { hetzner, hosts } from "./underlay/args";
