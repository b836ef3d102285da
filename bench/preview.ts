/*
 * What the preview of a large cluster costs beside that of as many empty resources: a first preview of 100 nodes on the emulated Hetzner
 * Cloud with the stand-in plugins, one of a program that registers as many commands without inputs, and one that registers as many
 * resources of the cluster's own kinds, each with as little as its class takes: what Pulumi takes for them whoever asks. All are plain
 * JavaScript, in turn, so that a machine that gets busier treats them alike. CPU time is that of engine, program and plugins together.
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
  /** Resources by type, components counted, without the stack's own. */
  kinds: Record<string, number>;
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

/** What the classes of a cluster's resources do not go without. */
const least: Record<string, [class_: string, inputs: object]> = {
  "command:local:Command": ["command.local.Command", {}],
  "command:remote:Command": ["command.remote.Command", { connection: { host: "192.0.2.1" } }],
  "hcloud:index/firewall:Firewall": ["hcloud.Firewall", {}],
  "hcloud:index/network:Network": ["hcloud.Network", { ipRange: "10.0.0.0/8" }],
  "hcloud:index/networkRoute:NetworkRoute": [
    "hcloud.NetworkRoute",
    { networkId: 1, destination: "10.244.0.0/24", gateway: "10.0.0.2" },
  ],
  "hcloud:index/networkSubnet:NetworkSubnet": [
    "hcloud.NetworkSubnet",
    { networkId: 1, type: "cloud", networkZone: "eu-central", ipRange: "10.0.0.0/24" },
  ],
  "hcloud:index/placementGroup:PlacementGroup": ["hcloud.PlacementGroup", { type: "spread" }],
  "hcloud:index/server:Server": ["hcloud.Server", { serverType: "ccx13", image: "debian-12" }],
  "hcloud:index/sshKey:SshKey": ["hcloud.SshKey", { publicKey: "ssh-ed25519 AAAA" }],
  "kubernetes:helm.sh/v3:Release": ["kubernetes.helm.v3.Release", { chart: "cilium" }],
  "pulumi:index:Stash": ["pulumi.Stash", { input: "" }],
  "pulumi:providers:kubernetes": ["kubernetes.Provider", {}],
  "zerosteal:index:TunedCluster": ["Component", {}],
};

/** As many resources of the same kinds. */
function alikeProgram(kinds: Record<string, number>): string {
  const lines = Object.entries(kinds).flatMap(([type, count]) => {
    const [name, inputs] = least[type] ?? [];
    if (name === undefined) throw new Error(`nothing is known of ${type}: add it to the table`);
    return name === "Component"
      ? []
      : [`for (let n = 0; n < ${count}; n++) new ${name}("alike-" + n, ${JSON.stringify(inputs)}, { parent });`];
  });
  return `const pulumi = require("@pulumi/pulumi");
    const command = require("@pulumi/command");
    const hcloud = require("@pulumi/hcloud");
    const kubernetes = { Provider: require("@pulumi/kubernetes/provider").Provider, helm: { v3: require("@pulumi/kubernetes/helm/v3/release") } };
    const parent = new pulumi.ComponentResource("bench:index:Alike", "bench");
    ${lines.join("\n    ")}`;
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
  const { steps } = JSON.parse(stdout.slice(0, stdout.lastIndexOf("}") + 1)) as {
    steps: { newState: { type: string } }[];
  };
  const kinds: Cost["kinds"] = {};
  for (const { type } of steps.map((step) => step.newState))
    if (type !== "pulumi:pulumi:Stack") kinds[type] = (kinds[type] ?? 0) + 1;
  const spent = /(\d+)m([\d.]+)s (\d+)m([\d.]+)s\s*$/.exec(stdout)?.slice(1).map(Number);
  const [userMinutes = NaN, user = NaN, systemMinutes = NaN, system = NaN] = spent ?? [];
  return { wall, cpu: (userMinutes + systemMinutes) * 60 + user + system, kinds };
}

const total = (kinds: Cost["kinds"]): number => Object.values(kinds).reduce((sum, count) => sum + count, 0);

async function main(): Promise<void> {
  const [runs, nodes] = [Number(process.argv[2] ?? 5), Number(process.argv[3] ?? 100)];
  const world = await World.create();
  try {
    const cluster = await project(world, "cluster", clusterProgram(nodes));
    // The first preview of each is not counted: it compiles and caches.
    const { kinds } = await preview(world, cluster);
    const resources = total(kinds);
    const others = { empty: emptyProgram(resources), alike: alikeProgram(kinds) };
    const folders: Record<string, string> = { cluster };
    for (const [name, program] of Object.entries(others)) {
      const folder = (folders[name] = await project(world, name, program));
      const counted = total((await preview(world, folder)).kinds);
      if (counted !== resources) throw new Error(`${resources} resources are compared with ${counted}`);
    }
    console.log(`${os.cpus().length} CPUs, ${nodes} nodes, ${resources} resources, ${runs} runs in turn`);
    const found: Record<string, Cost[]> = { cluster: [], empty: [], alike: [] };
    for (let run = 1; run <= runs; run++) {
      for (const [name, folder] of Object.entries(folders)) found[name]?.push(await preview(world, folder));
      const texts = Object.entries(found).map(([name, costs]) => `${name} ${render(costs.at(-1))}`);
      console.log(`run ${run}: ${texts.join("; ")}; load ${(os.loadavg()[0] ?? NaN).toFixed(1)}`);
    }
    for (const kind of ["cpu", "wall"] as const) {
      const middle = (name: string): number => median(found[name]?.map((cost) => cost[kind]) ?? []);
      const ours = middle("cluster");
      const texts = ["empty", "alike"].map(
        (name) => `${name} ${middle(name).toFixed(1)} s, ratio ${(ours / middle(name)).toFixed(2)}`,
      );
      console.log(`${kind}, median: cluster ${ours.toFixed(1)} s; ${texts.join("; ")}`);
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
