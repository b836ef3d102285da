/*
 * What the preview of a large cluster costs beside that of as many empty resources: a first preview of 100 nodes on the emulated Hetzner
 * Cloud with the stand-in plugins, and one of a program that registers as many resources without inputs. Both are plain JavaScript, in
 * turn, so that a machine that gets busier treats both alike. CPU time is that of the engine, the program and the plugins together.
 * Needs `npm run build`.
 * usage: npm run bench:preview -- [RUNS] [NODES]
 */
import { execa } from "execa";
import { mkdir, symlink, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { World } from "../test/engine/world/world";
import { median } from "./median";

const root = path.join(__dirname, "..");

/** Seconds that one preview took, and what it would make. */
interface Cost {
  wall: number;
  cpu: number;
  /** Resources, components counted. */
  resources: number;
}

/** A cluster of that many nodes as a program; the rest of its arguments does not matter here. */
function clusterProgram(nodes: number): string {
  return `const { hetzner, TunedCluster } = require(${JSON.stringify(path.join(root, "dist/components"))});
    new TunedCluster("bench", {
      underlay: hetzner({ location: "fsn1" }),
      access: { ssh: ["203.0.113.7/32"], api: ["203.0.113.7/32"] },
      controlPlane: { serverType: "ccx13" },
      pools: [{ name: "web", count: ${nodes - 1}, serverType: "ccx13" }],
    });`;
}

/** As many resources of one plugin, with no input, each a child of one component as a cluster's are. */
function emptyProgram(resources: number): string {
  return `const { ComponentResource } = require("@pulumi/pulumi");
    const { local } = require("@pulumi/command");
    const parent = new ComponentResource("bench:index:Empty", "bench");
    for (let number = 1; number < ${resources}; number++) new local.Command("empty-" + number, {}, { parent });`;
}

/** Makes a project with a stack in a folder of the world. */
async function project(world: World, name: string, program: string): Promise<string> {
  const folder = path.join(world.dir, name);
  await mkdir(folder, { recursive: true });
  const runtime = "runtime:\n  name: nodejs\n  options:\n    typescript: false\n";
  await writeFile(path.join(folder, "Pulumi.yaml"), `name: ${name}\nmain: index.js\n${runtime}`);
  await writeFile(path.join(folder, "package.json"), JSON.stringify({ name }));
  await writeFile(path.join(folder, "index.js"), program);
  await symlink(path.join(root, "node_modules"), path.join(folder, "node_modules"));
  await execa(world.engine.pulumi, ["stack", "select", "--create", "bench"], { cwd: folder, env: world.engine.env });
  return folder;
}

/** Previews once. The shell adds up the CPU time of every process that the engine started and waited for. */
async function preview(world: World, folder: string): Promise<Cost> {
  const started = performance.now();
  const { stdout } = await execa(
    "bash",
    ["-c", '"$1" preview --json --non-interactive --stack bench && times', "-", world.engine.pulumi],
    { cwd: folder, env: world.engine.env, stdin: "ignore", maxBuffer: 2 ** 30 },
  );
  const wall = (performance.now() - started) / 1000;
  const digest = JSON.parse(stdout.slice(0, stdout.lastIndexOf("}") + 1)) as { changeSummary: { create: number } };
  const spent = /(\d+)m([\d.]+)s (\d+)m([\d.]+)s\s*$/.exec(stdout)?.slice(1).map(Number);
  const [userMinutes = NaN, user = NaN, systemMinutes = NaN, system = NaN] = spent ?? [];
  // Without the stack's own resource, which is in both.
  return {
    wall,
    cpu: (userMinutes + systemMinutes) * 60 + user + system,
    resources: digest.changeSummary.create - 1,
  };
}

async function main(): Promise<void> {
  const [runs, nodes] = [Number(process.argv[2] ?? 5), Number(process.argv[3] ?? 100)];
  const world = await World.create();
  try {
    const cluster = await project(world, "cluster", clusterProgram(nodes));
    // The first preview of each is not counted: it compiles and caches.
    const { resources } = await preview(world, cluster);
    const empty = await project(world, "empty", emptyProgram(resources));
    const counted = (await preview(world, empty)).resources;
    if (counted !== resources) throw new Error(`${resources} resources are compared with ${counted}`);
    console.log(`${os.cpus().length} CPUs, ${nodes} nodes, ${resources} resources, ${runs} runs in turn`);
    const found = { cluster: [] as Cost[], empty: [] as Cost[] };
    for (let run = 1; run <= runs; run++) {
      found.cluster.push(await preview(world, cluster));
      found.empty.push(await preview(world, empty));
      const [ours, theirs] = [found.cluster.at(-1), found.empty.at(-1)];
      console.log(
        `run ${run}: cluster ${render(ours)}; empty ${render(theirs)}; load ${(os.loadavg()[0] ?? NaN).toFixed(1)}`,
      );
    }
    for (const kind of ["cpu", "wall"] as const) {
      const [ours, theirs] = [found.cluster, found.empty].map((costs) => median(costs.map((cost) => cost[kind])));
      const ratio = ((ours ?? NaN) / (theirs ?? NaN)).toFixed(2);
      console.log(`${kind}, median: cluster ${ours?.toFixed(1)} s, empty ${theirs?.toFixed(1)} s, ratio ${ratio}`);
    }
  } finally {
    await world.remove();
  }
}

function render(cost: Cost | undefined): string {
  return `${cost?.wall.toFixed(1)} s, CPU ${cost?.cpu.toFixed(1)} s`;
}

main().catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
