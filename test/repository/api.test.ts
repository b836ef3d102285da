import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, before, describe, it } from "mocha";
import { apiPage } from "../../docs/generate/api";

describe("the page of what the package exports", () => {
  let folder: string;

  before(() => (folder = mkdtempSync(path.join(os.tmpdir(), "zerosteal-api-"))));
  after(() => rmSync(folder, { recursive: true, force: true }));

  function page(index: string): string {
    writeFileSync(path.join(folder, "index.ts"), index);
    writeFileSync(
      path.join(folder, "parts.ts"),
      `import type { Hidden } from "./hidden";
       /** Said in a comment. */
       export interface Args { count?: number; hidden: Hidden }
       export class Thing {
         private readonly secret = 1;
         constructor(readonly name: string, args: Args) { this.use(args); }
         private use(args: Args): void { console.log(args, this.secret); }
       }
       export function make(name: string): Thing;
       export function make(name: string, args: Args): Thing;
       export function make(name: string, args: Args = { hidden: { on: true } }): Thing { return new Thing(name, args); }
       export const inner = { a: [1, 2].map(String) };
       export interface Unused { never: string }`,
    );
    writeFileSync(path.join(folder, "hidden.ts"), "export interface Hidden { on: boolean }");
    return apiPage({ pack: path.join(folder, "index.ts") });
  }

  it("has what is exported and what that names, without private parts and comments", () => {
    const [exported = "", used = ""] = page('export { Thing, make, type Args } from "./parts";').split("## Named by");
    assert.ok(exported.includes("- `pack`: `Args`, `Thing`, `make`\n"));
    assert.match(exported, /interface Args \{\n {4}count\?: number;\n {4}hidden: Hidden;\n\}/);
    assert.match(
      exported,
      /class Thing \{\n {4}readonly name: string;\n {4}constructor\(name: string, args: Args\);\n\}/,
    );
    assert.match(exported, /function make\(name: string\): Thing;\nfunction make\(name: string, args: Args\): Thing;/);
    assert.match(used, /interface Hidden/);
    for (const absent of ["secret", "Said", "Unused", "inner"])
      assert.ok(!(exported + used).includes(absent), `${absent} is no part of it`);
  });

  it("changes with the type of what is exported, and not with the insides", () => {
    const before = page('export { Thing } from "./parts";\nconst own = 1;');
    assert.equal(page('export { Thing } from "./parts";\nconst other = 2;'), before);
    assert.notEqual(page('export { Thing } from "./parts";\nexport const other: number = 2;'), before);
  });

  it("is refused while the type of an exported value has to be guessed", () => {
    assert.throws(() => page('export { inner } from "./parts";'), /inner is exported: write down its type/);
  });
});
