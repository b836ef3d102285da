import path from "node:path";
import { capabilities } from "../capabilities";
import type { Message } from "./message";
import { endGroup, startGroup } from "./process";

import type { Screen, Skip, TierResult } from "./result";

/** Folder of the repository. */
export const root = path.resolve(__dirname, "..", "..");

const mocha = path.join(root, "node_modules/mocha/bin/mocha.js");
/** In which a tier that was asked to end may clean up. */
const graceMs = 60_000;
/** A test longer than this gets a line of its own. */
const slowMs = 5_000;
const heartbeatMs = 30_000;

/** A tier of mocha tests. */
export interface MochaTier {
  name: string;
  /** Test files, as mocha's globs, relative to the repository. */
  files: string[];
  /** Minutes after which the tier is ended and counts as failed. */
  limitMinutes: number;
  /** Whether what its tests print is shown as it comes; else only after a crash. */
  live?: boolean;
}

/** Options of a tier's run. */
export interface MochaOptions {
  screen: Screen;
  /** Looks up whether the host has a capability. Default: its probe. */
  hostHas?: (capability: string) => boolean;
  /** Length of a minute of the time limit. Default 60,000 ms; less in the runner's own tests. */
  minuteMs?: number;
}

/** Runs a tier in a process of its own. Whatever goes wrong, crash, time limit, nothing run, counts as a failure. */
export async function runMocha(tier: MochaTier, options: MochaOptions): Promise<TierResult> {
  return new MochaRun(tier, options).result();
}

const probes = new Map<string, boolean>();

function probed(name: string): boolean {
  const answer = probes.get(name) ?? capabilities.some((known) => known.name === name && known.probe());
  probes.set(name, answer);
  return answer;
}

class MochaRun {
  private readonly started = Date.now();
  private readonly tally: TierResult;
  private readonly screen: Screen;
  private current = { title: "loading the tests", since: Date.now() };
  private lastNews = Date.now();
  private ended = false;
  private trouble: string | undefined;

  constructor(
    private readonly tier: MochaTier,
    private readonly options: MochaOptions,
  ) {
    this.screen = options.screen;
    this.tally = { tier: tier.name, passed: 0, failed: 0, skips: [], seconds: 0 };
  }

  async result(): Promise<TierResult> {
    const args = [mocha, "--reporter", path.join(__dirname, "reporter.ts"), ...this.tier.files];
    const group = startGroup(args, {
      cwd: root,
      env: { TS_NODE_PROJECT: path.join(root, "tsconfig.json") },
      onMessage: (message) => this.take(message as Message),
      onLine: (line) => {
        if (this.tier.live) this.news(`| ${line}`);
      },
    });
    const limit = setTimeout(
      () => {
        this.trouble = `took longer than ${this.tier.limitMinutes} minutes, in: ${this.current.title}`;
        endGroup(group, graceMs);
      },
      this.tier.limitMinutes * (this.options.minuteMs ?? 60_000),
    );
    const heartbeat = setInterval(() => this.beat(), 1_000);
    const { code, signal } = await group.ended;
    clearTimeout(limit);
    clearInterval(heartbeat);
    this.trouble ??= this.ended ? undefined : `ended with ${signal ?? String(code)} in: ${this.current.title}`;
    this.close(group.lastLines());
    return this.tally;
  }

  private take(message: Message): void {
    switch (message.kind) {
      case "begin":
        this.current = { title: message.title, since: Date.now() };
        return;
      case "pass":
        this.tally.passed++;
        if (message.ms >= slowMs) this.news(`ok      ${message.title} (${(message.ms / 1000).toFixed(1)} s)`);
        return;
      case "fail":
        this.fail(message.title, message.error);
        return;
      case "skip":
        this.skip({ title: message.title, capability: message.capability });
        return;
      case "suite":
        this.news(`ended   ${message.title}: ${message.tests} tests in ${(message.ms / 1000).toFixed(1)} s`);
        return;
      case "end":
        this.ended = true;
        this.current = { title: "waiting for the tests' process to end", since: Date.now() };
        if (message.notRun > 0) {
          this.tally.failed += message.notRun - 1;
          this.fail(`${message.notRun} tests did not run`, "A hook before them failed, or the run was interrupted.");
        }
    }
  }

  /** A skip is right only for a capability of the list which this host does lack. */
  private skip(skip: Skip): void {
    const known = capabilities.find(({ name }) => name === skip.capability);
    const hostHas = this.options.hostHas ?? probed;
    if (!known) {
      this.fail(skip.title, "It was skipped for no capability of test/capabilities.ts.");
    } else if (hostHas(known.name)) {
      this.fail(skip.title, `It was skipped for ${known.name}, which this host has.`);
    } else {
      this.tally.skips.push(skip);
    }
  }

  private close(lastLines: string[]): void {
    if (this.trouble) this.fail(`the tier ${this.trouble}`, lastLines.join("\n"));
    else if (this.tally.passed + this.tally.failed === 0) {
      this.fail("the tier ran nothing", "Every test was skipped, or there is none.");
    }
    this.tally.seconds = (Date.now() - this.started) / 1000;
  }

  private fail(title: string, text: string): void {
    this.tally.failed++;
    this.lastNews = Date.now();
    this.screen.fail(this.tier.name, title, text);
  }

  private news(text: string): void {
    this.lastNews = Date.now();
    this.screen.tell(this.tier.name, text);
  }

  private beat(): void {
    if (Date.now() - this.lastNews < heartbeatMs) return;
    this.news(`in      ${this.current.title} (${((Date.now() - this.current.since) / 1000).toFixed(0)} s)`);
  }
}
