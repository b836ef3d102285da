import { app, type PeerArgs } from "../../components";
import { goodEdge, type PolicyMistake, raw } from "./table";

const from = (peer: PeerArgs): PolicyMistake["graph"] => ({ allow: [goodEdge({ from: peer })] });
const to = (peer: PeerArgs): PolicyMistake["graph"] => ({ allow: [goodEdge({ to: peer })] });
const outside = (...fqdns: string[]): PolicyMistake["baseline"] => ({ egress: [{ fqdns }] });
const label = "use at most 63 lower-case letters, digits and inner dashes";
const kubeDns = { labels: { "k8s-app": "kube-dns" }, namespace: "kube-system" };

export const structureMistakes: PolicyMistake[] = [
  {
    rule: "argument-type",
    what: "texts where others belong",
    graph: raw({ audit: "yes", allow: [goodEdge({ port: raw("8080"), protocol: raw("tcp") })] }),
    lines: [
      'allow[0].port: must be a whole number, found the text "8080"; give one without quotes, e.g. 3',
      'allow[0].protocol: must be one of "TCP", "UDP", "SCTP", "ANY", found the text "tcp"; did you mean TCP?',
      'audit: must be true or false, found the text "yes"; give one of them without quotes',
      "allow[0].port: no port is named; give the port of the pods behind the Service, or 0 for all of them",
    ],
  },
  {
    rule: "argument-missing",
    what: "no target",
    graph: raw({ allow: [{ from: app("web"), port: 80 }] }),
    lines: ['allow[0].to: is missing; give who is connected to, e.g. app("backend")'],
  },
  {
    rule: "argument-unknown",
    what: "an argument of Cilium's own",
    graph: raw({ allow: [{ ...goodEdge(), toPorts: [] }] }),
    lines: ["allow[0].toPorts: there is no such argument; did you mean ports?"],
  },
  {
    rule: "accept-not-a-warning",
    what: "a refusal, and a mistyped warning",
    graph: { accept: ["edge-twice", "http-get-without-heads"] },
    lines: [
      'accept[0]: there is no warning "edge-twice"; warnings are dns-not-visible, http-get-without-head, http-on-tls-port',
      'accept[1]: there is no warning "http-get-without-heads"; did you mean http-get-without-head?',
    ],
  },
];

export const nameMistakes: PolicyMistake[] = [
  {
    rule: "policy-name",
    what: "capitals",
    name: "Shop",
    baseline: {},
    lines: [`name: "Shop" is not a DNS label; ${label}`],
  },
  {
    rule: "policy-namespace",
    what: "of the graph, of a peer, of a baseline and of DNS",
    graph: {
      namespace: "",
      allow: [goodEdge({ from: app("a", "My_Space"), to: app("b", "b") })],
      covered: [{ namespace: "x.y", dnsVisible: true }],
      dns: { namespace: "-" },
    },
    lines: [
      `namespace: "" is not the name of a namespace; ${label}`,
      `allow[0].from.namespace: "My_Space" is not the name of a namespace; ${label}`,
      `covered[0].namespace: "x.y" is not the name of a namespace; ${label}`,
      `dns.namespace: "-" is not the name of a namespace; ${label}`,
    ],
  },
  {
    rule: "policy-label",
    what: "a key and a value that no pod has",
    graph: from({ labels: { "a b": "x", "k8s:app": "y z" } }),
    lines: [
      'allow[0].from.labels["a b"]: "a b" is not a key of Kubernetes; write [DNS name/]name, the name with at most 63 letters, digits, dashes, dots and underscores',
      'allow[0].from.labels["k8s:app"]: "y z" is not a value for "k8s:app"; use at most 63 letters, digits, dashes, dots and underscores',
    ],
  },
  {
    rule: "peer-namespace-label",
    what: "Cilium's own label",
    graph: from({ labels: { app: "a", "k8s:io.kubernetes.pod.namespace": "b" } }),
    lines: [
      'allow[0].from.labels["k8s:io.kubernetes.pod.namespace"]: the namespace is no label here; give it as namespace, beside the labels',
    ],
  },
  {
    rule: "edge-name",
    what: "two words",
    graph: { allow: [goodEdge({ name: "front end" })] },
    lines: [`allow[0].name: "front end" is not a DNS label; ${label}`],
  },
  {
    rule: "edge-name-twice",
    what: "two that read alike",
    graph: { allow: [goodEdge({ from: app("a.b") }), goodEdge({ from: app("a_b") })] },
    lines: ['allow[1].name: "a-b-to-backend-api-8080" is the name of allow[0] too; give one of them another name'],
  },
];

export const peerMistakes: PolicyMistake[] = [
  {
    rule: "peer-empty",
    what: "neither labels nor others",
    graph: from({ namespace: "other" }),
    lines: ["allow[0].from: names nobody; give one of labels, all, entities, cidrs, fqdns"],
  },
  {
    rule: "peer-mixed",
    what: "labels and a range",
    graph: to({ labels: { app: "a" }, cidrs: ["198.51.100.0/24"] }),
    lines: ["allow[0].to: labels and cidrs do not go into one rule; give an edge to each"],
  },
  {
    rule: "peer-selects-everything",
    what: "no label",
    graph: to({ labels: {} }),
    lines: [
      'allow[0].to.labels: no label selects nothing in particular: Cilium would take every pod; give a label, e.g. { app: "web" }, or all: true if every pod of the namespace is meant',
    ],
  },
  {
    rule: "peer-list-empty",
    what: "of each kind",
    graph: {
      allow: [
        goodEdge({ from: { entities: [] } }),
        goodEdge({ from: { cidrs: [] }, port: 81 }),
        goodEdge({ to: { fqdns: [] }, port: 82 }),
      ],
    },
    lines: [
      "allow[0].from.entities: an empty list selects nobody; name at least one, or leave the edge out",
      "allow[1].from.cidrs: an empty list selects nobody; name at least one, or leave the edge out",
      "allow[2].to.fqdns: an empty list selects nobody; name at least one, or leave the edge out",
    ],
  },
  {
    rule: "peer-namespace-unused",
    what: "of a range",
    graph: from({ cidrs: ["198.51.100.0/24"], namespace: "shop" }),
    lines: ["allow[0].from.namespace: cidrs have no namespace; leave it out"],
  },
  {
    rule: "edge-without-pods",
    what: "from outside to outside",
    graph: { allow: [goodEdge({ from: { entities: ["world"] }, to: { cidrs: ["198.51.100.0/24"] } })] },
    lines: ["allow[0]: neither end is pods; name one end by labels, or by all: true"],
  },
  {
    rule: "cidr-form",
    what: "an address, a host name and a prefix too long",
    graph: to({ cidrs: ["198.51.100.1", "example.com/24", "198.51.100.0/33", "2001:db8::/32"] }),
    lines: [
      'allow[0].to.cidrs[0]: "198.51.100.1" is not a range of addresses; write it like "198.51.100.0/24"',
      'allow[0].to.cidrs[1]: "example.com/24" is not a range of addresses; write it like "198.51.100.0/24"',
      'allow[0].to.cidrs[2]: "198.51.100.0/33" is not a range of addresses; write it like "198.51.100.0/24"',
    ],
  },
  {
    rule: "fqdn-form",
    what: "a URL, an empty label, and one that is too long",
    baseline: outside("https://example.com", "a..b", `${"a".repeat(250)}.example`),
    lines: ["https://example.com", "a..b", `${"a".repeat(250)}.example`].map(
      (name, index) =>
        `egress[0].fqdns[${index}]: "${name}" is not a DNS name or a pattern of one; write it like "api.example.com" or "*.example.com", without scheme, port and path`,
    ),
  },
  {
    rule: "fqdn-everything",
    what: "an asterisk",
    baseline: outside("*"),
    lines: [
      'egress[0].fqdns[0]: "*" is every name outside; name the destinations; if the whole outside is meant, say entities: ["world"] in a ServiceGraph',
    ],
  },
  {
    rule: "fqdn-in-cluster",
    what: "a Service",
    graph: to({ fqdns: ["db.data.svc", "db.data.svc.cluster.local."] }),
    lines: [
      'allow[0].to.fqdns[0]: "db.data.svc" is a name of the cluster, whose pods are not matched by name; name the pods behind it by their labels',
      'allow[0].to.fqdns[1]: "db.data.svc.cluster.local." is a name of the cluster, whose pods are not matched by name; name the pods behind it by their labels',
    ],
  },
  {
    rule: "fqdn-source",
    what: "a name that connects",
    graph: from({ fqdns: ["example.com"] }),
    lines: ["allow[0].from.fqdns: a source has no name; give its addresses as cidrs"],
  },
  {
    rule: "fqdn-needs-dns",
    what: "lookups that are not seen",
    baseline: { dns: { visible: false }, ...outside("example.com") },
    lines: [
      "egress[0].fqdns: the names are never seen, since the source's lookups do not pass Cilium's DNS proxy; leave dns.visible out",
    ],
  },
  {
    rule: "fqdn-needs-dns",
    what: "a cluster without the proxy",
    graph: { l7Proxy: false, ...to({ fqdns: ["example.com"] }) },
    lines: [
      "allow[0].to.fqdns: the names are never seen, since the source's lookups do not pass Cilium's DNS proxy; run Cilium with l7Proxy, or name the destinations by cidrs in a ServiceGraph",
    ],
  },
  {
    rule: "fqdn-needs-dns",
    what: "a baseline that sees no names",
    graph: { covered: [{ namespace: "shop", dnsVisible: false }], ...to({ fqdns: ["example.com"] }) },
    lines: [
      "allow[0].to.fqdns: the names are never seen, since the source's lookups do not pass Cilium's DNS proxy; leave dns.visible of that namespace's baseline at true",
    ],
  },
  {
    rule: "fqdn-needs-dns",
    what: "a name that the source may not look up",
    graph: {
      allow: [
        { from: app("web"), to: kubeDns, port: 53, protocol: "UDP", dns: ["*.example.com"] },
        { from: app("web"), to: { fqdns: ["api.example.com", "example.org"] }, port: 443 },
      ],
    },
    lines: [
      'allow[1].to.fqdns[1]: "example.org" is not among the names that the source may look up; add it to allow[0].dns',
    ],
  },
];

export const portMistakes: PolicyMistake[] = [
  {
    rule: "edge-ports",
    what: "both, neither, and an empty list",
    graph: {
      allow: [
        goodEdge({ ports: [{ port: 81 }] }),
        goodEdge({ from: app("a"), port: undefined }),
        goodEdge({ from: app("b"), port: undefined, ports: [] }),
      ],
    },
    lines: [
      "allow[0].ports: port is given too; leave one of the two out",
      "allow[1].port: no port is named; give the port of the pods behind the Service, or 0 for all of them",
      "allow[2].ports: an empty list lets nothing through; give at least one port",
    ],
  },
  {
    rule: "port-number",
    what: "past 16 bits, and negative",
    graph: { allow: [goodEdge({ port: 65536 }), goodEdge({ from: app("a"), port: -1 })] },
    lines: [
      "allow[0].port: 65536 is not a port; use 1 to 65535, or 0 for all",
      "allow[1].port: -1 is not a port; use 1 to 65535, or 0 for all",
    ],
  },
  {
    rule: "port-range",
    what: "backwards, from 0, and too far",
    graph: {
      allow: [
        goodEdge({
          port: undefined,
          ports: [
            { port: 90, endPort: 80 },
            { port: 0, endPort: 10 },
            { port: 1, endPort: 70000 },
          ],
        }),
      ],
    },
    lines: [
      "allow[0].ports[0].endPort: 90 to 80 is not a range of ports; let it end between 90 and 65535, and begin with 1 or more",
      "allow[0].ports[1].endPort: 0 to 10 is not a range of ports; let it end between 1 and 65535, and begin with 1 or more",
      "allow[0].ports[2].endPort: 1 to 70000 is not a range of ports; let it end between 1 and 65535, and begin with 1 or more",
    ],
  },
  {
    rule: "too-many-ports",
    what: "41",
    graph: {
      allow: [goodEdge({ port: undefined, ports: Array.from({ length: 41 }, (_, index) => ({ port: 1000 + index })) })],
    },
    lines: ["allow[0].ports: 41 ports are more than the 40 of one entry; write ranges, or give an edge to each part"],
  },
  {
    rule: "edge-twice",
    what: "under another name",
    graph: { allow: [goodEdge(), goodEdge({ name: "other" })] },
    lines: ["allow[1]: lets the same through as allow[0]; leave one out; requests of both go into one http list"],
  },
  {
    rule: "edge-twice",
    what: "destinations of a baseline",
    baseline: { egress: [{ fqdns: ["a.example", "b.example"] }, { fqdns: ["b.example", "a.example"], port: 443 }] },
    lines: ["egress[1]: lets the same through as egress[0]; leave one out; requests of both go into one http list"],
  },
  {
    rule: "graph-empty",
    what: "an empty list",
    graph: { allow: [] },
    lines: ["allow: an empty list writes no policy; name an edge, or leave the list out"],
  },
  {
    rule: "namespace-covered-twice",
    what: "two baselines",
    graph: {
      covered: [
        { namespace: "shop", dnsVisible: true },
        { namespace: "shop", dnsVisible: false },
      ],
    },
    lines: ["covered[1]: shop is in covered[0] too; leave one out"],
  },
];
