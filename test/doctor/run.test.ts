import assert from "node:assert/strict";
import { ApiException } from "@kubernetes/client-node";
import type { Evidence } from "../../components/doctor/evidence";
import { cannot, CannotRun } from "../../components/doctor/kube";
import { nodeEvidence } from "../../components/doctor/readCluster";
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

  it("waits for an API that does not answer yet, or refuses while it starts", async () => {
    const news: string[] = [];
    let looks = 0;
    const collect = () => {
      if (++looks < 3) return Promise.reject(new CannotRun("This kubeconfig may not list nodes.", true));
      return Promise.resolve(evidence());
    };
    const report = await settle({ ...options, onProgress: (step) => news.push(step) }, collect, 1);
    assert.equal(report.healthy, true);
    assert.deepEqual(news, ["waiting for the cluster's API", "waiting for the cluster's API"]);
  });

  it("says what it cannot do at once where time does not mend it or there is none", async () => {
    for (const [passing, settleSeconds] of [
      [false, 60],
      [true, 0],
    ] as const) {
      let looks = 0;
      const collect = () => {
        looks++;
        return Promise.reject(new CannotRun("no", passing));
      };
      await assert.rejects(settle({ ...options, settleSeconds }, collect, 1), CannotRun);
      assert.equal(looks, 1);
    }
  });

  it("does not wait for what time does not mend", async () => {
    const seen = looks(drifted, evidence());
    const report = await settle(options, seen.collect, 1);
    assert.equal(report.healthy, false);
    assert.equal(seen.count, 1);
  });

  it("does not wait for a node that is lost, but for the others", async () => {
    const dead = changed((e) => Object.assign(e.nodes[1]!, { ready: false, lost: true }));
    const alone = looks(dead, evidence());
    assert.equal((await settle(options, alone.collect, 1)).healthy, false);
    assert.equal(alone.count, 1);
    const another = changed((e) => {
      Object.assign(e.nodes[1]!, { ready: false, lost: true });
      e.nodes[2]!.ready = false;
    });
    const both = looks(another, dead);
    assert.equal((await settle(options, both.collect, 1)).healthy, false);
    assert.equal(both.count, 2);
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
    // Waits of 1, 2, 4, 8, 15 and 15 ms and what is left, of which no more have room.
    assert.ok(seen.count <= 9, `${seen.count} looks`);
  });

  it("looks for the last time when the time is over, however long the waits have become", async () => {
    const begun = Date.now();
    let last = 0;
    const collect = () => {
      last = Date.now() - begun;
      return Promise.resolve(notReady);
    };
    await settle({ ...options, settleSeconds: 0.4 }, collect, 20);
    // Waits of 20, 40, 80 and 160 ms leave 100, which a wait of 300 would not fit into.
    assert.ok(last >= 370, `the last look came after ${last} of 400 ms`);
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

describe("an API error that ends the doctor's run", () => {
  const passing = (code: number | string): boolean => {
    const error = typeof code === "number" ? new ApiException(code, "", "", {}) : Object.assign(new Error(), { code });
    return cannot("list nodes", error, "https://192.0.2.1").passing;
  };

  it("may pass while a control plane starts", () => {
    for (const code of [403, 429, 500, 503, "ECONNREFUSED", "ETIMEDOUT"]) assert.equal(passing(code), true, `${code}`);
  });

  it("stays with wrong credentials, certificates and names", () => {
    for (const code of [400, 401, 404, "CERT_HAS_EXPIRED", "DEPTH_ZERO_SELF_SIGNED_CERT", "ENOTFOUND"]) {
      assert.equal(passing(code), false, `${code}`);
    }
  });
});

describe("a node that is lost", () => {
  const lost = (status: string, minutesAgo: number): boolean =>
    nodeEvidence({
      status: {
        conditions: [{ type: "Ready", status, lastTransitionTime: new Date(Date.now() - minutesAgo * 60_000) }],
      },
    }).lost;

  it("has been silent for longer than a restart takes", () => {
    assert.equal(lost("Unknown", 2), true);
    assert.equal(lost("Unknown", 0.5), false);
    assert.equal(lost("False", 2), false);
    assert.equal(lost("True", 2), false);
    assert.equal(nodeEvidence({}).lost, false);
  });
});
