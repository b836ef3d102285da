import type { ClusterArgs, HostsUnderlayArgs } from "../../../components/plan";
import { hostsCluster } from "../clusters";
import type { Mistake } from "./table";

type HostsCluster = ClusterArgs & { underlay: HostsUnderlayArgs };

/** Makes a mistake in good arguments of existing hosts, in place of those of a cloud. */
const inHosts =
  (change: (args: HostsCluster) => unknown) =>
  (args: ClusterArgs): void => {
    const hosts = hostsCluster();
    change(hosts);
    Object.assign(args, { pools: undefined, network: undefined }, hosts);
  };

const web = (args: HostsCluster) => args.underlay.machines["web-1"] ?? assertNever();

function assertNever(): never {
  throw new Error("the cluster of the tests has no web-1");
}

/** Mistakes in arguments of existing hosts. */
export const hostMistakes: Mistake[] = [
  {
    rule: "server-type-missing",
    what: "a cloud's control plane and pool without a type",
    make: (args) => {
      delete args.controlPlane.serverType;
      delete args.pools?.[0]?.serverType;
    },
    lines: [
      'controlPlane.serverType: is missing; give a server type, e.g. "ccx13"',
      'pools[0].serverType: is missing; give a server type, e.g. "ccx23"',
    ],
  },
  {
    rule: "server-type-of-host",
    what: "a type of a cloud for existing machines",
    make: inHosts((args) => (args.controlPlane.serverType = "ccx13")),
    lines: [
      "controlPlane.serverType: existing hosts have no server type; leave it out; underlay.machines says what each machine has",
    ],
  },
  {
    rule: "host-missing",
    what: "a pool that counts more nodes than there are machines",
    make: inHosts((args) => (args.pools = [{ name: "web", count: 3 }])),
    lines: ['underlay.machines: there is no machine "web-3", which pools[0].count counts; add it, or count fewer'],
  },
  {
    rule: "host-unplanned",
    what: "a machine that no pool counts",
    make: inHosts((args) => (args.pools = [{ name: "web", count: 1 }])),
    lines: [
      'underlay.machines["web-2"]: no pool counts this machine; name machines <pool>-<number> from 1 without gaps, or raise the pool\'s count',
    ],
  },
  {
    rule: "host-address",
    what: "a URL in place of an address",
    make: inHosts((args) => (web(args).address = "ssh://web")),
    lines: [
      'underlay.machines["web-1"].address: "ssh://web" is neither an IPv4 address nor a host name; write e.g. "203.0.113.10"',
    ],
  },
  {
    rule: "host-private-address",
    what: "an address of another range",
    make: inHosts((args) => (web(args).privateAddress = "10.21.0.11")),
    lines: [
      'underlay.machines["web-1"].privateAddress: "10.21.0.11" is no machine\'s address of 10.20.0.0/24 (underlay.nodeSubnet); give the machine\'s address in it',
    ],
  },
  {
    rule: "host-twice",
    what: "one machine for two nodes",
    make: inHosts((args) => (args.underlay.machines["web-2"] = { ...web(args) })),
    lines: [
      'underlay.machines["web-2"].address: is that of "web-1" too; give each machine its own',
      'underlay.machines["web-2"].privateAddress: is that of "web-1" too; give each machine its own',
      'underlay.machines["web-2"].hostKey: is that of "web-1" too; machines made of one image share keys: make each its own',
    ],
  },
  {
    rule: "host-key",
    what: "a fingerprint in place of a key",
    make: inHosts((args) => (web(args).hostKey = "SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU")),
    lines: [
      'underlay.machines["web-1"].hostKey: this is no public SSH host key; write the key as `ssh-keyscan -t ed25519 ADDRESS` shows it, without the address: ssh-ed25519 AAAA…',
    ],
  },
  {
    rule: "host-size",
    what: "a machine without memory",
    make: inHosts((args) => (web(args).memoryGiB = 0)),
    lines: ['underlay.machines["web-1"].memoryGiB: 0 cannot be; use a number from 1'],
  },
  {
    rule: "host-port",
    what: "a port past the last",
    make: inHosts((args) => (web(args).sshPort = 70_000)),
    lines: ['underlay.machines["web-1"].sshPort: 70000 is no TCP port; use a number from 1 to 65535'],
  },
  {
    rule: "host-user",
    what: "a user with a blank",
    make: inHosts((args) => (args.underlay.user = "the admin")),
    lines: [
      'underlay.user: "the admin" is no user\'s name; write e.g. "root", or a user who may run sudo without a password',
    ],
  },
  {
    rule: "host-mtu",
    what: "a pod's MTU in place of the network's",
    make: inHosts((args) => (args.underlay.mtu = 576)),
    lines: ["underlay.mtu: 576 bytes cannot be the MTU between nodes; give the MTU of the private NICs, 1280 to 9216"],
  },
  {
    rule: "pod-routes-missing",
    what: "native routing behind a router",
    make: inHosts((args) => {
      args.underlay.segment = "routed";
      delete args.underlay.serviceAddresses;
    }),
    lines: [
      'network.tunnel: none needs routes to each node\'s pods, and a router is between these hosts; use "vxlan", or give your routers those routes and set underlay.podRoutes to "declared"',
    ],
  },
  {
    rule: "service-addresses-need-segment",
    what: "announced addresses behind a router",
    make: inHosts((args) => {
      args.underlay.segment = "routed";
      args.network = { tunnel: "vxlan" };
    }),
    lines: [
      "underlay.serviceAddresses: addresses of Services can be announced on one segment only; leave it out, or use a load balancer of the provider",
    ],
  },
  {
    rule: "service-addresses",
    what: "a range that a machine is in",
    make: inHosts((args) => (args.underlay.serviceAddresses = "10.20.0.8/29")),
    lines: [
      "underlay.serviceAddresses: 10.20.0.8/29 meets 10.20.0.10/32 of control-plane-1; choose a range of the segment that nothing else uses",
      "underlay.serviceAddresses: 10.20.0.8/29 meets 10.20.0.11/32 of web-1; choose a range of the segment that nothing else uses",
      "underlay.serviceAddresses: 10.20.0.8/29 meets 10.20.0.12/32 of web-2; choose a range of the segment that nothing else uses",
    ],
  },
  {
    rule: "host-private-address",
    what: "the segment's broadcast address",
    make: inHosts((args) => {
      web(args).privateAddress = "10.20.0.255";
      args.underlay.serviceAddresses = undefined;
    }),
    lines: [
      'underlay.machines["web-1"].privateAddress: "10.20.0.255" is no machine\'s address of 10.20.0.0/24 (underlay.nodeSubnet); give the machine\'s address in it',
    ],
  },
  {
    rule: "host-address-of-pods",
    what: "a pod's and a Service's address",
    make: inHosts((args) => {
      web(args).address = "10.244.7.1";
      Object.assign(args.underlay.machines["web-2"] ?? {}, { address: "10.96.0.1" });
    }),
    lines: [
      'underlay.machines["web-1"].address: 10.244.7.1 lies in 10.244.0.0/16, which pods or Services have; set network.podCidr and network.serviceCidr to ranges without it',
      'underlay.machines["web-2"].address: 10.96.0.1 lies in 10.96.0.0/12, which pods or Services have; set network.podCidr and network.serviceCidr to ranges without it',
    ],
  },
  {
    rule: "service-addresses",
    what: "the end of the segment",
    make: inHosts((args) => (args.underlay.serviceAddresses = "10.20.0.224/27")),
    lines: [
      "underlay.serviceAddresses: 10.20.0.224/27 meets 10.20.0.255/32, which the segment has for itself; choose a range of the segment that nothing else uses",
    ],
  },
  {
    rule: "service-addresses",
    what: "elsewhere, with a host part",
    make: inHosts((args) => (args.underlay.serviceAddresses = "10.20.1.193/27")),
    lines: [
      "underlay.serviceAddresses: 10.20.1.193/27 does not lie inside 10.20.0.0/24 (underlay.nodeSubnet), so nobody there asks for its addresses; choose a range of the segment that nothing else uses",
      'underlay.serviceAddresses: 10.20.1.193/27 has a host part; write "10.20.1.192/27"',
    ],
  },
  {
    rule: "dsr-dispatch",
    what: "geneve for the plan's own DSR",
    make: inHosts((args) => (args.cilium = { values: { loadBalancer: { dsrDispatch: "geneve" } } })),
    lines: ["cilium.values.loadBalancer.dsrDispatch: geneve needs tunnelProtocol: geneve; set it, or use opt"],
  },
  {
    rule: "dsr-dispatch",
    what: "DSR in the VXLAN of network.tunnel",
    make: inHosts((args) => {
      args.network = { tunnel: "vxlan" };
      args.cilium = { values: { loadBalancer: { mode: "dsr" } } };
    }),
    lines: ["cilium.values.loadBalancer.dsrDispatch: DSR does not go with a VXLAN tunnel; set tunnelProtocol: geneve"],
  },
  {
    rule: "no-conntrack-needs-native",
    what: "in the tunnel of network.tunnel",
    make: inHosts((args) => {
      args.network = { tunnel: "geneve" };
      args.cilium = { values: { installNoConntrackIptablesRules: true } };
    }),
    lines: [
      "cilium.values.installNoConntrackIptablesRules: true does not go with network.tunnel geneve, whose packets pass the host's stack; leave it out",
    ],
  },
  {
    rule: "auto-routes-need-native",
    what: "direct routes beside a tunnel",
    make: inHosts((args) => {
      args.network = { tunnel: "vxlan" };
      args.cilium = { values: { autoDirectNodeRoutes: true, directRoutingSkipUnreachable: true } };
    }),
    lines: [
      "cilium.values.autoDirectNodeRoutes: true needs native routing, and pods' packets go through a tunnel; leave it out",
    ],
  },
  {
    rule: "auto-routes-need-native",
    what: "unreachable nodes without direct routes",
    make: inHosts((args) => {
      args.cilium = { values: { autoDirectNodeRoutes: false, directRoutingSkipUnreachable: true } };
    }),
    lines: ["cilium.values.directRoutingSkipUnreachable: true needs autoDirectNodeRoutes, which is off; leave it out"],
  },
  {
    rule: "service-addresses",
    what: "no range",
    make: inHosts((args) => (args.underlay.serviceAddresses = "10.20.0.200-220")),
    lines: ['underlay.serviceAddresses: "10.20.0.200-220" is not an IPv4 range; write e.g. "10.20.0.192/27"'],
  },
  {
    rule: "dsr-needs-unchecked-sources",
    what: "DSR on a segment whose provider checks sources",
    make: inHosts((args) => {
      args.underlay.sourceCheck = true;
      args.cilium = { values: { loadBalancer: { mode: "dsr" } } };
    }),
    lines: [
      'cilium.values.loadBalancer.mode: dsr needs an underlay without source checks; segments with such checks drop it; use snat, or externalTrafficPolicy: Local (or accept: ["dsr-needs-unchecked-sources"])',
    ],
  },
  {
    rule: "strict-needs-dedicated-cpus",
    what: "strict isolation on a machine with shared CPUs",
    make: inHosts((args) => (args.pools = [{ name: "web", count: 2, cpuIsolation: "strict" }])),
    lines: ["web-1", "web-2"].map(
      (key) =>
        `underlay.machines["${key}"].cpus: strict isolation on ${key}, whose CPUs are shared with other customers, guarantees nothing; choose a type with dedicated CPUs (ccx…), or cpuIsolation static or none (or accept: ["strict-needs-dedicated-cpus"])`,
    ),
  },
  {
    rule: "argument-missing",
    what: "a machine without a host key",
    make: inHosts((args) => delete (web(args) as { hostKey?: string }).hostKey),
    lines: [
      'underlay.machines["web-1"].hostKey: is missing; give its public SSH host key, as `ssh-keyscan -t ed25519 ADDRESS` shows it; compare it with the provider\'s console',
    ],
  },
  {
    rule: "argument-type",
    what: "a source check in quotes",
    make: inHosts((args) => Object.assign(args.underlay, { sourceCheck: "no" })),
    lines: ['underlay.sourceCheck: must be true or false, found the text "no"; give one of them without quotes'],
  },
];
