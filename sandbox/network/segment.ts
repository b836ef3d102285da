import type { AttachmentSpec, NetworkSpec } from "../cloud";
import { ensureNamespace, hasLink, ip, removeNamespace } from "./namespaces";
import { portName } from "./rules";

/** MTU of an ordinary Ethernet segment, bytes. */
const mtu = 1500;

/**
 * One Ethernet segment, as many providers give it to their customers: a bridge in a namespace with one port to each attached machine. All are
 * on-link to each other, nothing is filtered, and no sources are checked.
 */
export class Segment {
  readonly namespace: string;

  constructor(
    prefix: string,
    private readonly spec: NetworkSpec,
    private readonly machineNamespace: (serverId: number) => string,
  ) {
    this.namespace = `${prefix}-n${spec.networkId}`;
  }

  /** Makes the bridge; repeats are harmless. */
  async open(): Promise<void> {
    await ensureNamespace(this.namespace);
    if (!(await hasLink(this.namespace, "segment"))) await ip(this.namespace, "link add segment type bridge");
    await ip(this.namespace, `link set dev segment mtu ${mtu} up`);
  }

  /** Removes the bridge and, with it, every machine's NIC on the segment. */
  async close(): Promise<void> {
    await removeNamespace(this.namespace);
  }

  /** Plugs a NIC into the machine's namespace. */
  async attach({ serverId, interfaceNumber, ip: address, mac }: AttachmentSpec): Promise<void> {
    const nic = `enp${6 + interfaceNumber}s0`;
    await this.plug(serverId, this.machineNamespace(serverId), nic, address);
    await ip(this.machineNamespace(serverId), `link set dev ${nic} address ${mac}`);
  }

  /** Gives a namespace (a machine's, or a test client's) an address on the segment. */
  async plug(portId: number, namespace: string, nic: string, address: string): Promise<void> {
    const port = portName(portId);
    const bits = this.spec.ipRange.split("/")[1] ?? "24";
    if (!(await hasLink(namespace, nic))) {
      await ip(this.namespace, `link add ${port} mtu ${mtu} type veth peer name ${nic} mtu ${mtu} netns ${namespace}`);
    }
    await ip(this.namespace, `link set dev ${port} master segment up`);
    await ip(namespace, `addr replace ${address}/${bits} dev ${nic}`);
    await ip(namespace, `link set dev ${nic} up`);
  }

  /** Pulls the machine's NIC. */
  async detach(serverId: number): Promise<void> {
    const port = portName(serverId);
    if (await hasLink(this.namespace, port)) await ip(this.namespace, `link delete ${port}`);
  }

  /** A segment has no router that could hold a route. */
  setRoutes(routes: unknown[]): Promise<void> {
    if (routes.length > 0) return Promise.reject(new Error("a segment routes nothing: leave the network's routes out"));
    return Promise.resolve();
  }
}
