import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { windowScript } from "../../components/doctor/agents";
import { parseHostProbe } from "../../components/doctor/parse";
import { probeCommand, probeScript } from "../../components/doctor/probeScript";
import { needs } from "../capabilities";
import { collectEvidence } from "../../components/doctor/collect";
import { FakeApi } from "./fakeApi";
import { healthyExec } from "./fakeProbes";
import { expectation } from "./fixtures";

/** Requests that change something, and are not about the run's own namespace. */
function changesElsewhere(requests: string[]): string[] {
  const own =
    /^(POST \/api\/v1\/namespaces|(POST|DELETE|EXEC) \/api\/v1\/namespaces\/zerosteal-doctor-[0-9a-f]{8}(\/.*)?)$/;
  // The agents are asked for their status, by a command that only prints.
  const agents = /^EXEC \/api\/v1\/namespaces\/kube-system\/pods\/cilium-\d+\/exec$/;
  return requests.filter((request) => !request.startsWith("GET ") && !own.test(request) && !agents.test(request));
}

describe("the doctor's requests", () => {
  it("change nothing but its own namespace", async () => {
    const api = new FakeApi();
    const asked = new Set<string>();
    api.cluster.exec = (pod, command) => {
      if (pod.startsWith("cilium-")) asked.add(command.join(" "));
      return healthyExec(pod, command);
    };
    try {
      const { cloudRoutes: _, ...wanted } = expectation();
      await collectEvidence({ kubeconfig: await api.start(), expectation: wanted });
    } finally {
      await api.stop();
    }
    assert.ok(api.cluster.requests.length > 20);
    assert.deepEqual(changesElsewhere(api.cluster.requests), []);
    // Both print only.
    assert.deepEqual([...asked].sort(), ["cilium-dbg status --verbose -o json", `sh -c ${windowScript}`]);
    assert.deepEqual([...api.cluster.namespaces.keys()], ["default"]);
  });

  it("would be told apart if they did", () => {
    const requests = [
      "PATCH /api/v1/nodes/lab-web-1",
      "DELETE /api/v1/namespaces/default",
      "POST /api/v1/namespaces/kube-system/pods",
      "EXEC /api/v1/namespaces/kube-system/pods/coredns-1/exec",
      "GET /api/v1/nodes",
      "POST /api/v1/namespaces",
      "POST /api/v1/namespaces/zerosteal-doctor-0a1b2c3d/pods",
      "DELETE /api/v1/namespaces/zerosteal-doctor-0a1b2c3d",
    ];
    assert.deepEqual(changesElsewhere(requests), requests.slice(0, 4));
  });
});

describe("the doctor's look at packet filter rules", () => {
  it("makes no table of the older packet filter", function () {
    needs(this, "root");
    this.timeout(60_000);
    const command = probeCommand({ role: "host", nodeMtu: 0, podMtu: 0, egress: [], peers: [] });
    // The kernel makes such a table for whoever asks for it, and from then on packets pass it.
    const look = '"$@"; cat /proc/net/ip_tables_names /proc/net/ip6_tables_names 2>/dev/null | sed s/^/TABLE:/';
    const output = execFileSync("unshare", ["--net", "bash", "-c", look, "look", ...command], {
      encoding: "utf8",
      env: { ...process.env, PROBE_SCRIPT: probeScript, PROBE_SYSCTLS: "" },
    });
    const { kubeProxyRules } = parseHostProbe(output);
    assert.ok(kubeProxyRules.length > 0);
    assert.deepEqual(
      output.split("\n").filter((line) => line.startsWith("TABLE:")),
      [],
    );
  });
});
