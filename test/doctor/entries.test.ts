import assert from "node:assert/strict";
import { execa } from "execa";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { readPlan } from "../../cli/doctor";
import { doctorCommand } from "../../components/doctor/command";
import { cloudAccess, readInput } from "../../components/doctor/main";
import type { Report } from "../../components/doctor/types";
import { FakeApi, kubeconfig } from "./fakeApi";
import { healthyExec } from "./fakeProbes";
import { expectation } from "./fixtures";

const repository = path.join(__dirname, "../..");
const marker = "MARKER-OF-THE-KUBECONFIG";

describe("entries of the doctor", function () {
  this.timeout(60_000);
  let api: FakeApi;
  let config: string;
  let folder: string;
  const { cloudRoutes: _, ...wanted } = expectation();

  beforeEach(async () => {
    api = new FakeApi();
    api.cluster.exec = healthyExec;
    config = await api.start();
    folder = mkdtempSync(path.join(os.tmpdir(), "zerosteal-doctor-"));
  });
  afterEach(async () => {
    await api.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Runs the command that a Pulumi program would run. */
  function main(input: string) {
    return execa(doctorCommand(repository), { shell: true, cwd: repository, input, reject: false });
  }

  /** Runs the command line in a process of its own. */
  function cli(...args: string[]) {
    const program = `
      const { Command } = require("commander");
      const program = new Command();
      require("./cli/doctor").registerDoctor(program);
      program.parseAsync(process.argv.slice(1), { from: "user" });`;
    const node = ["-r", "ts-node/register", "-e", program, "--", "doctor", ...args];
    return execa("node", node, { cwd: repository, reject: false, env: { KUBECONFIG: "", HCLOUD_TOKEN: "" } });
  }

  function file(name: string, content: string): string {
    const target = path.join(folder, name);
    writeFileSync(target, content);
    return target;
  }

  describe("for programs", () => {
    it("prints the JSON report of a healthy cluster and ends with 0", async () => {
      const { exitCode, stdout, stderr } = await main(JSON.stringify({ kubeconfig: config, expectation: wanted }));
      assert.equal(exitCode, 0);
      assert.equal((JSON.parse(stdout) as Report).healthy, true);
      assert.equal(stderr, "");
    });

    it("prints only what failed and ends with 1", async () => {
      const older = { ...wanted, versions: { ...wanted.versions, kubernetes: "1.35.0" } };
      const { exitCode, stdout, stderr } = await main(JSON.stringify({ kubeconfig: config, expectation: older }));
      assert.equal(exitCode, 1);
      assert.equal(stdout, "");
      const lines = stderr.split("\n");
      assert.equal(lines.length, 3);
      for (const line of lines)
        assert.match(line, /^versions on lab-\S+: wanted kubelet 1\.35\.0; found kubelet 1\.36\.1\./);
      assert.ok(!stderr.includes(marker));
    });

    it("says in one sentence that it could not run and ends with 2", async () => {
      const { exitCode, stdout, stderr } = await main(JSON.stringify({ kubeconfig: kubeconfig("http://127.0.0.1:1") }));
      assert.equal(exitCode, 2);
      assert.equal(stdout, "");
      assert.match(
        stderr,
        /^The cluster's API at http:\/\/127\.0\.0\.1:1 does not answer: connection refused\.[^\n]*$/,
      );
      assert.ok(!stderr.includes(marker));
    });

    it("does not repeat an input that it cannot read", () => {
      assert.throws(
        () => readInput(`{"kubeconfig": "${marker}`, {}),
        (error: Error) => !error.message.includes(marker),
      );
      assert.throws(() => readInput("{}", {}), /has no kubeconfig/);
      assert.throws(() => readInput("null", {}), /has no kubeconfig/);
    });

    it("takes the cloud's address from the input, the environment, or the public one", () => {
      const input = { kubeconfig: "x", expectation: expectation(), hcloudToken: "t" };
      const environment = { HCLOUD_ENDPOINT: "http://127.0.0.1:18000/v1" };
      assert.deepEqual(readInput(JSON.stringify(input), environment).hcloud, {
        token: "t",
        endpoint: "http://127.0.0.1:18000/v1",
        networkName: "lab",
      });
      const own = { ...input, hcloudEndpoint: "http://127.0.0.1:1/v1" };
      assert.equal(readInput(JSON.stringify(own), environment).hcloud?.endpoint, "http://127.0.0.1:1/v1");
      assert.equal(readInput(JSON.stringify(input), {}).hcloud?.endpoint, "https://api.hetzner.cloud/v1");
      const noToken = JSON.stringify({ ...input, hcloudToken: undefined });
      assert.equal(readInput(noToken, { HCLOUD_TOKEN: "of the environment" }).hcloud?.token, "of the environment");
      assert.equal(readInput(noToken, {}).hcloud, undefined);
      assert.equal(cloudAccess(expectation(), undefined, undefined), undefined);
      assert.equal(cloudAccess(wanted, "t", undefined), undefined);
    });

    it("has a command that holds from any folder and names no folder of this machine", () => {
      assert.equal(doctorCommand(repository), "node -r ts-node/register components/doctor/main.ts");
      assert.equal(
        doctorCommand(path.join(repository, "stacks/cluster")),
        "node -r ts-node/register ../../components/doctor/main.ts",
      );
      assert.match(doctorCommand(path.join(repository, "it's")), /^node -r ts-node\/register \.\.\/components/);
    });
  });

  describe("for people", () => {
    it("prints the report and ends with 0, or as JSON", async () => {
      const kubeconfigFile = file("kubeconfig", config);
      const plan = file("plan.json", JSON.stringify(wanted));
      const plain = await cli("--kubeconfig", kubeconfigFile, "--plan", plan);
      assert.equal(plain.exitCode, 0, plain.stderr);
      assert.match(plain.stdout, /lab is healthy: \d+ ok, 0 failed, 0 not provable here, 0 not seen$/);
      const json = await cli("--kubeconfig", kubeconfigFile, "--json");
      assert.equal((JSON.parse(json.stdout) as Report).healthy, true);
    });

    it("ends with 1 when a check failed", async () => {
      const plan = file("plan.json", JSON.stringify({ ...wanted, clusterDns: "10.96.0.53" }));
      const { exitCode, stdout } = await cli("--kubeconfig", file("kubeconfig", config), "--plan", plan);
      assert.equal(exitCode, 1);
      assert.match(
        stdout,
        /^FAILED dns on lab-control-plane-1: wanted nameserver 10\.96\.0\.53; found nameserver 10\.96\.0\.10/,
      );
    });

    it("shows on request what the probes printed", async () => {
      const { stderr } = await cli("--kubeconfig", file("kubeconfig", config), "--verbose");
      assert.match(stderr, /--- lab-web-1: host probe\n\$ pidns \(0, 1\.5 ms\)\npid:\[4026531836\]/);
      assert.ok(!stderr.includes(marker));
    });

    const unusable: [string, () => string[], RegExp][] = [
      ["no kubeconfig is named", () => [], /^Which cluster\? Give --kubeconfig FILE/],
      [
        "the kubeconfig is not there",
        () => ["--kubeconfig", "/nowhere"],
        /^The kubeconfig \/nowhere does not exist\.$/,
      ],
      ["an option is unknown", () => ["--frobnicate"], /unknown option '--frobnicate'/],
      ["runs are to be watched as JSON", () => ["--watch", "--json"], /'--watch \[seconds\]' cannot be used with/],
      ["a pause is none", () => ["--watch", "0"], /a whole number from 1 to 86400 is wanted/],
      ["a number is none", () => ["--settle", "soon"], /soon is not a number of seconds/],
      ["a target is none", () => ["--egress-target", "example"], /example is not HOST:PORT/],
      [
        "the plan is none",
        () => ["--kubeconfig", file("kubeconfig", config), "--plan", file("plan", "{}")],
        /plan is not a cluster plan/,
      ],
    ];
    for (const [what, args, message] of unusable) {
      it(`ends with 2 when ${what}`, async () => {
        const { exitCode, stdout, stderr } = await cli(...args());
        assert.equal(exitCode, 2);
        assert.equal(stdout, "");
        assert.match(stderr, message);
        assert.doesNotMatch(stderr, /\n\s+at /);
      });
    }

    it("watches until Ctrl-C, and ends with the last run's exit code", async () => {
      const plan = file("plan.json", JSON.stringify({ ...wanted, clusterDns: "10.96.0.53" }));
      const page = path.join(folder, "report.html");
      const running = cli("--kubeconfig", file("kubeconfig", config), "--plan", plan, "--watch", "1", "--html", page);
      running.stdout.on("data", (text: Buffer) => {
        if (text.includes("lab is not healthy")) api.cluster.refuse = () => 403;
        if (text.includes("COULD NOT LOOK")) running.kill("SIGINT");
      });
      const { exitCode, stdout, stderr } = await running;
      assert.equal(exitCode, 2, stderr);
      assert.match(stdout, /^\d{4}-\S+Z COULD NOT LOOK This kubeconfig may not list nodes\. [^\n]*$/m);
      assert.match(readFileSync(page, "utf8"), /is not healthy/);
      assert.deepEqual([...api.cluster.namespaces.keys()], ["default"]);
    });

    it("removes its probes on Ctrl-C and ends with 130", async () => {
      const running: ReturnType<typeof cli>[] = [];
      api.cluster.exec = (pod, command) => {
        if (!pod.startsWith("host")) return healthyExec(pod, command);
        for (const process of running) process.kill("SIGINT");
        return undefined;
      };
      running.push(cli("--kubeconfig", file("kubeconfig", config)));
      const [ended] = await Promise.all(running);
      assert.ok(ended);
      const { exitCode, stderr } = ended;
      assert.equal(exitCode, 130);
      assert.match(stderr, /^Interrupted; what was made in the cluster is removed\.$/m);
      assert.deepEqual([...api.cluster.namespaces.keys()], ["default"]);
    });
  });

  it("read a whole plan and what is derived from one alike", () => {
    assert.deepEqual(readPlan(JSON.stringify(wanted), "f"), wanted);
    assert.throws(() => readPlan("{", "f"), { name: "CannotRun", message: "The plan f is not JSON." });
  });
});
