import { Option } from "commander";
import { writeFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import type { Evidence } from "../components/doctor/evidence";
import { renderHtml } from "../components/doctor/html";
import { CannotRun } from "../components/doctor/kube";
import { exitCodes, renderReport } from "../components/doctor/report";
import { runDoctor, type DoctorOptions } from "../components/doctor/run";
import type { Report } from "../components/doctor/types";
import { wholeNumber } from "./capture";
import { changesBetween } from "./changes";

/** How a report is shown. */
export interface ShowFlags {
  json?: boolean;
  /** File for the HTML report. */
  html?: string;
  /** Seconds between two runs. */
  watch?: number;
}

/** `--html`. */
export function htmlOption(): Option {
  return new Option("--html <file>", "write the report as one HTML page there too, with charts");
}

/** `--watch`. */
export function watchOption(): Option {
  return new Option("--watch [seconds]", "look again after so many seconds, until Ctrl-C, and print what changed")
    .argParser(wholeNumber(1, 86_400))
    .preset("60");
}

/** The doctor, and where what it found goes. */
export interface Examination {
  run: (options: DoctorOptions) => Promise<Report>;
  print: (text: string) => void;
}

const toScreen: Examination = { run: runDoctor, print: (text) => void process.stdout.write(text) };

/**
 * Runs the doctor once, or again and again, and shows what it found.
 * @returns exit code of the last run
 * @throws CannotRun when the first run cannot do its work, or a report cannot be written
 */
export async function examine(
  options: DoctorOptions & { signal: AbortSignal },
  flags: ShowFlags,
  { run, print }: Examination = toScreen,
): Promise<number> {
  const look = async (show: (report: Report) => void): Promise<Report> => {
    let evidence: Evidence | undefined;
    const report = await run({ ...options, onEvidence: (seen) => (evidence = seen) });
    show(report);
    if (flags.html !== undefined && evidence) await writeHtml(flags.html, report, evidence, options);
    return report;
  };
  const report = await look((first) => {
    const terminal = process.stdout.isTTY ? { columns: process.stdout.columns } : undefined;
    print(flags.json ? `${JSON.stringify(first, undefined, 2)}\n` : renderReport(first, terminal));
  });
  if (flags.watch === undefined) return codeOf(report);
  const tell = (lines: string[]): void => {
    const time = new Date().toISOString().replace(/\.\d+/, "");
    for (const line of lines) print(`${time} ${line}\n`);
  };
  return watch(report, look, tell, flags.watch, options.signal);
}

/** A run begins when the one before has ended and the pause is over. */
async function watch(
  first: Report,
  look: (show: (report: Report) => void) => Promise<Report>,
  tell: (lines: string[]) => void,
  pause: number,
  signal: AbortSignal,
): Promise<number> {
  let last = first;
  let code: number = codeOf(first);
  let trouble: string | undefined;
  for (;;) {
    try {
      await sleep(pause * 1000, undefined, { signal });
      const before = last;
      last = await look((report) => tell(changesBetween(before, report)));
      if (trouble !== undefined) tell([`the cluster can be looked at again: ${last.healthy ? "" : "not "}healthy`]);
      trouble = undefined;
      code = codeOf(last);
    } catch (error) {
      if (signal.aborted) return code;
      if (!(error instanceof CannotRun)) throw error;
      if (error.message !== trouble) tell([`COULD NOT LOOK ${error.message}`]);
      trouble = error.message;
      code = exitCodes.couldNotRun;
    }
  }
}

function codeOf(report: Report): number {
  return report.healthy ? exitCodes.healthy : exitCodes.failed;
}

async function writeHtml(file: string, report: Report, evidence: Evidence, options: DoctorOptions): Promise<void> {
  try {
    await writeFile(file, renderHtml({ report, evidence, expectation: options.expectation, at: new Date() }));
  } catch (error) {
    throw new CannotRun(`The report ${file} cannot be written (${(error as NodeJS.ErrnoException).code}).`);
  }
}
