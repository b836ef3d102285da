import assert from "node:assert/strict";
import { execa } from "execa";
import { debugPodManifest } from "../../components/debug/debugPods";
import { captureScript } from "../../components/debug/captureScript";
import { parsePodRef } from "../../components/debug/pods";
import { nodeSessionLimit, shellCommand } from "../../components/debug/shell";
import { CannotRun } from "../../components/doctor";

const ref = { namespace: "shop", name: "web-1" };
const pod = { uid: "1b2c-3d", node: "lab-web-1", address: "10.42.1.5", containers: ["app", "proxy"] };

describe("debug", () => {
  it("gives the profile that lets tcpdump see packets, and a fixed image", () => {
    const args = shellCommand(ref, pod, undefined, { terminal: true });
    assert.equal(
      args.join(" "),
      "debug web-1 --namespace shop --image docker.io/nicolaka/netshoot:v0.13 --stdin --tty --attach --target app --profile netadmin",
    );
  });

  it("runs a command without a terminal in the container that was asked for", () => {
    const args = shellCommand(ref, pod, "privileged", {
      terminal: false,
      container: "proxy",
      command: ["ip", "addr"],
      image: "x:1",
    });
    assert.equal(
      args.join(" "),
      "debug web-1 --namespace shop --image x:1 --stdin --attach --target proxy --profile netadmin -- ip addr",
    );
  });

  it("lets a command begin once somebody listens: with the first line of its input, or when the terminal has a size", async () => {
    const command = ["cat"];
    const waiting = (options: { terminal: boolean; viaNode?: boolean }): string[] =>
      shellCommand(ref, pod, undefined, { ...options, command, waits: true });
    const args = waiting({ terminal: false });
    const [program, ...rest] = args.slice(args.indexOf("--") + 1);
    const { stdout } = await execa(program ?? "", rest, { input: "\nfor cat\n" });
    assert.equal(stdout, "for cat");
    const line = /^read -r line; /;
    const size = /stty size.*"0 0"/;
    assert.match(args.at(-3) ?? "", line);
    assert.match(waiting({ terminal: true }).at(-3) ?? "", size);
    assert.match(waiting({ terminal: false, viaNode: true }).at(-3) ?? "", line);
    assert.match(waiting({ terminal: true, viaNode: true }).at(-3) ?? "", size);
  });

  for (const level of ["baseline", "restricted"]) {
    it(`says so where pod security "${level}" refuses it, and goes by the node when asked`, () => {
      assert.throws(
        () => shellCommand(ref, pod, level, { terminal: false }),
        (error) => error instanceof CannotRun && error.message.includes(level) && error.message.includes("--via-node"),
      );
      const args = shellCommand(ref, pod, level, { terminal: false, viaNode: true, command: ["tcpdump", "-D"] });
      assert.deepEqual(args.slice(0, 4), ["debug", "node/lab-web-1", "--namespace", "kube-system"]);
      assert.deepEqual(args.slice(-3), ["1b2c-3d", "tcpdump", "-D"]);
    });
  }

  it("ends a session from a node after a while, whatever it does", async () => {
    const args = shellCommand(ref, pod, "baseline", { terminal: false, viaNode: true });
    const script = args[args.indexOf("-c") + 1] ?? "";
    assert.ok(!script.includes("$$"));
    // In the place of the search and of the network: the same shell, a limit of no time, a session that would last.
    const short = script
      .replace(/^pid=.*?(?=self=)/s, "pid=1; ")
      .replace(String(nodeSessionLimit), "0.2")
      .replace('nsenter --target "$pid" --net "$@"', "sleep 60");
    assert.match(short, /sleep 0\.2.*exec sleep 60/);
    const { signal } = await execa("bash", ["-c", short], { reject: false });
    assert.equal(signal, "SIGKILL");
  });

  it("names the containers when there is none of that name", () => {
    assert.throws(
      () => shellCommand(ref, pod, undefined, { terminal: false, container: "db" }),
      /has no container db; it has app, proxy/,
    );
  });

  it("reads pods with and without a namespace", () => {
    assert.deepEqual(parsePodRef("shop/web-1"), ref);
    assert.deepEqual(parsePodRef("web-1", "shop"), ref);
    assert.equal(parsePodRef("shop/web/1"), undefined);
    assert.equal(parsePodRef("Web"), undefined);
  });

  it("survives the way Kubernetes expands the value of a variable", () => {
    assert.ok(!captureScript.includes("$$"));
    assert.doesNotMatch(captureScript, /\$\(CAPTURE_[A-Z]+\)/);
  });

  it("gives its pods no token of the cluster and an end of their own", () => {
    const { spec = { containers: [] } } = debugPodManifest("lab-web-1", "debug-0", {
      image: "x:1",
      env: { A: "b" },
      privileged: false,
    });
    assert.equal(spec.containers[0]?.securityContext?.privileged, false);
    assert.equal(spec.automountServiceAccountToken, false);
    assert.ok((spec.activeDeadlineSeconds ?? 0) > 0);
    assert.equal(spec.volumes, undefined);
  });
});
