import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { parse } from "yaml";
import { applyScript, type NodeFile, planCluster } from "../../components/plan";
import { packedMark, readApplyScript } from "../../components/plan/applyScript";
import { pack } from "../../components/plan/pack";
import { smallCluster } from "./clusters";
import { inTemporaryFolder, writtenBy, type WrittenFile } from "./tools";

const program = {
  path: "/usr/local/sbin/x",
  mode: "0755",
  content: "#!/bin/bash\necho 'ü $HOME'\nEND_OF_ZEROSTEAL_FILE\n",
};
const node = planCluster("prod", smallCluster()).nodes[0];

/** Runs the script with its files below a folder instead of the root, and without its last line, which puts them into effect. */
function written(files: NodeFile[]): string[] {
  return inTemporaryFolder((folder) => {
    const below = files.map((file) => ({ ...file, path: path.join(folder, file.path) }));
    execFileSync("bash", { input: applyScript(below).trimEnd().split("\n").slice(0, -1).join("\n") });
    return below.map((file) => readFileSync(file.path, "utf8"));
  });
}

describe("packed files", () => {
  it("are the same text wherever and whenever they are packed", () => {
    assert.equal(pack("a text\n"), "H4sIAAAAAAACA0tUKEmtKOECACOwz0YHAAAA");
    // Long enough for every kind of block that the packer makes.
    const long = Array.from(
      { length: 400 },
      (_, line) => `${line ** 3} is ${line % 7} of ${(line * 7919) % 104729}\n`,
    ).join("");
    assert.equal(
      createHash("sha256").update(pack(long)).digest("hex"),
      "b1dea9974f763a8f6674dd044715717d6fb4e17840eed213de5c92906cc78612",
    );
    assert.equal(
      execFileSync("gzip", ["-dc"], { input: Buffer.from(pack(program.content), "base64") }).toString(),
      program.content,
    );
  });

  it("are the programs of a node, no others, and arrive by its step as planned", () => {
    assert.ok(node);
    const packed = node.files.filter(({ content }) => !applyScript(node.files).includes(content));
    assert.deepEqual(
      packed.map((file) => file.path),
      ["/usr/local/sbin/zerosteal-cpus", "/usr/local/sbin/zerosteal-setup", "/usr/local/sbin/zerosteal-wait-network"],
    );
    assert.ok(packed.every(({ mode }) => mode === "0755"));
    const files = [...node.files, program];
    assert.deepEqual(
      written(files),
      files.map((file) => file.content),
    );
  });

  it("arrive by the user data as planned", () => {
    const entries = (parse(node?.userData ?? "") as { write_files: WrittenFile[] }).write_files;
    assert.equal(entries.filter(({ encoding }) => encoding === "gz+b64").length, 3);
    assert.deepEqual(
      entries.map((entry) => writtenBy(entry).content),
      node?.files.map((file) => file.content),
    );
  });

  it("end the step when they arrive damaged, and leave the old file", () => {
    const script = (text: string): string => {
      const [head = "", rest = ""] = applyScript([program]).split(pack(program.content));
      return [head, text, rest.replace(/\S+\n$/, "")].join("");
    };
    inTemporaryFolder((folder) => {
      const run = (text: string): void => {
        const there = script(text).replace(program.path, path.join(folder, "x"));
        execFileSync("bash", { input: there, stdio: ["pipe", "pipe", "pipe"] });
      };
      run(pack(program.content));
      const damaged = Buffer.from(pack("other\n"), "base64").subarray(0, -4).toString("base64");
      assert.throws(() => run(damaged), /unexpected end of file/);
      assert.throws(() => run(`${pack("other\n")}!`), /invalid input/);
      assert.equal(readFileSync(path.join(folder, "x"), "utf8"), program.content);
      assert.deepEqual(readdirSync(folder), ["x"]);
    });
  });

  it("are read back as they were sent, unlike any plain text", () => {
    assert.deepEqual(readApplyScript(applyScript([program])), [
      { ...program, content: `${packedMark}${pack(program.content)}\n` },
    ]);
  });
});
