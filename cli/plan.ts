import type { Command } from "commander";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { text as readAll } from "node:stream/consumers";
import { parse } from "yaml";
import type { TunedClusterArgs } from "../components/cluster";
import { isPlainObject, type JsonObject } from "../components/plan/merge";
import { checkCluster, type ClusterArgs, explain, renderProblems } from "../components/plan";
import { renderDecisions, renderJson, renderPlan } from "./planText";

interface Flags {
  name?: string;
  explain: boolean;
  json: boolean;
}

/** Exit codes of `plan`. */
const exitCodes = { planned: 0, problems: 1, couldNotRun: 2 } as const;

/** Arguments of a cluster as a file has them, not yet judged. */
export interface ClusterFile {
  name: string;
  args: ClusterArgs;
}

/** Why a file cannot be planned at all, as a sentence for people. */
export class UnreadableFile extends Error {
  override readonly name = "UnreadableFile";
}

/**
 * Adds `plan` to a command line.
 * Exit codes: 0 planned, 1 the arguments have problems, 2 the file cannot be read or the usage is wrong.
 */
export function registerPlan(program: Command): Command {
  return (
    program
      .command("plan")
      .description("say what a cluster would be, without network or cloud: nodes, addresses, versions, price, and why")
      .argument("[file]", "arguments as YAML or JSON, or a Pulumi stack file; default: standard input")
      .option("--name <name>", "name of the cluster, if the file has none or another is wanted")
      .option("--explain", "every decision with its value, the reason and where the reason is known from", false)
      .option("--json", "print the whole plan as JSON, or the decisions with --explain", false)
      .addHelpText("after", helpText)
      // Wrong usage is "could not run": 1 is kept for arguments that have problems.
      .exitOverride((error) => process.exit(error.exitCode === 0 ? exitCodes.planned : exitCodes.couldNotRun))
      .action(async (file: string | undefined, flags: Flags) => {
        process.exitCode = await plan(file, flags);
      })
  );
}

const helpText = `
FILE is either { name, …arguments of the cluster } or a stack file with zerosteal:name and zerosteal:cluster in its config.
\`plan --json FILE > plan.json\` is what \`doctor --plan plan.json\` reads.
Exit codes: 0 planned, 1 the arguments have problems, 2 the file cannot be read or the usage is wrong.`;

async function plan(file: string | undefined, flags: Flags): Promise<number> {
  try {
    const { name, args } = readClusterFile(await readText(file), file ?? "standard input", flags.name);
    const { plan: planned, problems } = checkCluster(name, args);
    if (planned === undefined) {
      process.stderr.write(`${renderProblems(`Cluster ${JSON.stringify(name)}`, problems)}\n`);
      return exitCodes.problems;
    }
    if (flags.explain) {
      const decisions = explain(planned, args);
      write(flags.json ? renderJson(decisions) : renderDecisions(planned, decisions));
    } else {
      write(flags.json ? renderJson(planned) : renderPlan(planned));
    }
    return exitCodes.planned;
  } catch (error) {
    if (!(error instanceof UnreadableFile)) throw error;
    process.stderr.write(`${error.message}\n`);
    return exitCodes.couldNotRun;
  }
}

/** A reader that has seen enough, such as `head`, is no error. */
function write(text: string): void {
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") return;
    process.stderr.write(`The plan cannot be written (${error.code}).\n`);
    process.exit(exitCodes.couldNotRun);
  });
  process.stdout.write(text);
}

async function readText(file: string | undefined): Promise<string> {
  if (file === undefined && process.stdin.isTTY) {
    throw new UnreadableFile("Which cluster? Give a file with its arguments, or the arguments on standard input.");
  }
  try {
    return file === undefined ? await readAll(process.stdin) : await readFile(file, "utf8");
  } catch (error) {
    throw new UnreadableFile(`The file ${file ?? ""} cannot be read (${(error as NodeJS.ErrnoException).code}).`);
  }
}

/**
 * Reads a cluster's arguments from `{ name, …arguments }` or from a Pulumi stack file, as the program of stacks/cluster does.
 * @param file for messages; a stack file without a name gives the cluster its stack's name
 * @param name overrides the file's
 * @throws UnreadableFile when there is nothing that the plan could judge
 */
export function readClusterFile(text: string, file: string, name?: string): ClusterFile {
  const document = parseDocument(text, file);
  const found = "config" in document ? fromStack(document.config, file) : fromArguments(document);
  const chosen = name ?? found.name;
  if (chosen === undefined) {
    throw new UnreadableFile(`The cluster in ${file} has no name: give it as \`name\` in the file, or as --name.`);
  }
  // The planner judges every type itself, that of the name too.
  return { name: chosen as string, args: found.args as unknown as ClusterArgs };
}

function parseDocument(text: string, file: string): JsonObject {
  let document: unknown;
  try {
    document = parse(text, { logLevel: "error" });
  } catch (error) {
    const [reason = ""] = (error as Error).message.split("\n");
    throw new UnreadableFile(`The file ${file} is neither YAML nor JSON: ${reason.replace(/:$/, "")}.`);
  }
  if (isPlainObject(document)) return document;
  throw new UnreadableFile(
    `The file ${file} holds no cluster: it needs \`name\` and arguments, or \`config\` with zerosteal:cluster.`,
  );
}

function fromArguments({ name, ...args }: JsonObject): { name: unknown; args: JsonObject } {
  return { name, args };
}

function fromStack(config: unknown, file: string): { name: unknown; args: JsonObject } {
  const settings = isPlainObject(config) ? config : {};
  const cluster = structured(settings["zerosteal:cluster"]);
  if (!isPlainObject(cluster)) {
    throw new UnreadableFile(
      `The stack file ${file} has no object zerosteal:cluster in its config; see stacks/cluster/Pulumi.hetzner.example.yaml.`,
    );
  }
  if (Object.keys(cluster).join() === "secure") {
    throw new UnreadableFile(
      `The stack file ${file} has zerosteal:cluster encrypted: no secret belongs there, so set it in plain text.`,
    );
  }
  const stack = /^Pulumi\.(.+)\.ya?ml$/.exec(path.basename(file))?.[1];
  const plain = Object.entries(cluster).filter(([key]) => !Object.hasOwn(laterArguments, key));
  return { name: settings["zerosteal:name"] ?? stack, args: Object.fromEntries(plain) };
}

/** `pulumi config set` without --path keeps an object as its JSON text. */
function structured(value: unknown): unknown {
  if (typeof value !== "string") return value;
  try {
    return JSON.parse(value);
  } catch {
    return undefined;
  }
}

/** Arguments of the component that the plan does not depend on. */
const laterArguments: Record<Exclude<keyof TunedClusterArgs, keyof ClusterArgs>, true> = {
  doctor: true,
  sshAgent: true,
  hcloudToken: true,
  kubeconfigGeneration: true,
  sshKey: true,
  transform: true,
};
