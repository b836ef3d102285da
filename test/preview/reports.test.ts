import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { exitCodeOf } from "../../cli/previewReport";
import {
  type PreviewReport,
  readPreview,
  renderMarkdown,
  reportPreview,
  UnreadablePreview,
} from "../../components/preview";

const recorded = path.join(__dirname, "recorded");
const reports = path.join(__dirname, "reports");
const names = readdirSync(recorded).map((file) => file.replace(/\.json$/, ""));

interface Document {
  changeSummary: Record<string, number>;
  steps: { op: string; urn: string; oldState?: State; newState?: State; provider?: string }[];
}
interface State {
  parent?: string;
  inputs: Record<string, unknown>;
}

const textOf = (name: string): string => readFileSync(path.join(recorded, `${name}.json`), "utf8");
const documentOf = (name: string): Document => JSON.parse(textOf(name)) as Document;
const report = (name: string): PreviewReport => reportPreview(readPreview(textOf(name)));
const reportOf = (document: unknown): PreviewReport => reportPreview(readPreview(JSON.stringify(document)));

describe("reports of recorded previews", () => {
  it("are of at least 20 previews", () => {
    assert.ok(names.length >= 20, String(names.length));
  });

  for (const name of names) {
    it(`say of ${name} what their golden file says`, () => {
      const golden = path.join(reports, `${name}.md`);
      const text = renderMarkdown(report(name));
      if (process.env.UPDATE_GOLDEN === "1") writeFileSync(golden, text);
      assert.ok(existsSync(golden), "UPDATE_GOLDEN=1 writes it");
      assert.equal(text, readFileSync(golden, "utf8"));
    });
  }

  it("are the same in whichever order the engine came to its resources", () => {
    for (const name of names) {
      const document = documentOf(name);
      document.steps.reverse();
      assert.equal(renderMarkdown(reportOf(document)), renderMarkdown(report(name)), name);
    }
  });

  it("grade the loss of a control plane highest, and give a gate its exit code", () => {
    assert.equal(report("control-plane-replaced").grade, "critical");
    assert.equal(report("location-change").grade, "critical");
    assert.equal(report("scale-down").grade, "high");
    assert.equal(report("no-change").grade, "none");
    assert.equal(exitCodeOf(report("scale-down"), "high"), 1);
    assert.equal(exitCodeOf(report("scale-down"), "critical"), 0);
    assert.equal(exitCodeOf(report("scale-down"), undefined), 0);
    assert.equal(exitCodeOf(report("failing-program"), undefined), 2);
  });

  it("add the price of what is new, and say only the difference when the rest is left out", () => {
    assert.deepEqual(report("scale-up").costs, { before: 128.97, after: 171.96, difference: 42.99, unknown: [] });
    assert.deepEqual(report("scale-up-brief").costs, { difference: 42.99, unknown: [] });
  });
});

describe("a report never shows a secret", () => {
  const marked = "s3cret-0f-the-t3st";
  const wrapped = { "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", plaintext: marked };

  it("whatever place it stands in: plain, wrapped, beside a secret, as a key, in an error", () => {
    const document = documentOf("tuning");
    for (const { oldState, newState } of document.steps) {
      Object.assign(oldState?.inputs ?? {}, { serverType: marked, version: marked, own: marked, flips: marked });
      const inputs = {
        serverType: `${marked}2`,
        version: wrapped,
        own: { [`${marked} key`]: marked },
        flips: "[secret]",
      };
      Object.assign(newState?.inputs ?? {}, inputs);
    }
    document.steps.push({
      op: "delete",
      urn: "urn:pulumi:eng::zerosteal::random:index:Own::own",
      provider: "p",
      oldState: { inputs: { marked } },
    });
    const urn = "urn:pulumi:eng::zerosteal::random:index:Own::own";
    for (const severity of ["error", "debug"]) {
      const diagnostics = [{ urn, severity, message: `error: cannot log in with ${marked}` }];
      const found = reportOf({ ...document, diagnostics });
      assert.equal(found.failed, severity === "error");
      for (const text of [renderMarkdown(found), JSON.stringify(found)]) assert.ok(!text.includes(marked), text);
      assert.match(renderMarkdown(found), /own: changed, not shown here|serverType|server type/);
    }
  });

  it("nor a long token that the planner's own message quotes", () => {
    const document = documentOf("failing-program") as Document & { diagnostics: { message: string }[] };
    const token = "abcdefghij0123456789abcdefghij0123456789";
    document.diagnostics[0]!.message = `error: "${token}" is no size, nor is ${token}`;
    assert.ok(!JSON.stringify(reportOf(document)).includes(token));
  });
});

describe("a report of a large preview", () => {
  /** The first preview of a cluster with so many workers, each of them with a resource of a name of its own. */
  function large(nodes: number): PreviewReport {
    const document = documentOf("scale-up");
    const own = document.steps.filter(({ urn }) => urn.includes("eng-web-3"));
    for (let number = 4; number <= nodes; number++) {
      const copy = JSON.stringify(own).replaceAll("eng-web-3", `eng-web-${number}`);
      document.steps.push(...(JSON.parse(copy) as typeof own));
    }
    for (let number = 0; number < nodes * 30; number++) {
      const urn = `urn:pulumi:eng::zerosteal::own:index:Kind${number}::a-resource-with-a-long-name-${number}`;
      document.steps.push({ op: "create", urn, provider: "p", newState: { inputs: {} } });
    }
    return reportOf(document);
  }

  it("stays below 60,000 characters with 100 nodes, folds, and says what was cut", () => {
    const found = large(100);
    const text = renderMarkdown(found);
    assert.ok(text.length < 60_000, String(text.length));
    assert.match(text, /^<!-- zerosteal preview-report zerosteal\/eng -->\n/);
    assert.match(text, /`eng-web-3` to `eng-web-100` \(98 workers\)/);
    assert.match(text, /\*\*\d+ lines were cut\*\* to stay below 60000 characters/);
    assert.equal(text.split("<details>").length, text.split("</details>").length);
    assert.ok(text.includes("<details>"));
    assert.doesNotMatch(renderMarkdown(report("scale-up")), /were cut/);
  });

  /** A changed kernel setting that is another one on every node, so that no two of them are one entry. */
  function eachItsOwn(nodes: number): PreviewReport {
    const document = documentOf("tuning");
    const own = JSON.stringify(document.steps.filter(({ urn }) => urn.includes("eng-web-2")));
    for (let number = 3; number < nodes; number++) {
      const other = own.replaceAll("eng-web-2", `eng-web-${number}`).replaceAll("= 32768", `= ${number}000`);
      document.steps.push(...(JSON.parse(other) as Document["steps"]));
    }
    return reportOf(document);
  }

  for (const [nodes, cut] of [
    [100, false],
    [400, true],
  ] as const) {
    it(`stays below 60,000 characters when each of ${nodes} nodes changes in its own way, and names all as concerned`, () => {
      const found = eachItsOwn(nodes);
      const texts = found.clusters[0]?.nodes.map(({ findings }) => findings.map((one) => one.text).join());
      assert.deepEqual([texts?.length, new Set(texts).size], [nodes, nodes - 2]);
      const text = renderMarkdown(found);
      assert.ok(text.length < 60_000, String(text.length));
      assert.ok(text.includes(`boot only**: \`eng-control-plane-1\`, \`eng-web-1\` to \`eng-web-${nodes - 1}\``));
      assert.equal(/\*\*\d+ lines were cut\*\*/.test(text), cut);
      assert.equal(renderMarkdown(found, { limit: 1_000_000 }).length > 60_000, cut);
    });
  }
});

describe("what is no preview", () => {
  const refused = (text: string, why: RegExp): void => {
    assert.throws(
      () => reportPreview(readPreview(text)),
      (error: Error) => error instanceof UnreadablePreview && why.test(error.message) && !error.message.includes("\n"),
    );
  };

  it("is refused in one sentence", () => {
    refused("", /is empty/);
    refused("Previewing update (eng)", /no output of `pulumi preview --json`: it is no JSON/);
    refused(textOf("scale-up").slice(0, 500), /cut off/);
    refused('{"resources": []}', /no preview as Pulumi 3 prints it/);
    refused('{"steps": [{"operation": "create"}]}', /steps\[0\] has no op or no urn/);
    refused('{"sequence":0,"preludeEvent":{}}\n{"sequence":1,"reso', /Line 2 of the event log is cut off/);
    refused('{"sequence":0,"preludeEvent":{}}\n', /has no end/);
    refused('{"sequence":0,"summaryEvent":{"isPreview":false}}\n', /of an update/);
    const urn = "urn:pulumi:dev::website::aws:s3/bucket:Bucket::pages";
    refused(
      JSON.stringify({ steps: [{ op: "create", urn, provider: "p", newState: {} }] }),
      /another project's\? It is of project website/,
    );
  });
});

describe("an event log", () => {
  it("gives the report of the document", () => {
    const { steps } = documentOf("location-change");
    const events = steps.flatMap(({ op, urn, oldState, newState, provider = "" }) => {
      const metadata = { urn, provider, old: oldState ?? null, new: newState ?? null };
      const ops = op === "replace" ? ["create-replacement", "replace", "delete-replaced"] : [op];
      const { diffReasons, replaceReasons } = {
        diffReasons: [],
        replaceReasons: [],
        ...steps.find((step) => step.urn === urn),
      };
      return ops.map((one) => ({
        resourcePreEvent: { metadata: { ...metadata, op: one, diffs: diffReasons, keys: replaceReasons } },
      }));
    });
    const lines = [...events, { summaryEvent: { isPreview: true, result: "succeeded" } }];
    const log = lines.map((event, sequence) => JSON.stringify({ sequence, ...event })).join("\n");
    assert.deepEqual(reportPreview(readPreview(log)), report("location-change"));
  });
});
