import * as hcloud from "@pulumi/hcloud";
import * as pulumi from "@pulumi/pulumi";
import { childOptions, type ClusterContext, numericId, type Transform, transformed } from "../context";
import type { KeyPair } from "../node/keys";
import { type NodePlan, withHostKey } from "../plan";

/** Hooks into the cloud objects of a cluster. */
export interface HetznerTransforms {
  network?: Transform<hcloud.NetworkArgs>;
  firewall?: Transform<hcloud.FirewallArgs>;
  server?: Transform<hcloud.ServerArgs>;
}

/** A machine of the underlay. */
export interface UnderlayMachine {
  node: NodePlan;
  server: hcloud.Server;
  publicAddress: pulumi.Output<string>;
}

/** Cloud objects that all machines of a cluster share. */
export interface HetznerUnderlay {
  network: hcloud.Network;
  subnet: hcloud.NetworkSubnet;
  sshKey: hcloud.SshKey;
  firewall: hcloud.Firewall;
  placementGroups: Map<string, hcloud.PlacementGroup>;
}

/** Registers network, subnet, firewall, SSH key and placement groups. */
export function createUnderlay(
  context: ClusterContext,
  clientKey: KeyPair,
  transforms: HetznerTransforms,
): HetznerUnderlay {
  const { plan } = context;
  const labels = plan.labels;
  const network = new hcloud.Network(
    ...transformed(
      transforms.network,
      plan.name,
      { name: plan.name, ipRange: plan.underlay.networkRange, labels },
      childOptions(context),
    ),
  );
  const subnet = new hcloud.NetworkSubnet(
    `${plan.name}-nodes`,
    {
      networkId: numericId(network),
      type: "cloud",
      networkZone: plan.underlay.networkZone,
      ipRange: plan.underlay.nodeSubnet,
    },
    childOptions(context),
  );
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
  const sshKey = new hcloud.SshKey(
    plan.name,
    { name: plan.name, publicKey: clientKey.publicKey, labels },
    childOptions(context),
  );
  const groups = plan.placementGroups.map((group): [string, hcloud.PlacementGroup] => [
    group.name,
    new hcloud.PlacementGroup(group.name, { name: group.name, type: "spread", labels }, childOptions(context)),
  ]);
  return { network, subnet, sshKey, firewall, placementGroups: new Map(groups) };
}

/** Registers a node's server, with its planned private address and the one-time host key in its user data. */
export function createMachine(
  context: ClusterContext,
  underlay: HetznerUnderlay,
  node: NodePlan,
  hostKey: KeyPair,
  transforms: HetznerTransforms,
): UnderlayMachine {
  const { plan } = context;
  const group = underlay.placementGroups.get(node.placementGroup);
  const server = new hcloud.Server(
    ...transformed<hcloud.ServerArgs>(
      transforms.server,
      node.name,
      {
        name: node.name,
        serverType: node.serverType,
        image: plan.underlay.image,
        location: plan.underlay.location,
        sshKeys: [underlay.sshKey.id],
        userData: pulumi.secret(hostKey.privateKey.apply((key) => withHostKey(node.userData, key))),
        labels: { ...plan.labels, "zerosteal/role": node.role, "zerosteal/pool": node.pool },
        // The provider plugs the network in after the machine has started; `aliasIps` given, it does not differ at each run.
        networks: [{ networkId: numericId(underlay.network), ip: node.privateAddress, aliasIps: [] }],
        firewallIds: [numericId(underlay.firewall)],
        placementGroupId: group && numericId(group),
      },
      childOptions(context, {
        dependsOn: [underlay.subnet],
        // They matter at first boot only, and the cloud would replace the machine for a changed comment.
        ignoreChanges: ["userData", "sshKeys", "image"],
        // Names and private addresses are unique, so the old machine must go before its successor comes.
        deleteBeforeReplace: true,
      }),
    ),
  );
  return { node, server, publicAddress: server.ipv4Address };
}

/** Registers the routes of the planned pod CIDRs, one after the other: the cloud refuses parallel changes of one network. */
export function createRoutes(context: ClusterContext, underlay: HetznerUnderlay): hcloud.NetworkRoute[] {
  const routes: hcloud.NetworkRoute[] = [];
  for (const node of context.plan.nodes) {
    routes.push(
      new hcloud.NetworkRoute(
        node.name,
        { networkId: numericId(underlay.network), ...node.route },
        childOptions(context, { dependsOn: [underlay.subnet, ...routes.slice(-1)], deleteBeforeReplace: true }),
      ),
    );
  }
  return routes;
}
