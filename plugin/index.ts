export { HetznerCluster, HostsCluster } from "./clusters";
