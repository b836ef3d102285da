/*
 * What importing the package costs beyond @pulumi/pulumi, which every program loads: `require` of the one, then of the other, in a new
 * process each time. Wall time says what a user waits, CPU time the same without what else this machine is doing. Needs `npm run build`.
 * usage: npm run bench:import -- [RUNS] [FOLDER OF ANOTHER BUILD]
 */
import { execFileSync } from "node:child_process";
import os from "node:os";
import path from "node:path";
import { median } from "./median";

const root = path.join(__dirname, "..");

/** Milliseconds of one import. */
interface Cost {
  wall: number;
  cpu: number;
}

/** Runs in a process of its own and prints the costs of its arguments, in order, as JSON. */
const program = `
  const cost = (file) => {
    const [wall, cpu] = [performance.now(), process.cpuUsage()];
    require(file);
    const { user, system } = process.cpuUsage(cpu);
    return { wall: performance.now() - wall, cpu: (user + system) / 1000 };
  };
  console.log(JSON.stringify(process.argv.slice(1).map(cost)));
`;

function costs(...files: string[]): Cost[] {
  const output = execFileSync(process.execPath, ["-e", program, "--", ...files], { cwd: root, encoding: "utf8" });
  return JSON.parse(output) as Cost[];
}

function main(): void {
  const runs = Number(process.argv[2] ?? 21);
  const built = path.resolve(process.argv[3] ?? path.join(root, "dist"));
  const entries = { zerosteal: "components/index.js", "zerosteal/plan": "components/plan/index.js" };
  console.log(`${os.cpus().length} CPUs, Node.js ${process.versions.node}, median of ${runs} runs, milliseconds`);
  for (const [name, file] of Object.entries(entries)) {
    const measured = Array.from({ length: runs }, () => costs("@pulumi/pulumi", path.join(built, file)));
    for (const kind of ["wall", "cpu"] as const) {
      const [alone, added] = [0, 1].map((index) => median(measured.map((pair) => pair[index]?.[kind] ?? NaN)));
      const ratio = ((added ?? NaN) / (alone ?? NaN)).toFixed(2);
      console.log(`${name}, ${kind}: @pulumi/pulumi ${alone?.toFixed(0)}, added ${added?.toFixed(0)}, ratio ${ratio}`);
    }
  }
}

main();
