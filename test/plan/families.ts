import fc from "fast-check";
import type { PoolArgs } from "../../components/plan";
import {
  anywhere,
  type Asked,
  type Change,
  changed,
  cloudOf,
  hostsOf,
  inCloud,
  machine,
  oneOf,
  onHosts,
  rangeIn,
  seldom,
} from "./arbitraries";
import { software } from "./softwareFamilies";

const setPool =
  (change: (pool: PoolArgs) => unknown): Change =>
  ({ args }) => {
    const [pool] = args.pools ?? [];
    if (pool) change(pool);
  };

const labels = seldom<Record<string, string>>(
  fc.dictionary(
    oneOf("tier", "example.com/role", "a.b-c_d", "x".repeat(63)),
    oneOf("", "one", "A.b_c-9", "y".repeat(63)),
    { maxKeys: 3 },
  ),
  { "": "x" },
  { "-a": "x" },
  { a: "b c" },
  { "A.B/c": "x" },
  { "zerosteal/cluster": "other" },
  { "node-role.kubernetes.io/control-plane": "" },
  { ["k".repeat(64)]: "x" },
);

/** Renames the first pool, and its machines with it. */
function renamePool({ args, ...rest }: Asked, name: string): void {
  const hosts = hostsOf({ args, ...rest });
  const [pool] = args.pools ?? [];
  if (!pool) return;
  if (hosts)
    hosts.machines = Object.fromEntries(
      Object.entries(hosts.machines).map(([key, value]) => [
        key.startsWith(`${pool.name}-`) ? `${name}${key.slice(pool.name.length)}` : key,
        value,
      ]),
    );
  pool.name = name;
}

const names: fc.Arbitrary<Change> = fc.oneof(
  seldom(fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$/), "", "Prod", "-a", "a.b", "ä", "a".repeat(33)).map(
    (name): Change =>
      (asked) =>
        (asked.name = name),
  ),
  seldom(
    fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,18}[a-z0-9])?$/),
    "",
    "Web",
    "a-",
    "batch",
    "control-plane",
    "p".repeat(21),
  ).map(
    (name): Change =>
      (asked) =>
        renamePool(asked, name),
  ),
  labels.map((own) => setPool((pool) => (pool.labels = own))),
  labels.map((own) =>
    setPool(
      (pool) =>
        (pool.taints = Object.entries(own)
          .filter(([key]) => !/\/(cluster|control-plane)$/.test(key))
          .map(([key, value]) => ({ key, value, effect: "NoSchedule" }))),
    ),
  ),
);

const octet = fc.integer({ min: 0, max: 255 });
const accessRange = seldom(
  fc.oneof(
    fc
      .tuple(octet, octet, fc.integer({ min: 1, max: 24 }))
      .map(([a, b, bits]) => rangeIn("0.0.0.0/0", bits, a * 256 + b)),
    fc.tuple(octet, octet).map(([a, b]) => `198.51.${a}.${b}/32`),
    oneOf("2001:db8::/32", "2001:db8:1::/48", "fd00::1/128"),
  ),
  "0.0.0.0/0",
  "::/0",
  "10.0.0.1/8",
  "10.0.0.1",
  "2001:db8::1/32",
  "everywhere",
);

const access: fc.Arbitrary<Change> = fc
  .tuple(
    oneOf("ssh" as const, "api" as const),
    fc.oneof(
      { weight: 9, arbitrary: fc.array(accessRange, { maxLength: 4 }) },
      fc.array(accessRange, { minLength: 99, maxLength: 103 }),
    ),
    fc.boolean(),
  )
  .map(([list, ranges, accept]): Change => ({ args }) => {
    args.access[list] = ranges;
    if (accept) args.accept = ["access-open-to-all"];
  });

const nodes: fc.Arbitrary<Change> = fc.oneof(
  seldom(oneOf("ccx23", "ccx33", "cpx22", "cx23", "cx53"), "cpx12", "cax11", "cpx31", "nothing", "").map(
    (type): Change =>
      (asked) => {
        const [pool] = asked.args.pools ?? [];
        if (pool && cloudOf(asked)) pool.serverType = type;
      },
  ),
  oneOf("none" as const, "static" as const, "strict" as const).map((isolation) =>
    setPool((pool) => (pool.cpuIsolation = isolation)),
  ),
  seldom(fc.integer({ min: 11, max: 90 }), 10, 0, -3, 254, 255, 256, 100000).map((first) =>
    setPool((pool) => (pool.firstNumber = first)),
  ),
  seldom(fc.integer({ min: 0, max: 6 }), -1, 88, 99, 100, 300).map((count): Change => (asked) => {
    const [pool] = asked.args.pools ?? [];
    if (pool && cloudOf(asked)) pool.count = count;
  }),
  seldom(oneOf(1), 0, 2, 3, -1).map(
    (count): Change =>
      ({ args }) =>
        (args.controlPlane.count = count),
  ),
  seldom(oneOf("fsn1", "hel1"), "hil", "sin", "fns1").map(
    (location): Change =>
      (asked) =>
        Object.assign(cloudOf(asked) ?? {}, { location }),
  ),
  oneOf(
    ["strict-needs-dedicated-cpus"],
    ["isolation-needs-four-cpus", "strict-needs-dedicated-cpus"],
    ["pool-count"],
    ["nothing"],
  ).map(
    (accept): Change =>
      ({ args }) =>
        (args.accept = accept),
  ),
);

const outer = oneOf(
  "10.0.0.0/8",
  "172.16.0.0/12",
  "192.168.0.0/16",
  "10.64.0.0/10",
  "172.31.0.0/16",
  "8.0.0.0/8",
  "0.0.0.0/0",
);
const anyRange = fc
  .tuple(outer, fc.integer({ min: 8, max: 29 }), fc.nat(2 ** 24))
  .map(([range, bits, position]) => rangeIn(range, bits, position));
const badRange = oneOf(
  "10.0.0.1/24",
  "10.0/16",
  "fd00::/64",
  "",
  "127.0.0.0/16",
  "169.254.0.0/16",
  "224.0.0.0/12",
  "0.0.0.0/0",
);

/** Ranges that lie apart from each other in one network, each in a slot of its own. */
const apart: fc.Arbitrary<Change> = fc
  .record({
    network: oneOf("10.0.0.0/8", "172.16.0.0/12", "10.128.0.0/9"),
    slots: fc.shuffledSubarray([0, 1, 2, 3], { minLength: 3, maxLength: 3 }),
    bits: fc.tuple(
      fc.integer({ min: 16, max: 26 }),
      fc.integer({ min: 14, max: 18 }),
      fc.integer({ min: 14, max: 24 }),
    ),
    own: fc.integer({ min: 23, max: 26 }),
    inside: fc.nat(200),
    maxPods: oneOf(undefined, 50, 110, 250),
  })
  .map(({ network, slots, bits, own, inside, maxPods }): Change => (asked) => {
    const slotBits = Number(network.split("/")[1]) + 2;
    const [nodeRange = "", podCidr = "", serviceCidr = ""] = slots.map((slot, index) =>
      rangeIn(rangeIn(network, slotBits, slot), bits[index] ?? 16, inside),
    );
    asked.args.network = { ...asked.args.network, podCidr, serviceCidr, nodePodCidrBits: own };
    const cloud = cloudOf(asked);
    if (cloud) Object.assign(cloud, { networkRange: network, nodeSubnet: nodeRange });
    if (maxPods !== undefined) asked.args.kubernetes = { kubelet: { maxPods } };
  });

const network: fc.Arbitrary<Change> = fc.oneof(
  { weight: 6, arbitrary: apart },
  fc
    .tuple(oneOf("podCidr", "serviceCidr"), fc.oneof(anyRange, anyRange, badRange))
    .map(([area, range]): Change => ({ args }) => {
      args.network = { ...args.network, [area]: range };
    }),
  fc
    .tuple(oneOf("networkRange", "nodeSubnet"), fc.oneof(anyRange, badRange))
    .map(([area, range]): Change => (asked) => {
      if (cloudOf(asked) || area === "nodeSubnet") Object.assign(asked.args.underlay, { [area]: range });
    }),
  oneOf("none" as const, "vxlan" as const, "geneve" as const).map((tunnel): Change => ({ args }) => {
    args.network = { ...args.network, tunnel };
  }),
  fc
    .tuple(
      oneOf("publicInterface", "privateInterface"),
      seldom(oneOf("eth0", "ens+", "enp7s0", "eth1.5"), "ETH", "e/0", "x".repeat(17)),
    )
    .map(
      ([field, nic]): Change =>
        ({ args }) =>
          Object.assign(args.underlay, { [field]: nic }),
    ),
);

const hostFields: fc.Arbitrary<Record<string, unknown>> = fc.oneof(
  seldom(
    oneOf("203.0.113.99", "node.example"),
    "203.0.113.20",
    "a b",
    "10.244.3.3",
    "10.96.0.9",
    "::1",
    "300.1.1.1",
  ).map((address) => ({ address })),
  seldom(
    oneOf("10.20.0.99", "10.20.0.50"),
    "10.20.0.10",
    "10.20.0.0",
    "10.20.0.255",
    "10.21.0.1",
    "10.20.0.200",
    "x",
  ).map((privateAddress) => ({ privateAddress })),
  seldom(oneOf(machine(40).hostKey, `${machine(41).hostKey} root@x`), machine(0).hostKey, "ssh-ed25519 short", "").map(
    (hostKey) => ({ hostKey }),
  ),
  seldom(fc.integer({ min: 1, max: 65535 }), 0, 65536).map((sshPort) => ({ sshPort })),
  seldom(fc.integer({ min: 2, max: 64 }), 0, 1).map((cpus) => ({ cpus })),
  seldom(fc.integer({ min: 1, max: 256 }), 0).map((memoryGiB) => ({ memoryGiB })),
  fc.boolean().map((dedicatedCpus) => ({ dedicatedCpus })),
);

const underlayFields: fc.Arbitrary<Record<string, unknown>> = fc.oneof(
  oneOf("l2", "routed").map((segment) => ({ segment })),
  fc.boolean().map((sourceCheck) => ({ sourceCheck })),
  oneOf("none", "declared").map((podRoutes) => ({ podRoutes })),
  seldom(fc.integer({ min: 1280, max: 9216 }), 1279, 9217, 0).map((mtu) => ({ mtu })),
  seldom(oneOf("root", "admin", "_x"), "Root", "a b", "").map((user) => ({ user })),
  seldom(
    oneOf("10.20.0.192/28", "10.20.0.128/26", "10.20.0.248/30"),
    "10.20.0.0/27",
    "10.20.0.240/28",
    "10.20.1.0/28",
    "10.20.0.193/28",
    "10.244.0.0/24",
    "10.96.0.0/24",
    "x",
  ).map((serviceAddresses) => ({ serviceAddresses })),
  fc.tuple(oneOf("none", "vxlan", "geneve"), oneOf("declared", "none")).map(([, podRoutes]) => ({ podRoutes })),
);

const hosts: fc.Arbitrary<Change> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.tuple(hostFields, fc.nat()).map(([fields, pick]): Change => (asked) => {
      const all = Object.values(hostsOf(asked)?.machines ?? {});
      Object.assign(all[pick % all.length] ?? {}, fields);
    }),
  },
  {
    weight: 4,
    arbitrary: underlayFields.map(
      (fields): Change =>
        ({ args }) =>
          Object.assign(args.underlay, fields),
    ),
  },
  oneOf("none" as const, "vxlan" as const).map(
    (tunnel): Change =>
      ({ args }) =>
        (args.network = { ...args.network, tunnel }),
  ),
  fc.tuple(oneOf("web-1", "web-9", "spare-1"), fc.boolean()).map(([key, add]): Change => (asked) => {
    const hosts = hostsOf(asked);
    if (hosts === undefined) return;
    const { [key]: own, ...others } = hosts.machines;
    hosts.machines = add ? { ...others, [key]: own ?? machine(60) } : others;
  }),
);

/** Arbitrary arguments by family of rules; about half of each family are good. */
export const families: Readonly<Record<string, fc.Arbitrary<Asked>>> = {
  names: changed(anywhere, names),
  access: changed(anywhere, access, 2),
  nodes: changed(anywhere, nodes),
  network: changed(fc.oneof({ weight: 3, arbitrary: inCloud }, onHosts), network),
  hosts: changed(onHosts, hosts),
  ...software,
};
