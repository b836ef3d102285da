import type { Cluster, LiveNode } from "./cluster";
import { inNamespace, onNode } from "./cluster";

/** Datagrams that are sent before a pause, and how long that is: a NIC's queue takes no more at once. */
const burst = 400;
const pauseMs = 4;

/** Milliseconds in which an answer counts. */
const patience = 500;

/** Runs in a namespace: sends a datagram to each port named by standard input and prints the ports that answered. */
const program = `
const dgram = require("node:dgram"), fs = require("node:fs");
const ports = JSON.parse(fs.readFileSync(0, "utf8"));
const socket = dgram.createSocket("udp4"), answered = new Set();
socket.on("message", (_text, from) => answered.add(from.port)).on("error", () => undefined);
socket.bind(0, async () => {
  for (let sent = 0; sent < ports.length; sent += ${burst}) {
    await Promise.all(ports.slice(sent, sent + ${burst}).map((port) =>
      new Promise((resolve) => socket.send("zerosteal", port, process.argv[1], resolve))));
    await new Promise((resolve) => setTimeout(resolve, ${pauseMs}));
  }
  setTimeout(() => { console.log(JSON.stringify([...answered])); socket.close(); }, ${patience});
});
`;

/** What became of datagrams from somebody to the ports of a node's address. */
export interface UdpScan {
  /** Ports whose datagram the node's NIC took in. */
  arrived: Set<number>;
  /** Ports whose datagram came past the firewall, to where sockets are. */
  passed: Set<number>;
  /** Ports that answered. */
  answered: Set<number>;
}

/** Who sends: a namespace, and its address as the node sees it. */
export interface Sender {
  namespace: string;
  address: string;
}

/** Every UDP port. */
export const allUdpPorts = Array.from({ length: 65535 }, (_, index) => index + 1);

/**
 * Sends a datagram to UDP ports of a node from a namespace of the sandbox. UDP keeps silent about open and closed alike, so the node itself is
 * asked: two chains note the ports of the sender's datagrams, one before all filters, one behind them. What did not arrive is sent again,
 * twice at most.
 * @param target the address of the node that is tried
 */
export async function scanUdp(
  cluster: Cluster,
  node: LiveNode,
  sender: Sender,
  target: string,
  ports: number[] = allUdpPorts,
): Promise<UdpScan> {
  const table = `zerosteal-scan-${target.replaceAll(".", "-")}`;
  await onNode(cluster, node, `nft -f - <<'END'\n${watch(table, sender.address, target)}END\n`);
  const answered = new Set<number>();
  try {
    let arrived = new Set<number>();
    for (let round = 0; round < 3 && arrived.size < ports.length; round++) {
      const left = ports.filter((port) => !arrived.has(port));
      const said = await inNamespace(sender.namespace, [process.execPath, "-e", program, target], JSON.stringify(left));
      for (const port of JSON.parse(said) as number[]) answered.add(port);
      arrived = await noted(cluster, node, table, "arrived");
    }
    return { arrived, passed: await noted(cluster, node, table, "passed"), answered };
  } finally {
    await onNode(cluster, node, `nft delete table inet ${table}`);
  }
}

function watch(table: string, source: string, target: string): string {
  const note = (name: string): string =>
    `ip saddr ${source} ip daddr ${target} meta l4proto udp update @${name} { udp dport }`;
  const set = "{ type inet_service; flags dynamic; size 65536; }";
  return `table inet ${table} {
  set arrived ${set}
  set passed ${set}
  chain before {
    type filter hook prerouting priority -400; policy accept;
    ${note("arrived")}
  }
  chain behind {
    type filter hook input priority 400; policy accept;
    ${note("passed")}
  }
}
`;
}

async function noted(cluster: Cluster, node: LiveNode, table: string, set: string): Promise<Set<number>> {
  const text = await onNode(cluster, node, `nft --json list set inet ${table} ${set}`);
  const { nftables } = JSON.parse(text) as { nftables: { set?: { elem?: (number | { elem: { val: number } })[] } }[] };
  const elements = nftables.flatMap((entry) => entry.set?.elem ?? []);
  return new Set(elements.map((element) => (typeof element === "number" ? element : element.elem.val)));
}

/** UDP ports on which a node has sockets that take datagrams from others. */
export async function udpListeners(cluster: Cluster, node: LiveNode): Promise<number[]> {
  const lines = await onNode(cluster, node, "ss -Hlun");
  const ports = lines.split("\n").flatMap((line) => {
    const local = line.trim().split(/\s+/)[3] ?? "";
    return /^(127\.|\[::1\])/.test(local) ? [] : [Number(local.split(":").at(-1))];
  });
  return [...new Set(ports)].filter((port) => port > 0).sort((a, b) => a - b);
}
