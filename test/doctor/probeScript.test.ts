import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";
import { checks } from "../../components/doctor/checks";
import { parseHostProbe, parsePodProbe, parseWindowProbe } from "../../components/doctor/parse";
import { probeCommand, probeScript } from "../../components/doctor/probeScript";
import { cpusOf, isWithin } from "../../components/plan/cpuList";
import type { CheckResult } from "../../components/doctor/types";
import { needs } from "../capabilities";
import { changed, hostOf, expectation, web1, web2 } from "./fixtures";

/** Runs the pod's part of the script in a namespace whose path carries `pathMtu` bytes. */
function probe(pathMtu: number, podMtu: number) {
  const command = probeCommand({
    role: "pod",
    nodeMtu: 0,
    podMtu,
    egress: [],
    peers: [{ node: web2, podAddress: "10.0.0.4", nodeAddress: "10.0.0.4" }, { node: "unknown" }],
  });
  const setup = path.join(__dirname, "namespaces.sh");
  const output = execFileSync("unshare", ["--net", "--mount", "bash", setup, String(pathMtu), ...command], {
    encoding: "utf8",
    env: { ...process.env, PROBE_SCRIPT: probeScript, PROBE_SYSCTLS: "net.ipv4.tcp_congestion_control net.core.none" },
    timeout: 60_000,
  });
  return parsePodProbe(output, "10.244.1.5");
}

/** Runs a part of the script that asks no peer, on this machine itself. */
function run(role: "host" | "window"): string {
  const [program = "", ...args] = probeCommand({ role, nodeMtu: 0, podMtu: 0, egress: [], peers: [] });
  return execFileSync(program, args, {
    encoding: "utf8",
    env: { ...process.env, PROBE_SCRIPT: probeScript, PROBE_SYSCTLS: "" },
    timeout: 60_000,
  });
}

/** Findings about the way from the pod, with everything else healthy. */
function podMtuFindings(
  found: ReturnType<typeof probe>,
  ownAddresses: string[],
  podMtu = 1450,
): Record<string, CheckResult> {
  const evidence = changed((e) => {
    hostOf(e, web1).addresses = ownAddresses;
    e.probes = e.probes.filter((probes) => probes.node === web1);
    e.probes[0]!.pod = { value: found };
  });
  const check = checks.find((candidate) => candidate.id === "pod-mtu");
  const results = check?.run({ ...expectation(), mtu: { node: 1450, pod: podMtu } }, evidence) ?? [];
  return Object.fromEntries(results.map((result) => [result.wanted, result]));
}

/** As if all of it had come at its end. */
function output(stdout: string) {
  return { stdout, startedAt: Date.now() - 60_000, arrivals: [{ bytes: stdout.length, at: Date.now() }] };
}

describe("probe script", () => {
  it("survives the way Kubernetes expands the value of a variable", () => {
    // https://kubernetes.io/docs/tasks/inject-data-application/define-interdependent-environment-variables/
    assert.ok(!probeScript.includes("$$"));
    assert.doesNotMatch(probeScript, /\$\(PROBE_[A-Z]+\)/);
  });

  it("is run by a short request", () => {
    const peers = Array.from({ length: 8 }, (_, index) => ({
      node: `a-rather-long-cluster-name-a-long-pool-name-${index}`,
      podAddress: "10.244.100.100",
      nodeAddress: "10.100.100.100",
    }));
    const request = { role: "pod" as const, nodeMtu: 1450, podMtu: 1450, api: "10.96.0.1:443", egress: [], peers };
    assert.ok(encodeURIComponent(probeCommand(request).join(" ")).length < 2000);
  });

  it("shows that the path, not the sender, refuses one byte more", function () {
    needs(this, "root", "ping");
    this.timeout(60_000);
    const found = probe(1450, 1450);
    assert.deepEqual(found.routes, { [web2]: { device: "eth0", mtu: 1450 } });
    assert.equal(found.reach[web2]?.received, 50);
    assert.equal(found.reach[web2]?.milliseconds?.length, 50);
    assert.equal(found.exact[web2]?.received, 3);
    assert.deepEqual(found.oneMore[web2]?.refusedBy, { address: "10.0.0.1", mtu: 1450 });
    assert.equal(found.sysctls["net.ipv4.tcp_congestion_control"]?.present, true);
    assert.equal(found.sysctls["net.core.none"]?.present, false);

    const byRouter = podMtuFindings(found, ["10.0.0.3"]);
    assert.deepEqual(
      Object.values(byRouter).map((result) => result.outcome),
      ["ok", "ok", "ok"],
    );
    // The same refusal from an address of the sender's own node says nothing about the path.
    const byOwnNode = podMtuFindings(found, ["10.0.0.3", "10.0.0.1"]);
    assert.equal(byOwnNode["1451 bytes are refused by the path"]?.outcome, "unseen");
  });

  it("shows a path that carries less than the sender believes", function () {
    needs(this, "root", "ping");
    this.timeout(60_000);
    const finding = podMtuFindings(probe(1400, 1450), ["10.0.0.3"])["1450 bytes arrive"];
    assert.equal(finding?.outcome, "failed");
    assert.equal(finding.found, "refused by 10.0.0.1 with MTU 1400");
  });

  it("shows a path that carries more than was planned", function () {
    needs(this, "root", "ping");
    this.timeout(60_000);
    const findings = podMtuFindings(probe(1450, 1400), ["10.0.0.3"], 1400);
    assert.equal(findings["1400 bytes arrive"]?.outcome, "ok");
    assert.equal(findings["1401 bytes are refused by the path"]?.outcome, "failed");
    assert.equal(findings["1401 bytes are refused by the path"].found, "1401 bytes arrive");
    assert.equal(findings["the route says 1400"]?.found, "the route says 1450");
  });

  it("samples the machine's counters twice while one CPU is busy", function () {
    this.timeout(60_000);
    const { ticks, softnet, clock, fragments } = parseWindowProbe(output(run("window")));
    // Three seconds of a busy loop are 300 ticks; where others are busy too, the one with the lowest priority gets less.
    const busy = ticks.last.busy - ticks.first.busy;
    const idle = ticks.last.idle - ticks.first.idle;
    assert.ok(busy >= 20 && busy + idle >= 750, `${busy} busy and ${idle} idle ticks`);
    assert.ok(softnet.last.packets >= softnet.first.packets && softnet.first.packets > 0);
    // The clock is this machine's own; the last of its samples is a moment old.
    assert.ok(clock && clock.atLeast <= 0 && clock.atLeast > -5000 && clock.atMost >= 0, JSON.stringify(clock));
    assert.ok(Object.values(fragments.last).every((count) => count >= 0));
    assert.throws(() => parseWindowProbe(output("")), /less than twice/);
  });

  it("reads CPUs, interrupts and huge pages as the kernel shows them", function () {
    this.timeout(60_000);
    const { machine } = parseHostProbe(run("host"));
    const online = cpusOf(readFileSync("/sys/devices/system/cpu/online", "utf8"));
    assert.deepEqual(cpusOf(machine.cores.join(",")), online);
    assert.ok(isWithin(machine.probeCpus, online.join(",")) && machine.probeCpus !== "");
    assert.ok(["always", "madvise", "never", ""].includes(machine.hugePages), machine.hugePages);
    assert.equal(machine.isolated, readFileSync("/sys/devices/system/cpu/isolated", "utf8").trim());
    for (const { irq, cpus } of machine.interrupts)
      assert.equal(cpus, readFileSync(`/proc/irq/${irq}/effective_affinity_list`, "utf8").trim());
  });

  it("measures what the sender believes when nothing was planned", function () {
    needs(this, "root", "ping");
    this.timeout(60_000);
    const found = probe(1400, 0);
    assert.equal(found.routes[web2]?.mtu, 1450);
    assert.equal(found.exact[web2]?.refusedBy?.mtu, 1400);
  });
});
