import { chmod, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";

/** What was asked of a stand-in tool. */
export interface ToolCall {
  args: string[];
  stdin: string;
}

/** Version of the chart, where none is asked for. */
export const chartVersion = "1.20.2";

/** Stands for helm: releases are files of its folder, and every call that changes one is written down. */
const helm = `
const fs = require("node:fs");
const folder = __dirname;
const args = process.argv.slice(2);
const version = args.includes("--version") ? args[args.indexOf("--version") + 1] : "${chartVersion}";
const metadata = { name: "cilium", version, appVersion: version };
const file = (name) => folder + "/release-" + name + ".json";
const fail = (text) => { console.error("Error: " + text); process.exit(1); };
const load = (name) => fs.existsSync(file(name)) ? JSON.parse(fs.readFileSync(file(name), "utf8")) : fail("release: not found");
const [verb, second, third] = args;
if (verb === "show") console.log(JSON.stringify(metadata));
else if (verb === "status") console.log(JSON.stringify(load(second)));
else if (verb === "get") {
  const { name: chart, ...versions } = load(third).chart.metadata;
  console.log(JSON.stringify({ chart, ...versions }));
}
else {
  const stdin = verb === "uninstall" ? "" : fs.readFileSync(0, "utf8");
  fs.appendFileSync(folder + "/helm.calls", JSON.stringify({ args, stdin }) + "\\n");
  if (verb === "uninstall") fs.rmSync(file(second));
  else {
    const version = fs.existsSync(file(second)) ? load(second).version + 1 : 1;
    const release = { name: second, namespace: "kube-system", version, info: { status: "deployed" }, chart: { metadata }, manifest: "" };
    fs.writeFileSync(file(second), JSON.stringify(release));
    console.log(JSON.stringify(release));
  }
}
`;

/** Stands for the doctor's program: writes down what it was given and prints a healthy report, unless it is told to find something. */
const doctor = `
const fs = require("node:fs");
const folder = __dirname;
const stdin = fs.readFileSync(0, "utf8");
fs.appendFileSync(folder + "/doctor.calls", JSON.stringify({ args: process.argv.slice(2), stdin }) + "\\n");
if (fs.existsSync(folder + "/finding")) {
  console.error(fs.readFileSync(folder + "/finding", "utf8"));
  process.exit(1);
}
const { expectation } = JSON.parse(stdin);
console.log(JSON.stringify({ healthy: true, nodes: expectation.nodes.map((node) => node.name) }));
`;

/** Stand-ins for the programs that the engine's plugins start on this machine. */
export class StandInTools {
  private constructor(
    readonly folder: string,
    readonly helm: string,
    /** A folder for the front of the PATH: its \`node\` is the real one, but for the doctor. */
    readonly bin: string,
  ) {}

  static async install(folder: string): Promise<StandInTools> {
    const bin = path.join(folder, "bin");
    await mkdir(bin, { recursive: true });
    await writeFile(path.join(folder, "helm.js"), helm);
    await writeFile(path.join(folder, "doctor.js"), doctor);
    const tools = new StandInTools(folder, path.join(folder, "helm"), bin);
    await executable(tools.helm, `exec '${process.execPath}' '${folder}/helm.js' "$@"`);
    const ours = `*components/doctor/main.ts | *components/doctor/main.js) exec '${process.execPath}' '${folder}/doctor.js' "$@" ;;`;
    await executable(path.join(bin, "node"), `case "$*" in ${ours} esac\nexec '${process.execPath}' "$@"`);
    return tools;
  }

  /** What the doctor is to find from now on; undefined: nothing, all is well. */
  async find(finding: string | undefined): Promise<void> {
    const file = path.join(this.folder, "finding");
    if (finding === undefined) await rm(file, { force: true });
    else await writeFile(file, finding);
  }

  /** Calls of helm that changed a release, or runs of the doctor; oldest first. */
  async calls(tool: "helm" | "doctor"): Promise<ToolCall[]> {
    const text = await readFile(path.join(this.folder, `${tool}.calls`), "utf8").catch(ignoreMissing);
    return text
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line) as ToolCall);
  }
}

async function executable(file: string, text: string): Promise<void> {
  await writeFile(file, `#!/bin/sh\n${text}\n`);
  await chmod(file, 0o755);
}

function ignoreMissing(error: NodeJS.ErrnoException): string {
  if (error.code !== "ENOENT") throw error;
  return "";
}
