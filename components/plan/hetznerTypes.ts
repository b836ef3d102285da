/** Where machines and their private network come from: a Hetzner Cloud project. */
export interface HetznerUnderlayArgs {
  /** Which underlay; `hetzner({ … })` fills it in. */
  kind: "hetzner";
  /** Location of all nodes, e.g. `fsn1`. */
  location: string;
  /**
   * Where data may be: locations (`fsn1`), network zones (`eu-central`) or countries (`DE`). A plan for any other location is refused, so that the list
   * can be kept apart from the choice and reviewed. Default: anywhere.
   */
  allowedLocations?: string[];
  /**
   * Name or id of a network that the project has already. The nodes' subnets and the pods' routes go into it and are removed with the cluster; the
   * network itself, and what others have in it, stays. `networkRange` must say its range: an update compares it with the cloud's answer.
   * Default: a network of its own is made, named like the cluster.
   */
  existingNetwork?: string;
  /** IPv4 range of the private network. Default `10.0.0.0/8`. */
  networkRange?: string;
  /** Subnet of the control plane, and of pools that name no other, inside `networkRange`. Default `10.0.0.0/24`. */
  nodeSubnet?: string;
  /**
   * A vSwitch that couples dedicated servers to the network; all its servers then have an MTU of 1400. Default: none. Say it also when the vSwitch is there
   * already: the MTU is what counts.
   */
  vSwitch?: {
    /** Number of the vSwitch, whose subnet is made then. Default: its subnet is there already, in an existing network. */
    id?: number;
    /** Its subnet, inside `networkRange`, e.g. `10.0.2.0/24`. */
    subnet: string;
  };
  /** Subnets of others in the network; nodes and pods keep out of them. Default: none. */
  otherSubnets?: string[];
  /**
   * Destinations of routes that others have in the network, e.g. `["0.0.0.0/0"]` for a NAT gateway: they count for the network's 100, and the doctor
   * does not call them left over. Default: none.
   */
  otherRoutes?: string[];
  /** How many servers and load balancers of others are attached to the network; they count for its 100. Default 0. */
  otherAttachments?: number;
  /** System image of the nodes. Default `debian-13`. */
  image?: string;
  /** Name or Cilium pattern (`enp+`) of the NIC with the public address. Default `eth0`. */
  publicInterface?: string;
  /** Name or Cilium pattern of the NIC in the private network. Default `enp7s0`, as all server types of today have it; older ones: `ens10`. */
  privateInterface?: string;
}
