import { isIPv4 } from "node:net";
import { canonical, type Cidr, contains, mustParse, overlaps, parseCidr } from "../addresses";
import type { Finding } from "../problems";
import { controlPlanePool, machineKey } from "../names";
import { defaults } from "../resolve";
import type { HostArgs, HostsUnderlayArgs } from "../types";
import { hetznerOf, hostsOf } from "../underlay";
import { type Draft, findingIf, items, type Rule, type Subject } from "./rule";

/** A rule about existing hosts; it finds nothing with another underlay. */
function hostRule(
  id: string,
  why: string,
  check: (hosts: Draft<HostsUnderlayArgs>, subject: Subject) => Finding[],
): Rule {
  return {
    id,
    acceptable: false,
    why,
    check: (subject) => {
      const hosts = hostsOf(subject.args);
      return hosts === undefined ? [] : check(hosts, subject);
    },
  };
}

/** Rules about existing hosts, and about server types, which only a cloud has. */
export const hostRules: Rule[] = [
  {
    id: "server-type-missing",
    acceptable: false,
    why: "The cloud makes a server of a type.",
    check: ({ args }) => {
      if (hetznerOf(args) === undefined) return [];
      const control = args.controlPlane;
      return [
        ...findingIf(
          control !== undefined && control.serverType === undefined,
          "controlPlane.serverType",
          "is missing",
          'give a server type, e.g. "ccx13"',
        ),
        ...items(args.pools, "pools").flatMap(({ item, path }) =>
          findingIf(
            item.serverType === undefined,
            `${path}.serverType`,
            "is missing",
            'give a server type, e.g. "ccx23"',
          ),
        ),
      ];
    },
  },
  hostRule(
    "server-type-of-host",
    "An existing machine has no type of a cloud; its CPUs stand beside its address.",
    (_, { args }) =>
      [
        { type: args.controlPlane?.serverType, path: "controlPlane.serverType" },
        ...items(args.pools, "pools").map(({ item, path }) => ({ type: item.serverType, path: `${path}.serverType` })),
      ].flatMap(({ type, path }) =>
        findingIf(
          type !== undefined,
          path,
          "existing hosts have no server type",
          "leave it out; underlay.machines says what each machine has",
        ),
      ),
  ),
  hostRule("host-missing", "Each node runs on a machine of its own.", (hosts, { args }) =>
    nodeKeys(args)
      .filter(({ key }) => hosts.machines !== undefined && !Object.hasOwn(hosts.machines, key))
      .map(({ key, path }) => ({
        path: "underlay.machines",
        message: `there is no machine ${JSON.stringify(key)}, which ${path} counts`,
        fix: "add it, or count fewer",
      })),
  ),
  hostRule("host-unplanned", "A machine that no pool counts would be passed over in silence.", (hosts, { args }) => {
    const wanted = new Set(nodeKeys(args).map(({ key }) => key));
    return Object.keys(hosts.machines ?? {}).flatMap((key) =>
      findingIf(
        !wanted.has(key),
        `underlay.machines[${JSON.stringify(key)}]`,
        "no pool counts this machine",
        "name machines <pool>-<number> from 1 without gaps, or raise the pool's count",
      ),
    );
  }),
  hostRule("host-address", "SSH and, on the control plane, the kubeconfig go to this address.", (hosts) =>
    machines(hosts).flatMap(({ host, path }) =>
      findingIf(
        host.address !== undefined &&
          !(isIPv4(host.address) || /^(?=.*[a-z])[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/.test(host.address)),
        `${path}.address`,
        `${JSON.stringify(host.address)} is neither an IPv4 address nor a host name`,
        'write e.g. "203.0.113.10"',
      ),
    ),
  ),
  hostRule(
    "host-address-of-pods",
    "Nodes take a packet for a pod or a Service to that, never to a machine outside.",
    (hosts, { args }) =>
      machines(hosts).flatMap(({ host, path }) => {
        const own = parseCidr(`${host.address ?? ""}/32`);
        const other = own && rangesOfPods(args).find((range) => overlaps(range, own));
        return findingIf(
          other !== undefined,
          `${path}.address`,
          `${host.address ?? ""} lies in ${other?.text ?? ""}, which pods or Services have`,
          "set network.podCidr and network.serviceCidr to ranges without it",
        );
      }),
  ),
  hostRule("host-private-address", "Nodes reach each other by these addresses.", (hosts) => {
    const subnet = parseCidr(hosts.nodeSubnet ?? "");
    return machines(hosts).flatMap(({ host, path }) => {
      const address = host.privateAddress;
      if (address === undefined || subnet === undefined) return [];
      const own = isIPv4(address) ? mustParse(`${address}/32`) : undefined;
      return findingIf(
        own === undefined || !contains(subnet, own) || edgesOf(subnet).some((edge) => overlaps(edge, own)),
        `${path}.privateAddress`,
        `${JSON.stringify(address)} is no machine's address of ${subnet.text} (underlay.nodeSubnet)`,
        "give the machine's address in it",
      );
    });
  }),
  hostRule("host-twice", "Two nodes cannot share a machine.", (hosts) =>
    (["address", "privateAddress", "hostKey"] as const).flatMap((field) => {
      const seen = new Map<string, string>();
      return machines(hosts).flatMap(({ host, path, key }) => {
        const value = identity(host, field);
        const other = value === undefined ? undefined : seen.get(value);
        if (value !== undefined) seen.set(value, key);
        return findingIf(
          other !== undefined,
          `${path}.${field}`,
          `is that of ${JSON.stringify(other)} too`,
          field === "hostKey"
            ? "machines made of one image share keys: make each its own"
            : "give each machine its own",
        );
      });
    }),
  ),
  hostRule("host-key", "A machine that is not known by its key may be anybody's.", (hosts) =>
    machines(hosts).flatMap(({ host, path }) =>
      findingIf(
        host.hostKey !== undefined &&
          !/^(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(256|384|521)) [A-Za-z0-9+/]{40,}={0,2}( .*)?$/.test(host.hostKey),
        `${path}.hostKey`,
        "this is no public SSH host key",
        "write the key as `ssh-keyscan -t ed25519 ADDRESS` shows it, without the address: ssh-ed25519 AAAA…",
      ),
    ),
  ),
  hostRule("host-size", "CPUs and memory decide what is reserved and how large Cilium's maps are.", (hosts) =>
    machines(hosts).flatMap(({ host, path }) =>
      (["cpus", "memoryGiB"] as const).flatMap((field) => {
        const value = host[field];
        return findingIf(
          value !== undefined && value < 1,
          `${path}.${field}`,
          `${value} cannot be`,
          "use a number from 1",
        );
      }),
    ),
  ),
  hostRule("host-port", "TCP has ports from 1 to 65535.", (hosts) =>
    machines(hosts).flatMap(({ host: { sshPort = defaults.sshPort }, path }) =>
      findingIf(
        sshPort < 1 || sshPort > 65535,
        `${path}.sshPort`,
        `${sshPort} is no TCP port`,
        "use a number from 1 to 65535",
      ),
    ),
  ),
  hostRule("host-user", "The steps run as root, by this user.", ({ user }) =>
    findingIf(
      user !== undefined && !/^[a-z_][a-z0-9_-]{0,31}$/.test(user),
      "underlay.user",
      `${JSON.stringify(user)} is no user's name`,
      'write e.g. "root", or a user who may run sudo without a password',
    ),
  ),
  hostRule(
    "host-mtu",
    "IPv4 nodes with Kubernetes need some room, and no Ethernet carries more than 9216 bytes.",
    ({ mtu }) =>
      findingIf(
        mtu !== undefined && (mtu < 1280 || mtu > 9216),
        "underlay.mtu",
        `${mtu} bytes cannot be the MTU between nodes`,
        "give the MTU of the private NICs, 1280 to 9216",
      ),
  ),
  hostRule(
    "pod-routes-missing",
    "A router sends a packet for a pod nowhere unless somebody told it where that pod's node is.",
    (hosts, { args }) =>
      findingIf(
        hosts.segment === "routed" &&
          (args.network?.tunnel ?? defaults.tunnel) === "none" &&
          hosts.podRoutes !== "declared",
        "network.tunnel",
        "none needs routes to each node's pods, and a router is between these hosts",
        'use "vxlan", or give your routers those routes and set underlay.podRoutes to "declared"',
      ),
  ),
  hostRule(
    "service-addresses-need-segment",
    "Announcing an address means answering ARP for it, which no router asks for.",
    (hosts) =>
      findingIf(
        hosts.serviceAddresses !== undefined && hosts.segment === "routed",
        "underlay.serviceAddresses",
        "addresses of Services can be announced on one segment only",
        "leave it out, or use a load balancer of the provider",
      ),
  ),
  hostRule(
    "service-addresses",
    "Each address of the range may be given to a Service, so nothing else may have it.",
    (hosts, { args }) => {
      const text = hosts.serviceAddresses;
      if (text === undefined) return [];
      const path = "underlay.serviceAddresses";
      const range = parseCidr(text);
      if (range === undefined)
        return findingIf(true, path, `${JSON.stringify(text)} is not an IPv4 range`, 'write e.g. "10.20.0.192/27"');
      const taken = machines(hosts).flatMap(({ host, key }) => {
        const own = parseCidr(`${host.privateAddress ?? ""}/32`);
        return own !== undefined && overlaps(own, range) ? [`${own.text} of ${key}`] : [];
      });
      const others = rangesOfPods(args).flatMap((other) => (overlaps(other, range) ? [other.text] : []));
      const segment = parseCidr(hosts.nodeSubnet ?? "");
      const edges = segment ? edgesOf(segment).filter((edge) => overlaps(edge, range)) : [];
      const fix = "choose a range of the segment that nothing else uses";
      return [
        ...findingIf(
          segment !== undefined && !contains(segment, range),
          path,
          `${text} does not lie inside ${segment?.text ?? ""} (underlay.nodeSubnet), so nobody there asks for its addresses`,
          fix,
        ),
        ...findingIf(canonical(range) !== text, path, `${text} has a host part`, `write "${canonical(range)}"`),
        ...[...taken, ...others, ...edges.map((edge) => `${edge.text}, which the segment has for itself`)].flatMap(
          (other) => findingIf(true, path, `${text} meets ${other}`, fix),
        ),
      ];
    },
  ),
];

/** Nodes that the pools count, by the key of their machine. */
function nodeKeys(args: Subject["args"]): { key: string; path: string }[] {
  const counted = (pool: string, count: number, path: string): { key: string; path: string }[] =>
    Array.from({ length: Math.max(0, Math.min(count, 10_000)) }, (_, offset) => ({
      key: machineKey(pool, offset + 1),
      path,
    }));
  return [
    ...counted(controlPlanePool, args.controlPlane?.count ?? defaults.controlPlaneCount, "controlPlane.count"),
    ...items(args.pools, "pools").flatMap(({ item, path }) =>
      counted(item.name ?? "", item.count ?? 0, `${path}.count`),
    ),
  ];
}

/** Ranges of pods and Services, those that are well-formed. */
function rangesOfPods({ network }: Subject["args"]): Cidr[] {
  return [network?.podCidr ?? defaults.podCidr, network?.serviceCidr ?? defaults.serviceCidr].flatMap(
    (text) => parseCidr(text) ?? [],
  );
}

/** A subnet's first and last address, which stand for itself and for all of its machines; a subnet of two has neither. */
function edgesOf({ first, size, bits }: Cidr): Cidr[] {
  return bits > 30
    ? []
    : [first, first + size - 1].map((address) => mustParse(canonical({ text: "", first: address, bits: 32, size: 1 })));
}

function machines(hosts: Draft<HostsUnderlayArgs>): { host: Draft<HostArgs>; key: string; path: string }[] {
  return Object.entries(hosts.machines ?? {}).flatMap(([key, host]) =>
    host === undefined ? [] : [{ host, key, path: `underlay.machines[${JSON.stringify(key)}]` }],
  );
}

/** What makes a machine itself: two may share an address behind different ports. */
function identity(host: Draft<HostArgs>, field: "address" | "privateAddress" | "hostKey"): string | undefined {
  const value = host[field];
  if (field === "address" && value !== undefined) return `${value}:${host.sshPort ?? defaults.sshPort}`;
  return field === "hostKey" ? value?.split(" ").slice(0, 2).join(" ") : value;
}
