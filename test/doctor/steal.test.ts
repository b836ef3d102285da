import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import fc from "fast-check";
import { judgeSteal, stealBetween, stealLimits } from "../../components/doctor/checks/steal";
import type { CpuTicks } from "../../components/doctor/evidence";
import { parseTicks } from "../../components/doctor/parseMachine";

/** The line of all CPUs every two seconds for two minutes, from a KVM guest with two busy vCPUs whose host took a little now and then. */
const recorded = readFileSync(path.join(__dirname, "outputs/proc-stat.txt"), "utf8")
  .trim()
  .split("\n")
  .map((line) => parseTicks(line) ?? assert.fail(line));
const [first, last] = [recorded[0] ?? assert.fail(), recorded.at(-1) ?? assert.fail()];

/** Windows of four samples, eight seconds as the doctor takes them. */
const windows = recorded.slice(4).map((sample, index): [CpuTicks, CpuTicks] => [recorded[index] ?? first, sample]);

/** The same window on a host that takes a share of the time that was spent. */
function taken([from, to]: [CpuTicks, CpuTicks], share: number): [CpuTicks, CpuTicks] {
  const ticks = Math.round((to.busy - from.busy) * share);
  return [from, { ...to, busy: to.busy - ticks, steal: to.steal + ticks }];
}

describe("steal in recorded samples", () => {
  it("is the share of the time that CPUs wanted", () => {
    const { percent, wantedSeconds, load } = stealBetween(first, last);
    const stolen = last.steal - first.steal;
    assert.ok(stolen > 0, "the record has steal in it");
    assert.equal(percent.toFixed(6), ((100 * stolen) / (wantedSeconds * 100)).toFixed(6));
    assert.ok(wantedSeconds > 100 && load > 90, `${wantedSeconds} s, ${load} %`);
  });

  it("is good enough for dedicated and shared CPUs in every window", () => {
    for (const [from, to] of windows)
      for (const limit of Object.values(stealLimits)) assert.equal(judgeSteal(stealBetween(from, to), limit), "ok");
  });

  it("is too much for dedicated CPUs at 1 %, and for shared ones at 3 %", () => {
    for (const window of windows) {
      const one = stealBetween(...taken(window, 0.01));
      assert.equal(judgeSteal(one, stealLimits.dedicated), "failed");
      assert.equal(judgeSteal(one, stealLimits.shared), "ok");
      assert.equal(judgeSteal(stealBetween(...taken(window, 0.03)), stealLimits.shared), "failed");
    }
  });

  it("is not judged where too little ran for a hundredth of a second to be below the limit", () => {
    const ran = (busy: number, steal: number) =>
      stealBetween({ busy: 0, idle: 0, steal: 0 }, { busy, idle: 1600 - busy, steal });
    assert.equal(judgeSteal(ran(150, 1), stealLimits.dedicated), "idle");
    assert.equal(judgeSteal(ran(150, 1), stealLimits.shared), "ok");
    assert.equal(judgeSteal(ran(150, 6), stealLimits.shared), "failed");
    assert.equal(judgeSteal(ran(250, 0), stealLimits.dedicated), "ok");
    assert.equal(judgeSteal(ran(0, 0), stealLimits.shared), "idle");
  });
});

describe("steal in any samples", () => {
  const ticks = fc.nat(100_000);

  it("is a share from none to all, and never fails without a stolen tick", () => {
    fc.assert(
      fc.property(ticks, ticks, ticks, (busy, idle, stolen) => {
        const measured = stealBetween(
          { busy: 5, idle: 5, steal: 5 },
          { busy: 5 + busy, idle: 5 + idle, steal: 5 + stolen },
        );
        assert.ok(measured.percent >= 0 && measured.percent <= 100);
        assert.ok(measured.load >= 0 && measured.load <= 100);
        if (stolen === 0) assert.notEqual(judgeSteal(measured, stealLimits.dedicated), "failed");
      }),
    );
  });
});
