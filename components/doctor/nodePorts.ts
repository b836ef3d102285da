import { connect } from "node:net";
import { contains, isPrivate, mustParse } from "../plan/addresses";
import { valueOf, type Evidence, type NodeProbes } from "./evidence";
import { mapLimited } from "./limit";
import type { ClusterObjects } from "./readCluster";

/** More would take long, and show nothing new. */
const mostPorts = 16;
/** Milliseconds until a port that says nothing counts as closed. */
const limit = 1500;
const local = ["127.0.0.0/8", "169.254.0.0/16"].map(mustParse);

/** Tries from here whether Services' node ports answer at nodes' public addresses. */
export async function tryNodePorts(
  { nodes, nodePorts }: Pick<ClusterObjects, "nodes" | "nodePorts">,
  probes: NodeProbes[],
  reach: (address: string, port: number) => Promise<boolean> = answers,
): Promise<Evidence["nodePorts"]> {
  if ("unseen" in nodePorts) return nodePorts;
  const ports = nodePorts.value.slice(0, mostPorts);
  const own = probes.flatMap(({ host }) => valueOf(host)?.addresses ?? []);
  const addresses = [...new Set([...nodes.flatMap((node) => node.externalIps), ...own])].filter(isPublic);
  const targets = addresses.flatMap((address) => ports.map((port) => ({ address, port })));
  const open = await mapLimited(targets, 64, async ({ address, port }) =>
    (await reach(address, port)) ? [`${address}:${port}`] : [],
  );
  return { value: { ports: nodePorts.value, tried: targets.length, open: open.flat() } };
}

function isPublic(address: string): boolean {
  if (!/^[\d.]+$/.test(address)) return false;
  const cidr = mustParse(`${address}/32`);
  return !isPrivate(cidr) && !local.some((range) => contains(range, cidr));
}

/** Whether a fresh connection is taken. */
export function answers(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: limit });
    const end = (open: boolean) => {
      socket.destroy();
      resolve(open);
    };
    socket.once("connect", () => end(true));
    socket.once("timeout", () => end(false));
    socket.once("error", () => end(false));
  });
}
