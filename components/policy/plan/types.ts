import type { Decision } from "../../plan/explain";
import type { JsonObject } from "../../plan/merge";
import type { Problem } from "../../plan/types";

/** Transport protocol of an edge. `ANY` is TCP, UDP and SCTP. Cilium knows SCTP only where its `sctp.enabled` is on. */
export type EdgeProtocol = "TCP" | "UDP" | "SCTP" | "ANY";

/** A group of peers that Cilium knows by itself. */
export type Entity =
  | "all"
  | "cluster"
  | "cluster-mesh"
  | "health"
  | "host"
  | "ingress"
  | "init"
  | "kube-apiserver"
  | "remote-node"
  | "unmanaged"
  | "world";

/** One end of an edge, by exactly one of `labels`, `all`, `entities`, `cidrs` and `fqdns`. `app("web")` makes the usual one. */
export interface PeerArgs {
  /** Labels that a pod must have, all of them. Keys may begin with Cilium's source, e.g. `k8s:app`. */
  labels?: Record<string, string>;
  /** True: every pod of the namespace. Default false, so that a forgotten label does not select them all. */
  all?: boolean;
  /** Namespace of the pods. Default: that of the graph. */
  namespace?: string;
  /** Groups that Cilium knows by itself, e.g. `["kube-apiserver"]`. Nodes and the API server are reached by these, never by a CIDR. */
  entities?: Entity[];
  /** Ranges outside the cluster, e.g. `["198.51.100.0/24"]`. Cilium does not match pods and nodes by address. */
  cidrs?: string[];
  /** DNS names outside the cluster; `*` stands for letters within one label, a leading `**.` for several labels. As `to` alone. */
  fqdns?: string[];
}

/** A port, or a range of them. */
export interface PortArgs {
  /** From 1 to 65535; 0 is every port of the protocol. */
  port: number;
  /** Last port of a range that begins with `port`. Default: none, one port. */
  endPort?: number;
}

/** What follows a path in a request: any query, or only what the path itself matches. */
export type QueryMatch = "any" | "as-written";

/** Requests that are let through: what is given must match, each by a regular expression in RE2's syntax, from the first letter to the last. */
export interface HttpArgs {
  /** Method, in capitals, e.g. `POST` or `GET|HEAD`. GET does not include HEAD. Default: every method. */
  method?: string;
  /** Path, e.g. `/v1/transaction`, which is not `/v1/transaction/42`: that needs `/v1/transaction(/.*)?`. Default: every path. */
  path?: string;
  /** Host header, e.g. `backend-api(:8080)?`. Default: every host. */
  host?: string;
  /** Default `any`: a query may follow the path. `as-written`: the path is the whole pattern, and a query passes only if it matches one. */
  query?: QueryMatch;
}

/** One permission: who may reach whom, and how. */
export interface EdgeArgs {
  /** Part of the policies' names, a DNS label. Default: made of `from`, `to` and the first port, e.g. `frontend-to-backend-8080`. */
  name?: string;
  /** Who opens the connection. */
  from: PeerArgs;
  /** Who is connected to. */
  to: PeerArgs;
  /** The port, for an edge that has one. Exclusive with `ports`. */
  port?: number;
  /** Ports and ranges, at most 40. Exclusive with `port`. */
  ports?: PortArgs[];
  /** Default `TCP`. */
  protocol?: EdgeProtocol;
  /**
   * Requests that are let through; others get 403. Default: every byte passes. It takes the connection through Envoy, which cost 86 to 89 % of
   * the requests per second in a saturated benchmark: use it where it pays, not on hot paths. It is written where the pods of `to` are
   * protected, and on the source's side only where `to` is outside.
   */
  http?: HttpArgs[];
  /** Names that may be looked up, for an edge to DNS on port 53; `*` is every name. Takes the place of the graph's own rule for DNS, and is written at the source alone. */
  dns?: string[];
}

/** Where pods look names up. */
export interface DnsArgs {
  /** Namespace of the DNS pods. Default `kube-system`. */
  namespace?: string;
  /** Their labels. Default `{ "k8s-app": "kube-dns" }`. */
  labels?: Record<string, string>;
  /** Default true: lookups pass Cilium's DNS proxy, so that names are visible in Hubble and `fqdns` work. Always false where `l7Proxy` is. */
  visible?: boolean;
}

/** What baselines and graphs have in common. */
export interface PolicyArgs {
  /** True: nothing is denied yet, and Hubble shows what would be. Default false. */
  audit?: boolean;
  /** Where pods look names up. Default: kube-dns. */
  dns?: DnsArgs;
  /** Whether the cluster's Cilium runs with `l7Proxy`, the chart's default. False: nothing that needs its proxies is taken. Default true. */
  l7Proxy?: boolean;
  /** Ids of warnings that are known and meant; they are not repeated. Default: none. */
  accept?: string[];
}

/** Destinations outside the cluster that a whole namespace may reach. */
export interface DestinationArgs {
  /** DNS names, as in `PeerArgs`. */
  fqdns: string[];
  /** The port. Exclusive with `ports`. Default 443. */
  port?: number;
  /** Ports and ranges, at most 40. Exclusive with `port`. */
  ports?: PortArgs[];
  /** Default `TCP`. */
  protocol?: EdgeProtocol;
}

/** What `planNamespaceBaseline` plans from. All values are plain: which policies there are never depends on an Output. */
export interface BaselineArgs extends PolicyArgs {
  /** Namespace whose pods are locked down, all of them. It must exist. */
  namespace: string;
  /** Destinations outside the cluster that its pods may reach. Default: none. */
  egress?: DestinationArgs[];
}

/** A namespace with a baseline, as a graph needs to know it. `NamespaceBaseline.covers` has it. */
export interface CoveredNamespace {
  /** Its name. */
  namespace: string;
  /** Whether the baseline shows Cilium the names that are looked up. */
  dnsVisible: boolean;
}

/** What `planServiceGraph` plans from. All values are plain: which policies there are never depends on an Output. */
export interface GraphArgs extends PolicyArgs {
  /** Namespace of every peer that names none. */
  namespace: string;
  /** Who may reach whom; `allow` of the component adds to it. Default: nothing. */
  allow?: EdgeArgs[];
  /** Namespaces with a baseline, which lets their pods use DNS. Sources elsewhere are allowed DNS by the graph itself. Default: none. */
  covered?: CoveredNamespace[];
}

/** A Cilium policy, ready to be applied. */
export interface PolicyObject {
  apiVersion: "cilium.io/v2";
  kind: "CiliumNetworkPolicy";
  metadata: { name: string; namespace: string };
  spec: JsonObject;
}

/** Everything that is known before a policy is applied. */
export interface PolicyPlan {
  /** In the order in which they are applied: allowances first. */
  policies: PolicyObject[];
  /** What works and may surprise. */
  warnings: Problem[];
  /** What each policy is for, and what it costs. */
  decisions: Decision[];
}
