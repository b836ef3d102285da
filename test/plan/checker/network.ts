import type { NodePlan } from "../../../components/plan";
import { type Case, type Check, encrypts, get, repeated, unless } from "./finding";
import {
  firstOverlap,
  has,
  isPrivateRange,
  meets,
  privateRanges,
  type Range,
  rangeOf,
  readAddress,
  readRange,
  unusableRanges,
  within,
} from "./ranges";

/** The gateway of a server's public side, which no private network may hold. */
const publicGateway = readAddress("172.31.1.1");

/** Bytes around a packet by what wraps it, each added up from its headers. */
const vxlanBytes = 20 + 8 + 8 + 14;

/** WireGuard around IPv4 or IPv6: outer header 40, UDP 8, header and tag 32; padding up to 15, of which older versions of Cilium did not know. */
function wireguardBytes(cilium: string): number {
  const [, minor = 0, patch = 0] = cilium.split(/[.-]/).map(Number);
  return 40 + 8 + 32 + (minor > 19 || (minor === 19 && patch >= 5) ? 15 : 0);
}

/** Addresses of a node's part that no pod gets: the first, the last, Cilium's router, its health endpoint. */
const addressesTaken = 4;

const label = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

const ranges = ({ plan }: Case): { nodes: Range; pods: Range; services: Range } => ({
  nodes: rangeOf(plan.underlay.nodeSubnet),
  pods: rangeOf(plan.podCidr),
  services: rangeOf(plan.serviceCidr),
});

/** Names and counts: what was asked for is there, once each. */
export const names: Check = ({ plan, args }) => {
  const wanted = [
    { name: "control-plane", count: args.controlPlane.count ?? 1 },
    ...(args.pools ?? []).map(({ name, count }) => ({ name, count })),
  ].flatMap(({ name, count }) => Array.from({ length: count }, (_, index) => `${plan.name}-${name}-${index + 1}`));
  const found = plan.nodes.map((node) => node.name);
  return [
    ...unless(label.test(plan.name) && plan.name.length <= 32, `the cluster's name ${plan.name}`),
    ...repeated(found, "node"),
    ...unless(found.join() === wanted.join(), `nodes ${found.join()}, asked for ${wanted.join()}`),
    ...plan.nodes.flatMap((node) => unless(label.test(node.name), `${node.name} is no host name`)),
  ];
};

/** Ranges: written as ranges are, apart from each other, of addresses that somebody can have. */
export const areas: Check = (given) => {
  const { plan } = given;
  const { nodes, pods, services } = ranges(given);
  const all = { nodes, pods, services };
  const cloud = plan.underlay.kind === "hetzner" ? plan.underlay : undefined;
  const network = cloud && rangeOf(cloud.networkRange);
  return [
    ...Object.entries(all).flatMap(([what, range]) => [
      ...unless(range.bits >= 0, `${what}: ${range.text}`),
      ...unless(!unusableRanges.some((other) => meets(range, other)), `${what}: ${range.text} is not for use`),
    ]),
    ...unless(!meets(nodes, pods), "nodes meet pods"),
    ...unless(!meets(nodes, services), "nodes meet Services"),
    ...unless(!meets(pods, services), "pods meet Services"),
    ...unless(services.bits >= 12 && services.bits <= 24, `${services.text} is no size for Services`),
    ...unless(plan.clusterDns === nth(services, 10), `DNS at ${plan.clusterDns}`),
    ...(cloud && network
      ? [
          ...unless(isPrivateRange(network) && network.bits <= 24, `network ${network.text}`),
          ...unless(within(nodes, network), `nodes ${nodes.text} outside ${network.text}`),
          ...unless(cloud.gateway === nth(network, 1), `gateway ${cloud.gateway}`),
          ...unless(!has(services, readAddress(cloud.gateway)), "the gateway is a Service"),
          ...[nodes, pods].flatMap((range) => unless(!has(range, publicGateway), `${range.text} holds 172.31.1.1`)),
          ...unless(plan.tunnel !== "none" || within(pods, network), `pods ${pods.text} outside ${network.text}`),
        ]
      : []),
  ];
};

/** Private addresses: one each, a host's address of the subnet, nobody else's. */
export const privateAddresses: Check = (given) => {
  const { plan } = given;
  const gateway = plan.underlay.kind === "hetzner" ? plan.underlay.gateway : undefined;
  return [
    ...repeated(
      plan.nodes.map((node) => node.privateAddress),
      "address",
    ),
    ...plan.nodes.flatMap(({ name, pool, privateAddress }) => {
      const address = readAddress(privateAddress);
      const own = given.args.pools?.find((candidate) => candidate.name === pool)?.subnet;
      const nodes = rangeOf(own ?? plan.underlay.nodeSubnet);
      const edges = nodes.bits < 31 ? [nodes.first, nodes.last] : [];
      return [
        ...unless(has(nodes, address), `${name} at ${privateAddress}, outside ${nodes.text}`),
        ...unless(address === undefined || !edges.includes(address), `${name} at ${privateAddress}, an edge`),
        ...unless(privateAddress !== gateway && address !== publicGateway, `${name} has the gateway's address`),
      ];
    }),
    ...unless(plan.api.privateAddress === plan.nodes[0]?.privateAddress, `API at ${plan.api.privateAddress}`),
  ];
};

/** Pod CIDRs: parts of the pods' range, apart from each other, with room for what a node takes. */
export const podCidrs: Check = (given) => {
  const { pods } = ranges(given);
  const own = given.plan.nodes.map((node) => ({ node, range: rangeOf(node.podCidr) }));
  const overlap = firstOverlap(own.map(({ range }) => range));
  const asked = get(given.args, "kubernetes.kubelet.maxPods");
  const most = typeof asked === "number" ? asked : 110;
  return [
    ...own.flatMap(({ node, range }) => [
      ...unless(
        range.bits > pods.bits && within(range, pods),
        `${node.name}'s pods ${range.text} outside ${pods.text}`,
      ),
      ...unless(range.last - range.first + 1 - addressesTaken >= most, `${range.text} is too small for ${most} pods`),
    ]),
    ...unless(overlap === undefined, `pods ${overlap?.map(({ text }) => text).join(" and ") ?? ""} meet`),
  ];
};

/** Who must carry pods' packets from node to node, and so has a route to each node. */
function routesWanted({ plan }: Case): boolean {
  if (plan.tunnel !== "none") return false;
  return plan.underlay.kind === "hetzner" || plan.underlay.segment === "routed";
}

/** Routes: one a node where a router needs them, none elsewhere; as the cloud's API takes them. */
export const routes: Check = (given) => {
  const { plan } = given;
  const { nodes } = ranges(given);
  const network = plan.underlay.kind === "hetzner" ? rangeOf(plan.underlay.networkRange) : undefined;
  const routed = plan.nodes.flatMap(({ route }) => (route ? [rangeOf(route.destination)] : []));
  return [
    ...plan.nodes.flatMap((node) => unless(routeFits(node, routesWanted(given)), `route of ${node.name}`)),
    ...routed.flatMap((range) => [
      ...unless(!meets(range, nodes), `route ${range.text} meets the nodes`),
      ...unless(network === undefined || within(range, network), `route ${range.text} leaves the network`),
      ...unless(
        network === undefined || privateRanges.some((outer) => within(range, outer)),
        `route ${range.text} is public`,
      ),
    ]),
    ...unless(firstOverlap(routed) === undefined, "routes meet"),
    ...unless(network === undefined || plan.nodes.length <= 100, `${plan.nodes.length} nodes on one network`),
  ];
};

function routeFits({ route, podCidr, privateAddress }: NodePlan, wanted: boolean): boolean {
  if (!wanted) return route === undefined;
  return route?.destination === podCidr && route.gateway === privateAddress;
}

/** Placement groups: each server of the cloud in one, ten at most. */
export const placement: Check = ({ plan }) => {
  const cloud = plan.underlay.kind === "hetzner";
  const members = plan.placementGroups.flatMap((group) => group.nodes);
  return [
    ...repeated(members, "member"),
    ...unless(members.length === (cloud ? plan.nodes.length : 0), `${members.length} members`),
    ...plan.placementGroups.flatMap(({ name, nodes }) => unless(nodes.length <= 10, `${name} is too large`)),
    ...plan.nodes.flatMap((node) => {
      const group = plan.placementGroups.find(({ name }) => name === node.placementGroup);
      return unless(!cloud || group?.nodes.includes(node.name) === true, `${node.name} is in no group`);
    }),
  ];
};

/** MTU: the network's own, and for pods what is left of it. */
export const mtu: Check = ({ plan, args }) => {
  // A network that a vSwitch is coupled to carries less.
  const ofCloud = args.underlay.kind === "hetzner" && args.underlay.vSwitch !== undefined ? 1400 : 1450;
  const wireguard = encrypts(plan.cilium.values);
  // Somebody who sets encryption past the plan has its MTU on his own account.
  if (wireguard && plan.warnings.some(({ path }) => path.startsWith("cilium.values.encryption"))) return [];
  const left =
    plan.underlay.mtu -
    (plan.tunnel === "none" ? 0 : vxlanBytes) -
    (wireguard ? wireguardBytes(plan.versions.cilium) : 0);
  return [
    ...unless(plan.podMtu === left, `pods' MTU ${plan.podMtu}, ${left} is left of ${plan.underlay.mtu}`),
    ...unless(plan.underlay.kind === "hosts" || plan.underlay.mtu === ofCloud, `MTU ${plan.underlay.mtu} on Hetzner`),
    ...unless(plan.underlay.mtu >= 1280 && plan.underlay.mtu <= 9216, `MTU ${plan.underlay.mtu}`),
  ];
};

/** Existing machines: one a node, none shared; addresses of Services on the segment and free. */
export const machines: Check = (given) => {
  const { plan } = given;
  if (plan.underlay.kind !== "hosts") return [];
  const { nodes, pods, services } = ranges(given);
  const { underlay } = plan;
  const all = Object.values(underlay.machines);
  const range = poolOf(underlay.serviceObjects);
  const taken = plan.nodes.map((node) => readAddress(node.privateAddress));
  return [
    ...unless(Object.keys(underlay.machines).join() === plan.nodes.map(({ name }) => name).join(), "other machines"),
    ...plan.nodes.flatMap(({ name, privateAddress }) =>
      unless(underlay.machines[name]?.privateAddress === privateAddress, `${name} is another machine`),
    ),
    ...repeated(
      all.map(({ address, sshPort }) => `${address}:${sshPort}`),
      "SSH address",
    ),
    ...repeated(
      all.map(({ hostKey }) => hostKey.split(" ")[1] ?? ""),
      "host key",
    ),
    ...all.flatMap(({ address, sshPort, cpus, memoryGiB }) => [
      ...unless(sshPort >= 1 && sshPort <= 65535 && cpus >= 1 && memoryGiB >= 1, `${address}: its figures`),
      ...unless(
        ![pods, services].some((other) => has(other, readAddress(address))),
        `${address} is a pod's or a Service's`,
      ),
    ]),
    ...unless((range === undefined) === (underlay.serviceObjects === undefined), "a pool without a range"),
    ...(range === undefined
      ? []
      : [
          ...unless(underlay.segment === "l2", "Services' addresses behind a router"),
          ...unless(within(range, nodes), `Services' addresses ${range.text} outside the segment`),
          ...unless(!has(range, nodes.first) && !has(range, nodes.last), `${range.text} holds an edge of the segment`),
          ...unless(!taken.some((address) => has(range, address)), `${range.text} holds a node`),
          ...unless(!meets(range, pods) && !meets(range, services), `${range.text} meets pods or Services`),
        ]),
  ];
};

/** The range that a pool of Service addresses is made of. */
function poolOf(objects: unknown): Range | undefined {
  const cidr = get(objects, "0.spec.blocks.0.cidr");
  return typeof cidr === "string" ? readRange(cidr) : undefined;
}

/** The address at a position of a range. */
function nth(range: Range, position: number): string {
  const value = range.first + position;
  return [2 ** 24, 2 ** 16, 2 ** 8, 1].map((unit) => Math.floor(value / unit) % 256).join(".");
}
