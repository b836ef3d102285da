import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, before, describe, it } from "mocha";

const root = path.resolve(__dirname, "..", "..");

interface PackageJson {
  dependencies: Record<string, string>;
  peerDependencies: Record<string, string>;
  bin: Record<string, string>;
}

/** The package as `npm pack` makes it, unpacked into a project that has nothing but what the package asks for. */
describe("the package", function () {
  this.timeout(300_000);
  let project: string;
  let packed: string;

  before(() => {
    project = mkdtempSync(path.join(os.tmpdir(), "zerosteal-package-"));
    packed = path.join(project, "node_modules/zerosteal");
    const output = execFileSync(
      "npm",
      ["pack", "--json", "--foreground-scripts=false", "--pack-destination", project],
      {
        cwd: root,
        encoding: "utf8",
        stdio: ["ignore", "pipe", "pipe"],
      },
    );
    const [{ filename }] = JSON.parse(output.slice(output.indexOf("["))) as [{ filename: string }];
    mkdirSync(packed, { recursive: true });
    execFileSync("tar", ["-xzf", path.join(project, filename), "-C", packed, "--strip-components=1"]);
    const { dependencies, peerDependencies } = manifest();
    for (const name of Object.keys({ ...dependencies, ...peerDependencies })) {
      const link = path.join(project, "node_modules", name);
      mkdirSync(path.dirname(link), { recursive: true });
      symlinkSync(path.join(root, "node_modules", name), link);
    }
  });

  after(() => rmSync(project, { recursive: true, force: true }));

  function manifest(): PackageJson {
    return JSON.parse(readFileSync(path.join(packed, "package.json"), "utf8")) as PackageJson;
  }

  function node(...args: string[]): string {
    return execFileSync(process.execPath, args, { cwd: project, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  }

  it("holds the library, its command and nothing of the rest of the repository", () => {
    const files = execFileSync("find", [packed, "-type", "f", "-printf", "%P\n"], { encoding: "utf8" })
      .trim()
      .split("\n");
    const belongs =
      /^(dist\/(components\/.*\.(js|d\.ts|sh)|cli\/(zerosteal|doctor|plan|planText)\.(js|d\.ts))|[A-Z]+(\.md)?|package\.json)$/;
    assert.deepEqual(
      files.filter((file) => !belongs.test(file)),
      [],
    );
    for (const file of ["LICENSE", "NOTICE", "README.md", "CHANGELOG.md", "dist/components/plan/scripts/setup.sh"]) {
      assert.ok(files.includes(file), `${file} is missing`);
    }
  });

  it("gives the library to a program", () => {
    const names = node(
      "-p",
      'const z = require("zerosteal"); [z.TunedCluster, z.planCluster, z.hetzner].map((f) => f.name).join()',
    );
    assert.equal(names.trim(), "TunedCluster,planCluster,hetzner");
  });

  it("plans a cluster, with the scripts that nodes run", () => {
    const plan = node(
      "-p",
      `const { planCluster } = require("zerosteal/plan");
       const plan = planCluster("prod", {
         underlay: { kind: "hetzner", location: "fsn1" },
         access: { ssh: ["203.0.113.7/32"], api: ["203.0.113.7/32"] },
         controlPlane: { serverType: "ccx13" },
         pools: [{ name: "web", count: 2, serverType: "ccx23" }],
       });
       [plan.nodes.length, plan.nodes[0].setupScript.split("\\n", 1)[0]].join(" ")`,
    );
    assert.equal(plan.trim(), "3 #!/bin/bash");
  });

  it("plans without the engine", () => {
    const script =
      'require("zerosteal/plan"); Object.keys(require.cache).filter((file) => file.includes("@pulumi")).length';
    assert.equal(node("-p", script).trim(), "0");
  });

  it("does not give what is no entry", () => {
    assert.throws(() => node("-p", 'require("zerosteal/dist/components/index.js")'), /ERR_PACKAGE_PATH_NOT_EXPORTED/);
  });

  it("has types for a strict program", () => {
    const source = path.join(project, "program.ts");
    execFileSync("tee", [source], {
      input:
        'import { hetzner, TunedCluster } from "zerosteal";\nimport { planCluster } from "zerosteal/plan";\n' +
        'export const args: ConstructorParameters<typeof TunedCluster>[1] = { underlay: hetzner({ location: "fsn1" }),\n' +
        '  access: { ssh: [], api: [] }, controlPlane: { serverType: "ccx13" } };\nexport const plan = planCluster("p", args);\n',
      stdio: ["pipe", "ignore", "pipe"],
    });
    const tsc = [path.join(root, "node_modules/typescript/bin/tsc"), "--noEmit", "--strict", "--skipLibCheck"];
    node(...tsc, "--module", "nodenext", "--target", "es2022", source);
  });

  it("has a command that verifies a cluster", () => {
    const command = path.join(packed, manifest().bin.zerosteal ?? "");
    assert.match(node(command, "doctor", "--help"), /verify a live cluster/);
  });

  it("has a command that plans a cluster and explains it", () => {
    const command = path.join(packed, manifest().bin.zerosteal ?? "");
    const example = path.join(root, "stacks/cluster/Pulumi.hetzner.example.yaml");
    assert.match(node(command, "plan", example), /^Cluster prod: 3 nodes/);
    assert.match(node(command, "plan", "--explain", example), /^ {2}cilium\.routingMode = native$/m);
  });
});
