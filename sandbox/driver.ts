import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import path from "node:path";
import type { AttachmentSpec, CloudDriver, FirewallRule, MachineSpec, NetworkSpec } from "./cloud";
import type { Instance } from "./instance";
import { childrenOf, removeCgroup } from "./machines/cgroups";
import { Machine, type MachineHost } from "./machines/machine";
import { ensureNamespace, listNamespaces, removeNamespace } from "./network/namespaces";
import { PrivateNetwork } from "./network/private";
import { PublicNetwork } from "./network/public";
import { Segment } from "./network/segment";
import { Serial } from "./serial";

/** Real machines and real networks on this host, for the emulated cloud. */
export class HostDriver implements CloudDriver {
  private readonly public: PublicNetwork;
  private readonly networks = new Map<number, PrivateNetwork | Segment>();
  private readonly network = new Serial();
  private readonly machines: MachineHost;

  constructor(
    private readonly instance: Instance,
    image: MachineHost["image"],
  ) {
    this.public = new PublicNetwork(instance);
    this.machines = { prefix: instance.prefix, dir: path.join(instance.stateDir, "machines"), image };
  }

  /** Makes the public side. */
  async open(): Promise<void> {
    await this.network.run(() => this.public.open());
  }

  /** Removes whatever machines, networks and groups of this instance exist on the host, known to the API or not. */
  async removeEverything(): Promise<void> {
    await Promise.all((await this.serverIds()).map((serverId) => this.machine(serverId).destroy()));
    await this.network.run(async () => {
      await this.public.close();
      const own = (await listNamespaces()).filter((name) => name.startsWith(`${this.instance.prefix}-`));
      for (const namespace of own) await removeNamespace(namespace);
    });
    await removeCgroup(this.instance.prefix);
  }

  /** Server ids with a disk or processes here. */
  private async serverIds(): Promise<number[]> {
    const disks = existsSync(this.machines.dir) ? await readdir(this.machines.dir) : [];
    const groups = (await childrenOf(this.instance.prefix)).map((name) => name.replace(/^s/, ""));
    return [...new Set([...disks, ...groups])].map(Number).filter(Number.isInteger);
  }

  async createMachine(spec: MachineSpec): Promise<void> {
    const machine = this.machine(spec.serverId);
    await machine.install(spec);
    await this.network.run(async () => {
      await ensureNamespace(machine.namespace);
      await this.public.plug(spec.serverId, machine.namespace, spec.publicAddress);
    });
    if (spec.start) await machine.start();
  }

  async powerOn(serverId: number): Promise<void> {
    await this.machine(serverId).start();
  }

  async powerOff(serverId: number): Promise<void> {
    await this.machine(serverId).kill();
  }

  async shutdown(serverId: number): Promise<void> {
    await this.machine(serverId).shutdown();
  }

  async reboot(serverId: number): Promise<void> {
    await this.machine(serverId).shutdown();
    await this.machine(serverId).start();
  }

  async destroyMachine(serverId: number): Promise<void> {
    const machine = this.machine(serverId);
    await machine.destroy();
    await this.network.run(async () => {
      for (const network of this.networks.values()) await network.detach(serverId);
      await this.public.unplug(serverId);
      await removeNamespace(machine.namespace);
    });
  }

  async isRunning(serverId: number): Promise<boolean> {
    return this.machine(serverId).isRunning();
  }

  async createNetwork(spec: NetworkSpec): Promise<void> {
    const Network = spec.segment === "l2" ? Segment : PrivateNetwork;
    const network = new Network(this.instance.prefix, spec, (serverId) => this.machine(serverId).namespace);
    this.networks.set(spec.networkId, network);
    await this.network.run(() => network.open());
  }

  async destroyNetwork(networkId: number): Promise<void> {
    const network = this.networks.get(networkId);
    if (!network) return;
    await this.network.run(() => network.close());
    this.networks.delete(networkId);
  }

  async setRoutes(networkId: number, routes: { destination: string; gateway: string }[]): Promise<void> {
    await this.network.run(() => this.existing(networkId).setRoutes(routes));
  }

  async attach(attachment: AttachmentSpec): Promise<void> {
    await this.network.run(() => this.existing(attachment.networkId).attach(attachment));
  }

  async detach(networkId: number, serverId: number): Promise<void> {
    await this.network.run(() => this.existing(networkId).detach(serverId));
  }

  async setFirewall(serverId: number, rules: FirewallRule[] | null): Promise<void> {
    await this.network.run(() => this.public.setFirewall(serverId, rules));
  }

  private machine(serverId: number): Machine {
    return new Machine(this.machines, serverId);
  }

  private existing(networkId: number): PrivateNetwork | Segment {
    const network = this.networks.get(networkId);
    if (!network) throw new Error(`network ${networkId} does not exist here`);
    return network;
  }
}
