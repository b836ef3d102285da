import assert from "node:assert/strict";
import { judge } from "../../components/doctor/checks";
import type { Evidence } from "../../components/doctor/evidence";
import { renderHtml } from "../../components/doctor/html";
import { html } from "../../components/doctor/html/markup";
import { scaleOf } from "../../components/doctor/html/scale";
import { makeReport } from "../../components/doctor/report";
import type { Expectation } from "../../components/doctor/types";
import { changed, evidence, expectation, hostOf, podOf, web1, web2, windowOf } from "./fixtures";

const at = new Date("2026-11-26T12:00:00Z");

function page(seen: Evidence, wanted: Expectation | undefined = expectation()): string {
  return renderHtml({ report: makeReport("lab", judge(wanted, seen)), evidence: seen, expectation: wanted, at });
}

/** A page's text from one heading to the next. */
function section(text: string, title: string): string {
  const start = text.indexOf(`<h2>${title}</h2>`);
  assert.ok(start >= 0, `no section ${title}`);
  return text.slice(start, text.indexOf("</section>", start));
}

/** A table's rows as the texts of their fields. */
function rows(text: string): string[][] {
  return [...text.matchAll(/<tr>(.*?)<\/tr>/gs)].map(([, row = ""]) =>
    [...row.matchAll(/<t[dh][^>]*>(.*?)<\/t[dh]>/gs)].map(([, field = ""]) => field.replace(/<[^>]*>/g, "").trim()),
  );
}

describe("the HTML report", () => {
  it("says the verdict, the counts, versions and the time first", () => {
    const text = page(evidence());
    assert.match(text, /<h1>\s*lab\s*<span class="ok">is healthy<\/span>/);
    assert.match(text, /<li class="failed"><b>0<\/b> failed<\/li>/);
    assert.match(text, /3 nodes, Kubernetes 1\.36\.1, Cilium 1\.20\.2, API at \S+\. Looked at 2026-11-26 12:00 UTC\./);
    const broken = page(changed((e) => (hostOf(e, web1).sysctls["net.core.somaxconn"]!.value = "4096")));
    assert.match(broken, /<span class="failed">is not healthy<\/span>/);
  });

  it("needs nothing but itself", () => {
    const text = page(evidence());
    assert.doesNotMatch(text, /<(script|link|img|iframe|object|base)\b|@import|url\(|\son\w+=/i);
    const references = [...text.matchAll(/(?:href|src)="([^"]*)"/g)].map(([, target]) => target);
    assert.ok(references.length > 0 && references.every((target) => target?.startsWith("#")));
    assert.match(text, /Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'"/);
  });

  it("takes whatever a cluster says for text", () => {
    const hostile = `"><script>alert(1)</script><img src=x onerror='alert(2)'>\u202E\u0007`;
    const seen = evidence();
    const text = JSON.stringify(seen).replaceAll(web1, JSON.stringify(hostile).slice(1, -1));
    const renamed = JSON.parse(text) as Evidence;
    renamed.nodes[0]!.taints = ["team=</style></table><svg onload=alert(3)>:NoSchedule"];
    renamed.nodes[1]!.readyMessage = "<b>bold</b>";
    renamed.nodes[1]!.ready = false;
    const shown = page(renamed);
    const tags = (markup: string) => [...new Set([...markup.matchAll(/<[!/]?[a-z]\w*/gi)].map(([tag]) => tag))].sort();
    assert.deepEqual(
      tags(shown).filter((tag) => !tags(page(evidence())).includes(tag)),
      [],
    );
    assert.doesNotMatch(shown, /<svg onload/);
    assert.ok(shown.includes("&lt;script&gt;alert(1)&lt;/script&gt;"));
    assert.ok(shown.includes("team=&lt;/style&gt;"));
    for (const unprintable of ["\u202E", "\u0007"]) assert.ok(!shown.includes(unprintable));
  });

  it("escapes what is put into markup, but markup", () => {
    assert.equal(
      html`<p title="${`"'`}">${["<", html`<b>&</b>`, 1]}</p>`.text,
      `<p title="&quot;&#39;">&lt;<b>&</b>1</p>`,
    );
  });

  it("groups findings by check, those with failures first, the same on several nodes as one", () => {
    const text = section(
      page(changed((e) => (hostOf(e, web1).sysctls["net.core.somaxconn"]!.value = "4096"))),
      "Findings",
    );
    const checks = [...text.matchAll(/<code>([^<]+)<\/code>/g)].map(([, check]) => check);
    assert.equal(checks[0], "sysctls-node");
    assert.equal(new Set(checks).size, checks.length);
    const [failed, ok] = rows(text).filter((row) => row[2]?.startsWith("net.core.somaxconn"));
    assert.deepEqual(failed?.slice(0, 4), ["failed", web1, "net.core.somaxconn = 65535", "net.core.somaxconn = 4096"]);
    assert.match(failed[4] ?? "", /sysctl --system/);
    assert.deepEqual(ok?.slice(0, 3), ["ok", "lab-control-plane-1, lab-web-2", "net.core.somaxconn = 65535"]);
  });

  it("draws round trips on one axis, the slowest pair first", () => {
    const times = Array.from({ length: 50 }, (_, index) => 1 + index / 10);
    const text = section(page(changed((e) => (podOf(e, web1).reach[web2]!.milliseconds = times))), "Round trips");
    assert.deepEqual(rows(text)[1]?.slice(0, 6), [`${web1} → ${web2}`, "pods", "50", "3.400", "5.400", "5.900"]);
    assert.deepEqual(rows(text)[3]?.slice(1, 6), ["pods", "4", "0.210", "0.400", "0.400"]);
    // 3.4 of 6 ms.
    assert.match(text, /<circle cx="56\.67%" cy="8" r="4" class="full"/);
    const silent = changed((e) => {
      for (const { host, pod } of e.probes)
        for (const probe of [host, pod]) if ("value" in probe) probe.value.reach = {};
    });
    assert.match(section(page(silent), "Round trips"), /No round trip was measured/);
  });

  it("draws no more than the slowest pairs of a large cluster, and says how slow the rest is at most", () => {
    const seen = changed((e) => {
      const reach = Object.fromEntries(
        Array.from({ length: 20 }, (_, index) => [
          `other-${index}`,
          { sent: 1, received: 1, refusedLocally: false, milliseconds: [index + 1] },
        ]),
      );
      for (const { node, host, pod } of e.probes) {
        if ("value" in host) host.value.reach = {};
        if ("value" in pod) pod.value.reach = node === web1 ? reach : {};
      }
    });
    const text = section(page(seen), "Round trips");
    assert.equal(rows(text).length, 1 + 12);
    assert.match(text, /8 more pairs, none slower than 8\.000 ms at p99/);
  });

  it("draws steal beside its limit, as it was judged", () => {
    const text = section(page(changed((e) => (windowOf(e, web1).ticks.last.steal += 30))), "Stolen CPU time");
    // 30 of 430 wanted ticks.
    assert.deepEqual(rows(text)[2]?.slice(0, 5), [web1, "6.98", "0.5", "4.3", "failed"]);
    assert.match(text, /<rect class="failed" x="0" y="3" width="87\.21%"/);
    assert.deepEqual(rows(text)[1]?.slice(0, 5), ["lab-control-plane-1", "0.00", "2", "4.0", "ok"]);
  });

  it("maps what paths carry: ok, not, not judged, not tried", () => {
    const seen = changed((e) => {
      podOf(e, web1).exact[web2] = { sent: 3, received: 0, refusedLocally: false };
      podOf(e, web2).oneMore[web1] = { sent: 0, received: 0, refusedLocally: false };
      delete podOf(e, web2).routes["lab-control-plane-1"];
    });
    const [, controlPlane, first, second, , , untouched] = rows(section(page(seen), "Packet sizes"));
    assert.deepEqual(controlPlane, ["lab-control-plane-1", "", "✓ 1450", "✓ 1450"]);
    assert.deepEqual(first, [web1, "✓ 1450", "", "✗ 1450"]);
    assert.deepEqual(second, [web2, "", "? 1450", ""]);
    assert.deepEqual(untouched, [web1, "✓ 1450", "", "✓ 1450"]);
  });

  it("maps only nodes with something to tell in a large cluster", () => {
    const seen = changed((e) => {
      podOf(e, web1).exact[web2] = { sent: 3, received: 0, refusedLocally: false };
      for (let index = 0; index < 30; index++)
        e.probes.push({ ...e.probes[0]!, node: `more-${index}`, host: { unseen: "no" }, pod: { unseen: "no" } });
    });
    const text = section(page(seen), "Packet sizes");
    assert.match(text, /between pods, without 31 nodes/);
    assert.deepEqual(
      rows(text).flatMap((row) => (row.length > 1 && row[0] ? [row[0]] : [])),
      [web1, web2],
    );
  });

  it("puts the network's routes beside the nodes' pod CIDRs", () => {
    const seen = changed((e) => {
      assert.ok("value" in e.cloud);
      e.cloud.value.routes.pop();
      e.cloud.value.routes.push({ destination: "10.9.0.0/24", gateway: "10.0.0.77" });
    });
    const text = rows(section(page(seen), "Routes and pod CIDRs"));
    assert.deepEqual(text[2], [web1, "10.0.0.3", "10.244.1.0/24", "10.244.1.0/24", "✓ the same"]);
    assert.deepEqual(text[3], [web2, "10.0.0.4", "10.244.2.0/24", "none", "✗ not the same"]);
    assert.deepEqual(text[4], ["no node", "10.0.0.77", "", "10.9.0.0/24", "? nobody's"]);
    const unseen = changed((e) => (e.cloud = { unseen: "No cloud token was given." }));
    assert.match(section(page(unseen), "Routes and pod CIDRs"), /No cloud token was given\./);
    const { cloudRoutes: _, ...direct } = expectation();
    assert.match(section(page(unseen, direct), "Routes and pod CIDRs"), /were not asked for/);
  });

  it("names what was not run", () => {
    assert.match(section(page(evidence()), "Not run"), /<code>dsr-replies<\/code>/);
  });
});

describe("an axis", () => {
  it("goes from 0 to a round number that holds all values", () => {
    assert.deepEqual(scaleOf([0.4, 3.7]).ticks, [0, 1, 2, 3, 4]);
    assert.deepEqual(scaleOf([0.07]).ticks, [0, 0.02, 0.04, 0.06, 0.08]);
    assert.deepEqual(scaleOf([130]).ticks, [0, 50, 100, 150]);
    assert.equal(scaleOf([130]).at(75), "50.00%");
    assert.ok(scaleOf([0]).ticks.length >= 2);
  });
});
