import type { CloudDriver, FirewallRule } from "../cloud";
import { matches, parseSelector } from "./labels";
import type { Project } from "./store";
import type { FirewallRecord, Labels, ServerRecord } from "./types";

/** Firewalls applied to a server, directly or by a label selector. */
export function firewallsOf(project: Project, server: { id: number; labels: Labels }): FirewallRecord[] {
  return project.state.firewalls.filter(
    (firewall) =>
      firewall.serverIds.includes(server.id) ||
      firewall.labelSelectors.some((selector) => matches(parseSelector(selector), server.labels)),
  );
}

/**
 * The inbound rules of a server's public NIC: the union of all its firewalls, each rule once.
 * @returns null if no firewall is applied, an empty list if those applied let nothing in
 */
export function effectiveRules(project: Project, server: ServerRecord): FirewallRule[] | null {
  const firewalls = firewallsOf(project, server);
  if (firewalls.length === 0) return null;
  const rules = firewalls
    .flatMap((firewall) => firewall.rules)
    .filter((rule) => rule.direction === "in")
    .map(({ protocol, port, sourceIps }) => ({ protocol, port, sourceCidrs: sourceIps }));
  return [...new Map(rules.map((rule) => [JSON.stringify(rule), rule])).values()];
}

/** Brings the driver's packet filters to what the state says, one call at a time for a server. */
export class FirewallSync {
  private readonly applied = new Map<number, string>();
  private readonly chains = new Map<number, Promise<void>>();

  constructor(private readonly driver: CloudDriver) {}

  /**
   * Applies a server's rules if they differ from what was applied last.
   * @throws what the driver throws
   */
  async apply(project: Project, server: ServerRecord): Promise<void> {
    const before = this.chains.get(server.id) ?? Promise.resolve();
    const turn = before.then(() => this.applyNow(project, server));
    // The next in line must not fail for this one's reason; its own attempt sends the whole truth again.
    this.chains.set(
      server.id,
      turn.catch(() => undefined),
    );
    await turn;
  }

  /** Applies the rules of all servers of a project. */
  async applyAll(project: Project): Promise<void> {
    await Promise.all(project.state.servers.map((server) => this.apply(project, server)));
  }

  /** Whether the driver has the server's present rules. */
  isApplied(project: Project, server: ServerRecord): boolean {
    return this.applied.get(server.id) === JSON.stringify(effectiveRules(project, server));
  }

  /** Forgets a server, so that its rules are sent anew or it is gone. */
  forget(serverId: number): void {
    this.applied.delete(serverId);
  }

  private async applyNow(project: Project, server: ServerRecord): Promise<void> {
    if (!server.machineMade || server.status === "deleting" || this.isApplied(project, server)) return;
    const rules = effectiveRules(project, server);
    this.applied.delete(server.id);
    await this.driver.setFirewall(server.id, rules);
    this.applied.set(server.id, JSON.stringify(rules));
  }
}
