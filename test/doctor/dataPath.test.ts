import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import path from "node:path";
import { judge } from "../../components/doctor/checks";
import { valueOf, type Evidence } from "../../components/doctor/evidence";
import { answers, tryNodePorts } from "../../components/doctor/nodePorts";
import { parseHostProbe, parseQdiscs, parseWindowProbe } from "../../components/doctor/parse";
import { parseAgentWindow, parseCiliumStatus } from "../../components/doctor/parseCilium";
import { probeCommand, probeScript } from "../../components/doctor/probeScript";
import type { CheckResult, Outcome } from "../../components/doctor/types";
import {
  agentWindowOf,
  changed,
  evidence,
  expectation,
  hostOf,
  nodeNames,
  podOf,
  web1,
  web2,
  windowOf,
} from "./fixtures";

const recorded = readFileSync(path.join(__dirname, "outputs/cilium-window.txt"), "utf8");

function of(check: string, change: (evidence: Evidence) => void, wanted = expectation()): CheckResult[] {
  return judge(wanted, changed(change)).filter((result) => result.check === check);
}

function outcomes(results: CheckResult[], subject?: string): Outcome[] {
  return results.filter((result) => subject === undefined || result.subject === subject).map(({ outcome }) => outcome);
}

/** Runs a part of the probe script on this machine, with targets to connect to. */
function run(role: "host" | "window", targets: string[]): string {
  const [program = "", ...args] = probeCommand({ role, nodeMtu: 0, podMtu: 0, egress: targets, peers: [] });
  const env = { ...process.env, PROBE_SCRIPT: probeScript, PROBE_SYSCTLS: "" };
  return execFileSync(program, args, { encoding: "utf8", env, timeout: 60_000 });
}

describe("an agent's window", () => {
  it("is read from what an agent of a live cluster printed", () => {
    const window = parseAgentWindow(recorded);
    assert.ok(window);
    assert.deepEqual(Object.keys(window.drops.last), ["Unsupported L3 protocol"]);
    assert.ok(window.pressure.ct4_global !== undefined && window.pressure.ct4_global < 0.01);
    assert.deepEqual(
      valueOf(window.health)?.map(({ faults }) => faults),
      [[], [], []],
    );
    assert.deepEqual(
      valueOf(window.health)
        ?.map(({ node }) => node)
        .sort(),
      ["lab-control-plane-1", "lab-web-1", "lab-web-2"],
    );
  });

  it("names who did not answer and how, and adds both directions of a reason up", () => {
    const drop = (direction: string, value: number) => ({
      name: "cilium_drop_count_total",
      labels: { direction, reason: "FIB lookup failed" },
      value,
    });
    const health = {
      nodes: [
        {
          name: "lab/web",
          host: {
            "primary-address": {
              icmp: { status: "Connection timed out", lastProbed: "2026-11-26T10:00:02Z" },
              http: {},
            },
          },
          "health-endpoint": {
            "primary-address": { icmp: {}, http: { status: "refused", lastProbed: "2026-11-26T09:59:59Z" } },
          },
        },
      ],
    };
    const begin = Date.UTC(2026, 10, 26, 10) / 1000;
    const text = `=== begin\n${begin}\n=== first\n[]\n=== health\n${JSON.stringify(health)}\n=== last\n${JSON.stringify([drop("EGRESS", 2), drop("INGRESS", 3)])}`;
    const window = parseAgentWindow(text);
    assert.deepEqual(window?.drops, { first: {}, last: { "FIB lookup failed": 5 } });
    assert.deepEqual(valueOf(window.health), [
      {
        node: "web",
        faults: ["ICMP of the node: Connection timed out"],
        earlierFaults: ["HTTP of its health endpoint: refused"],
      },
    ]);
    const earlier = of("health-mesh", (e) => valueOf(agentWindowOf(e, web1).health)![2]!.earlierFaults.push("ICMP"));
    assert.deepEqual(outcomes(earlier, `${web1} -> ${web2}`), ["unseen"]);
  });

  it("is not seen when a part is missing, each part for itself", () => {
    assert.equal(parseAgentWindow("=== first\nError: no socket\n=== health\n=== last\n"), undefined);
    const silent = parseAgentWindow("=== first\n[]\n=== health\ntimed out\n=== last\n[]\n");
    assert.deepEqual(silent?.health, { unseen: "cilium-health gave no answer: timed out" });
    const results = judge(
      expectation(),
      changed((e) => {
        agentWindowOf(e, web1).health = { unseen: "cilium-health gave no answer" };
        agentWindowOf(e, web1).pressure = {};
        if ("value" in e.agents) e.agents.value[2]!.window = { unseen: "the agent cilium-2 did not tell its counters" };
      }),
    ).filter(({ outcome }) => outcome !== "ok");
    assert.deepEqual(
      results.map(({ check, subject, outcome }) => `${check} on ${subject}: ${outcome}`),
      [
        `health-mesh on ${web1}: unseen`,
        `health-mesh on ${web2}: unseen`,
        `map-pressure on ${web1}: unseen`,
        `map-pressure on ${web2}: unseen`,
        `drops on ${web2}: unseen`,
      ],
    );
  });

  it("may have drops that belong to a healthy cluster, and a few others", () => {
    const dropped = (reason: string, count: number) =>
      outcomes(
        of("drops", (e) => (agentWindowOf(e, web1).drops.last[reason] = count)),
        web1,
      );
    for (const reason of ["Policy denied", "Policy denied by denylist", "Stale or unroutable IP", "Invalid source ip"])
      assert.deepEqual(dropped(reason, 5000), ["ok"], reason);
    assert.deepEqual(dropped("CT: Map insertion failed", 9), ["ok"]);
    assert.deepEqual(dropped("CT: Map insertion failed", 11), ["failed"]);
    // A restarted agent counts anew.
    const anew = of("drops", (e) => (agentWindowOf(e, web1).drops = { first: { a: 500 }, last: { a: 2 } }));
    assert.deepEqual(outcomes(anew, web1), ["ok"]);
  });

  it("follows from what is broken on the path", () => {
    const results = judge(
      expectation(),
      changed((e) => {
        podOf(e, web1).reach[web2] = { sent: 3, received: 0, refusedLocally: false };
        podOf(e, web1).exact[web2] = { sent: 3, received: 0, refusedLocally: false };
        valueOf(agentWindowOf(e, web1).health)![2]!.faults = ["ICMP of its health endpoint: Connection timed out"];
        agentWindowOf(e, web1).drops.last["No mapping for NAT masquerade"] = 200;
      }),
    ).filter(({ outcome }) => outcome === "failed");
    assert.deepEqual(
      results.map(({ check }) => check),
      ["pod-to-pod"],
    );
  });
});

describe("the bandwidth manager and queues", () => {
  it("are their host's in a container, as far as they are not as planned", () => {
    const change = (e: Evidence) => {
      hostOf(e, web1).machineIsContainer = true;
      hostOf(e, web1).qdiscs = { enp7s0: ["noqueue"] };
      if ("value" in e.agents && "value" in e.agents.value[1]!.status)
        e.agents.value[1]!.status.value.bandwidthManager = "off";
    };
    assert.deepEqual(outcomes(of("qdisc", change)), ["ok", "unprovable", "ok"]);
    assert.deepEqual(outcomes(of("bandwidth-manager", change)), ["ok", "unprovable", "ok"]);
    const wanted = { ...expectation(), sysctls: [] };
    assert.deepEqual(of("qdisc", change, wanted), []);
  });

  it("are not judged where nobody saw whether the machine is a container", () => {
    const results = of("bandwidth-manager", (e) => {
      const probes = e.probes.find(({ node }) => node === web1);
      if (probes) probes.host = { unseen: "the probe did not run" };
      if ("value" in e.agents && "value" in e.agents.value[1]!.status)
        e.agents.value[1]!.status.value.bandwidthManager = "off";
    });
    assert.deepEqual(outcomes(results), ["ok", "unseen", "ok"]);
    assert.match(results[1]?.hint ?? "", /Whether the machine is a container was not seen: the probe did not run/);
  });

  it("are read as they are printed", () => {
    const text =
      "qdisc noqueue 0: dev lo root refcnt 2 \nqdisc mq 0: dev eth0 root \nqdisc fq 8001: dev eth0 parent :2 limit 10000p\nqdisc clsact ffff: dev eth0 parent ffff:fff1 \n";
    assert.deepEqual(parseQdiscs(text), { lo: ["noqueue"], eth0: ["fq"] });
    assert.equal(parseCiliumStatus('{"bandwidth-manager":{"devices":null}}').bandwidthManager, "off");
    assert.equal(parseCiliumStatus('{"bandwidth-manager":{"enabled":true}}').bandwidthManager, "on");
  });
});

describe("the API's endpoint", () => {
  it("answers, or says no to a stranger; a complaint is told without its program", function () {
    this.timeout(30_000);
    const { readyz } = parseHostProbe(run("host", ["https:127.0.0.1:1"]));
    assert.match(readyz["127.0.0.1:1"] ?? "", /refused|connect/i);
    for (const answer of Object.values(readyz)) assert.doesNotMatch(answer, /^000|^curl/);
    const outcome = (answer: string) =>
      outcomes(
        of("api-endpoint", (e) => (hostOf(e, web1).readyz = { [valueOf(e.apiEndpoints)![0]!]: answer })),
        web1,
      );
    for (const answer of ["200", "401", "403", "open"]) assert.deepEqual(outcome(answer), ["ok"]);
    assert.deepEqual(outcome("500"), ["failed"]);
  });

  it("is not judged where nobody names one", () => {
    assert.deepEqual(
      of("api-endpoint", (e) => (e.apiEndpoints = { value: [] })),
      [],
    );
    assert.deepEqual(
      outcomes(of("api-endpoint", (e) => (e.apiEndpoints = { unseen: "This kubeconfig may not read." }))),
      ["unseen"],
    );
  });
});

describe("node ports", () => {
  it("are tried at nodes' public addresses alone", async () => {
    const { probes } = evidence();
    const nodes = evidence().nodes.map((node) => ({ ...node, externalIps: ["203.0.113.7", "2001:db8::1"] }));
    const asked: string[] = [];
    const reach = async (address: string, port: number) => {
      asked.push(`${address}:${port}`);
      return address === "198.18.0.12";
    };
    const found = valueOf(await tryNodePorts({ nodes, nodePorts: { value: [30_080] } }, probes, reach));
    assert.deepEqual(asked.sort(), [
      "198.18.0.11:30080",
      "198.18.0.12:30080",
      "198.18.0.13:30080",
      "203.0.113.7:30080",
    ]);
    assert.deepEqual(found, { ports: [30_080], tried: 4, open: ["198.18.0.12:30080"] });
    assert.deepEqual(await tryNodePorts({ nodes, nodePorts: { unseen: "no" } }, probes, reach), { unseen: "no" });
  });

  it("answer when a connection is taken", async () => {
    const server = createServer((socket) => socket.end());
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    assert.equal(await answers("127.0.0.1", port), true);
    await new Promise((resolve) => server.close(resolve));
    assert.equal(await answers("127.0.0.1", port), false);
  });

  it("may be open where the plan opens them, and are not judged without a plan or a port", () => {
    const open = (e: Evidence) => valueOf(e.nodePorts)!.open.push("198.18.0.12:31234");
    const cilium = (nodePortAddresses: string[]) => ({
      ...expectation(),
      cilium: { ...expectation().cilium, nodePortAddresses },
    });
    assert.deepEqual(of("node-ports", open, cilium([])), []);
    assert.deepEqual(outcomes(of("node-ports", open, cilium(["198.18.0.0/24"]))), ["ok"]);
    assert.deepEqual(
      of("node-ports", (e) => (e.nodePorts = { value: { ports: [], tried: 0, open: [] } })),
      [],
    );
    const unplanned = judge(undefined, changed(open)).filter(({ check }) => check === "node-ports");
    assert.deepEqual(
      unplanned.map(({ outcome, found }) => [outcome, found]),
      [["unseen", "198.18.0.12:31234"]],
    );
  });
});

describe("round trips to users", () => {
  it("are times of fresh connections", async function () {
    this.timeout(60_000);
    const server = createServer((socket) => socket.end());
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const stdout = run("window", [`127.0.0.1:${port}`, "127.0.0.1:1"]);
    await new Promise((resolve) => server.close(resolve));
    const { roundTrips } = parseWindowProbe({ stdout, startedAt: 0, arrivals: [] });
    const taken = roundTrips[`127.0.0.1:${port}`];
    assert.ok(taken && taken.milliseconds.length > 5 && taken.error === undefined, JSON.stringify(taken));
    assert.ok(taken.milliseconds.every((time) => time > 0));
    assert.deepEqual(roundTrips["127.0.0.1:1"], { milliseconds: [], error: "Connection refused" });
  });

  it("are told by percentiles, and fail when some connections do", () => {
    const [whole] = of("round-trips", () => undefined);
    assert.equal(whole?.found, "median 21.0 ms, 90 % within 24.0 ms, at most 24.0 ms, of 5");
    const target = "198.18.0.9:443";
    const some = of("round-trips", (e) => (windowOf(e, web1).roundTrips[target]!.error = "Connection refused"));
    assert.deepEqual(outcomes(some), ["ok", "failed", "ok"]);
    const none = (e: Evidence) => {
      for (const node of nodeNames) windowOf(e, node).roundTrips = {};
    };
    assert.deepEqual(of("round-trips", none), []);
  });
});

describe("fragments", () => {
  it("are judged by what is not put together: a path's size is found by packets too big for it", () => {
    const results = of("fragments", (e) => (windowOf(e, web1).fragments.last.notCut += 12));
    assert.deepEqual(outcomes(results), ["ok", "ok", "ok"]);
    assert.match(results[1]?.found ?? "", /^12 too big and not to be cut/);
  });
});
