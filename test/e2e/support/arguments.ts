import { readdir, readFile } from "node:fs/promises";

/** Collects the command lines of all processes of this host, those inside machines and containers too, again and again. */
export class ArgumentWatch {
  private readonly seen = new Set<string>();
  private timer: NodeJS.Timeout | undefined;
  private reading: Promise<void> = Promise.resolve();

  /** Begins to look, five times a second. */
  start(): void {
    this.timer = setInterval(() => {
      this.reading = this.reading.then(() => this.look());
    }, 200);
  }

  /** Ends looking. @returns every command line that was seen, words separated by blanks */
  async stop(): Promise<string[]> {
    clearInterval(this.timer);
    await this.reading;
    return [...this.seen];
  }

  private async look(): Promise<void> {
    const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
    for (const pid of pids) {
      // A process may end before it is read.
      const text = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
      if (text) this.seen.add(text.replaceAll("\0", " ").trim());
    }
  }
}
