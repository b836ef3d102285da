import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import path from "node:path";
import { ESLint, Linter } from "eslint";
import { describe, it } from "mocha";
import { root } from "../../docs/generate/declarations";

/** Folders of code that only computes. */
const pure = [
  "components/plan",
  "components/plan/rules",
  "components/policy/plan",
  "components/policy/plan/rules",
  "components/preview",
];

/** What such code must not import. */
const refused = {
  files: 'import { readFileSync } from "node:fs";\nexport const read = readFileSync;',
  "files by their old name": 'import fs from "fs";\nexport const read = fs;',
  "files, when it runs": 'export { readFile } from "node:fs/promises";',
  processes: 'import { spawn } from "node:child_process";\nexport const start = spawn;',
  connections: 'import { connect } from "node:net";\nexport const dial = connect;',
  requests: 'import https from "node:https";\nexport const ask = https;',
  "the engine": 'import * as pulumi from "@pulumi/pulumi";\nexport const out = pulumi;',
  "other folders": 'import { connect } from "../../../cli/cloud";\nexport const dial = connect;',
};

const eslint = new ESLint({ cwd: root });

/** Messages of the repository's own rule of imports for a text as if it stood in a file. */
async function findings(file: string, text: string): Promise<string[]> {
  const config = (await eslint.calculateConfigForFile(path.join(root, file))) as { rules: Linter.RulesRecord };
  const rule = "no-restricted-imports";
  const found = new Linter().verify(
    text,
    [{ files: ["**/*.ts"], rules: { [rule]: config.rules[rule] ?? "off" } }],
    file,
  );
  return found.map(({ message, ruleId }) => `${ruleId}: ${message}`);
}

describe("code that only computes", () => {
  for (const folder of pure) {
    it(`in ${folder} is refused what reaches outside`, async () => {
      for (const [what, text] of Object.entries(refused)) {
        const found = await findings(`${folder}/new.ts`, text);
        assert.equal(found.length, 1, `${what}: ${JSON.stringify(found)}`);
        assert.match(found[0] ?? "", /^no-restricted-imports: .* (A plan|A report) is pure: /s, what);
      }
    });

    it(`in ${folder} may import its own`, async () => {
      const own =
        'import { isIPv4 } from "node:net";\nimport { code } from "./text";\nexport const all = [isIPv4, code];';
      assert.deepEqual(await findings(`${folder}/new.ts`, own), []);
    });
  }

  it("is all that these folders have, and one file may read the scripts that lie beside it", async () => {
    const folders = ["components/plan", "components/policy/plan", "components/preview"].flatMap((folder) => [
      folder,
      ...readdirSync(path.join(root, folder), { withFileTypes: true })
        .filter((entry) => entry.isDirectory() && entry.name !== "scripts")
        .map(({ name }) => `${folder}/${name}`),
    ]);
    assert.deepEqual(folders.sort(), [...pure].sort(), "a new folder needs a rule of its own");
    assert.deepEqual(await findings("components/plan/nodeFiles.ts", refused.files), []);
    assert.equal((await findings("components/plan/nodeFiles.ts", refused.processes)).length, 1);
  });
});
