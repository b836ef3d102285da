import assert from "node:assert/strict";
import type { Evidence } from "../../components/doctor/evidence";
import { settle } from "../../components/doctor/run";
import { changed, evidence, expectation, hostOf, web1 } from "./fixtures";

const notReady = changed((e) => (e.nodes[1]!.ready = false));
const drifted = changed((e) => (hostOf(e, web1).sysctls["net.core.somaxconn"]!.value = "4096"));
const both = changed((e) => {
  e.nodes[1]!.ready = false;
  hostOf(e, web1).sysctls["net.core.somaxconn"]!.value = "4096";
});

/** Gives one after the other, the last one for ever; counts the looks. */
function looks(...states: Evidence[]) {
  const counted = { count: 0, collect: async () => states[Math.min(counted.count++, states.length - 1)]! };
  return counted;
}

describe("waiting for a cluster to settle", () => {
  const options = { expectation: expectation(), settleSeconds: 60 };

  it("looks again while something may still turn good", async () => {
    const seen = looks(notReady, notReady, evidence());
    const news: string[] = [];
    const report = await settle({ ...options, onProgress: (step) => news.push(step) }, seen.collect, 1);
    assert.equal(report.healthy, true);
    assert.equal(seen.count, 3);
    assert.deepEqual(news, ["waiting for nodes-ready", "waiting for nodes-ready"]);
  });

  it("looks once when everything is good, and once without a time to settle", async () => {
    const good = looks(evidence());
    await settle(options, good.collect, 1);
    assert.equal(good.count, 1);
    const bad = looks(notReady, evidence());
    const report = await settle({ expectation: expectation() }, bad.collect, 1);
    assert.equal(report.healthy, false);
    assert.equal(bad.count, 1);
  });

  it("does not wait for what time does not mend", async () => {
    const seen = looks(drifted, evidence());
    const report = await settle(options, seen.collect, 1);
    assert.equal(report.healthy, false);
    assert.equal(seen.count, 1);
  });

  it("ends with lasting failures alone", async () => {
    const seen = looks(both, drifted);
    const report = await settle(options, seen.collect, 1);
    assert.deepEqual(
      report.results.filter((result) => result.outcome === "failed").map((result) => result.check),
      ["sysctls-node"],
    );
    assert.equal(seen.count, 2);
  });

  it("ends when the time is over", async () => {
    const seen = looks(notReady);
    const report = await settle({ ...options, settleSeconds: 0.05 }, seen.collect, 1);
    assert.equal(report.healthy, false);
  });

  it("ends at once when it is interrupted", async () => {
    const controller = new AbortController();
    const seen = looks(notReady);
    const waiting = settle(
      { ...options, signal: controller.signal, onProgress: () => controller.abort() },
      seen.collect,
      10_000,
    );
    await assert.rejects(waiting, { name: "AbortError" });
    assert.equal(seen.count, 1);
  });
});
