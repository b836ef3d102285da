import type { FirewallRule } from "../cloud";

/** A machine's place in a private network, as the source check sees it. */
export interface Port {
  serverId: number;
  /** Its address and alias addresses. */
  addresses: string[];
}

/** A route of a private network. */
export interface Route {
  destination: string;
  gateway: string;
}

/** Name of the router's interface that leads to a server. */
export function portName(serverId: number): string {
  return `s${serverId}`;
}

/**
 * nftables rules of a private network's router: a packet passes only if its source is an address of the machine it comes from, or lies
 * in a route whose gateway is that machine. Hetzner's networks drop the rest without a word, so the counter is the only trace.
 */
export function renderSourceCheck(ports: Port[], routes: Route[]): string {
  const rules = ports.map((port) => {
    const own = routes.filter((route) => port.addresses.includes(route.gateway)).map((route) => route.destination);
    const allowed = [...port.addresses, ...own].join(", ");
    return `    iifname "${portName(port.serverId)}" ip saddr != { ${allowed} } counter name drops drop`;
  });
  return [
    "table ip zerosteal {",
    "  counter drops { }",
    "  chain sources {",
    "    type filter hook prerouting priority -300; policy accept;",
    "  }",
    "}",
    "flush chain ip zerosteal sources",
    "table ip zerosteal {",
    "  chain sources {",
    ...rules,
    "  }",
    "}",
    "",
  ].join("\n");
}

/**
 * nftables rules of the public side: inbound packets to a server with a firewall pass only by its rules, answers always; a server
 * without a firewall is open; outbound is open. Like Hetzner's firewalls they are stateful and know nothing of private networks.
 * Towards the host only the mirror answers: its other services are none of the machines' business.
 * @param firewalls inbound rules by server id; null where none is applied
 * @param mirrorPort the mirror's TCP port on the host
 */
export function renderFirewall(firewalls: Map<number, FirewallRule[] | null>, mirrorPort: number): string {
  const servers = [...firewalls].filter((entry): entry is [number, FirewallRule[]] => entry[1] !== null);
  const chains = servers.flatMap(([serverId, rules]) => [
    `  chain ${portName(serverId)} {`,
    ...rules.flatMap(renderRule).map((rule) => `    ${rule}`),
    "    counter drop",
    "  }",
  ]);
  return [
    "table ip zerosteal",
    "delete table ip zerosteal",
    "table ip zerosteal {",
    ...chains,
    "  chain forward {",
    "    type filter hook forward priority 0; policy accept;",
    "    ct state established,related accept",
    `    oifname "up" tcp dport != ${mirrorPort} counter reject with tcp reset`,
    '    oifname "up" meta l4proto != { tcp, icmp } counter reject',
    ...servers.map(([serverId]) => `    oifname "${portName(serverId)}" jump ${portName(serverId)}`),
    "  }",
    "}",
    "",
  ].join("\n");
}

function renderRule(rule: FirewallRule): string[] {
  const sources = rule.sourceCidrs.filter((cidr) => !cidr.includes(":"));
  if (sources.length === 0) return [];
  const from = sources.includes("0.0.0.0/0") ? "" : `ip saddr { ${sources.join(", ")} } `;
  return [`${from}${renderMatch(rule)} accept`];
}

function renderMatch(rule: FirewallRule): string {
  const hasPorts = rule.protocol === "tcp" || rule.protocol === "udp";
  if (hasPorts && rule.port !== null && rule.port !== "any") return `${rule.protocol} dport ${rule.port}`;
  return `meta l4proto ${rule.protocol}`;
}
