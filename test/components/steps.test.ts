import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { needs } from "../capabilities";
import { opened, type Registration } from "./program";
import { find, runCluster } from "./support";
import { SteppingMachine } from "./stubs";

const token = "planted.jointoken00000000";
const hash = "sha256:7f";

describe("steps of a cluster on a machine", function () {
  this.timeout(60_000);
  let registrations: Registration[];
  let machine: SteppingMachine;

  before(async function () {
    needs(this, "root", "namespaces");
    ({ registrations } = await runCluster());
  });

  beforeEach(() => {
    machine = new SteppingMachine(mkdtempSync(path.join(os.tmpdir(), "zerosteal-steps-")));
  });

  afterEach(() => {
    rmSync(machine.folder, { recursive: true, force: true });
  });

  const command = (name: string, key: "create" | "delete" = "create"): string =>
    String(opened(find(registrations, `remote.Command ${name}`).inputs[key]));
  const init = (): { script: string; stdin: string } => ({
    script: command("init-prod-control-plane-1"),
    stdin: "4711\n",
  });
  const admit = (): { script: string; stdin: string } => ({ script: command("admit-prod-web-1"), stdin: "4712\n" });
  const join = (): { script: string; stdin: string } => ({
    script: command("join-prod-web-1"),
    stdin: `${token}\n${hash}\n`,
  });
  const dismiss = (): { script: string } => ({ script: command("admit-prod-web-1", "delete") });
  const inits = (): string[] => machine.calls("kubeadm").map((line) => line.split(" ")[1] ?? "");

  describe("kubeadm init", () => {
    it("runs once, gives the node its planned pod CIDR and prints the hash of the CA's key", () => {
      const { stdout, stderr, code } = machine.run(init(), init());
      assert.equal(code, 0, stderr);
      assert.deepEqual(inits(), ["init"]);
      assert.match(stdout, /^(sha256:[0-9a-f]{64})\n\1\n$/);
      const patch = JSON.parse(machine.read("patch")) as { spec: Record<string, unknown> };
      assert.deepEqual(patch.spec, {
        podCIDR: "10.244.2.0/24",
        podCIDRs: ["10.244.2.0/24"],
        providerID: "hcloud://4711",
      });
      assert.match(machine.read("document"), /^kind: "ClusterConfiguration"$/m);
    });

    for (const phase of ["certs", "etcd", "addons"]) {
      it(`begins anew where a run was cut off after ${phase}`, () => {
        machine.set("cut", phase);
        const { stdout, stderr, code } = machine.run(init(), init());
        assert.equal(code, 0, stderr);
        assert.deepEqual(inits(), ["init", "reset", "init"]);
        assert.match(stderr, /killed after/, "the first run shows why it ended");
        assert.match(stderr, /step init-prod-control-plane-1 failed on node prod-control-plane-1 \(exit 1\)/);
        assert.match(stdout, /^sha256:[0-9a-f]{64}\n$/, "only the second run has a result");
      });
    }

    it("shows what kubeadm said when it cannot clear away what is there", () => {
      machine.set("cut", "etcd");
      machine.set("no-reset");
      const { stderr, code } = machine.run(init(), init());
      assert.notEqual(code, 0);
      assert.match(stderr, /cannot unmount \/var\/lib\/kubelet/);
    });

    it("leaves no token that another machine could join with", () => {
      machine.run(init());
      assert.ok(machine.calls("kubectl").some((line) => line.includes("delete secrets --field-selector")));
    });
  });

  describe("a worker's admission", () => {
    it("makes its Node with pod CIDR and provider id before it joins, and prints a token alone", () => {
      const { stdout, stderr, code } = machine.run(admit(), admit());
      assert.equal(code, 0, stderr);
      assert.equal(stdout, "abcdef.0123456789abcdef\n".repeat(2));
      const object = JSON.parse(machine.read("object")) as { spec: Record<string, unknown> };
      assert.equal(object.spec.podCIDR, "10.244.11.0/24");
      assert.equal(object.spec.providerID, "hcloud://4712");
      assert.equal(machine.calls("kubectl create").length, 1);
    });
  });

  describe("a worker's join", () => {
    it("joins once, with token and pin in a document that does not stay", () => {
      const { stderr, code } = machine.run(join(), join(), {
        script: "! grep -rl planted /etc /run /var/lib /var/log",
      });
      assert.equal(code, 0, stderr);
      assert.deepEqual(inits(), ["join"]);
      assert.match(machine.read("document"), new RegExp(`token: "${token}"\\n`));
      assert.match(machine.read("document"), new RegExp(`- "${hash}"\\n`));
      assert.ok(!machine.read("calls").includes("planted"), "no argument of a program holds the token");
    });

    it("begins anew where a run was cut off before the node had a certificate", () => {
      machine.set("cut", "kubelet-start");
      const { stderr, code } = machine.run(join(), join());
      assert.equal(code, 0, stderr);
      assert.deepEqual(inits(), ["join", "reset", "join"]);
    });

    it("leaves a node alone that joined in a run that was cut off after", () => {
      // kubeadm refuses a second join as long as the Node counts as Ready.
      machine.set("cut", "bootstrap");
      const { stderr, code } = machine.run(join(), join());
      assert.equal(code, 0, stderr);
      assert.deepEqual(inits(), ["join"]);
    });

    it("says what to do about an old token, and keeps no document", () => {
      machine.set("bad-token");
      const { stderr, code } = machine.run(join(), { script: "! grep -rl planted /etc /run; exit 3" });
      assert.equal(code, 3);
      assert.match(stderr, /could not find a JWS signature/);
      assert.match(stderr, /two hours.*admit-prod-web-1/);
      assert.match(stderr, /step join-prod-web-1 failed on node prod-web-1 \(exit 1\)/);
      assert.ok(!stderr.includes("planted"));
    });
  });

  describe("a worker's leave", () => {
    const verbs = (): string[] => machine.calls("kubectl").map((line) => line.split(" ")[1] ?? "");

    it("drains, then deletes its Node", () => {
      machine.set("nodes/prod-web-1", "True");
      const { stderr, code } = machine.run(dismiss());
      assert.equal(code, 0, stderr);
      assert.deepEqual(
        verbs().filter((verb) => verb !== "get"),
        ["drain", "delete"],
      );
    });

    it("does not wait for a worker that does not answer", () => {
      machine.set("nodes/prod-web-1", "Unknown");
      const { stderr, code } = machine.run(dismiss());
      assert.equal(code, 0, stderr);
      assert.deepEqual(
        verbs().filter((verb) => verb !== "get"),
        ["delete"],
      );
      assert.match(stderr, /node prod-web-1 does not answer: its pods are not moved/);
    });

    it("does not wait for a worker that was just switched off and stops answering meanwhile", () => {
      machine.set("nodes/prod-web-1", "True");
      machine.set("dies-in-drain");
      const { stderr, code } = machine.run(dismiss());
      assert.equal(code, 0, stderr);
      assert.equal(machine.read("nodes/prod-web-1"), "");
    });

    it("keeps the Node when its pods may not move", () => {
      machine.set("nodes/prod-web-1", "True");
      machine.set("no-drain");
      const { stderr, code } = machine.run(dismiss());
      assert.equal(code, 1);
      assert.match(stderr, /cannot evict pod/);
      assert.match(stderr, /step admit-prod-web-1 failed on node prod-control-plane-1/);
      assert.notEqual(machine.read("nodes/prod-web-1"), "");
    });

    it("has nothing to do for a Node that is gone", () => {
      const { code } = machine.run(dismiss());
      assert.equal(code, 0);
      assert.deepEqual(verbs(), ["get"]);
    });
  });
});
