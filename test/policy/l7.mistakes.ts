import { app, type HttpArgs } from "../../components";
import { goodEdge, type PolicyMistake, requestEdge } from "./table";

const requests = (...http: HttpArgs[]): PolicyMistake["graph"] => ({ allow: [goodEdge({ http })] });
const kubeDns = { labels: { "k8s-app": "kube-dns" }, namespace: "kube-system" };
const at = "allow[0].http[0]";

export const l7Mistakes: PolicyMistake[] = [
  {
    rule: "l7-without-proxy",
    what: "requests and lookups",
    graph: {
      l7Proxy: false,
      allow: [requestEdge(), { from: app("web"), to: kubeDns, port: 53, protocol: "UDP", dns: ["*.example.com"] }],
    },
    lines: [
      "allow[0].http: the cluster's Cilium runs with l7Proxy: false, so nothing there can read requests or lookups; leave http out, or run Cilium with its proxy",
      "allow[1].dns: the cluster's Cilium runs with l7Proxy: false, so nothing there can read requests or lookups; leave dns out, or run Cilium with its proxy",
    ],
  },
  {
    rule: "http-and-dns",
    what: "both in one edge",
    graph: { allow: [requestEdge({ to: kubeDns, port: 53, dns: ["*"] })] },
    lines: ["allow[0].dns: http is given too, and a connection is one or the other; give an edge to each"],
  },
  {
    rule: "http-needs-tcp",
    what: "UDP, and any protocol",
    graph: { allow: [requestEdge({ protocol: "UDP" }), requestEdge({ protocol: "ANY", port: 81 })] },
    lines: [
      "allow[0].protocol: http goes over TCP, and UDP is given; leave protocol out, or http",
      "allow[1].protocol: http goes over TCP, and ANY is given; leave protocol out, or http",
    ],
  },
  {
    rule: "l7-needs-one-port",
    what: "port 0, and a range",
    graph: {
      allow: [
        requestEdge({ port: 0 }),
        requestEdge({ to: app("db"), port: undefined, ports: [{ port: 80, endPort: 89 }] }),
      ],
    },
    lines: [
      "allow[0].port: port 0 does not go with http; name each port, and give what is not judged an edge of its own",
      "allow[1].ports[0]: the range 80 to 89 does not go with http; name each port, and give what is not judged an edge of its own",
    ],
  },
  {
    rule: "dns-port",
    what: "another port",
    graph: { allow: [{ from: app("web"), to: kubeDns, port: 5353, protocol: "UDP", dns: ["*"] }] },
    lines: ["allow[0].port: 5353 is not the port of DNS; use 53"],
  },
  {
    rule: "dns-from-pods",
    what: "a node",
    graph: { allow: [{ from: { entities: ["host"] }, to: kubeDns, port: 53, protocol: "UDP", dns: ["*"] }] },
    lines: ["allow[0].dns: the source is not pods, whose lookups are the only ones that are read; leave dns out"],
  },
  {
    rule: "dns-names",
    what: "none, and a malformed one",
    graph: {
      allow: [
        { from: app("web"), to: kubeDns, port: 53, protocol: "UDP", dns: [] },
        { from: app("api"), to: kubeDns, port: 53, protocol: "UDP", dns: ["https://example.com"] },
      ],
    },
    lines: [
      'allow[0].dns: an empty list would let every lookup through; name them, or give ["*"]',
      'allow[1].dns[0]: "https://example.com" is not a DNS name or a pattern of one; write it like "api.example.com" or "*.example.com"',
    ],
  },
  {
    rule: "edge-locks-dns",
    what: "lookups as a plain edge, metrics, and all pods of the namespace",
    graph: {
      allow: [
        { from: app("web"), to: kubeDns, port: 53, protocol: "UDP" },
        { from: app("prometheus"), to: { ...kubeDns, labels: { ...kubeDns.labels, tier: "x" } }, port: 9153 },
        { from: app("web"), to: { all: true, namespace: "kube-system" }, port: 80 },
      ],
    },
    lines: [0, 1, 2].map(
      (index) =>
        `allow[${index}].to: are the pods of DNS, which a policy of their own would close to everybody else; for lookups say dns: ["*"], which is written at the source alone; baselines and graphs allow them by themselves`,
    ),
  },
  {
    rule: "baseline-locks-dns",
    what: "kube-system",
    baseline: { namespace: "kube-system" },
    lines: [
      "namespace: kube-system is where the pods of DNS are, and nobody could look a name up any more; keep system namespaces out of baselines",
    ],
  },
  {
    rule: "l7-voided",
    what: "a plain edge of the same pods",
    graph: { allow: [requestEdge(), goodEdge({ name: "again", protocol: "ANY" })] },
    lines: [
      "allow[0].http: has no effect: allow[1] lets the same source reach the same port unseen; narrow allow[1], or give it http too",
    ],
  },
  {
    rule: "l7-voided",
    what: "a wider source, a wider target and a range",
    graph: {
      allow: [
        { from: { all: true }, to: { all: true }, ports: [{ port: 8000, endPort: 8100 }] },
        requestEdge({ to: { labels: { app: "backend-api", tier: "back" } } }),
      ],
    },
    lines: [
      "allow[1].http: has no effect: allow[0] lets the same source reach the same port unseen; narrow allow[0], or give it http too",
    ],
  },
  {
    rule: "l7-voided",
    what: "entities that hold the source",
    graph: { allow: [requestEdge(), goodEdge({ from: { entities: ["cluster"] }, port: 0 })] },
    lines: [
      "allow[0].http: has no effect: allow[1] lets the same source reach the same port unseen; narrow allow[1], or give it http too",
    ],
  },
  {
    rule: "l7-voided",
    what: "lookups that a baseline allows",
    graph: {
      covered: [{ namespace: "shop", dnsVisible: true }],
      allow: [{ from: app("web"), to: kubeDns, port: 53, protocol: "UDP", dns: ["*.example.com"] }],
    },
    lines: ["allow[0].dns: has no effect: the baseline of shop lets every name be looked up; leave it out"],
  },
  {
    rule: "l7-voided",
    what: "lookups that the graph itself allows to a wider source",
    graph: {
      allow: [
        { from: app("web"), to: kubeDns, port: 53, protocol: "UDP", dns: ["*.example.com"] },
        goodEdge({ from: { all: true } }),
      ],
    },
    lines: [
      "allow[0].dns: has no effect: the source of allow[1] has pods in common, and is allowed every lookup; give that source an edge to DNS with the same names",
    ],
  },
  {
    rule: "dns-not-visible",
    what: "a baseline without the proxy",
    baseline: { l7Proxy: false },
    lines: [
      'l7Proxy: lookups are allowed, and names are not visible: without l7Proxy there is no DNS proxy; run Cilium with l7Proxy if names matter (or accept: ["dns-not-visible"])',
    ],
  },
];

export const httpMistakes: PolicyMistake[] = [
  {
    rule: "http-empty",
    what: "no request at all",
    graph: requests(),
    lines: ["allow[0].http: an empty list lets every request through; name the requests, or leave http out"],
  },
  {
    rule: "http-empty",
    what: "requests without a field, and with empty ones",
    graph: requests({}, { path: "", query: "as-written" }),
    lines: [
      `${at}: lets every request through; give a method, a path or a host, or leave http out`,
      "allow[0].http[1]: lets every request through; give a method, a path or a host, or leave http out",
    ],
  },
  {
    rule: "http-pattern",
    what: "what RE2 does not have, and what nothing has",
    graph: requests(
      { path: "/(?!admin).*" },
      { path: "/(a)\\1" },
      { path: "/(a" },
      { method: "POST[" },
      { host: "a{2,1}" },
      { path: "/händler" },
      { path: "/[a\\pL]+" },
    ),
    lines: [
      `${at}.path: "/(?!admin).*" looks ahead or behind; write it in RE2's syntax, which has neither look-ahead nor back-references`,
      `allow[0].http[1].path: "/(a)\\\\1" refers back to a group; write it in RE2's syntax, which has neither look-ahead nor back-references`,
      `allow[0].http[2].path: "/(a" is no regular expression of RE2; write it in RE2's syntax, which has neither look-ahead nor back-references`,
      `allow[0].http[3].method: "POST[" is no regular expression of RE2; write it in RE2's syntax, which has neither look-ahead nor back-references`,
      `allow[0].http[4].host: "a{2,1}" is no regular expression of RE2; write it in RE2's syntax, which has neither look-ahead nor back-references`,
      `allow[0].http[5].path: "/händler" has letters outside ASCII, of which requests have none; write them as they are encoded, e.g. %C3%A4`,
      `allow[0].http[6].path: "/[a\\\\pL]+" has letters outside ASCII, of which requests have none; write them as they are encoded, e.g. %C3%A4`,
    ],
  },
  {
    rule: "http-pattern-anchors",
    what: "at both ends",
    graph: requests({ method: "^POST", path: "^/v1/transaction$" }),
    lines: [
      `${at}.method: "^POST" has ^, and is matched from the first letter to the last anyway; leave ^ out; for more behind it write e.g. (/.*)?`,
      `${at}.path: "^/v1/transaction$" has ^ and $, and is matched from the first letter to the last anyway; leave ^ and $ out; for more behind it write e.g. (/.*)?`,
    ],
  },
  {
    rule: "http-pattern-size",
    what: "alternatives, wide classes, and sheer length",
    graph: requests(
      { path: `/(${Array.from({ length: 20 }, (_, index) => `${index}item`).join("|")})` },
      { path: "/[^/]+/[^/]+/[^/]+/[^/]+/[^/]+/[^/]+/[^/]+" },
      { path: `/${"a".repeat(1000)}` },
    ),
    lines: [
      `${at}.path: "/(0item|1item|2item|3item|4item|5item|6item|7item|8item|9ite…" compiles to some 145 instructions, and Envoy takes 100; make it shorter: fewer alternatives, classes and repeats, or several requests`,
      `allow[0].http[1].path: "/[^/]+/[^/]+/[^/]+/[^/]+/[^/]+/[^/]+/[^/]+" compiles to some 104 instructions, and Envoy takes 100; make it shorter: fewer alternatives, classes and repeats, or several requests`,
      "allow[0].http[2].path: 1001 letters are more than any pattern needs; make it shorter: fewer alternatives, classes and repeats, or several requests",
    ],
  },
  {
    rule: "http-path-slash",
    what: "a path without one",
    graph: requests({ method: "POST", path: "v1/transaction" }),
    lines: [`${at}.path: "v1/transaction" begins without a slash, and no path does; begin it with /`],
  },
  {
    rule: "http-path-query",
    what: "written as in a browser, and escaped where any is let through",
    graph: requests({ path: "/v1/transaction?id=1" }, { path: "/v1/item\\?id=[0-9]+" }),
    lines: [
      `${at}.path: "/v1/transaction?id=1" has a ? that makes the letter before it optional; write \\? for the beginning of a query, and query: "as-written"`,
      `allow[0].http[1].path: "/v1/item\\\\?id=[0-9]+" has a query, and any query is let through besides; say query: "as-written", or leave the query out`,
    ],
  },
  {
    rule: "http-method-case",
    what: "small letters",
    graph: requests({ method: "post" }, { method: "Put|Patch" }),
    lines: [
      `${at}.method: "post" matches no method, since methods are in capitals; write "POST"`,
      'allow[0].http[1].method: "Put|Patch" matches no method, since methods are in capitals; write "PUT|PATCH"',
    ],
  },
  {
    rule: "http-get-without-head",
    what: "GET alone",
    graph: requests({ method: "GET", path: "/items" }, { method: "HEAD", path: "/other" }),
    lines: [
      `${at}.method: GET lets no HEAD through; write "GET|HEAD" if clients use it (or accept: ["http-get-without-head"])`,
    ],
  },
  {
    rule: "http-on-tls-port",
    what: "443",
    graph: { allow: [requestEdge({ port: 443 })] },
    lines: [
      'allow[0].port: 443 is mostly TLS, of which Envoy sees no request and refuses all; name the port of plain HTTP, or leave http out (or accept: ["http-on-tls-port"])',
    ],
  },
];
