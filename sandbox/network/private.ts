import type { AttachmentSpec, NetworkSpec } from "../cloud";
import { ensureNamespace, hasLink, ip, loadRules, makeRouter, removeNamespace } from "./namespaces";
import { portName, renderSourceCheck, type Route } from "./rules";

/** MTU of Hetzner's private networks, bytes (docs.hetzner.com, networks FAQ). */
const mtu = 1450;

/**
 * A private network: a router namespace with one port to each attached machine. Machines hold a /32 and reach everything through the
 * gateway, the first address of the range; nothing is on-link, sources are checked, and what no route names is dropped in silence.
 */
export class PrivateNetwork {
  readonly namespace: string;
  private readonly attachments = new Map<number, AttachmentSpec>();
  private routes: Route[] = [];

  constructor(
    prefix: string,
    private readonly spec: NetworkSpec,
    private readonly machineNamespace: (serverId: number) => string,
  ) {
    this.namespace = `${prefix}-n${spec.networkId}`;
  }

  /** Makes the router; repeats are harmless. */
  async open(): Promise<void> {
    await ensureNamespace(this.namespace);
    await makeRouter(this.namespace);
    await ip(this.namespace, `addr replace ${this.spec.gateway}/32 dev lo`);
    await ip(this.namespace, "route replace blackhole default");
    await this.apply();
  }

  /** Removes the router and, with it, every machine's private NIC in this network. */
  async close(): Promise<void> {
    await removeNamespace(this.namespace);
  }

  /** Plugs a NIC into the machine's namespace and routes its addresses. */
  async attach(attachment: AttachmentSpec): Promise<void> {
    const machine = this.machineNamespace(attachment.serverId);
    const port = portName(attachment.serverId);
    const nic = `enp${6 + attachment.interfaceNumber}s0`;
    if (!(await hasLink(machine, nic))) {
      await ip(this.namespace, `link add ${port} mtu ${mtu} type veth peer name ${nic} mtu ${mtu} netns ${machine}`);
    }
    await ip(this.namespace, `link set dev ${port} up`);
    await ip(machine, `link set dev ${nic} address ${attachment.mac}`);
    await ip(machine, `addr replace ${attachment.ip}/32 dev ${nic}`);
    await ip(machine, `link set dev ${nic} up`);
    await ip(machine, `route replace ${this.spec.gateway} dev ${nic} scope link`);
    await ip(machine, `route replace ${this.spec.ipRange} via ${this.spec.gateway} dev ${nic}`);
    this.attachments.set(attachment.serverId, attachment);
    await this.apply();
  }

  /** Pulls the machine's NIC. */
  async detach(serverId: number): Promise<void> {
    this.attachments.delete(serverId);
    const port = portName(serverId);
    if (await hasLink(this.namespace, port)) await ip(this.namespace, `link delete ${port}`);
    await this.apply();
  }

  /** Replaces the routes. One whose gateway is no attached machine is kept but leads nowhere, as in the real network. */
  async setRoutes(routes: Route[]): Promise<void> {
    const gone = this.routes.filter((old) => !routes.some((route) => route.destination === old.destination));
    for (const route of gone) await ip(this.namespace, `route flush ${route.destination}`);
    this.routes = routes;
    await this.apply();
  }

  private async apply(): Promise<void> {
    const attachments = [...this.attachments.values()];
    for (const { serverId, ip: address, aliasIps } of attachments) {
      for (const own of [address, ...aliasIps])
        await ip(this.namespace, `route replace ${own}/32 dev ${portName(serverId)}`);
    }
    for (const route of this.routes) {
      const hop = attachments.find((attachment) => attachment.ip === route.gateway);
      const target = hop ? `via ${route.gateway} dev ${portName(hop.serverId)} onlink` : "";
      await ip(this.namespace, `route replace ${hop ? "" : "blackhole "}${route.destination} ${target}`.trim());
    }
    const ports = attachments.map((entry) => ({ serverId: entry.serverId, addresses: [entry.ip, ...entry.aliasIps] }));
    await loadRules(this.namespace, renderSourceCheck(ports, this.routes));
  }
}
