import type { AttachmentSpec, CloudDriver, FirewallRule, MachineSpec, NetworkSpec } from "../cloud";

/** One call that a driver got. */
export interface RecordedCall {
  method: keyof CloudDriver;
  arguments: readonly unknown[];
}

/** A machine that exists only in memory. */
export interface RecordedMachine {
  spec: MachineSpec;
  running: boolean;
  firewall: FirewallRule[] | null;
}

/** A driver without machines: keeps everything in memory and records what it was asked. For tests. */
export class RecordingDriver implements CloudDriver {
  /** Every call, oldest first. */
  readonly calls: RecordedCall[] = [];
  readonly machines = new Map<number, RecordedMachine>();
  readonly networks = new Map<number, NetworkSpec & { routes: { destination: string; gateway: string }[] }>();
  /** Attachments by `network/server`. */
  readonly attachments = new Map<string, AttachmentSpec>();
  /** Runs before each call; a rejection makes the call fail, a pending promise holds it. Default: nothing. */
  before: (call: RecordedCall) => Promise<void> | void = () => undefined;

  /** The names of the recorded calls, oldest first. */
  methods(): string[] {
    return this.calls.map((call) => call.method);
  }

  async createMachine(spec: MachineSpec): Promise<void> {
    await this.record("createMachine", spec);
    const known = this.machines.get(spec.serverId);
    if (known) known.spec = spec;
    else this.machines.set(spec.serverId, { spec, running: spec.start, firewall: null });
  }

  async powerOn(serverId: number): Promise<void> {
    await this.record("powerOn", serverId);
    this.machine(serverId).running = true;
  }

  async powerOff(serverId: number): Promise<void> {
    await this.record("powerOff", serverId);
    this.machine(serverId).running = false;
  }

  async shutdown(serverId: number): Promise<void> {
    await this.record("shutdown", serverId);
    this.machine(serverId).running = false;
  }

  async reboot(serverId: number): Promise<void> {
    await this.record("reboot", serverId);
    this.machine(serverId);
  }

  async destroyMachine(serverId: number): Promise<void> {
    await this.record("destroyMachine", serverId);
    this.machines.delete(serverId);
  }

  /** Not recorded: clients that only look would fill the list. */
  isRunning(serverId: number): Promise<boolean> {
    return Promise.resolve(this.machines.get(serverId)?.running ?? false);
  }

  async createNetwork(network: NetworkSpec): Promise<void> {
    await this.record("createNetwork", network);
    this.networks.set(network.networkId, { routes: [], ...this.networks.get(network.networkId), ...network });
  }

  async destroyNetwork(networkId: number): Promise<void> {
    await this.record("destroyNetwork", networkId);
    this.networks.delete(networkId);
  }

  async setRoutes(networkId: number, routes: { destination: string; gateway: string }[]): Promise<void> {
    await this.record("setRoutes", networkId, routes);
    const network = this.networks.get(networkId);
    if (!network) throw new Error(`no network ${networkId}`);
    network.routes = structuredClone(routes);
  }

  async attach(attachment: AttachmentSpec): Promise<void> {
    await this.record("attach", attachment);
    this.machine(attachment.serverId);
    if (!this.networks.has(attachment.networkId)) throw new Error(`no network ${attachment.networkId}`);
    this.attachments.set(`${attachment.networkId}/${attachment.serverId}`, structuredClone(attachment));
  }

  async detach(networkId: number, serverId: number): Promise<void> {
    await this.record("detach", networkId, serverId);
    this.attachments.delete(`${networkId}/${serverId}`);
  }

  async setFirewall(serverId: number, rules: FirewallRule[] | null): Promise<void> {
    await this.record("setFirewall", serverId, rules);
    this.machine(serverId).firewall = structuredClone(rules);
  }

  private machine(serverId: number): RecordedMachine {
    const machine = this.machines.get(serverId);
    if (!machine) throw new Error(`no machine ${serverId}`);
    return machine;
  }

  private async record(method: keyof CloudDriver, ...args: unknown[]): Promise<void> {
    const call = { method, arguments: structuredClone(args) };
    this.calls.push(call);
    await this.before(call);
  }
}
