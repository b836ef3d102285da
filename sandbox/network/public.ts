import { existsSync } from "node:fs";
import { readFile, rename, writeFile } from "node:fs/promises";
import path from "node:path";
import type { FirewallRule } from "../cloud";
import type { Instance } from "../instance";
import { run, succeeds } from "../run";
import { ensureNamespace, hasLink, ip, loadRules, makeRouter, removeNamespace } from "./namespaces";
import { portName, renderFirewall } from "./rules";

/** Gateway that every server sees on its public side, as Hetzner's servers do. */
const gateway = "172.31.1.1";

/**
 * The public side of an instance: one router namespace with a port to each server (a /32 each, gateway 172.31.1.1) and one link to the
 * host, on which the operator, the mirror and nothing else is reached. The cloud firewall acts on the ports to servers.
 */
export class PublicNetwork {
  readonly namespace: string;
  private readonly hostLink: string;
  private readonly firewallFile: string;
  private firewalls = new Map<number, FirewallRule[] | null>();

  constructor(private readonly instance: Instance) {
    this.namespace = `${instance.prefix}-pub`;
    this.hostLink = `${instance.prefix}-up`;
    this.firewallFile = path.join(instance.stateDir, "firewalls.json");
  }

  /** Makes router and host link; repeats are harmless. */
  async open(): Promise<void> {
    const { hostAddress, publicRange } = this.instance;
    const routerAddress = hostAddress.replace(/\.1$/, ".2");
    await ensureNamespace(this.namespace);
    await makeRouter(this.namespace);
    await ip(this.namespace, `addr replace ${gateway}/32 dev lo`);
    if (!(await succeeds("ip", ["link", "show", "dev", this.hostLink]))) {
      await run("ip", ["link", "add", this.hostLink, "type", "veth", "peer", "name", "up", "netns", this.namespace]);
    }
    await ip(this.namespace, `addr replace ${routerAddress}/32 dev up`);
    await ip(this.namespace, "link set dev up up");
    await run("ip", ["addr", "replace", `${hostAddress}/32`, "dev", this.hostLink]);
    await run("ip", ["link", "set", this.hostLink, "up"]);
    await run("ip", ["route", "replace", publicRange, "via", routerAddress, "dev", this.hostLink, "onlink"]);
    await ip(this.namespace, `route replace ${hostAddress}/32 dev up src ${routerAddress}`);
    // Machines go on while the sandbox's process starts again, and so must their firewalls.
    if (existsSync(this.firewallFile)) {
      this.firewalls = new Map(
        JSON.parse(await readFile(this.firewallFile, "utf8")) as [number, FirewallRule[] | null][],
      );
    }
    await this.loadFirewalls();
  }

  /** Removes host link, the host's route with it, and router. The link goes first: with its namespace it would vanish at a time of its own. */
  async close(): Promise<void> {
    if (await succeeds("ip", ["link", "show", "dev", this.hostLink]))
      await run("ip", ["link", "delete", this.hostLink]);
    await removeNamespace(this.namespace);
  }

  /** Gives a namespace (a server's, or a test client's) a public address on an interface named `eth0`. */
  async plug(portId: number, namespace: string, address: string): Promise<void> {
    const port = portName(portId);
    if (!(await hasLink(namespace, "eth0"))) {
      await ip(this.namespace, `link add ${port} type veth peer name eth0 netns ${namespace}`);
    }
    await ip(this.namespace, `link set dev ${port} up`);
    await ip(namespace, `addr replace ${address}/32 dev eth0`);
    await ip(namespace, "link set dev eth0 up");
    await ip(namespace, `route replace ${gateway} dev eth0 scope link`);
    await ip(namespace, `route replace default via ${gateway} dev eth0`);
    await ip(this.namespace, `route replace ${address}/32 dev ${port}`);
  }

  /** Forgets a server's port; the link goes with the server's namespace. */
  async unplug(portId: number): Promise<void> {
    if (this.firewalls.delete(portId)) await this.loadFirewalls();
  }

  /** Replaces the inbound rules of a server; null lets everything in. */
  async setFirewall(serverId: number, rules: FirewallRule[] | null): Promise<void> {
    this.firewalls.set(serverId, rules);
    await this.loadFirewalls();
  }

  private async loadFirewalls(): Promise<void> {
    await writeFile(`${this.firewallFile}.new`, JSON.stringify([...this.firewalls]), { mode: 0o600 });
    await rename(`${this.firewallFile}.new`, this.firewallFile);
    await loadRules(this.namespace, renderFirewall(this.firewalls, this.instance.mirrorPort));
  }
}
