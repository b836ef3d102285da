import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, before, describe, it } from "mocha";
import { projectWithPackage } from "../packed";

const root = path.resolve(__dirname, "..", "..");

interface PackageJson {
  exports: Record<string, { default: string }>;
  bin: Record<string, string>;
}

interface FacadeSchema {
  name: string;
  resources: Record<string, { requiredInputs: string[]; required: string[] }>;
  types: Record<string, { enum: { value: string }[] }>;
}

/** The package as `npm pack` makes it, unpacked into a project that has nothing but what the package asks for. */
describe("the package", function () {
  this.timeout(300_000);
  let project: string;
  let packed: string;
  let tarball: string;

  before(() => {
    project = mkdtempSync(path.join(os.tmpdir(), "zerosteal-package-"));
    packed = path.join(project, "node_modules/zerosteal");
    tarball = projectWithPackage(project);
  });

  after(() => rmSync(project, { recursive: true, force: true }));

  function manifest(): PackageJson {
    return JSON.parse(readFileSync(path.join(packed, "package.json"), "utf8")) as PackageJson;
  }

  function node(...args: string[]): string {
    return execFileSync(process.execPath, args, { cwd: project, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  }

  function publint(file: string): string {
    return tool("publint/src/cli.js", "run", file, "--strict");
  }

  function typesWrong(file: string): string {
    return tool("@arethetypeswrong/cli/dist/index.js", file, "--no-color");
  }

  /** Runs a tool of the repository. Throws with what it printed. */
  function tool(script: string, ...args: string[]): string {
    try {
      return node(path.join(root, "node_modules", script), ...args);
    } catch (error) {
      const { stdout, stderr } = error as { stdout: string; stderr: string };
      throw new Error(stdout + stderr, { cause: error });
    }
  }

  /** The package with another package.json. */
  function repack(change: (json: PackageJson) => void): string {
    const folder = mkdtempSync(path.join(project, "repacked-"));
    cpSync(packed, path.join(folder, "package"), { recursive: true });
    const json = manifest();
    change(json);
    writeFileSync(path.join(folder, "package/package.json"), JSON.stringify(json));
    execFileSync("tar", ["-czf", path.join(folder, "package.tgz"), "-C", folder, "package"]);
    return path.join(folder, "package.tgz");
  }

  it("holds the library, its command and nothing of the rest of the repository", () => {
    const files = execFileSync("find", [packed, "-type", "f", "-printf", "%P\n"], { encoding: "utf8" })
      .trim()
      .split("\n");
    const belongs =
      /^(dist\/(plugin\/(PulumiPlugin\.yaml|(package|tsconfig)\.json|\w+\.(ts|js|js\.map))|components\/.*\.(js|js\.map|d\.ts|sh)|cli\/\w+\.(js|js\.map))|[A-Z]+(\.md)?|package\.json)$/;
    // Of cli/ is there what the command loads; did that lead to the sandbox, its folder would be there too.
    assert.deepEqual(
      files.filter((file) => !belongs.test(file)),
      [],
    );
    for (const file of ["LICENSE", "NOTICE", "README.md", "CHANGELOG.md", "dist/components/plan/scripts/setup.sh"]) {
      assert.ok(files.includes(file), `${file} is missing`);
    }
  });

  it("is small", () => {
    assert.ok(statSync(tarball).size < 300_000, `${statSync(tarball).size} bytes packed`);
  });

  it("is packed as publint wants it, which finds an entry without a file", () => {
    assert.match(publint(tarball), /All good!/);
    const broken = repack((json) => (json.exports["./plan"] = { default: "./dist/components/plan/gone.js" }));
    assert.throws(() => publint(broken), /gone\.js but the file does not exist/);
  });

  it("has types that every way of resolving modules finds, and this is seen where they are missing", () => {
    assert.match(typesWrong(tarball), /No problems found/);
    const broken = repack((json) => Object.assign(json, { typesVersions: undefined }));
    assert.throws(() => typesWrong(broken), /node10 .* Resolution failed/);
  });

  it("gives the library to a program", () => {
    const names = node(
      "-p",
      'const z = require("zerosteal"); [z.TunedCluster, z.planCluster, z.hetzner].map((f) => f.name).join()',
    );
    assert.equal(names.trim(), "TunedCluster,planCluster,hetzner");
  });

  it("gives an ES module every name of every entry, and the same classes as a CommonJS module", () => {
    writeFileSync(
      path.join(project, "program.mjs"),
      `import { createRequire } from "node:module";
       import { hetzner, NamespaceBaseline, planCluster, TunedCluster } from "zerosteal";
       import { PlanError } from "zerosteal/plan";
       import { runDoctor } from "zerosteal/doctor";
       const require = createRequire(import.meta.url);
       for (const entry of ["zerosteal", "zerosteal/plan", "zerosteal/doctor"]) {
         const found = Object.keys(await import(entry));
         const lost = Object.keys(require(entry)).filter((name) => !found.includes(name));
         if (lost.length > 0) throw new Error(entry + " loses " + lost);
       }
       if (require("zerosteal").TunedCluster !== TunedCluster) throw new Error("two classes of one name");
       console.log([hetzner, NamespaceBaseline, planCluster, TunedCluster, PlanError, runDoctor].map((f) => f.name).join());`,
    );
    const names = node("program.mjs").trim();
    assert.equal(names, "hetzner,NamespaceBaseline,planCluster,TunedCluster,PlanError,runDoctor");
  });

  it("says of its own code where it stands in the sources", () => {
    const script = `try { require("zerosteal/plan").planCluster("x", {}); } catch (error) { error.stack }`;
    const stack = node("--enable-source-maps", "-p", script);
    assert.match(stack, /components\/plan\/cluster\.ts:\d+/);
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

  it("has a façade that Pulumi's analyzer of components accepts, as it does not accept a choice of types", () => {
    const schemaOf = (folder: string): FacadeSchema => {
      const script = `const { Analyzer } = require("@pulumi/pulumi/provider/experimental/analyzer");
        const { generateSchema } = require("@pulumi/pulumi/provider/experimental/schema");
        const { name, version, ...rest } = require("./${folder}/package.json");
        const found = new Analyzer("./${folder}", name, rest, new Set(["HetznerCluster", "HostsCluster"])).analyze();
        JSON.stringify(generateSchema(name, version, "", found.components, found.typeDefinitions, found.dependencies))`;
      return JSON.parse(node("-p", script)) as FacadeSchema;
    };
    const plugin = "node_modules/zerosteal/dist/plugin";
    const { name, resources, types } = schemaOf(plugin);
    assert.equal(name, "zerosteal");
    const [hetzner, hosts] = ["HetznerCluster", "HostsCluster"].map((kind) => resources[`zerosteal:index:${kind}`]);
    for (const component of [hetzner, hosts]) {
      assert.deepEqual(component?.requiredInputs, ["access", "controlPlane", "underlay"]);
      assert.deepEqual(component.required, ["addresses", "doctorReport", "kubeconfig"]);
    }
    const isolation = types["zerosteal:index:CpuIsolation"]?.enum.map(({ value }) => value);
    assert.deepEqual(isolation, ["none", "static", "strict"]);
    const file = path.join(project, plugin, "clusters.ts");
    const text = readFileSync(file, "utf8");
    writeFileSync(file, text.replace("underlay: HetznerUnderlay;", "underlay: HetznerUnderlay | HostsUnderlay;"));
    assert.throws(() => schemaOf(plugin), /Union types are not supported/);
    writeFileSync(file, text);
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
