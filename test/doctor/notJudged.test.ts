import assert from "node:assert/strict";
import { judge } from "../../components/doctor/checks";
import type { Evidence } from "../../components/doctor/evidence";
import type { CheckResult } from "../../components/doctor/types";
import { changed, evidence, expectation, hostOf, nodeNames, podOf, web1, web2 } from "./fixtures";

function of(results: CheckResult[], check: string, outcome: CheckResult["outcome"]): CheckResult[] {
  return results.filter((result) => result.check === check && result.outcome === outcome);
}

function judged(change: (evidence: Evidence) => void): CheckResult[] {
  return judge(expectation(), changed(change));
}

describe("kernel settings that cannot be proven", () => {
  const absent = { present: false, writable: false, value: "" };
  const readOnly = { present: true, writable: false, value: "fq" };

  it("are told apart where the machine is a container and the key is absent or read-only", () => {
    for (const [reading, state] of [
      [absent, "absent"],
      [readOnly, "read-only"],
    ] as const) {
      const results = judged((e) => {
        hostOf(e, web1).machineIsContainer = true;
        hostOf(e, web1).sysctls["net.core.default_qdisc"] = reading;
      });
      const [finding, ...rest] = of(results, "sysctls-node", "unprovable");
      assert.equal(rest.length, 0);
      assert.equal(finding?.subject, web1);
      assert.equal(finding.wanted, "net.core.default_qdisc = fq");
      assert.match(finding.hint ?? "", new RegExp(`container, where this key is ${state}`));
      assert.equal(of(results, "sysctls-node", "failed").length, 0);
    }
  });

  it("are failures in a container where the key is there and writable, and on a real machine always", () => {
    const writable = judged((e) => {
      hostOf(e, web1).machineIsContainer = true;
      hostOf(e, web1).sysctls["net.core.default_qdisc"] = { ...readOnly, writable: true, value: "pfifo_fast" };
    });
    assert.equal(of(writable, "sysctls-node", "failed").length, 1);
    const real = judged(
      (e) => (hostOf(e, web1).sysctls["net.core.default_qdisc"] = { ...readOnly, value: "pfifo_fast" }),
    );
    assert.equal(of(real, "sysctls-node", "failed").length, 1);
    assert.equal(of(real, "sysctls-node", "unprovable").length, 0);
  });

  it("hold for pods too", () => {
    const results = judged((e) => {
      hostOf(e, web1).machineIsContainer = true;
      podOf(e, web1).sysctls["net.ipv4.tcp_congestion_control"] = absent;
    });
    assert.equal(of(results, "sysctls-pod", "unprovable").length, 1);
  });

  it("hold for what a container's host hands down to pods, but a node of its own must hand down its value", () => {
    const cubic = (container: boolean) => (e: Evidence) => {
      hostOf(e, web1).machineIsContainer = container;
      podOf(e, web1).sysctls["net.ipv4.tcp_congestion_control"] = {
        ...absent,
        present: true,
        writable: true,
        value: "cubic",
      };
    };
    assert.equal(of(judged(cubic(true)), "sysctls-pod", "unprovable").length, 1);
    assert.equal(of(judged(cubic(true)), "sysctls-pod", "failed").length, 0);
    assert.equal(of(judged(cubic(false)), "sysctls-pod", "failed").length, 1);
  });
});

describe("one byte more", () => {
  it("is not judged between pods under WireGuard, which counts for more than most packets need", () => {
    const results = judged((e) => {
      assert.ok("value" in e.agents);
      for (const { status } of e.agents.value)
        if ("value" in status) Object.assign(status.value, { encryption: "Wireguard", encryptionPeers: 2 });
      podOf(e, web1).oneMore[web2] = { sent: 3, received: 3, refusedLocally: false };
    });
    const [between, nodes] = ["pod-mtu", "node-mtu"].map((check) =>
      results.filter((result) => result.check === check && result.subject === `${web1} -> ${web2}`),
    );
    assert.deepEqual(
      between?.map(({ outcome, wanted }) => [outcome, wanted]),
      [
        ["ok", "the route says 1450"],
        ["ok", "1450 bytes arrive"],
        ["unseen", "1451 bytes are refused by the path"],
      ],
    );
    assert.match(between[2]?.hint ?? "", /WireGuard/);
    assert.deepEqual(
      nodes?.map(({ outcome }) => outcome),
      ["ok", "ok", "ok"],
    );
  });

  const lost = { sent: 3, received: 0, refusedLocally: false };

  it("counts as refused by the path when it gets lost while the exact size arrives", () => {
    const results = judged((e) => (podOf(e, web1).oneMore[web2] = lost));
    assert.deepEqual(
      of(results, "pod-mtu", "ok").filter((r) => r.subject === `${web1} -> ${web2}` && r.found.includes("lost")).length,
      1,
    );
  });

  const notThePath: [string, (e: Evidence) => void, RegExp][] = [
    [
      "the sender's own kernel refused",
      (e) => (podOf(e, web1).oneMore[web2] = { ...lost, refusedLocally: true }),
      /sender itself refused/,
    ],
    [
      "an address of the sender's own node refused",
      (e) => (podOf(e, web1).oneMore[web2] = { ...lost, refusedBy: { address: "10.244.1.1", mtu: 1450 } }),
      /sender itself refused/,
    ],
    [
      "the probe did not send it",
      (e) => (podOf(e, web1).oneMore[web2] = { ...lost, sent: 0, complaint: "ping: invalid argument" }),
      /could be tried: ping: invalid argument/,
    ],
    ["the probe did not try", (e) => (podOf(e, web1).oneMore = {}), /could be tried/],
    [
      "the node's addresses are not known",
      (e) => (e.probes[1]!.host = { unseen: "the host probe does not run there" }),
      /cannot be told who refused/,
    ],
  ];
  for (const [what, change, reason] of notThePath) {
    it(`proves nothing when ${what}`, () => {
      const unseen = of(judged(change), "pod-mtu", "unseen").filter((r) => r.subject === `${web1} -> ${web2}`);
      assert.equal(unseen.length, 1);
      assert.equal(unseen[0]?.wanted, "1451 bytes are refused by the path");
      assert.match(unseen[0].hint ?? "", reason);
    });
  }

  it("is not judged between nodes under an overlay", () => {
    const results = judged((e) => {
      assert.ok("value" in e.agents);
      for (const agent of e.agents.value) if ("value" in agent.status) agent.status.value.routingMode = "Tunnel";
    });
    const unseen = of(results, "node-mtu", "unseen");
    assert.equal(unseen.length, 6);
    assert.match(unseen[0]?.hint ?? "", /overlay/);
  });
});

describe("packet filter rules", () => {
  it("are not seen where no tool could list them", () => {
    const results = judged(
      (e) => (hostOf(e, web1).kubeProxyRules = [{ tool: "iptables-save", lines: 0, error: "denied" }]),
    );
    assert.match(of(results, "no-kube-svc-rules", "unseen")[0]?.hint ?? "", /iptables-save: denied/);
  });
});

describe("the outside", () => {
  const target = "198.18.0.1:5000";

  it("is not judged by a target that the node does not reach either", () => {
    const results = judged((e) => {
      hostOf(e, web1).connects[target] = { ok: false, milliseconds: 1, error: "no answer" };
      podOf(e, web1).connects[target] = { ok: false, milliseconds: 1, error: "no answer" };
    });
    assert.match(of(results, "egress", "unseen")[0]?.hint ?? "", /--egress-target/);
  });

  it("is judged by the caller's target in any case", () => {
    const results = judged((e) => {
      e.egressTargets = [{ target, asked: true }];
      hostOf(e, web1).connects[target] = { ok: false, milliseconds: 1, error: "no answer" };
      podOf(e, web1).connects[target] = { ok: false, milliseconds: 1, error: "no answer" };
    });
    assert.match(of(results, "egress", "failed")[0]?.hint ?? "", /does not reach it either/);
  });

  it("is not one of the node's own addresses", () => {
    const results = judged((e) => {
      e.egressTargets = [{ target: "198.18.0.12:6443", asked: false }];
      for (const node of nodeNames) {
        hostOf(e, node).connects["198.18.0.12:6443"] = { ok: true, milliseconds: 1 };
        podOf(e, node).connects["198.18.0.12:6443"] = { ok: true, milliseconds: 1 };
      }
    });
    assert.deepEqual(
      of(results, "egress", "unseen").map((r) => r.subject),
      [web1],
    );
    assert.equal(of(results, "egress", "ok").length, 2);
  });
});

describe("what was not at hand", () => {
  it("is named without a plan, while what holds on every cluster is judged", () => {
    const results = judge(undefined, evidence());
    assert.equal(results.filter((r) => r.outcome === "failed").length, 0);
    const ok = new Set(results.flatMap((r) => (r.outcome === "ok" ? [r.check] : [])));
    for (const check of ["nodes-ready", "node-mtu", "pod-mtu", "dns", "cluster-ip", "pod-to-pod", "egress", "probe"]) {
      assert.ok(ok.has(check), `${check} is judged`);
    }
    for (const check of ["host-routing", "masquerading", "devices", "cloud-routes", "sysctls-node", "versions"]) {
      assert.ok(!ok.has(check), `${check} is not judged`);
      assert.match(of(results, check, "unseen")[0]?.hint ?? "", /--plan/);
    }
  });

  it("still finds a broken path without a plan", () => {
    const broken = changed((e) => (podOf(e, web1).exact[web2] = { sent: 3, received: 0, refusedLocally: false }));
    const failed = judge(undefined, broken).filter((r) => r.outcome === "failed");
    assert.deepEqual(
      failed.map((r) => [r.check, r.wanted, r.found]),
      [["pod-mtu", "1450 bytes arrive", "lost without an answer"]],
    );
  });

  it("finds a taint of trouble without a plan, and leaves others alone", () => {
    const taints = ["dedicated=db:NoSchedule", "node.cilium.io/agent-not-ready:NoSchedule"];
    const failed = judge(
      undefined,
      changed((e) => (e.nodes[1]!.taints = taints)),
    ).filter((r) => r.outcome === "failed");
    assert.deepEqual(
      failed.map((r) => [r.check, r.found]),
      [["nodes-ready", taints[1]]],
    );
  });

  it("is named without a cloud token, and nothing is said where the underlay has no routes", () => {
    const results = judged((e) => (e.cloud = { unseen: "No cloud token was given." }));
    assert.deepEqual(
      of(results, "cloud-routes", "unseen").map((r) => [r.subject, r.hint]),
      [["cluster", "No cloud token was given."]],
    );
    const noRoutes = { ...expectation(), cloudRoutes: undefined };
    assert.equal(judge(noRoutes, evidence()).filter((r) => r.check === "cloud-routes").length, 0);
  });

  it("is named for a node without probes, an agent without an answer, objects without rights", () => {
    const results = judged((e) => {
      e.probes[1]!.host = { unseen: "the host probe does not run there" };
      e.probes[1]!.pod = { unseen: "the pod probe does not run there" };
      e.kubeProxy = { unseen: "This kubeconfig may not read kube-proxy's objects." };
      assert.ok("value" in e.agents);
      e.agents.value[1]!.status = { unseen: "the agent cilium-1 did not tell its status: timeout" };
    });
    assert.equal(results.filter((r) => r.outcome === "failed").length, 0);
    for (const check of [
      "sysctls-node",
      "sysctls-pod",
      "dns",
      "cluster-ip",
      "egress",
      "node-mtu",
      "no-kube-svc-rules",
    ]) {
      const unseen = of(results, check, "unseen").filter((r) => r.subject === web1);
      assert.ok(unseen.length > 0, check);
      assert.match(unseen[0]?.hint ?? "", /does not run there/);
    }
    for (const check of ["kube-proxy-replacement", "host-routing", "devices"]) {
      assert.match(of(results, check, "unseen")[0]?.hint ?? "", /did not tell its status/);
    }
    assert.match(of(results, "kube-proxy-absent", "unseen")[0]?.hint ?? "", /may not read/);
  });
});

describe("a default route in the network", () => {
  it("is left alone: people add NAT gateways that way", () => {
    const results = judged((e) => {
      assert.ok("value" in e.cloud);
      e.cloud.value.routes.push({ destination: "0.0.0.0/0", gateway: "10.0.0.9" });
    });
    assert.equal(of(results, "cloud-routes", "failed").length, 0);
  });
});

describe("findings that follow from another", () => {
  it("name their cause and are not counted as failures", () => {
    const lost = { sent: 3, received: 0, refusedLocally: false };
    const results = judged((e) => {
      assert.ok("value" in e.cloud);
      e.cloud.value.routes = e.cloud.value.routes.filter((route) => route.destination !== "10.244.2.0/24");
      podOf(e, web1).reach[web2] = { ...lost };
      podOf(e, "lab-control-plane-1").lookups[0] = { addresses: [], milliseconds: 2000, error: "no answer" };
    });
    assert.deepEqual(
      results.filter((r) => r.outcome === "failed").map((r) => r.check),
      ["cloud-routes"],
    );
    assert.match(of(results, "pod-to-pod", "unseen")[0]?.hint ?? "", /Follows from cloud-routes on lab-web-2/);
    assert.match(of(results, "dns", "unseen")[0]?.hint ?? "", /Follows from cloud-routes on lab-web-2/);
  });

  it("stay failures where the cause is elsewhere", () => {
    const results = judged((e) => {
      assert.ok("value" in e.cloud);
      e.cloud.value.routes = e.cloud.value.routes.filter((route) => route.destination !== "10.244.2.0/24");
      podOf(e, web1).reach["lab-control-plane-1"] = { sent: 3, received: 0, refusedLocally: false };
    });
    assert.deepEqual(
      results.filter((r) => r.outcome === "failed").map((r) => [r.check, r.subject]),
      [
        ["cloud-routes", web2],
        ["pod-to-pod", `${web1} -> lab-control-plane-1`],
      ],
    );
  });
});
