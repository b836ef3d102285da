import { Option, type Command } from "commander";
import { readFile, writeFile } from "node:fs/promises";
import { text as readAll } from "node:stream/consumers";
import {
  grades,
  type Grade,
  type PreviewReport,
  readPreview,
  renderMarkdown,
  reportPreview,
  UnreadablePreview,
} from "../components/preview";
import { renderJson } from "./planText";

interface Flags {
  eventLog?: string;
  markdown?: string;
  json?: string;
  failOn?: Grade;
}

/** Exit codes of `preview-report`. */
const exitCodes = { passed: 0, gate: 1, failed: 2 } as const;

/**
 * Adds `preview-report` to a command line.
 * Exit codes: 0 reported, 1 the risk reaches `--fail-on`, 2 the preview failed, cannot be read, or the usage is wrong.
 */
export function registerPreviewReport(program: Command): Command {
  return (
    program
      .command("preview-report")
      .description("say what a preview of Pulumi means: for each node, for the bill, and how much it can hurt")
      .argument("[file]", "output of `pulumi preview --json`; default: standard input")
      .option("--event-log <file>", "the engine's event log instead, as `pulumi preview --event-log` writes it")
      .option(
        "--markdown <file>",
        "write the report for a comment there; default: standard output, unless --json is given",
      )
      .option("--json <file>", "write the report for machines there; - is standard output")
      .addOption(new Option("--fail-on <grade>", "end with 1 when the risk is this or graver").choices(grades.slice(1)))
      .addHelpText("after", helpText)
      // Wrong usage is "could not run": 1 is kept for the gate.
      .exitOverride((error) => process.exit(error.exitCode === 0 ? exitCodes.passed : exitCodes.failed))
      .action(async (file: string | undefined, flags: Flags) => {
        process.exitCode = await previewReport(file, flags);
      })
  );
}

const helpText = `
Grades: none, low (what runs goes on), medium (settings of what runs change), high (something is interrupted or goes),
critical (a cluster or its data may be lost). Values are shown from a list of harmless ones alone, secrets never.
Exit codes: 0 reported, 1 the risk reaches --fail-on, 2 the preview failed, cannot be read, or the usage is wrong.`;

async function previewReport(file: string | undefined, flags: Flags): Promise<number> {
  try {
    const source = flags.eventLog ?? file;
    if (flags.eventLog !== undefined && file !== undefined) {
      throw new UnreadablePreview("Which preview? Give a file or --event-log, not both.");
    }
    const preview = readPreview(await readText(source), flags.eventLog === undefined ? undefined : "events");
    const report = reportPreview(preview);
    await writeReport(report, flags);
    return exitCodeOf(report, flags.failOn);
  } catch (error) {
    if (!(error instanceof UnreadablePreview)) throw error;
    process.stderr.write(`${error.message}\n`);
    return exitCodes.failed;
  }
}

/** A gate that is not reached passes; a preview that failed never does. */
export function exitCodeOf(report: Pick<PreviewReport, "failed" | "grade">, failOn: Grade | undefined): number {
  if (report.failed) return exitCodes.failed;
  const reached = failOn !== undefined && grades.indexOf(report.grade) >= grades.indexOf(failOn);
  return reached ? exitCodes.gate : exitCodes.passed;
}

async function writeReport(report: PreviewReport, { markdown, json }: Flags): Promise<void> {
  if (json !== undefined) await writeText(json, escaped(renderJson(report)));
  if (markdown !== undefined || json === undefined) await writeText(markdown ?? "-", renderMarkdown(report));
}

/** The same document without characters that a terminal obeys: JSON itself leaves some of them as they are. */
function escaped(json: string): string {
  return json.replace(/[\x7f-\x9f\p{Cf}\p{Zl}\p{Zp}]/gu, (character) =>
    character
      .split("")
      .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)
      .join(""),
  );
}

async function writeText(file: string, text: string): Promise<void> {
  if (file === "-") {
    process.stdout.write(text);
    return;
  }
  try {
    await writeFile(file, text);
  } catch (error) {
    throw new UnreadablePreview(`The report ${file} cannot be written (${(error as NodeJS.ErrnoException).code}).`);
  }
}

async function readText(file: string | undefined): Promise<string> {
  if (file === undefined && process.stdin.isTTY) {
    throw new UnreadablePreview(
      "Which preview? Give a file with the output of `pulumi preview --json`, or pipe it in.",
    );
  }
  try {
    return file === undefined ? await readAll(process.stdin) : await readFile(file, "utf8");
  } catch (error) {
    throw new UnreadablePreview(`The preview ${file ?? ""} cannot be read (${(error as NodeJS.ErrnoException).code}).`);
  }
}
