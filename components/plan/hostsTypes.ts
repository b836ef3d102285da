/** Existing machines of any provider, reached by SSH. Nothing of theirs is created or deleted; what the library put on them goes when they leave. */
export interface HostsUnderlayArgs {
  /** Which underlay; `hosts({ … })` fills it in. */
  kind: "hosts";
  /**
   * How the private addresses reach each other. `l2`: one segment, every node answers ARP of every other, so Cilium makes the pods' routes
   * itself and Services use DSR. `routed`: a router is between them.
   */
  segment: "l2" | "routed";
  /** IPv4 range of the nodes' private addresses, e.g. `10.20.0.0/24`. On `l2` it is the segment's own, as the NICs have it. */
  nodeSubnet: string;
  /** MTU of the path between private addresses, bytes. Default 1500. The preflight and the doctor prove it. */
  mtu?: number;
  /**
   * Whether the network between the nodes drops packets whose source is no address of the sending machine. Default: `false` on `l2`, `true` on
   * `routed`. Many providers check even within a segment: ask yours, since with DSR a backend answers with the Service's address.
   */
  sourceCheck?: boolean;
  /**
   * `routed` without a tunnel only: says that your routers carry each node's pod CIDR to that node (`zerosteal plan` lists them). Default
   * `none`, which is refused there, since pods of different nodes would not reach each other.
   */
  podRoutes?: "none" | "declared";
  /**
   * `l2` only: range of addresses on the segment that Services of type LoadBalancer get, e.g. `10.20.0.192/27`. Free of machines and of
   * DHCP. Cilium gives them out and answers ARP for them from a worker; when that one dies, another answers within 10 s. Default: none,
   * and such Services stay pending.
   */
  serviceAddresses?: string;
  /** Name or Cilium pattern (`enp+`) of the NIC with the default route. Default `eth0`. May be the private one too. */
  publicInterface?: string;
  /** Name or Cilium pattern of the NIC with the private address. Default `eth1`. The preflight compares it with what it finds. */
  privateInterface?: string;
  /** SSH user: root, or one who may run `sudo -n`. Default `root`. */
  user?: string;
  /** The machines by the last part of their node's name: `control-plane-1`, `<pool>-1`, `<pool>-2`, … One for each node that the pools count. */
  machines: Record<string, HostArgs>;
}

/** One existing machine. */
export interface HostArgs {
  /** Address or name by which the program reaches it, e.g. `203.0.113.10`. The control plane's is in the kubeconfig. */
  address: string;
  /** Its IPv4 address in `nodeSubnet`. */
  privateAddress: string;
  /**
   * Its public SSH host key, e.g. `ssh-ed25519 AAAA…`, as `ssh-keyscan -t ed25519 ADDRESS` shows it; compare it with the provider's console.
   * A machine that shows another is not talked to.
   */
  hostKey: string;
  /** TCP port of SSH. Default 22. */
  sshPort?: number;
  /** vCPUs. The preflight compares it with what the machine has. */
  cpus: number;
  /** Memory, GiB, rounded up to what the provider sells. */
  memoryGiB: number;
  /** Whether the provider gives the vCPUs to nobody else. Default `false`. */
  dedicatedCpus?: boolean;
}
