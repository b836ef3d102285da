import * as hcloud from "@pulumi/hcloud";
import * as pulumi from "@pulumi/pulumi";
import { childOptions, type ClusterContext, numericId, type Transform, transformed } from "../context";
import { keptKeyPair, type KeyPair } from "../node/keys";
import { learnHostKey, type PreparedNode, prepareNode } from "../node/steps";
import { catalogueDate, type HetznerUnderlayPlan, type NodePlan, serverTypes, withHostKey } from "../plan";
import type { UnderlayMachine } from "./machine";

/** Hooks into the cloud objects of a cluster. */
export interface HetznerTransforms {
  /** The private network. */
  network?: Transform<hcloud.NetworkArgs>;
  /** The firewall of the public side. */
  firewall?: Transform<hcloud.FirewallArgs>;
  /** Each node's server, called once a node. */
  server?: Transform<hcloud.ServerArgs>;
}

/** The operator's key: one to register in the cloud, or one that the project has already. */
export interface OperatorKey extends KeyPair {
  /** Id or name in the cloud of a key that is there already: the cloud takes no second one with the same fingerprint. */
  existing?: pulumi.Input<string>;
}

/** Cloud objects that all machines of a cluster share. */
interface HetznerUnderlay {
  networkId: pulumi.Output<number>;
  /** By range, in the order in which they are made. */
  subnets: Map<string, hcloud.NetworkSubnet>;
  /** Id or name of the operator's key in the cloud. */
  sshKey: pulumi.Input<string>;
  firewallId: pulumi.Output<number>;
  /** Numbers by name. */
  placementGroups: Map<string, pulumi.Output<number>>;
  /** Names by name, once the cloud has said that it has them. */
  serverTypes: Map<string, pulumi.Output<string>>;
}

/** Registers everything of a cluster that is in the cloud, and puts each node's files into effect. */
export function provisionHetzner(
  context: ClusterContext,
  planned: HetznerUnderlayPlan,
  clientKey: OperatorKey,
  transforms: HetznerTransforms,
): { prepared: PreparedNode[]; routes: pulumi.Resource[] } {
  const underlay = createUnderlay(context, planned, clientKey, transforms);
  const routes = createRoutes(context, underlay);
  const prepared = context.plan.nodes.map((node): PreparedNode => {
    const hostKey = keptKeyPair(context, `hostkey-${node.name}`, "ecdsa");
    const machine = createMachine(context, planned, underlay, node, hostKey, transforms);
    const login = { user: "root", port: 22, privateKey: clientKey.privateKey };
    return prepareNode(context, machine, learnHostKey(context, machine, hostKey, login), true);
  });
  return { prepared, routes };
}

/** Registers network, subnets, firewall, SSH key and placement groups. */
function createUnderlay(
  context: ClusterContext,
  planned: HetznerUnderlayPlan,
  clientKey: OperatorKey,
  transforms: HetznerTransforms,
): HetznerUnderlay {
  const { plan } = context;
  const labels = plan.labels;
  const networkId =
    planned.existingNetwork === undefined
      ? numericId(createNetwork(context, planned, transforms))
      : existingNetwork(context, planned.existingNetwork, planned.networkRange);
  const subnets = createSubnets(context, planned, networkId);
  const firewall = new hcloud.Firewall(
    ...transformed(
      transforms.firewall,
      plan.name,
      {
        name: plan.name,
        labels,
        rules: plan.firewall.map((rule) => ({
          direction: "in",
          description: rule.description,
          protocol: rule.protocol,
          port: rule.port,
          sourceIps: rule.sourceCidrs,
        })),
      },
      childOptions(context),
    ),
  );
  const sshKey = clientKey.existing ?? registerKey(context, clientKey).id;
  const groups = plan.placementGroups.map(({ name }): [string, pulumi.Output<number>] => [
    name,
    numericId(new hcloud.PlacementGroup(name, { name, type: "spread", labels }, childOptions(context))),
  ]);
  const types = acceptedServerTypes(context);
  const placementGroups = new Map(groups);
  return { networkId, subnets, sshKey, firewallId: numericId(firewall), placementGroups, serverTypes: types };
}

function createNetwork(
  context: ClusterContext,
  planned: HetznerUnderlayPlan,
  transforms: HetznerTransforms,
): hcloud.Network {
  const { name, labels } = context.plan;
  const args = { name, ipRange: planned.networkRange, labels };
  return new hcloud.Network(...transformed(transforms.network, name, args, childOptions(context)));
}

/**
 * The number of a network that is there already. It is looked up and never registered, so that nothing here can change or delete it.
 * @throws within the resources that use it, where its range is another than the plan's
 */
function existingNetwork(context: ClusterContext, wanted: string, range: string): pulumi.Output<number> {
  const query = /^\d+$/.test(wanted) ? { id: Number(wanted) } : { name: wanted };
  return hcloud.getNetworkOutput(query, { parent: context.parent }).apply(({ id, ipRange }) => {
    if (ipRange !== range) {
      throw new Error(
        `the existing network ${wanted} has the range ${ipRange}, and underlay.networkRange says ${range}; correct the plan`,
      );
    }
    return id;
  });
}

/** Registers the nodes' subnets and a vSwitch's, one after the other: the cloud refuses parallel changes of one network. */
function createSubnets(
  context: ClusterContext,
  planned: HetznerUnderlayPlan,
  networkId: pulumi.Output<number>,
): Map<string, hcloud.NetworkSubnet> {
  const { name } = context.plan;
  const { networkZone, vSwitch } = planned;
  const subnets = new Map<string, hcloud.NetworkSubnet>();
  const add = (own: string, ipRange: string, kind: Pick<hcloud.NetworkSubnetArgs, "type" | "vswitchId">): void => {
    const opts = childOptions(context, { dependsOn: [...subnets.values()].slice(-1) });
    const args = { networkId, networkZone, ipRange, ...kind };
    subnets.set(ipRange, new hcloud.NetworkSubnet(`${name}-${own}`, args, opts));
  };
  for (const ipRange of planned.subnets) {
    // By range, so that neither a pool's name nor its place in the list has a say.
    const own = ipRange === planned.nodeSubnet ? "nodes" : ipRange.replace("/", "-");
    add(own, ipRange, { type: "cloud" });
  }
  if (vSwitch?.id !== undefined) add("vswitch", vSwitch.subnet, { type: "vswitch", vswitchId: vSwitch.id });
  return subnets;
}

function registerKey(context: ClusterContext, key: KeyPair): hcloud.SshKey {
  const { name, labels } = context.plan;
  return new hcloud.SshKey(name, { name, publicKey: key.publicKey, labels }, childOptions(context));
}

/** The server types' names, each asked for once and accepted where it is used. */
function acceptedServerTypes(context: ClusterContext): Map<string, pulumi.Output<string>> {
  const names = new Set(context.plan.nodes.map(({ serverType = "" }) => serverType));
  const accept = (name: string): pulumi.Output<string> =>
    hcloud
      .getServerTypeOutput({ name }, { parent: context.parent })
      .apply(({ cpuType, cores }) => acceptServerType({ name, cpuType, cores }));
  return new Map([...names].map((name) => [name, accept(name)]));
}

/**
 * The name of a server type as the cloud has it: the plan counted on the catalogue's CPUs, and the cloud has the last word on them.
 * @throws where they differ, with found and wanted
 */
export function acceptServerType({ name, cpuType, cores }: { name: string; cpuType: string; cores: number }): string {
  const planned = serverTypes.find((type) => type.name === name);
  if (planned && (planned.cpuType !== cpuType || planned.cores !== cores)) {
    throw new Error(
      `the cloud's server type ${name} has ${cores} ${cpuType} CPUs, the catalogue of ${catalogueDate} says ` +
        `${planned.cores} ${planned.cpuType}; choose another type, or update the library`,
    );
  }
  return name;
}

/** Registers a node's server, with its planned private address and the one-time host key in its user data. */
function createMachine(
  context: ClusterContext,
  planned: HetznerUnderlayPlan,
  underlay: HetznerUnderlay,
  node: NodePlan,
  hostKey: KeyPair,
  transforms: HetznerTransforms,
): UnderlayMachine {
  const { plan } = context;
  const server = new hcloud.Server(
    ...transformed<hcloud.ServerArgs>(
      transforms.server,
      node.name,
      {
        name: node.name,
        serverType: underlay.serverTypes.get(node.serverType ?? "") ?? "",
        image: planned.image,
        location: planned.location,
        sshKeys: [underlay.sshKey],
        userData: pulumi.secret(hostKey.privateKey.apply((key) => withHostKey(node.userData, key))),
        labels: { ...plan.labels, "zerosteal/role": node.role, "zerosteal/pool": node.pool },
        // The provider plugs the network in after the machine has started; `aliasIps` given, it does not differ at each run.
        networks: [{ networkId: underlay.networkId, ip: node.privateAddress, aliasIps: [] }],
        firewallIds: [underlay.firewallId],
        placementGroupId: underlay.placementGroups.get(node.placementGroup ?? ""),
      },
      childOptions(context, {
        dependsOn: subnetOf(underlay, node),
        // They matter at first boot only, and the cloud would replace the machine for a changed comment.
        ignoreChanges: ["userData", "sshKeys", "image"],
        // Names and private addresses are unique, so the old machine must go before its successor comes.
        deleteBeforeReplace: true,
      }),
    ),
  );
  return { node, resource: server, id: server.id, publicAddress: server.ipv4Address };
}

/** The subnet that a node's address belongs to. */
function subnetOf({ subnets }: HetznerUnderlay, { subnet = "" }: NodePlan): pulumi.Resource[] {
  const found = subnets.get(subnet);
  return found === undefined ? [] : [found];
}

/**
 * Registers the routes of the planned pod CIDRs, one after the other: the cloud refuses parallel changes of one network. None with a
 * tunnel.
 */
function createRoutes(context: ClusterContext, underlay: HetznerUnderlay): hcloud.NetworkRoute[] {
  const routes: hcloud.NetworkRoute[] = [];
  for (const { name, route } of context.plan.nodes) {
    if (route === undefined) continue;
    routes.push(
      new hcloud.NetworkRoute(
        name,
        { networkId: underlay.networkId, ...route },
        childOptions(context, {
          dependsOn: [...underlay.subnets.values(), ...routes.slice(-1)],
          deleteBeforeReplace: true,
        }),
      ),
    );
  }
  return routes;
}
