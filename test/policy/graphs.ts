import fc from "fast-check";
import type { EdgeArgs, EdgeProtocol, GraphArgs, HttpArgs, PeerArgs, PortArgs } from "../../components";

const names = fc.constantFrom("frontend-proxy", "backend-api", "db", "cache", "queue", "a.b", "A_B");
const namespaces = fc.constantFrom("shop", "data", "ops");

const pods: fc.Arbitrary<PeerArgs> = fc.oneof(
  { weight: 6, arbitrary: names.map((app) => ({ labels: { app } })) },
  { weight: 2, arbitrary: fc.tuple(names, namespaces).map(([app, namespace]) => ({ labels: { app }, namespace })) },
  fc.tuple(names, names).map(([app, tier]) => ({ labels: { app, "example.com/tier": tier } })),
  fc.option(namespaces, { nil: undefined }).map((namespace) => ({ all: true, namespace })),
);

const outside: fc.Arbitrary<PeerArgs> = fc.oneof(
  fc.constantFrom<PeerArgs>(
    { entities: ["world"] },
    { entities: ["kube-apiserver", "ingress"] },
    { entities: ["all"] },
  ),
  fc.constantFrom<PeerArgs>({ cidrs: ["198.51.100.0/24"] }, { cidrs: ["0.0.0.0/0", "2001:db8::/32"] }),
);

const fqdns = fc.constantFrom<PeerArgs>({ fqdns: ["api.example.com"] }, { fqdns: ["*.example.com", "example.org."] });

/** Mostly the first, seldom the second. */
const seldom = <T>(often: fc.Arbitrary<T>, rare: fc.Arbitrary<T>): fc.Arbitrary<T> =>
  fc.oneof({ weight: 12, arbitrary: often }, rare);

const goodPaths = fc.constantFrom("/", "/v1/transaction", "/a|/b", "/[^/]+/x", "/(a|b)(/.*)?", "/[a-z0-9-]+");

const http: fc.Arbitrary<HttpArgs> = fc.record(
  {
    method: seldom(fc.constantFrom("POST", "GET|HEAD", "GET", "(PUT|PATCH)"), fc.constantFrom("post", "")),
    path: seldom(goodPaths, fc.constantFrom("/a\\?x=1", "^/a$", "/(?=a)", "x", "/(", "/[^/]+".repeat(9))),
    host: fc.constantFrom("backend-api(:8080)?", "[a-z]+\\.shop"),
    query: fc.constantFrom("any", "as-written"),
  },
  { requiredKeys: ["method"] },
);

const port: fc.Arbitrary<PortArgs> = fc.oneof(
  fc.record({ port: seldom(fc.integer({ min: 1, max: 65535 }), fc.constantFrom(-1, 0, 65536)) }),
  fc
    .tuple(fc.integer({ min: 1, max: 65535 }), fc.nat(500))
    .map(([first, more]) => ({ port: first, endPort: first + more })),
);

const ports: fc.Arbitrary<Pick<EdgeArgs, "port" | "ports">> = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(80, 8080, 53, 5432).map((only) => ({ port: only })) },
  fc.array(port, { minLength: 1, maxLength: 5 }).map((list) => ({ ports: list })),
);

/** An edge that is mostly good. */
const edge: fc.Arbitrary<EdgeArgs> = fc
  .record(
    {
      from: seldom(pods, outside),
      to: fc.oneof({ weight: 8, arbitrary: pods }, outside, fqdns),
      ports,
      name: seldom(fc.stringMatching(/^[a-z]{6}$/), fc.constantFrom("one", "No")),
      protocol: seldom<EdgeProtocol>(fc.constant("TCP"), fc.constantFrom("UDP", "ANY")),
      http: fc.array(http, { minLength: 0, maxLength: 3 }),
    },
    { requiredKeys: ["from", "to", "ports"] },
  )
  .map(({ ports: own, http: requests, ...rest }) => ({
    ...rest,
    ...own,
    ...(requests?.length ? { http: requests } : {}),
  }));

/** Graphs of which about half are good: the others break one rule or several. */
export const graphs: fc.Arbitrary<GraphArgs> = fc.record(
  {
    namespace: namespaces,
    allow: fc.array(edge, { minLength: 1, maxLength: 3 }),
    covered: fc.array(fc.record({ namespace: namespaces, dnsVisible: fc.boolean() }), { maxLength: 2 }),
    audit: fc.boolean(),
    l7Proxy: seldom(fc.constant(true), fc.constant(false)),
    dns: fc.constantFrom({}, { visible: false }, { namespace: "dns", labels: { app: "dns" } }),
  },
  { requiredKeys: ["namespace", "allow"] },
);
