import assert from "node:assert/strict";
import { judge } from "../../components/doctor/checks";
import { failureLine, makeReport, renderReport } from "../../components/doctor/report";
import { changed, evidence, expectation, hostOf, web1, web2 } from "./fixtures";

const broken = changed((e) => {
  hostOf(e, web1).sysctls["net.core.somaxconn"]!.value = "4096";
  hostOf(e, web1).machineIsContainer = true;
  hostOf(e, web1).sysctls["net.core.default_qdisc"] = { present: false, writable: false, value: "" };
  e.cloud = { unseen: "No cloud token was given." };
});

describe("report", () => {
  const report = makeReport("lab", judge(expectation(), broken));
  const healthy = makeReport("lab", judge(expectation(), evidence()));

  it("counts outcomes, and is healthy when nothing failed, whatever was not seen", () => {
    assert.equal(healthy.healthy, true);
    assert.deepEqual({ ...healthy.counts, ok: 0 }, { ok: 0, failed: 0, unprovable: 0, unseen: 0 });
    assert.equal(report.healthy, false);
    assert.deepEqual({ ...report.counts, ok: 0 }, { ok: 0, failed: 1, unprovable: 5, unseen: 1 });
    const total = Object.values(report.counts).reduce((sum, count) => sum + count);
    assert.equal(total, report.results.length);
  });

  it("has failures first", () => {
    assert.equal(report.results[0]?.outcome, "failed");
    assert.equal(report.results.at(-1)?.outcome, "ok");
  });

  it("is plain lines for logs: what failed, what was not judged and why, what holds", () => {
    const lines = renderReport(report).split("\n");
    assert.match(
      lines[0] ?? "",
      /^FAILED sysctls-node on lab-web-1: wanted net\.core\.somaxconn = 65535; found net\.core\.somaxconn = 4096\. Something/,
    );
    assert.ok(lines.includes("not provable here:"));
    assert.ok(lines.includes("not seen:"));
    assert.ok(
      lines.some((line) => /^ {2}cloud-routes on cluster: wanted 3 routes, found not seen\. No cloud token/.test(line)),
    );
    assert.ok(lines.some((line) => /^ {2}dns +6$/.test(line)));
    assert.match(lines.at(-2) ?? "", /^lab is not healthy: \d+ ok, 1 failed, 5 not provable here, 1 not seen$/);
  });

  it("shows what a node says of itself as text only: no escape sequence, no line of its own, nothing right to left", () => {
    const found = "not Ready: \u001b[2J\u001b[Hlab is healthy\u001b[8m\n::error::injected\u202e";
    const hostile = makeReport("lab", [{ check: "dns", subject: "a", outcome: "failed", wanted: "Ready", found }]);
    const shown = [renderReport(hostile), renderReport(hostile, { columns: 100 }), JSON.stringify(hostile.results)];
    for (const text of shown) assert.doesNotMatch(text.replaceAll("\n", ""), /[\p{Cc}\p{Cf}]/u);
    assert.match(
      shown[0] ?? "",
      /^FAILED dns on a: wanted Ready; found not Ready: +\[2J +\[Hlab is healthy +\[8m +::error::injected/,
    );
  });

  it("names what was not run, and why: what is left to others, and checks with nothing to judge", () => {
    const names = (of: typeof report) => of.notRun.map(({ check }) => check);
    assert.ok(names(healthy).includes("latency-baseline"));
    assert.ok(!names(healthy).includes("cloud-routes"));
    const withoutRoutes = makeReport("lab", judge({ ...expectation(), cloudRoutes: undefined }, evidence()));
    assert.deepEqual(names(withoutRoutes), ["cloud-routes", ...names(healthy)]);
    const foot = renderReport(withoutRoutes).split("not run:\n")[1]?.split("\n") ?? [];
    assert.match(foot[0] ?? "", /^ {2}cloud-routes: The underlay has no routes/);
    assert.ok(foot.some((line) => /^ {2}latency-baseline: .*perf/.test(line)));
    for (const { reason } of withoutRoutes.notRun) assert.match(reason, /\.$/);
  });

  it("is a table for terminals that fits their width", () => {
    const lines = renderReport(report, { columns: 120 }).split("\n");
    assert.match(lines[1] ?? "", /failed +│ node +│ wanted +│ found +│ what to do/);
    for (const line of lines.filter((text) => text.includes("│"))) assert.ok(line.length <= 120, line);
  });

  it("shortens long lists of nodes", () => {
    const results = ["a", "b", "c", "d", "e"].map((subject) => ({
      check: "dns",
      subject,
      outcome: "unseen" as const,
      wanted: "-",
      found: "not seen",
      hint: "Why.",
    }));
    assert.match(renderReport(makeReport("lab", results)), /dns on a, b, c and 2 more: found not seen\. Why\./);
  });

  it("gives each failure one line that names check, node, wanted, found and what to do", () => {
    const line = failureLine(report.results[0]!);
    for (const part of ["sysctls-node", web1, "65535", "4096", "sysctl --system"]) assert.ok(line.includes(part), part);
    assert.ok(!line.includes("\n"));
    assert.ok(!line.includes(web2));
  });
});
