import type { EngineLog } from "../core/engineLog";
import { redact } from "../core/values";

export type Logging = "stdout" | "stderr" | "stdoutAndStderr" | "none";

/** What a finished command printed, each without one trailing newline. */
export interface Output {
  stdout: string;
  stderr: string;
}

/** Collects what a running command prints, and shows it line by line beside the resource if that is wanted. */
export class OutputCollector {
  private readonly out: Buffer[] = [];
  private readonly err: Buffer[] = [];
  private readonly both: Buffer[] = [];
  private unfinishedLine = "";

  constructor(
    private readonly logging: Logging | undefined,
    private readonly log: EngineLog,
    private readonly secrets: string[],
  ) {}

  stdout(chunk: Buffer): void {
    this.out.push(chunk);
    this.both.push(chunk);
    if (this.shows("stdout")) this.show(chunk.toString());
  }

  stderr(chunk: Buffer): void {
    this.err.push(chunk);
    this.both.push(chunk);
    if (this.shows("stderr")) this.show(chunk.toString());
  }

  result(): Output {
    if (this.unfinishedLine !== "") this.show("\n");
    const text = (chunks: Buffer[]) => Buffer.concat(chunks).toString().replace(/\n$/, "");
    return { stdout: text(this.out), stderr: text(this.err) };
  }

  /** Everything printed, in order, for an error text. */
  everything(): string {
    return Buffer.concat(this.both).toString();
  }

  private shows(stream: "stdout" | "stderr"): boolean {
    return this.logging === undefined || this.logging === stream || this.logging === "stdoutAndStderr";
  }

  private show(text: string): void {
    const lines = (this.unfinishedLine + text).split("\n");
    this.unfinishedLine = lines.pop() ?? "";
    for (const line of lines) this.log.status(redact(line, this.secrets));
  }
}
