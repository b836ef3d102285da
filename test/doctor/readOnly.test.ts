import assert from "node:assert/strict";
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
    assert.deepEqual([...asked], ["cilium-dbg status --verbose -o json"]);
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
