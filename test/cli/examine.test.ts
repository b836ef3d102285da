import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { changesBetween } from "../../cli/changes";
import { examine, type ShowFlags } from "../../cli/examine";
import { judge } from "../../components/doctor/checks";
import type { Evidence } from "../../components/doctor/evidence";
import { CannotRun } from "../../components/doctor/kube";
import { makeReport } from "../../components/doctor/report";
import type { Report } from "../../components/doctor/types";
import { changed, evidence, expectation, hostOf, web1, web2, windowOf } from "../doctor/fixtures";

const drifted = changed((e) => (hostOf(e, web1).sysctls["net.core.somaxconn"]!.value = "4096"));
const report = (seen: Evidence): Report => makeReport("lab", judge(expectation(), seen));

describe("changes between two runs", () => {
  const between = (before: Evidence, after: Evidence): string[] => changesBetween(report(before), report(after));

  it("are none between equal runs, nor where figures alone differ", () => {
    assert.deepEqual(between(evidence(), evidence()), []);
    const busier = changed((e) => (windowOf(e, web1).ticks.last.busy += 50));
    assert.deepEqual(between(evidence(), busier), []);
  });

  it("are what fails now, and what holds again", () => {
    const [failed, ...none] = between(evidence(), drifted);
    assert.match(
      failed ?? "",
      /^FAILED sysctls-node on lab-web-1: wanted net\.core\.somaxconn = 65535; found .* = 4096\./,
    );
    assert.deepEqual(none, []);
    assert.deepEqual(between(drifted, evidence()), ["OK sysctls-node on lab-web-1: net.core.somaxconn = 65535"]);
  });

  it("are a failure that is not found any more, each of several alike", () => {
    const leftovers = (...destinations: string[]) =>
      changed((e) => {
        assert.ok("value" in e.cloud);
        e.cloud.value.routes.push(...destinations.map((destination) => ({ destination, gateway: "10.0.0.9" })));
      });
    const [line, ...none] = between(leftovers("10.9.1.0/24", "10.9.2.0/24"), leftovers("10.9.1.0/24"));
    assert.equal(line, "OVER cloud-routes on cluster: no longer found: 10.9.2.0/24 via 10.0.0.9");
    assert.deepEqual(none, []);
  });

  it("are what cannot be judged any more, with the reason", () => {
    const [line] = between(
      evidence(),
      changed((e) => (e.cloud = { unseen: "The token was refused." })),
    );
    assert.match(line ?? "", /^NOT SEEN cloud-routes on cluster: .*The token was refused\.$/);
  });

  it("are nodes that come and go", () => {
    const without = (e: Evidence) => judge(undefined, e);
    const two = changed((e) => {
      e.nodes = e.nodes.filter(({ name }) => name !== web2);
      e.probes = e.probes.filter(({ node }) => node !== web2);
      assert.ok("value" in e.agents);
      e.agents.value = e.agents.value.filter(({ node }) => node !== web2);
    });
    const [three, fewer] = [makeReport("lab", without(evidence())), makeReport("lab", without(two))];
    assert.deepEqual(changesBetween(three, fewer), [`GONE ${web2}: nothing is found of it any more`]);
    assert.deepEqual(changesBetween(fewer, three), [`NEW ${web2}`]);
  });
});

/** Runs a watch over these states, one a run; a string is what could not be done. It is interrupted when they are used up. */
async function watched(states: (Evidence | string)[], flags: ShowFlags = { watch: 0.001 }) {
  const controller = new AbortController();
  const lines: string[] = [];
  let running = 0;
  let most = 0;
  const code = await examine({ kubeconfig: "", signal: controller.signal }, flags, {
    print: (text) => lines.push(...text.trimEnd().split("\n")),
    run: async ({ onEvidence }) => {
      most = Math.max(most, ++running);
      await sleep(5);
      running--;
      const state = states.shift();
      if (state === undefined) {
        controller.abort();
        throw new Error("aborted");
      }
      if (typeof state === "string") throw new CannotRun(state);
      onEvidence?.(state);
      return report(state);
    },
  });
  const later = lines.slice(lines.findIndex((line) => line.startsWith("lab is ")) + 1);
  return { code, lines, later: later.map((line) => line.replace(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ /, "@ ")), most };
}

describe("--watch", () => {
  it("shows the first report whole, then changes alone, and runs one after the other", async () => {
    const { code, lines, later, most } = await watched([evidence(), evidence(), drifted, drifted, evidence()]);
    assert.ok(lines.some((line) => line.startsWith("lab is healthy: ")));
    assert.equal(later.length, 2);
    assert.match(later[0] ?? "", /^@ FAILED sysctls-node on lab-web-1: /);
    assert.equal(later[1], "@ OK sysctls-node on lab-web-1: net.core.somaxconn = 65535");
    assert.equal(code, 0);
    assert.equal(most, 1);
  });

  it("ends with the exit code of the last run", async () => {
    assert.equal((await watched([evidence(), drifted])).code, 1);
    assert.equal((await watched([drifted, evidence()])).code, 0);
    assert.equal((await watched([evidence(), "The cluster does not answer."])).code, 2);
  });

  it("goes on when a cluster cannot be looked at for a while, and says so once", async () => {
    const trouble = "The cluster does not answer.";
    const { code, later } = await watched([evidence(), trouble, trouble, drifted]);
    assert.equal(later.length, 3);
    assert.equal(later[0], `@ COULD NOT LOOK ${trouble}`);
    assert.match(later[1] ?? "", /^@ FAILED sysctls-node/);
    assert.equal(later[2], "@ the cluster can be looked at again: not healthy");
    assert.equal(code, 1);
  });

  it("does not begin where the first run cannot do its work", async () => {
    await assert.rejects(watched(["This kubeconfig may not list nodes."]), CannotRun);
  });
});

describe("--html", () => {
  it("writes the page of each run", async () => {
    const folder = mkdtempSync(path.join(os.tmpdir(), "zerosteal-html-"));
    const file = path.join(folder, "report.html");
    try {
      assert.equal((await watched([drifted], { html: file })).code, 1);
      assert.match(readFileSync(file, "utf8"), /is not healthy/);
      await watched([drifted, evidence()], { html: file, watch: 0.001 });
      assert.match(readFileSync(file, "utf8"), /is healthy/);
      await assert.rejects(watched([evidence()], { html: folder }), {
        name: "CannotRun",
        message: `The report ${folder} cannot be written (EISDIR).`,
      });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
