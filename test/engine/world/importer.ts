import { execFileSync } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { execa } from "execa";
import { projectWithPackage } from "../../packed";
import type { CliResult, World } from "./world";

const tsc = path.resolve(__dirname, "../../../node_modules/typescript/bin/tsc");
const types = path.resolve(__dirname, "../../../node_modules/@types");

/** The program of the guide, which states of earlier versions were written with: what is added to it must have no effect on them. */
const program = `import { hetzner, TunedCluster } from "zerosteal";

const cluster = new TunedCluster("eng", {
  underlay: hetzner({ location: "fsn1" }),
  access: { ssh: ["203.0.113.7/32"], api: ["203.0.113.7/32"] },
  controlPlane: { serverType: "ccx13" },
  pools: [{ name: "web", count: 1, serverType: "ccx13" }],
});
export const kubeconfig = cluster.kubeconfig;
export const doctorReport = cluster.doctorReport;
`;

/** What \`pulumi preview\` would do with a resource that is not left as it is. */
export interface PlannedStep {
  op: string;
  urn: string;
}

/** Somebody's own Pulumi project, away from the repository, that imports the packed library and is run by the real engine. */
export class Importer {
  private constructor(
    readonly dir: string,
    private readonly world: World,
  ) {}

  static async create(world: World): Promise<Importer> {
    const dir = path.join(world.dir, "project");
    await mkdir(dir);
    projectWithPackage(dir);
    const importer = new Importer(dir, world);
    const runtime = "runtime:\n  name: nodejs\n  options:\n    typescript: false\n";
    await writeFile(path.join(dir, "Pulumi.yaml"), `name: imported\n${runtime}`);
    await importer.succeed(["stack", "init", "eng"]);
    return importer;
  }

  /** Compiles the program, as strictly as the compiler can, to a module of a kind. */
  async compile(kind: "commonjs" | "module"): Promise<void> {
    await writeFile(path.join(this.dir, "package.json"), JSON.stringify({ name: "imported", type: kind }));
    await writeFile(path.join(this.dir, "index.ts"), program);
    const compilerOptions = { strict: true, target: "es2022", module: "nodenext", typeRoots: [types], types: ["node"] };
    await writeFile(path.join(this.dir, "tsconfig.json"), JSON.stringify({ compilerOptions }));
    execFileSync(process.execPath, [tsc], { cwd: this.dir, stdio: ["ignore", "pipe", "pipe"] });
  }

  /** The compiled program. */
  compiled(): Promise<string> {
    return readFile(path.join(this.dir, "index.js"), "utf8");
  }

  /** Runs \`pulumi\` in the project. */
  async run(args: string[]): Promise<CliResult> {
    const { pulumi, env } = this.world.engine;
    const result = await execa(pulumi, [...args, "--non-interactive"], {
      cwd: this.dir,
      env,
      reject: false,
      all: true,
      stdin: "ignore",
    });
    return { exitCode: result.exitCode ?? -1, output: result.all, stdout: result.stdout };
  }

  async succeed(args: string[]): Promise<string> {
    const { exitCode, output, stdout } = await this.run(args);
    if (exitCode !== 0) throw new Error(`pulumi ${args.join(" ")} ended with ${exitCode}:\n${output}`);
    return stdout;
  }

  /** What a preview would change. */
  async previewed(): Promise<PlannedStep[]> {
    const { steps } = JSON.parse(await this.succeed(["preview", "--json"])) as { steps: PlannedStep[] };
    return steps.filter(({ op }) => op !== "same").map(({ op, urn }) => ({ op, urn }));
  }
}
