/** Labels of an object. */
export type Labels = Record<string, string>;

/** What every stored object has. */
export interface Stored {
  id: number;
  created: string;
  labels: Labels;
}

export interface SshKeyRecord extends Stored {
  name: string;
  fingerprint: string;
  /** Verbatim as sent: clients compare it. */
  publicKey: string;
}

export interface SubnetRecord {
  type: "cloud" | "server";
  ipRange: string;
  networkZone: string;
}

export interface RouteRecord {
  destination: string;
  gateway: string;
}

export interface NetworkRecord extends Stored {
  name: string;
  ipRange: string;
  subnets: SubnetRecord[];
  routes: RouteRecord[];
  deleteProtected: boolean;
  exposeRoutesToVswitch: boolean;
  /** A DELETE began; reconcile finishes it. */
  deleting: boolean;
}

/** One private NIC of a server. */
export interface AttachmentRecord {
  networkId: number;
  ip: string;
  aliasIps: string[];
  mac: string;
  /** 1 for the first private NIC. */
  interfaceNumber: number;
  /** `attaching` holds the address but is not shown yet. */
  state: "attaching" | "attached" | "detaching";
}

export type ServerStatus =
  "initializing" | "starting" | "running" | "stopping" | "off" | "deleting" | "rebuilding" | "migrating";

export interface ServerRecord extends Stored {
  name: string;
  serverType: string;
  location: string;
  imageId: number;
  /** What clients see, as long as the machine itself does not say otherwise (see serverView). */
  status: ServerStatus;
  /** What was last asked for: reconcile brings the machine there. */
  power: "on" | "off";
  /** Whether the driver has made the machine. */
  machineMade: boolean;
  userData: string;
  /** Public keys as they were when the server was made. */
  sshKeys: string[];
  ipv4Id: number;
  ipv6Id: number | null;
  attachments: AttachmentRecord[];
  deleteProtected: boolean;
  rebuildProtected: boolean;
  primaryDiskSize: number;
  placementGroupId: number | null;
}

export interface PlacementGroupRecord extends Stored {
  name: string;
  type: "spread";
}

export interface RuleRecord {
  direction: "in" | "out";
  protocol: "tcp" | "udp" | "icmp" | "esp" | "gre";
  port: string | null;
  sourceIps: string[];
  destinationIps: string[];
  description: string | null;
}

export interface FirewallRecord extends Stored {
  name: string;
  rules: RuleRecord[];
  /** Servers it is applied to directly. */
  serverIds: number[];
  labelSelectors: string[];
}

export interface PrimaryIpRecord extends Stored {
  name: string;
  type: "ipv4" | "ipv6";
  /** An address, or a /64 for ipv6. */
  ip: string;
  location: string;
  autoDelete: boolean;
  assigneeId: number | null;
}

export type ResourceType = "server" | "network" | "firewall" | "image" | "placement_group" | "primary_ip";

export interface ActionRecord {
  id: number;
  command: string;
  status: "running" | "success" | "error";
  progress: number;
  started: string;
  finished: string | null;
  resources: { id: number; type: ResourceType }[];
  error: { code: string; message: string } | null;
  /** Whether its server or network refuses other changes while it runs. */
  exclusive: boolean;
}

/** Everything of one project, as it lies on disk. */
export interface ProjectState {
  version: 1;
  /** The next id of the whole instance when this file was written. */
  nextId: number;
  sshKeys: SshKeyRecord[];
  networks: NetworkRecord[];
  servers: ServerRecord[];
  placementGroups: PlacementGroupRecord[];
  firewalls: FirewallRecord[];
  primaryIps: PrimaryIpRecord[];
  actions: ActionRecord[];
}
