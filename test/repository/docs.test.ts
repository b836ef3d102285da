import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, it } from "mocha";
import { root } from "../../docs/generate/declarations";
import { parse } from "yaml";
import { type ClusterArgs, planCluster } from "../../components/plan";
import { referencePages } from "../../docs/generate/reference";

const tracked = execFileSync("git", ["ls-files", "*.md"], { cwd: root, encoding: "utf8" }).trim().split("\n");
const { scripts } = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8")) as {
  scripts: Record<string, string>;
};

/** Links of a page to files of the repository that are not there. */
function deadLinks(file: string, text: string): string[] {
  const links = [...text.matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)(?:#[^)]*)?\)/g)].map((match) => match[1] ?? "");
  return links.filter((link) => !existsSync(path.resolve(root, path.dirname(file), link)));
}

/** Commands of npm that a page names and package.json lacks. */
function deadScripts(text: string): string[] {
  const names = [...text.matchAll(/npm run ([a-z](?:[\w:-]*\w)?)/g)].map((match) => match[1] ?? "");
  return names.filter((name) => !(name in scripts));
}

describe("the documentation", () => {
  it("says of the code what the code says", async () => {
    for (const { file, content } of await referencePages()) {
      const found = existsSync(file) ? readFileSync(file, "utf8") : "";
      assert.equal(found, content, `${path.relative(root, file)} is out of date: run \`npm run docs\``);
    }
  });

  it("describes every argument", async () => {
    const page = (await referencePages()).find(({ file }) => file.endsWith("arguments.md"))?.content ?? "";
    const inputs = page.slice(0, page.indexOf("## Outputs"));
    assert.match(inputs, /^- \*\*`underlay`\*\* `UnderlayArgs`, required: /m);
    for (const underlay of ["HetznerUnderlayArgs", "HostsUnderlayArgs"])
      assert.ok(inputs.includes(`### ${underlay}\n`));
    const silent = [...inputs.matchAll(/^- \*\*`([^`]+)`\*\* `[^`]*`(?:, required)?$/gm)].map((match) => match[1]);
    assert.deepEqual(silent, []);
  });

  it("links to files that exist", () => {
    assert.deepEqual(deadLinks("docs/a.md", "[a](b.md) [b](https://example.com) [c](#d) [d](../package.json)"), [
      "b.md",
    ]);
    const dead = tracked.map((file) => [file, deadLinks(file, readFileSync(path.join(root, file), "utf8"))] as const);
    assert.deepEqual(
      dead.filter(([, links]) => links.length > 0),
      [],
    );
  });

  it("names commands that exist", () => {
    assert.deepEqual(deadScripts("npm run up: 3 s, `npm run bench:up`, `npm run nothing -- --x`"), ["nothing"]);
    const dead = tracked.map((file) => [file, deadScripts(readFileSync(path.join(root, file), "utf8"))] as const);
    assert.deepEqual(
      dead.filter(([, names]) => names.length > 0),
      [],
    );
  });

  for (const [underlay, workers] of [
    ["hetzner", ["prod-web-1", "prod-web-2"]],
    ["hosts", ["prod-web-1"]],
  ] as const) {
    it(`has an example for ${underlay} that can be planned`, () => {
      const text = readFileSync(path.join(root, `stacks/cluster/Pulumi.${underlay}.example.yaml`), "utf8");
      const { config } = parse(text) as { config: { "zerosteal:name": string; "zerosteal:cluster": ClusterArgs } };
      const plan = planCluster(config["zerosteal:name"], config["zerosteal:cluster"]);
      assert.deepEqual(
        plan.nodes.map((node) => node.name),
        ["prod-control-plane-1", ...workers],
      );
      assert.deepEqual(plan.warnings, []);
    });
  }
});
