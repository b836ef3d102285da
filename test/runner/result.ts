/** A test that did not run, and for which capability of the host. */
export interface Skip {
  title: string;
  capability?: string;
}

/** What a tier came to. */
export interface TierResult {
  tier: string;
  passed: number;
  failed: number;
  skips: Skip[];
  seconds: number;
}

/** Of each failure at the end of a run. */
const recalledLines = 15;

function indented(text: string): string[] {
  return text.split("\n").map((line) => `    ${line}`);
}

/** Prints what happens, as plain lines with the time since the start. */
export class Screen {
  private readonly started = Date.now();
  private readonly failures: { tier: string; title: string; text: string }[] = [];

  /** @param write takes a line; default: standard output */
  constructor(private readonly write: (line: string) => void = (line) => process.stdout.write(`${line}\n`)) {}

  /** A line of news of a tier. */
  tell(tier: string, text: string): void {
    const seconds = ((Date.now() - this.started) / 1000).toFixed(1);
    this.write(`[${seconds.padStart(7)} s] ${tier.padEnd(10)} ${text}`);
  }

  /** Lines as they are. */
  print(lines: string[]): void {
    for (const line of lines) this.write(line);
  }

  /** A failure: its title as news, its text below. */
  fail(tier: string, title: string, text: string): void {
    this.failures.push({ tier, title, text });
    this.tell(tier, `FAILED  ${title}`);
    this.print(indented(text));
  }

  /** All failures once more, for the end of a run: above them may stand an hour of other lines, or a log that was cut. */
  recallFailures(): void {
    for (const { tier, title, text } of this.failures) {
      const lines = indented(text);
      this.print(["", `FAILED  ${tier}: ${title}`, ...lines.slice(0, recalledLines)]);
      if (lines.length > recalledLines) this.print([`    … ${lines.length - recalledLines} lines more above`]);
    }
  }
}

/** A table of the tiers. */
export function renderTable(results: TierResult[]): string[] {
  const rows = [
    ["tier", "passed", "failed", "skipped", "time"],
    ...results.map((result) => [
      result.tier,
      String(result.passed),
      String(result.failed),
      String(result.skips.length),
      `${result.seconds.toFixed(1)} s`,
    ]),
  ];
  const widths = [0, 1, 2, 3, 4].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join("  "),
  );
}

/** The last line of a run. */
export function totalLine(results: TierResult[]): string {
  const sum = (count: (result: TierResult) => number): number =>
    results.reduce((total, result) => total + count(result), 0);
  return `${sum((r) => r.passed)} passed, ${sum((r) => r.failed)} failed, ${sum((r) => r.skips.length)} skipped`;
}
