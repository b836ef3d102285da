/** What the emulated cloud's API asks of real machines and real networks. Every call is idempotent and resolves when it is in effect. */
export interface CloudDriver {
  /** Makes a machine and boots it (unless start is false). Resolves once it is started; it goes on booting. */
  createMachine(spec: MachineSpec): Promise<void>;
  powerOn(serverId: number): Promise<void>;
  /** Pulls the plug. */
  powerOff(serverId: number): Promise<void>;
  /** Asks the machine to shut down; resolves once it is off or after the grace period, then pulls the plug. */
  shutdown(serverId: number): Promise<void>;
  reboot(serverId: number): Promise<void>;
  destroyMachine(serverId: number): Promise<void>;
  isRunning(serverId: number): Promise<boolean>;
  createNetwork(network: NetworkSpec): Promise<void>;
  destroyNetwork(networkId: number): Promise<void>;
  /** Replaces all routes of a network. */
  setRoutes(networkId: number, routes: { destination: string; gateway: string }[]): Promise<void>;
  /** Plugs a private NIC into the machine, running or not, and allows its addresses as sources. */
  attach(attachment: AttachmentSpec): Promise<void>;
  detach(networkId: number, serverId: number): Promise<void>;
  /** Replaces the inbound rules of a machine's public NIC. `null`: no firewall applied, everything passes. */
  setFirewall(serverId: number, rules: FirewallRule[] | null): Promise<void>;
}

export interface MachineSpec {
  serverId: number;
  /** Host name. */
  name: string;
  /** Name of the system image, e.g. `debian-13`. */
  image: string;
  publicAddress: string;
  /** vCPUs and memory of the server type. */
  cores: number;
  memoryGiB: number;
  userData: string;
  /** OpenSSH public keys for root. */
  sshKeys: string[];
  start: boolean;
}

export interface NetworkSpec {
  networkId: number;
  ipRange: string;
  /** First address of ipRange. */
  gateway: string;
  /** `routed`: every packet goes by the gateway, as in Hetzner's networks. `l2`: one Ethernet segment, as other providers have it. */
  segment: "routed" | "l2";
}

export interface AttachmentSpec {
  networkId: number;
  serverId: number;
  ip: string;
  aliasIps: string[];
  mac: string;
  /** 1 for the machine's first private NIC (`enp7s0`), 2 for the second (`enp8s0`), … */
  interfaceNumber: number;
}

/** One inbound rule; port null for protocols without ports, "any", "80" or "1-1024". */
export interface FirewallRule {
  protocol: "tcp" | "udp" | "icmp" | "esp" | "gre";
  port: string | null;
  sourceCidrs: string[];
}
