import { setRaw, type Mistake } from "./table";

export const nameMistakes: Mistake[] = [
  {
    rule: "cluster-name",
    what: "upper case",
    name: "Prod",
    lines: [
      'name: "Prod" is not a DNS label of at most 32 characters; use lower-case letters, digits and inner dashes',
    ],
  },
  {
    rule: "cluster-name",
    what: "too long",
    name: "a".repeat(33),
    lines: [
      'name: "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" is not a DNS label of at most 32 characters; use lower-case letters, digits and inner dashes',
    ],
  },
  {
    rule: "cluster-name",
    what: "empty",
    name: "",
    lines: ['name: "" is not a DNS label of at most 32 characters; use lower-case letters, digits and inner dashes'],
  },
  {
    rule: "pool-name",
    what: "an underscore",
    make: (args) => (args.pools = [{ name: "web_1", count: 1, serverType: "ccx23" }]),
    lines: [
      'pools[0].name: "web_1" is not a DNS label of at most 20 characters; use lower-case letters, digits and inner dashes',
    ],
  },
  {
    rule: "pool-name",
    what: "too long",
    make: (args) => (args.pools = [{ name: "w".repeat(21), count: 1, serverType: "ccx23" }]),
    lines: [
      'pools[0].name: "wwwwwwwwwwwwwwwwwwwww" is not a DNS label of at most 20 characters; use lower-case letters, digits and inner dashes',
    ],
  },
  {
    rule: "pool-name-reserved",
    what: "the control plane's",
    make: (args) => (args.pools = [{ name: "control-plane", count: 1, serverType: "ccx23" }]),
    lines: ['pools[0].name: "control-plane" is the name of the control plane itself; choose another name'],
  },
  {
    rule: "pool-name-twice",
    what: "two pools of one name",
    make: (args) =>
      (args.pools = [
        { name: "web", count: 1, serverType: "ccx23" },
        { name: "web", count: 1, serverType: "ccx23", firstNumber: 31 },
      ]),
    lines: ['pools[1].name: another pool is named "web" too; give each pool a name of its own'],
  },
  {
    rule: "node-label",
    what: "a key with a space, a value too long",
    make: (args) => setRaw(args.pools?.[0] ?? {}, "labels", { "my key": "a", tier: "b".repeat(64) }),
    lines: [
      'pools[0].labels["my key"]: "my key" is not a key of Kubernetes; write [DNS name/]name, the name with at most 63 letters, digits, dashes, dots and underscores',
      'pools[0].labels["tier"]: "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb" is not a value for "tier"; use at most 63 letters, digits, dashes, dots and underscores',
    ],
  },
  {
    rule: "node-label",
    what: "a prefix that is no DNS name",
    make: (args) => setRaw(args.pools?.[0] ?? {}, "labels", { "Example_/tier": "a" }),
    lines: [
      'pools[0].labels["Example_/tier"]: "Example_/tier" is not a key of Kubernetes; write [DNS name/]name, the name with at most 63 letters, digits, dashes, dots and underscores',
    ],
  },
  {
    rule: "node-label-planned",
    what: "another cluster, another role",
    make: (args) =>
      setRaw(args.pools?.[0] ?? {}, "labels", {
        "zerosteal/cluster": "other",
        "node-role.kubernetes.io/control-plane": "",
      }),
    lines: ["zerosteal/cluster", "node-role.kubernetes.io/control-plane"].map(
      (key) => `pools[0].labels["${key}"]: the plan gives this label itself; choose another key`,
    ),
  },
  {
    rule: "node-taint",
    what: "an empty key",
    make: (args) => setRaw(args.pools?.[0] ?? {}, "taints", [{ key: "", effect: "NoSchedule" }]),
    lines: [
      'pools[0].taints[0]: "" is not a key of Kubernetes; write [DNS name/]name, the name with at most 63 letters, digits, dashes, dots and underscores',
    ],
  },
];

export const accessMistakes: Mistake[] = [
  {
    rule: "access-empty",
    what: "nobody",
    make: (args) => (args.access = { ssh: [], api: [] }),
    lines: [
      'access.ssh: an empty list lets nobody in, not even this program; give your own address, e.g. ["203.0.113.7/32"]',
      'access.api: an empty list lets nobody in, not even this program; give your own address, e.g. ["203.0.113.7/32"]',
    ],
  },
  {
    rule: "access-many",
    what: "101 ranges",
    make: (args) => (args.access.ssh = Array.from({ length: 101 }, (_, index) => `203.0.113.${index}/32`)),
    lines: [
      "access.ssh: 101 ranges are more than the 100 that a rule of the firewall takes; join ranges that are neighbours",
    ],
  },
  {
    rule: "access-range",
    what: "an address",
    make: (args) => (args.access.ssh = ["203.0.113.7"]),
    lines: [
      'access.ssh[0]: "203.0.113.7" is not an IP range with a zero host part; write e.g. "203.0.113.7/32" or "2001:db8::/64"',
    ],
  },
  {
    rule: "access-range",
    what: "a host part",
    make: (args) => (args.access.api = ["203.0.113.7/24"]),
    lines: [
      'access.api[0]: "203.0.113.7/24" is not an IP range with a zero host part; write e.g. "203.0.113.7/32" or "2001:db8::/64"',
    ],
  },
  {
    rule: "access-range",
    what: "IPv6 with a host part",
    make: (args) => (args.access.api = ["2001:db8::1/64"]),
    lines: [
      'access.api[0]: "2001:db8::1/64" is not an IP range with a zero host part; write e.g. "203.0.113.7/32" or "2001:db8::/64"',
    ],
  },
  {
    rule: "access-open-to-all",
    what: "all of IPv4",
    make: (args) => (args.access.api = ["0.0.0.0/0"]),
    lines: [
      'access.api[0]: 0.0.0.0/0 lets the whole Internet in; give the ranges that you come from (or accept: ["access-open-to-all"])',
    ],
  },
  {
    rule: "access-open-to-all",
    what: "all of IPv6",
    make: (args) => (args.access.ssh = ["::/0"]),
    lines: [
      'access.ssh[0]: ::/0 lets the whole Internet in; give the ranges that you come from (or accept: ["access-open-to-all"])',
    ],
  },
];
