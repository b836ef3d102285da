import assert from "node:assert/strict";
import { describe, it } from "mocha";
import {
  serverTypes,
  type ClusterArgs,
  type Decision,
  explain,
  monthlyPrice,
  planCluster,
} from "../../components/plan";
import { valueReasons } from "../../components/plan/cilium";
import { leafPaths } from "../../components/plan/merge";
import { namedClusters, smallCluster, hostsCluster } from "./clusters";

function decisionsOf(args: ClusterArgs): Map<string, Decision> {
  return new Map(explain(planCluster("small", args), args).map((decision) => [decision.id, decision]));
}

/** Values without a reason, and reasons without a value. */
function unmatched(values: string[], reasons: string[]): { unexplained: string[]; idle: string[] } {
  return {
    unexplained: values.filter((path) => !reasons.includes(path)),
    idle: reasons.filter((path) => !values.includes(path)),
  };
}

describe("explain", () => {
  for (const [name, args] of Object.entries(namedClusters)) {
    it(`gives every decision of ${name} a value, a reason and a source, once`, () => {
      const decisions = explain(planCluster(name, args), args);
      const ids = decisions.map(({ id }) => id);
      assert.deepEqual([...new Set(ids)], ids);
      for (const { id, topic, value, why, source } of decisions) {
        assert.ok(value !== undefined && value !== "", `${id} has no value`);
        assert.match(why, /^\S.*[.]$/, id);
        assert.notEqual(why, "No reason is recorded.", id);
        assert.ok(topic !== "" && source !== "", id);
      }
    });
  }

  it("has a reason for each Helm value of the plan, and no reason without a value", () => {
    const plans = [
      hostsCluster(),
      smallCluster(),
      { ...smallCluster(), network: { tunnel: "vxlan", encryption: "wireguard" } } satisfies ClusterArgs,
    ];
    const values = plans.flatMap((args) => leafPaths(planCluster("small", args).cilium.values));
    assert.deepEqual(unmatched(values, Object.keys(valueReasons)), { unexplained: [], idle: [] });
    assert.deepEqual(unmatched(["MTU", "new.value"], ["MTU", "gone"]), { unexplained: ["new.value"], idle: ["gone"] });
  });

  it("tells the overhead of a tunnel as a sum", () => {
    assert.equal(decisionsOf(smallCluster()).get("mtu.pods")?.value, "1450 - 0 = 1450");
    assert.equal(
      decisionsOf({ ...smallCluster(), network: { tunnel: "vxlan" } }).get("mtu.pods")?.value,
      "1450 - 50 = 1400",
    );
  });

  it("says so when a value's reason was forgotten", () => {
    const args = smallCluster();
    const plan = planCluster("small", args);
    plan.cilium.values = { ...plan.cilium.values, forgotten: true };
    const decision = explain(plan, args).find(({ id }) => id === "cilium.forgotten");
    assert.equal(decision?.why, "No reason is recorded.");
  });

  it("takes each value from the plan", () => {
    const args = smallCluster();
    const plan = planCluster("small", args);
    const before = decisionsOf(args);
    plan.underlay.mtu = 9000;
    plan.podMtu = 8950;
    plan.podCidr = "10.99.0.0/16";
    plan.cilium.values = { ...plan.cilium.values, routingMode: "tunnel" };
    plan.sysctls = plan.sysctls.map((entry) => ({ ...entry, value: "7" }));
    plan.firewall = [];
    const after = new Map(explain(plan, args).map((decision) => [decision.id, decision.value]));
    assert.equal(before.get("mtu.pods")?.value, "1450 - 0 = 1450");
    assert.equal(after.get("mtu.pods"), "9000 - 50 = 8950");
    assert.equal(after.get("network.pods"), "10.99.0.0/16");
    assert.equal(after.get("cilium.routingMode"), "tunnel");
    assert.equal(after.get("sysctl.net.core.somaxconn"), "7");
    assert.ok(before.has("firewall.tcp.22") && !after.has("firewall.tcp.22"));
  });

  it("tells what somebody chose from a default", () => {
    const small = decisionsOf(smallCluster());
    assert.match(small.get("network.pods")?.source ?? "", /^default of network\.podCidr/);
    const isolated = decisionsOf(namedClusters.isolated!);
    assert.match(isolated.get("network.pods")?.source ?? "", /^argument network\.podCidr/);
    assert.equal(isolated.get("sysctl.net.core.somaxconn")?.why, "Set by tuning.sysctls.");
    assert.equal(isolated.get("sysctl.net.ipv4.tcp_tw_reuse")?.value, "the system's own");
    const own = { ...smallCluster(), cilium: { values: { bpf: { lbMapMax: 262144 }, podLabels: { "a.b/c": "d" } } } };
    const decisions = decisionsOf(own);
    assert.equal(decisions.get("cilium.bpf.lbMapMax")?.value, 262144);
    assert.match(decisions.get("cilium.bpf.lbMapMax")?.why ?? "", /in place of the plan's own/);
    assert.deepEqual(
      [decisions.get("cilium.podLabels.a.b/c")?.value, decisions.get("cilium.podLabels.a.b/c")?.why],
      ["d", "Set by cilium.values."],
    );
    assert.equal(decisions.get("cilium.bpf.masquerade")?.why, valueReasons["bpf.masquerade"]?.why);
  });

  it("says who tested the versions, or that nobody did", () => {
    assert.match(decisionsOf(smallCluster()).get("version.cilium")?.why ?? "", /end-to-end tests and .*Cilium/);
    const bold: ClusterArgs = {
      ...smallCluster(),
      cilium: { version: "1.18.12" },
      accept: ["versions-untested"],
    };
    const decisions = decisionsOf(bold);
    assert.equal(decisions.get("version.cilium")?.why, "Nobody tested Kubernetes 1.36 with Cilium 1.18.");
    assert.ok(decisions.has("accepted.versions-untested.cilium.version"));
  });

  it("reserves CPUs pool by pool, as the kubelet is told", () => {
    const decisions = decisionsOf({
      ...smallCluster(),
      pools: [
        { name: "web", count: 2, serverType: "ccx33", cpuIsolation: "strict" },
        { name: "later", count: 0, firstNumber: 40, serverType: "ccx13" },
      ],
    });
    assert.equal(decisions.get("cpu.web")?.value, "strict (ccx33, 8 dedicated vCPUs; reserved: 0-1)");
    assert.equal(decisions.get("cpu.later")?.value, "none (ccx13, 2 dedicated vCPUs; reserved: none)");
    assert.equal(decisions.get("network.pool.later")?.value, "from number 40; no nodes now");
    assert.match(String(decisions.get("network.pool.web")?.value), /^number 11 to 12: 10\.0\.0\.11 to 10\.0\.0\.12, /);
  });

  it("repeats accepted warnings with the rule's reason", () => {
    const decisions = decisionsOf(namedClusters.accepted!);
    const warning = decisions.get("accepted.access-open-to-all.access.api[0]");
    assert.match(String(warning?.value), /access\.api\[0\]: 0\.0\.0\.0\/0 lets the whole Internet in/);
    assert.match(warning?.why ?? "", /attacked within minutes/);
    assert.equal([...decisionsOf(smallCluster()).keys()].filter((id) => id.startsWith("accepted.")).length, 0);
  });
});

describe("the monthly price", () => {
  const priceOf = (type: string): number => serverTypes.find(({ name }) => name === type)?.priceEurMonth ?? NaN;

  it("is the sum over the servers whose price is known", () => {
    const { eur, unknown } = monthlyPrice(planCluster("small", smallCluster()));
    assert.equal(eur.toFixed(2), (priceOf("ccx13") + 2 * priceOf("ccx23")).toFixed(2));
    assert.deepEqual(unknown, []);
  });

  it("names the types without a figure, and takes none of another zone", () => {
    const { eur, unknown } = monthlyPrice(planCluster("isolated", namedClusters.isolated!));
    assert.deepEqual({ eur, unknown }, { eur: 0, unknown: ["ccx13", "ccx33", "cpx31"] });
  });

  it("has no figure for a type that eu-central does not offer", () => {
    const elsewhere = serverTypes.filter((type) => !type.locations.includes("fsn1"));
    assert.ok(elsewhere.length > 0);
    assert.ok(elsewhere.every((type) => type.priceEurMonth === undefined));
  });
});
