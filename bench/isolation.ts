/*
 * What CPU isolation is worth: round trips of an echo in a Guaranteed pod, alone and beside a pod that keeps every CPU busy that it may use,
 * on a node with `static` isolation and on one with none, in turn. Runs on an instance of its own and removes it.
 * usage: npm run bench:isolation -- [ROUNDS]
 */
import { execa } from "execa";
import os from "node:os";
import path from "node:path";
import { runCli } from "../test/e2e/support/cli";
import { type Cluster, openCluster, worker } from "../test/e2e/support/cluster";
import { empty, isolate, makeNoise, roundTrips, startPod } from "../test/e2e/support/isolation";
import { median } from "./median";

const instance = "bench";
/** Of some 0.6 ms each. */
const messages = 20_000;
/** Longer than the messages take, and bounded. */
const noiseSeconds = 40;

interface Figures {
  idle: number[];
  noisy: number[];
}

async function round(cluster: Cluster, isolation: string, figures: Figures): Promise<void> {
  const idle = await roundTrips(cluster, `pinned-${isolation}`, messages);
  await makeNoise(cluster, `neighbour-${isolation}`, noiseSeconds);
  const started = Date.now();
  const noisy = await roundTrips(cluster, `pinned-${isolation}`, messages);
  const took = (Date.now() - started) / 1000;
  if (took > noiseSeconds)
    throw new Error(`the messages took ${took.toFixed(0)} s, and the noise ended after ${noiseSeconds}`);
  await new Promise((resolve) => setTimeout(resolve, (noiseSeconds - took + 2) * 1000));
  figures.idle.push(idle.p999);
  figures.noisy.push(noisy.p999);
  console.log(`${isolation}: idle ${describe(idle)}; noisy ${describe(noisy)}`);
}

function describe({ p50, p99, p999 }: { p50: number; p99: number; p999: number }): string {
  return `p50 ${p50} p99 ${p99} p99.9 ${p999} us`;
}

async function main(): Promise<void> {
  const rounds = Number(process.argv[2] ?? 3);
  const commit = (await execa("git", ["rev-parse", "--short", "HEAD"], { cwd: path.join(__dirname, "..") })).stdout;
  console.log(`commit ${commit}, ${os.cpus().length} CPUs, kernel ${os.release()}, ${messages} messages each`);
  const made = await runCli("up", [], instance);
  try {
    if (made.exitCode !== 0) throw new Error(made.output);
    const cluster = await openCluster(instance);
    const [none, isolated] = [worker(cluster, 0), worker(cluster, 1)];
    await isolate(cluster, isolated);
    await empty(cluster, none);
    for (const [node, isolation] of [
      [none, "none"],
      [isolated, "static"],
    ] as const) {
      await startPod(cluster, `neighbour-${isolation}`, node, "shared");
      await startPod(cluster, `pinned-${isolation}`, node, "alone");
    }
    const figures = { none: { idle: [], noisy: [] } as Figures, static: { idle: [], noisy: [] } as Figures };
    for (let count = 0; count < rounds; count++) {
      await round(cluster, "none", figures.none);
      await round(cluster, "static", figures.static);
    }
    for (const [isolation, { idle, noisy }] of Object.entries(figures)) {
      const [quiet, loud] = [median(idle), median(noisy)];
      console.log(`${isolation}: p99.9 median idle ${quiet} us, noisy ${loud} us, ratio ${(loud / quiet).toFixed(2)}`);
    }
  } finally {
    await runCli("down", [], instance);
  }
}

main().catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
