import { cidrProblem } from "./addresses";
import type { Body } from "./body";
import type { Settings } from "./context";
import { limitExceeded, notEmulated } from "./errors";
import { firewallsOf } from "./firewallSync";
import type { Project } from "./store";
import type { FirewallRecord, RuleRecord } from "./types";

const rulesPerFirewall = 50;
const cidrsPerRule = 100;
const firewallsPerServer = 5;
const effectiveRulesPerServer = 500;

/**
 * Reads a list of rules out of a request.
 * @param body the request
 * @param settings whether outbound rules are taken although nothing enforces them
 */
export function readRules(body: Body, settings: Settings): RuleRecord[] {
  const items = body.objects("rules");
  if (items.length > rulesPerFirewall) body.refuse("rules", `must not have more than ${rulesPerFirewall} entries`);
  const rules = items.map(readRule);
  // Taking a rule that no machine enforces would be a lie about security, so it is a setting and off by default.
  if (!settings.acceptOutboundRules && rules.some((rule) => rule.direction === "out")) {
    throw notEmulated("enforcing firewall rules with direction 'out'");
  }
  return rules;
}

/** @throws resource_limit_exceeded if a server would have too many firewalls or rules */
export function requireFirewallLimits(project: Project): void {
  for (const server of project.state.servers) {
    const firewalls = firewallsOf(project, server);
    if (firewalls.length > firewallsPerServer) {
      throw limitExceeded(
        "server_firewall_limit",
        `server ${server.name} would have more than ${firewallsPerServer} firewalls`,
      );
    }
    if (sum(firewalls.map(countEffective)) > effectiveRulesPerServer) {
      const message = `server ${server.name} would have more than ${effectiveRulesPerServer} effective rules`;
      throw limitExceeded("server_firewall_rules_limit", message);
    }
  }
}

/** Every CIDR of a rule counts as one rule. */
function countEffective(firewall: FirewallRecord): number {
  return sum(firewall.rules.map((rule) => rule.sourceIps.length + rule.destinationIps.length));
}

function sum(values: number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function readRule(body: Body): RuleRecord {
  const direction = body.oneOf("direction", ["in", "out"] as const);
  const protocol = body.oneOf("protocol", ["tcp", "udp", "icmp", "esp", "gre"] as const);
  const description = body.string("description") ?? null;
  if ((description ?? "").length > 255) body.refuse("description", "must not be longer than 255 characters");
  const [used, unused] = direction === "in" ? ["source_ips", "destination_ips"] : ["destination_ips", "source_ips"];
  const cidrs = readCidrs(body, used);
  if (readCidrs(body, unused).length > 0) body.refuse(unused, `must be empty for direction '${direction}'`);
  if (cidrs.length === 0) body.refuse(used, `must not be empty for direction '${direction}'`);
  return {
    direction,
    protocol,
    port: readPort(body, protocol),
    sourceIps: direction === "in" ? cidrs : [],
    destinationIps: direction === "out" ? cidrs : [],
    description,
  };
}

function readCidrs(body: Body, field: string): string[] {
  const cidrs = body.strings(field);
  if (cidrs.length > cidrsPerRule) body.refuse(field, `must not have more than ${cidrsPerRule} entries`);
  for (const cidr of cidrs) {
    const problem = cidrProblem(cidr);
    if (problem) body.refuse(field, problem);
  }
  return cidrs;
}

/** `any`, a port or a range, kept verbatim. */
function readPort(body: Body, protocol: string): string | null {
  const port = body.string("port");
  if (protocol !== "tcp" && protocol !== "udp") {
    if (port !== undefined) body.refuse("port", `must not be given for protocol '${protocol}'`);
    return null;
  }
  if (port === undefined) {
    body.refuse("port", `is required for protocol '${protocol}'`);
    return null;
  }
  if (!isPort(port)) body.refuse("port", `'${port}' is not a port, a range of ports, or 'any'`);
  return port;
}

function isPort(text: string): boolean {
  if (text === "any") return true;
  const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text);
  if (!match) return false;
  const [from, to] = [Number(match[1]), Number(match[2] ?? match[1])];
  return from >= 1 && from <= to && to <= 65535;
}
