import type { Field, Shape } from "../../plan/shape";
import type { BaselineArgs, DestinationArgs, EdgeArgs, EdgeProtocol, Entity, GraphArgs, PeerArgs } from "./types";

/** Every entity, as Cilium's schema lists them; `none` is left out, since it selects nothing. */
export const entities: readonly Entity[] = [
  "all",
  "cluster",
  "cluster-mesh",
  "health",
  "host",
  "ingress",
  "init",
  "kube-apiserver",
  "remote-node",
  "unmanaged",
  "world",
];

const protocols: readonly EdgeProtocol[] = ["TCP", "UDP", "SCTP", "ANY"];

const text: Shape = { kind: "text" };
const texts: Shape = { kind: "list", of: text };
const labels: Shape = { kind: "map", of: text };

/** An object whose fields are all those of a type. */
function object<Args>(fields: { [Key in keyof Required<Args>]: Shape | Field }): Shape {
  const given = Object.entries<Shape | Field>(fields);
  return {
    kind: "object",
    fields: Object.fromEntries(given.map(([key, value]) => [key, "shape" in value ? value : { shape: value }])),
  };
}

const ports = {
  port: { kind: "integer" },
  ports: {
    kind: "list",
    of: object<{ port: number; endPort?: number }>({
      port: { shape: { kind: "integer" }, required: "give the port, e.g. 8080" },
      endPort: { kind: "integer" },
    }),
  },
  protocol: { kind: "text", oneOf: protocols },
} as const satisfies Record<string, Shape>;

const settings = {
  audit: { kind: "boolean" },
  dns: object<{ namespace: string; labels: object; visible: boolean }>({
    namespace: text,
    labels,
    visible: { kind: "boolean" },
  }),
  l7Proxy: { kind: "boolean" },
  accept: texts,
} as const satisfies Record<string, Shape>;

const namespace: Field = { shape: text, required: 'give the namespace of the pods, e.g. "shop"' };

const peer = object<PeerArgs>({
  labels,
  all: { kind: "boolean" },
  namespace: text,
  entities: { kind: "list", of: { kind: "text", oneOf: entities } },
  cidrs: texts,
  fqdns: texts,
});

const http = object<{ method: string; path: string; host: string; query: string }>({
  method: text,
  path: text,
  host: text,
  query: { kind: "text", oneOf: ["any", "as-written"] },
});

const edge = object<EdgeArgs>({
  name: text,
  from: { shape: peer, required: 'give who opens the connection, e.g. app("frontend")' },
  to: { shape: peer, required: 'give who is connected to, e.g. app("backend")' },
  ...ports,
  http: { kind: "list", of: http },
  dns: texts,
});

/** Shape of the arguments of a graph. */
export const graphShape = object<GraphArgs>({
  namespace,
  allow: { kind: "list", of: edge },
  covered: {
    kind: "list",
    of: object<{ namespace: string; dnsVisible: boolean }>({
      namespace,
      dnsVisible: { shape: { kind: "boolean" }, required: "say whether its baseline shows names: true or false" },
    }),
  },
  ...settings,
});

/** Shape of the arguments of a baseline. */
export const baselineShape = object<BaselineArgs>({
  namespace,
  egress: {
    kind: "list",
    of: object<DestinationArgs>({
      fqdns: { shape: texts, required: 'give the destinations, e.g. ["api.example.com"]' },
      ...ports,
    }),
  },
  ...settings,
});
