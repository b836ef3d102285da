import { type Hook, type Runnable, Runner, type Suite, type Test } from "mocha";
import { skippedFor } from "../capabilities";
import type { Message } from "./message";

const { constants } = Runner;

/** Mocha's reporter inside a tier's process: sends every event to the run, prints nothing. */
class RunReporter {
  private begun = 0;
  private started = Date.now();
  private seen = 0;

  constructor(private readonly runner: Runner) {
    runner.on(constants.EVENT_SUITE_BEGIN, (suite) => this.suiteBegins(suite));
    runner.on(constants.EVENT_TEST_BEGIN, (test) => tell({ kind: "begin", title: titleOf(test) }));
    runner.on(constants.EVENT_HOOK_BEGIN, (hook) => tell({ kind: "begin", title: titleOf(hook) }));
    runner.on(constants.EVENT_TEST_PASS, (test) => {
      this.count(test);
      tell({ kind: "pass", title: titleOf(test), ms: test.duration ?? 0 });
    });
    runner.on(constants.EVENT_TEST_FAIL, (test, error: unknown) => {
      this.count(test);
      tell({ kind: "fail", title: titleOf(test), error: textOf(error) });
    });
    runner.on(constants.EVENT_TEST_PENDING, (test) => {
      this.count(test);
      tell({ kind: "skip", title: titleOf(test), capability: capabilityOf(test) });
    });
    runner.on(constants.EVENT_SUITE_END, (suite) => this.suiteEnds(suite));
    runner.on(constants.EVENT_RUN_END, () => tell({ kind: "end", notRun: this.runner.total - this.seen }));
  }

  /** A failed hook comes as a failure too, but is no test. */
  private count(test: Test | Hook): void {
    if (test.type === "hook") return;
    this.begun++;
    this.seen++;
  }

  private suiteBegins(suite: Suite): void {
    if (!suite.parent?.root) return;
    this.begun = 0;
    this.started = Date.now();
  }

  private suiteEnds(suite: Suite): void {
    if (!suite.parent?.root) return;
    tell({ kind: "suite", title: suite.title, tests: this.begun, ms: Date.now() - this.started });
  }
}

function tell(message: Message): void {
  if (!process.send) throw new Error("this reporter works within `npm test` only");
  process.send(message);
}

function titleOf(runnable: Runnable): string {
  return runnable.titlePath().join(" › ");
}

function textOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/** The capability for which a test, or a suite around it, was skipped. */
function capabilityOf(test: Test): string | undefined {
  let place: Test | Suite | undefined = test;
  while (place) {
    const found = skippedFor.get(place);
    if (found !== undefined) return found;
    place = place.parent;
  }
  return undefined;
}

// A run that was killed cannot end its tiers; they see it by the channel that closes.
process.on("disconnect", () => process.kill(process.pid, "SIGINT"));
process.channel?.unref();

export = RunReporter;
