import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { Command } from "commander";
import { registerPreviewReport } from "../../cli/previewReport";

describe("the report of a preview as JSON", () => {
  const folder = mkdtempSync(path.join(tmpdir(), "preview-"));
  after(() => rmSync(folder, { recursive: true }));

  it("holds names as they are, and nothing that a terminal obeys", async () => {
    const project = "shop\u009b31m\u202e\u{e0041}\x1b[2J";
    const parent = `urn:pulumi:dev::${project}::zerosteal:index:TunedCluster::eng`;
    const step = { op: "create", urn: parent, newState: { parent: "", inputs: {} } };
    const [preview, report] = [path.join(folder, "preview.json"), path.join(folder, "report.json")];
    writeFileSync(preview, JSON.stringify({ changeSummary: {}, steps: [step] }));
    const program = new Command();
    registerPreviewReport(program);
    await program.parseAsync(["preview-report", preview, "--json", report], { from: "user" });
    process.exitCode = undefined;
    const text = readFileSync(report, "utf8");
    assert.doesNotMatch(text.replaceAll("\n", ""), /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
    assert.equal((JSON.parse(text) as { project: string }).project, project);
  });
});
