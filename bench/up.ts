/*
 * How long `up` takes from no machines to a healthy cluster, tools and images cached; with and without container images on the machines'
 * disks; and how long it takes again when there is nothing to do. Runs on an instance of its own and removes it.
 * usage: npm run bench:up -- [RUNS]
 */
import { execa } from "execa";
import os from "node:os";
import path from "node:path";
import { median } from "./median";

const instance = "bench";
const root = path.join(__dirname, "..");

/** Runs the command line and gives the seconds it took. Throws when it does not end with 0. */
async function timed(args: string[]): Promise<number> {
  const started = Date.now();
  const result = await execa(process.execPath, ["cli/launch.js", "cli/main.ts", ...args, "--instance", instance], {
    cwd: root,
    reject: false,
    all: true,
    stdin: "ignore",
  });
  if (result.exitCode !== 0) throw new Error(`${args.join(" ")} ended with ${result.exitCode}:\n${result.all}`);
  return (Date.now() - started) / 1000;
}

async function series(title: string, flags: string[], runs: number): Promise<number> {
  const first: number[] = [];
  const again: number[] = [];
  for (let run = 1; run <= runs; run++) {
    await timed(["down"]);
    first.push(await timed(["up", ...flags]));
    again.push(await timed(["up", ...flags]));
    console.log(`${title}, run ${run}: up ${first.at(-1)?.toFixed(1)} s, again ${again.at(-1)?.toFixed(1)} s`);
  }
  console.log(`${title}, median of ${runs}: up ${median(first).toFixed(1)} s, again ${median(again).toFixed(1)} s`);
  return median(first);
}

async function main(): Promise<void> {
  const runs = Number(process.argv[2] ?? 3);
  const commit = (await execa("git", ["rev-parse", "--short", "HEAD"], { cwd: root })).stdout;
  console.log(
    `commit ${commit}, ${os.cpus().length} CPUs, ${Math.round(os.totalmem() / 2 ** 30)} GiB, kernel ${os.release()}`,
  );
  console.log("1 control plane and 2 workers, from no machines to a healthy doctor; tools and images cached");
  try {
    const preloaded = await series("images on the machines' disks", [], runs);
    const pulled = await series("images pulled from the mirror", ["--no-preload"], runs);
    console.log(`ratio pulled / preloaded: ${(pulled / preloaded).toFixed(2)}`);
  } finally {
    await timed(["down"]);
  }
}

main().catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
