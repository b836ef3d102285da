import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, before, describe, it } from "mocha";
import { parse, stringify } from "yaml";
import { readPlan } from "../../cli/doctor";
import { readClusterFile, UnreadableFile } from "../../cli/plan";
import { renderJson, renderPlan } from "../../cli/planText";
import { expectationOf } from "../../components/doctor";
import { type ClusterArgs, planCluster } from "../../components/plan";
import { namedClusters, smallCluster } from "../plan/clusters";

const root = path.join(__dirname, "../..");
const example = path.join(root, "stacks/cluster/Pulumi.hetzner.example.yaml");

/** The package's command line, as a person calls it. */
function zerosteal(args: string[], input = ""): { code: number | null; out: string; err: string } {
  const command = ["-r", "ts-node/register/transpile-only", path.join(root, "cli/zerosteal.ts"), ...args];
  const { status, stdout, stderr } = spawnSync(process.execPath, command, { cwd: root, input, encoding: "utf8" });
  return { code: status, out: stdout, err: stderr };
}

describe("zerosteal plan", function () {
  // Each call compiles the command line anew.
  this.timeout(300_000);
  let folder: string;

  before(() => {
    folder = mkdtempSync(path.join(os.tmpdir(), "zerosteal-plan-"));
  });

  after(() => rmSync(folder, { recursive: true, force: true }));

  function file(name: string, text: string): string {
    const full = path.join(folder, name);
    writeFileSync(full, text);
    return full;
  }

  it("sums up a stack file for people", () => {
    const { code, out, err } = zerosteal(["plan", example]);
    assert.deepEqual([code, err], [0, ""]);
    assert.match(out, /^Cluster prod: 3 nodes in fsn1/);
    assert.match(out, /^prod-web-2 +10\.0\.0\.12 +10\.244\.12\.0\/24 +ccx23 \(4 dedicated vCPUs, 16 GiB\)$/m);
    assert.match(out, /Kubernetes \d+\.\d+\.\d+, Cilium \d+\.\d+\.\d+/);
    assert.match(out, /^MTU +1450 between nodes, 1450 in pods$/m);
    assert.match(out, /EUR \d+\.\d\d a month .* price list of \d{4}-\d\d; not in it: .*VAT$/m);
    assert.match(out, /^warnings +none accepted$/m);
  });

  it("explains every decision", () => {
    const { code, out } = zerosteal(["plan", "--explain", example]);
    assert.equal(code, 0);
    assert.match(
      out,
      /^ {2}cilium\.loadBalancer\.mode = snat\n {4}dsr where no network checks sources: .*\n {4}Source: docs\/decisions\/snat\.md$/m,
    );
    assert.match(out, /^ {2}sysctl\.net\.core\.somaxconn = 65535$/m);
    const decisions = JSON.parse(zerosteal(["plan", "--explain", "--json", example]).out) as object[];
    assert.equal(Number(/: (\d+) decisions/.exec(out)?.[1]), decisions.length);
    assert.deepEqual(Object.keys(decisions[0]!), ["id", "source", "topic", "value", "why"]);
  });

  it("prints a plan that the doctor reads", () => {
    const { code, out } = zerosteal(["plan", "--json", example]);
    assert.equal(code, 0);
    assert.deepEqual(readPlan(out, "plan.json"), expectationOf(planCluster("prod", exampleArgs())));
    const decisions = zerosteal(["plan", "--json", "--explain", example]).out;
    assert.throws(() => readPlan(decisions, "plan.json"), /is not a cluster plan/);
  });

  it("lists all problems at once, one line each", () => {
    const args = { ...smallCluster(), network: { podCidr: "10.0.0.0/16" }, extra: 1 };
    const { code, out, err } = zerosteal(["plan", file("wrong.yaml", stringify({ name: "Prod", ...args }))]);
    assert.deepEqual([code, out], [1, ""]);
    const [heading, ...problems] = err.trimEnd().split("\n");
    assert.equal(heading, `Cluster "Prod": ${problems.length} problems`);
    for (const problem of problems) assert.match(problem, /^ {2}[^:]+: .+; .+$/);
    for (const at of ["name", "extra", "network.podCidr"]) assert.match(err, new RegExp(`^ {2}${at}: `, "m"));
  });

  it("reads arguments from standard input, and takes the name from --name", () => {
    const { code, out } = zerosteal(["plan", "--name", "other"], JSON.stringify({ name: "small", ...smallCluster() }));
    assert.equal(code, 0);
    assert.match(out, /^Cluster other: 3 nodes/);
  });

  it("says in one sentence what it cannot read or does not know", () => {
    const cases: [string[], RegExp][] = [
      [["plan", path.join(folder, "absent.yaml")], /^The file .*absent\.yaml cannot be read \(ENOENT\)\.$/],
      [["plan", folder], /cannot be read \(EISDIR\)\.$/],
      [["plan", file("broken.yaml", "a: [1")], /broken\.yaml is neither YAML nor JSON: .+\.$/],
      [["plan", file("list.yaml", "- 1\n")], /list\.yaml holds no cluster: /],
      [["plan", file("nameless.yaml", stringify(smallCluster()))], /has no name: .*--name\.$/],
      [["plan", file("Pulumi.a.yaml", "config:\n  zerosteal:name: a\n")], /has no object zerosteal:cluster/],
      [["plan", "--nonsense"], /^error: unknown option '--nonsense'/],
      [["plan", "a", "b"], /^error: too many arguments/],
    ];
    for (const [args, sentence] of cases) {
      const { code, out, err } = zerosteal(args);
      assert.deepEqual([code, out], [2, ""], err);
      assert.match(err.trimEnd(), sentence);
      assert.doesNotMatch(err, /\n {4}at /);
    }
  });

  it("ends quietly when its reader has seen enough", () => {
    const script = `"$0" -r ts-node/register/transpile-only cli/zerosteal.ts plan --json "$1" | head -n 1; echo "\${PIPESTATUS[0]}"`;
    const { stdout, stderr } = spawnSync("bash", ["-c", script, process.execPath, example], {
      cwd: root,
      encoding: "utf8",
    });
    assert.deepEqual([stdout, stderr], ["{\n0\n", ""]);
  });
});

/** The example's arguments, read by another way than the one under test. */
function exampleArgs(): ClusterArgs {
  const { config } = parse(readFileSync(example, "utf8")) as { config: { "zerosteal:cluster": ClusterArgs } };
  return config["zerosteal:cluster"];
}

describe("a cluster's file", () => {
  it("is read as the program of the stack reads it", () => {
    const cluster = smallCluster();
    const stack = (config: object): string => stringify({ encryptionsalt: "v1:x", config });
    const named = stack({ "zerosteal:name": "prod", "zerosteal:cluster": cluster, "hcloud:token": { secure: "x" } });
    assert.deepEqual(readClusterFile(named, "Pulumi.live.yaml"), { name: "prod", args: cluster });
    const unnamed = stack({ "zerosteal:cluster": JSON.stringify(cluster) });
    assert.deepEqual(readClusterFile(unnamed, "/a/Pulumi.live.yaml"), { name: "live", args: cluster });
    assert.equal(readClusterFile(unnamed, "Pulumi.live.yaml", "mine").name, "mine");
    const later = stack({ "zerosteal:cluster": { ...cluster, kubeconfigGeneration: 2, doctor: {}, odd: 1 } });
    assert.deepEqual(readClusterFile(later, "Pulumi.live.yaml").args, { ...cluster, odd: 1 });
  });

  it("is refused when its arguments are encrypted", () => {
    const text = stringify({ config: { "zerosteal:cluster": { secure: "v1:abc" } } });
    assert.throws(
      () => readClusterFile(text, "Pulumi.live.yaml"),
      (error: unknown) => error instanceof UnreadableFile && error.message.includes("encrypted"),
    );
  });
});

describe("a plan as text", () => {
  it("is the same JSON whatever the order of the arguments", () => {
    const args = smallCluster();
    const turned = Object.fromEntries(Object.entries(args).reverse()) as unknown as typeof args;
    assert.equal(renderJson(planCluster("small", turned)), renderJson(planCluster("small", args)));
    assert.equal(renderJson({ b: [2, { d: 1, c: 0 }], a: 1 }), renderJson({ a: 1, b: [2, { c: 0, d: 1 }] }));
    assert.notEqual(renderJson([1, 2]), renderJson([2, 1]));
  });

  it("names accepted warnings, and prices that are not known", () => {
    const accepted = renderPlan(planCluster("accepted", namedClusters.accepted!));
    assert.match(accepted, /^accepted +access\.api\[0\]: 0\.0\.0\.0\/0 lets the whole Internet in; /m);
    assert.doesNotMatch(accepted, /none accepted/);
    const isolated = renderPlan(planCluster("isolated", namedClusters.isolated!));
    assert.match(isolated, /^price +no figure is known for ccx13, ccx33, cpx31 in hil$/m);
  });
});
