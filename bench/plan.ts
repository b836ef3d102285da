/*
 * What a plan costs by the number of nodes: existing hosts on one segment, 10, 100 and 1,000 of them, the sizes taken in turn so that a
 * machine that gets busier treats all alike. Prints medians, and how much a node costs more in a larger cluster: 1 is linear, less better.
 * usage: npm run bench:plan -- [RUNS]
 */
import { type ClusterArgs, planCluster } from "../components/plan";
import { median } from "./median";

const sizes = [10, 100, 1000] as const;

/** A cluster of that many hosts. */
function cluster(nodes: number): ClusterArgs {
  const keys = ["control-plane-1", ...Array.from({ length: nodes - 1 }, (_, index) => `web-${index + 1}`)];
  const machines = keys.map((key, index) => {
    const host = `${Math.floor(index / 250)}.${(index % 250) + 1}`;
    const hostKey = `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA${Buffer.from(key.padEnd(32, ".")).toString("base64").replace(/=/g, "A")}`;
    return [
      key,
      { address: `198.18.${host}`, privateAddress: `10.20.${host}`, hostKey, cpus: 4, memoryGiB: 8 },
    ] as const;
  });
  return {
    underlay: { kind: "hosts", segment: "l2", nodeSubnet: "10.20.0.0/16", machines: Object.fromEntries(machines) },
    access: { ssh: ["203.0.113.7/32"], api: ["203.0.113.7/32"] },
    controlPlane: {},
    pools: [{ name: "web", count: nodes - 1 }],
    network: { podCidr: "10.128.0.0/12" },
  };
}

/** Milliseconds of wall and CPU time of one plan. */
function measure(args: ClusterArgs): { wall: number; cpu: number } {
  const [started, before] = [performance.now(), process.cpuUsage()];
  planCluster("bench", args);
  const { user, system } = process.cpuUsage(before);
  return { wall: performance.now() - started, cpu: (user + system) / 1000 };
}

const runs = Number(process.argv[2] ?? 9);
const figures = new Map(sizes.map((size) => [size, [] as { wall: number; cpu: number }[]]));
for (let run = 0; run <= runs; run++) {
  for (const size of sizes) {
    const found = measure(cluster(size));
    // The first round warms the compiler up.
    if (run > 0) figures.get(size)?.push(found);
  }
}
const cpuOf = (size: (typeof sizes)[number]): number => median((figures.get(size) ?? []).map(({ cpu }) => cpu));
for (const size of sizes) {
  const wall = median((figures.get(size) ?? []).map((found) => found.wall));
  const ratio = cpuOf(size) / size / (cpuOf(10) / 10);
  console.log(
    `${size} nodes: ${wall.toFixed(1)} ms, CPU ${cpuOf(size).toFixed(1)} ms, a node costs ${ratio.toFixed(2)} times that of 10`,
  );
}
