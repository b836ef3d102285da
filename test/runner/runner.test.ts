import assert from "node:assert/strict";
import path from "node:path";
import { describe, it } from "mocha";
import { runChecks } from "./checks";
import { type MochaOptions, runMocha } from "./mochaTier";
import { renderTable, Screen, totalLine, type TierResult } from "./result";

interface Outcome {
  result: TierResult;
  text: string;
}

async function run(fixture: string, options: Partial<MochaOptions> & { limitMinutes?: number } = {}): Promise<Outcome> {
  const lines: string[] = [];
  const { limitMinutes = 1, ...others } = options;
  const files = [path.join("test/runner/fixtures", `${fixture}.ts`)];
  const screen = new Screen((line) => lines.push(line));
  const result = await runMocha({ name: "fixture", files, limitMinutes }, { screen, ...others });
  return { result, text: lines.join("\n") };
}

function counts({ passed, failed, skips }: TierResult): [passed: number, failed: number, skipped: number] {
  return [passed, failed, skips.length];
}

describe("a tier's run", () => {
  it("counts what passed and is silent about quick tests", async () => {
    const { result, text } = await run("good");
    assert.deepEqual(counts(result), [1, 0, 0]);
    assert.equal(text, "");
  });

  it("shows a failure with its title and its error", async () => {
    const { result, text } = await run("bad");
    assert.deepEqual(counts(result), [1, 1, 0]);
    assert.match(text, /FAILED {2}a suite › fails\n {4}AssertionError.*strictly equal[^]*ended {3}a suite: 2 tests/);
  });

  it("shows failures once more at the end, long ones cut", () => {
    const lines: string[] = [];
    const screen = new Screen((line) => lines.push(line));
    screen.fail("plan", "a suite › fails", "its error");
    screen.fail("e2e", "another", Array.from({ length: 20 }, (_, index) => `line ${index + 1}`).join("\n"));
    lines.length = 0;
    screen.recallFailures();
    assert.deepEqual(lines.slice(0, 6), [
      "",
      "FAILED  plan: a suite › fails",
      "    its error",
      "",
      "FAILED  e2e: another",
      "    line 1",
    ]);
    assert.deepEqual(lines.slice(-2), ["    line 15", "    … 5 lines more above"]);
  });

  it("counts tests that a failed hook kept from running", async () => {
    const { result, text } = await run("badHook");
    assert.deepEqual(counts(result), [0, 3, 0]);
    assert.match(text, /"before all" hook[^]*the hook's own words[^]*2 tests did not run/);
  });

  it("takes a skip for a capability that the host lacks", async () => {
    const { result } = await run("skips", { hostHas: () => false });
    assert.deepEqual(counts(result), [1, 0, 2]);
    assert.deepEqual(result.skips, [
      { title: "needs go", capability: "go" },
      { title: "a suite skipped by its hook › needs root", capability: "root" },
    ]);
  });

  it("refuses a skip for a capability that the host has", async () => {
    const { result, text } = await run("skips", { hostHas: (name) => name === "root" });
    assert.deepEqual(counts(result), [1, 1, 1]);
    assert.match(text, /FAILED {2}a suite skipped by its hook › needs root\n.*skipped for root, which this host has/);
  });

  it("refuses a skip for no capability", async () => {
    const { result, text } = await run("skipsForNothing");
    assert.deepEqual(counts(result), [1, 1, 0]);
    assert.match(text, /FAILED {2}is not written yet\n.*no capability of test\/capabilities.ts/);
  });

  it("counts a crash as a failure and shows the last words", async () => {
    const { result, text } = await run("crashes");
    assert.deepEqual(counts(result), [1, 1, 0]);
    assert.match(text, /FAILED {2}the tier ended with SIGKILL in: takes the process with it\n[^]*last words/);
  });

  it("ends a tier that takes too long, and says where it was", async () => {
    const { result, text } = await run("hangs", { minuteMs: 10_000 });
    assert.deepEqual(counts(result).slice(0, 1), [0]);
    assert.ok(result.failed > 0);
    assert.match(text, /FAILED {2}the tier took longer than 1 minutes, in: \w+/);
  });

  it("fails when there are no test files", async () => {
    const { result, text } = await run("absent");
    assert.deepEqual(counts(result), [0, 1, 0]);
    assert.match(text, /Cannot find any files matching pattern|No test files found/);
  });

  it("fails when every test was skipped", async () => {
    const lines: string[] = [];
    const result = await runMocha(
      { name: "fixture", files: ["test/runner/fixtures/onlySkips.ts"], limitMinutes: 1 },
      { screen: new Screen((line) => lines.push(line)), hostHas: () => false },
    );
    assert.deepEqual(counts(result), [0, 1, 1]);
    assert.match(lines.join("\n"), /the tier ran nothing/);
  });
});

describe("a run's checks of the sources", () => {
  it("counts each, and shows what a failed one printed", async () => {
    const lines: string[] = [];
    const checks = [
      { name: "good", command: ["typescript/bin/tsc", "--version"] as [string, string] },
      { name: "bad", command: ["typescript/bin/tsc", "--no-such-option"] as [string, string] },
    ];
    const result = await runChecks("check", checks, 1, new Screen((line) => lines.push(line)));
    assert.deepEqual(counts(result), [1, 1, 0]);
    assert.match(lines.join("\n"), /FAILED {2}bad\n {4}error TS5023/);
  });
});

describe("a run's last words", () => {
  const results: TierResult[] = [
    { tier: "plan", passed: 12, failed: 0, skips: [{ title: "a", capability: "go" }], seconds: 3.21 },
    { tier: "e2e", passed: 3, failed: 2, skips: [], seconds: 600 },
  ];

  it("add up all tiers", () => {
    assert.equal(totalLine(results), "15 passed, 2 failed, 1 skipped");
  });

  it("show a table", () => {
    assert.deepEqual(renderTable(results), [
      "tier  passed  failed  skipped     time",
      "plan      12       0        1    3.2 s",
      "e2e        3       2        0  600.0 s",
    ]);
  });
});
