import type { Draft } from "../../plan/rules/rule";
import type { BaselineArgs, CoveredNamespace, DestinationArgs, EdgeArgs, GraphArgs, PeerArgs } from "./types";

/** Ways to name a peer, of which each peer has one. */
export const peerKinds = ["labels", "all", "entities", "cidrs", "fqdns"] as const;

/** One end of an edge, as rules and the rendering read it. */
export interface Peer {
  /** Path of the argument, e.g. `allow[0].from`. */
  path: string;
  /** Ways in which it is named; good arguments have one. */
  kinds: (typeof peerKinds)[number][];
  labels: Record<string, string>;
  namespace: string;
  /** Whether the namespace was given, and not that of the graph. */
  ownNamespace: boolean;
  entities: Item<string>[];
  cidrs: Item<string>[];
  fqdns: Item<string>[];
}

/** A value with the path of its argument. */
export interface Item<T> {
  value: T;
  path: string;
}

/** A port, or a range when `last` is greater than `first`. */
export interface PortRange {
  path: string;
  first: number;
  last: number;
}

/** Requests that are let through. */
export interface HttpRule {
  path: string;
  given: { method?: string; path?: string; host?: string };
  query: "any" | "as-written";
}

/** An edge, as rules and the rendering read it. What did not fit its type is absent, and reported already. */
export interface Edge {
  path: string;
  name: string | undefined;
  from: Peer | undefined;
  to: Peer | undefined;
  ports: PortRange[];
  /** Whether `port` and `ports` were given. */
  portGiven: boolean;
  portsGiven: boolean;
  protocol: string;
  /** Undefined when requests are not judged. */
  http: HttpRule[] | undefined;
  dns: Item<string>[] | undefined;
}

/** What the rules judge and the rendering reads: a graph, or a baseline whose destinations are edges too. */
export interface PolicySubject {
  component: "ServiceGraph" | "NamespaceBaseline";
  name: string;
  namespace: string;
  edges: Edge[];
  /** Whether the list of edges was given and has none. */
  emptyList: boolean;
  covered: Item<Partial<CoveredNamespace>>[];
  dns: { namespace: string; labels: Record<string, string>; visible: boolean };
  l7Proxy: boolean;
  audit: boolean;
  accept: Item<string>[];
}

/** Port of a baseline's destinations that name none. */
export const defaultDestinationPort = 443;

/** Stands for a namespace that is missing, which is reported already. */
const missingNamespace = "missing";

/** Reads a graph's arguments. */
export function graphSubject(name: string, args: Draft<GraphArgs>): PolicySubject {
  const namespace = args.namespace ?? missingNamespace;
  return {
    component: "ServiceGraph",
    name,
    namespace,
    edges: listed(args.allow, "allow").map(({ value, path }) => readEdge(value, path, namespace)),
    emptyList: args.allow?.length === 0,
    covered: listed(args.covered, "covered"),
    ...settings(args),
  };
}

/** Reads a baseline's arguments: each group of destinations is an edge from all pods of the namespace. */
export function baselineSubject(name: string, args: Draft<BaselineArgs>): PolicySubject {
  const namespace = args.namespace ?? missingNamespace;
  return {
    component: "NamespaceBaseline",
    name,
    namespace,
    edges: listed(args.egress, "egress").map(({ value, path }) => destination(value, path, namespace)),
    emptyList: false,
    covered: [],
    ...settings(args),
  };
}

/** Whether a peer stands for pods, so that a policy can be written for it. */
export function isPods(peer: Peer | undefined): peer is Peer {
  return peer?.kinds.length === 1 && (peer.kinds[0] === "labels" || peer.kinds[0] === "all");
}

/** The values of items. */
export function values<T>(items: Item<T>[]): T[] {
  return items.map(({ value }) => value);
}

function settings(args: Draft<GraphArgs & BaselineArgs>): Pick<PolicySubject, "dns" | "l7Proxy" | "audit" | "accept"> {
  const l7Proxy = args.l7Proxy ?? true;
  const { namespace = "kube-system", labels, visible = true } = args.dns ?? {};
  return {
    dns: { namespace, labels: present(labels ?? { "k8s-app": "kube-dns" }), visible: visible && l7Proxy },
    l7Proxy,
    audit: args.audit ?? false,
    accept: listed(args.accept, "accept"),
  };
}

function destination(args: Draft<DestinationArgs>, path: string, namespace: string): Edge {
  const { fqdns, port, ports, protocol } = args;
  const edge = readEdge({ from: { all: true }, to: {}, protocol, port, ports }, path, namespace);
  if (edge.ports.length === 0 && !edge.portGiven && !edge.portsGiven) {
    edge.ports = [{ path, first: defaultDestinationPort, last: defaultDestinationPort }];
    edge.portGiven = true;
  }
  return { ...edge, to: fqdns && readPeer({ fqdns }, path, namespace) };
}

function readEdge(args: Draft<EdgeArgs>, path: string, namespace: string): Edge {
  const { name, from, to, port, ports, protocol = "TCP", http, dns } = args;
  return {
    path,
    name,
    from: from && readPeer(from, `${path}.from`, namespace),
    to: to && readPeer(to, `${path}.to`, namespace),
    ports: [
      ...(port === undefined ? [] : [{ path: `${path}.port`, first: port, last: port }]),
      ...listed(ports, `${path}.ports`).flatMap(({ value, path: own }) =>
        value.port === undefined ? [] : [{ path: own, first: value.port, last: value.endPort ?? value.port }],
      ),
    ],
    portGiven: port !== undefined,
    portsGiven: ports !== undefined,
    protocol,
    http: http && listed(http, `${path}.http`).map(({ value, path: own }) => readHttp(value, own)),
    dns: dns && listed(dns, `${path}.dns`),
  };
}

function readHttp(
  { method, path, host, query = "any" }: NonNullable<Draft<EdgeArgs>["http"]>[number] & object,
  at: string,
): HttpRule {
  const given = Object.fromEntries(Object.entries({ method, path, host }).filter(([, value]) => value !== undefined));
  return { path: at, given, query: query === "as-written" ? query : "any" };
}

function readPeer(args: Draft<PeerArgs>, path: string, namespace: string): Peer {
  return {
    path,
    kinds: peerKinds.filter((kind) => args[kind] !== undefined && args[kind] !== false),
    labels: present(args.labels ?? {}),
    namespace: args.namespace ?? namespace,
    ownNamespace: args.namespace !== undefined,
    entities: listed(args.entities, `${path}.entities`),
    cidrs: listed(args.cidrs, `${path}.cidrs`),
    fqdns: listed(args.fqdns, `${path}.fqdns`),
  };
}

/** Items of a list of arguments that are there, each with its path. */
function listed<T>(list: readonly (T | undefined)[] | undefined, path: string): Item<T>[] {
  return (list ?? []).flatMap((value, index) => (value === undefined ? [] : [{ value, path: `${path}[${index}]` }]));
}

function present(labels: Record<string, string | undefined>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(labels).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}
