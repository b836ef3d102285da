import { apiPort } from "./kubeadm";
import type { Reason } from "./reason";
import type { ClusterPlan, HostsUnderlayPlan, NodeFile } from "./types";

/** Where the rules of a host's own firewall lie, and the unit that loads them before the network is up. */
export const hostFirewallPath = "/etc/zerosteal/firewall.nft";
export const hostFirewallUnit = "zerosteal-firewall.service";

/** What the rules depend on. */
type Facts = Pick<ClusterPlan, "underlay" | "podCidr" | "firewall">;

/** Why hosts filter for themselves. */
export const hostFirewallReason: Reason = {
  why: "These machines have no cloud firewall before them, so each one filters for itself, from before its network is up.",
  source: "docs/decisions/host-firewall.md",
};

/** Files of a host's firewall; none where the cloud has one. The same on all nodes. */
export function hostFirewallFiles(facts: Facts): NodeFile[] {
  if (facts.underlay.kind !== "hosts") return [];
  return [
    { path: hostFirewallPath, mode: "0644", content: hostFirewall(facts) },
    { path: `/etc/systemd/system/${hostFirewallUnit}`, mode: "0644", content: unit },
    { path: "/etc/systemd/system/kubelet.service.d/50-zerosteal-firewall.conf", mode: "0644", content: kubeletDropIn },
    { path: "/etc/systemd/system/nftables.service.d/50-zerosteal.conf", mode: "0644", content: nftablesDropIn },
  ];
}

/**
 * nftables rules of a node. Everything is closed but what is named. Pods of this node come by Cilium's devices, those of others by the private
 * NIC. NodePorts and Services never get here, Cilium answers them before at the NIC, and on private addresses alone.
 */
function hostFirewall({ underlay, podCidr, firewall }: Facts): string {
  if (underlay.kind !== "hosts") return "";
  const machines = Object.values(underlay.machines);
  const nodes = machines.map((machine) => machine.privateAddress).sort();
  const sshPorts = [...new Set(machines.map((machine) => machine.sshPort))].sort((a, b) => a - b);
  const port = (planned: string | undefined): string =>
    planned === String(apiPort) ? planned : `{ ${sshPorts.join(", ")} }`;
  const open = firewall.flatMap((rule) =>
    [
      ...from(
        "ip",
        rule.sourceCidrs.filter((cidr) => !cidr.includes(":")),
      ),
      ...from(
        "ip6",
        rule.sourceCidrs.filter((cidr) => cidr.includes(":")),
      ),
    ].map((source) => `    ${source}tcp dport ${port(rule.port)} accept comment "${rule.description}"`),
  );
  return [
    "table inet zerosteal",
    "delete table inet zerosteal",
    "table inet zerosteal {",
    // With timeouts, since set-ups keep the nodes that are about to leave for a while (setup.sh).
    "  set nodes {",
    "    type ipv4_addr; flags timeout;",
    `    elements = { ${nodes.join(", ")} }`,
    "  }",
    "  chain input {",
    "    type filter hook input priority filter; policy drop;",
    '    iif "lo" accept',
    "    ct state established,related accept",
    "    meta l4proto { icmp, ipv6-icmp } accept",
    "    udp sport 67 udp dport 68 accept",
    '    iifname { "cilium_*", "lxc*" } accept',
    `    ip saddr @nodes iifname ${nic(underlay.interfaces.private)} accept`,
    `    ip saddr ${podCidr} iifname ${nic(underlay.interfaces.private)} accept`,
    ...open,
    "  }",
    ...apart(underlay.interfaces, podCidr),
    "}",
    "",
  ].join("\n");
}

/**
 * Keeps the two networks apart, since a node forwards packets: by the public NIC nobody comes as a node or a pod, nor gets through to the
 * private network. Each rule names both NICs, as patterns may overlap; one NIC for both cannot tell.
 */
function apart({ public: outer, private: inner }: HostsUnderlayPlan["interfaces"], podCidr: string): string[] {
  if (outer === inner) return [];
  const outside = `iifname ${nic(outer)} iifname != ${nic(inner)}`;
  return [
    "  chain prerouting {",
    "    type filter hook prerouting priority raw; policy accept;",
    `    ${outside} ip saddr @nodes drop`,
    `    ${outside} ip saddr ${podCidr} drop`,
    "  }",
    "  chain forward {",
    "    type filter hook forward priority filter; policy accept;",
    `    ${outside} oifname ${nic(inner)} ct state != { established, related } drop`,
    "  }",
  ];
}

function from(family: "ip" | "ip6", ranges: string[]): string[] {
  if (ranges.length === 0) return [];
  // A range of all addresses is written without a match: nftables takes no interval from 0 in a set with others.
  return ranges.some((range) => range.endsWith("/0"))
    ? [`meta nfproto ${family === "ip" ? "ipv4" : "ipv6"} `]
    : [`${family} saddr { ${ranges.join(", ")} } `];
}

/** A name or Cilium pattern as nftables writes it. */
function nic(name: string): string {
  return `"${name.replace(/\+$/, "*")}"`;
}

const load = `nft -f ${hostFirewallPath}`;

/** Loads the rules before the network is up. That only orders the two: what keeps a node without rules from serving is the kubelet's drop-in. */
const unit = `[Unit]
Description=Firewall of a zerosteal node
DefaultDependencies=no
Wants=network-pre.target
Before=network-pre.target shutdown.target
Conflicts=shutdown.target
After=local-fs.target nftables.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=${load}
ExecReload=${load}
ExecStop=nft delete table inet zerosteal

[Install]
WantedBy=sysinit.target
`;

/** The kubelet starts with the rules in force or, again and again, not at all: whatever became of them, nothing is served without. */
const kubeletDropIn = `[Unit]
After=${hostFirewallUnit}

[Service]
ExecStartPre=${load}
`;

/** A distribution's own unit flushes the rules of all when it starts, reloads or stops. Where somebody uses it, ours are loaded right after. */
const nftablesDropIn = `[Service]
ExecStartPost=-${load}
ExecReload=-${load}
ExecStopPost=-${load}
`;
