import assert from "node:assert/strict";
import { CannotRun } from "../../components/doctor/kube";
import { runDoctor, type DoctorOptions } from "../../components/doctor/run";
import { FakeApi, kubeconfig } from "./fakeApi";
import { healthyExec } from "./fakeProbes";
import { expectation, nodeNames, web1 } from "./fixtures";

describe("the doctor against an API", () => {
  let api: FakeApi;
  let options: DoctorOptions;

  beforeEach(async () => {
    api = new FakeApi();
    api.cluster.exec = healthyExec;
    const { cloudRoutes: _, ...rest } = expectation();
    options = { kubeconfig: await api.start(), expectation: rest };
  });
  afterEach(() => api.stop());

  function leftNamespaces(): string[] {
    return [...api.cluster.namespaces.keys()].filter((name) => name !== "default");
  }

  it("finds a healthy cluster healthy and leaves nothing behind", async () => {
    const report = await runDoctor(options);
    assert.deepEqual(
      report.results.filter((result) => result.outcome !== "ok"),
      [],
    );
    assert.equal(report.healthy, true);
    assert.equal(report.cluster, "lab");
    assert.deepEqual(leftNamespaces(), []);
    assert.equal(api.cluster.pods.size, 2 * nodeNames.length);
  });

  it("gives each probe the kernel settings to read, no token, and its node", async () => {
    await runDoctor(options);
    const pods = [...api.cluster.pods.values()];
    assert.deepEqual([...new Set(pods.map((pod) => pod.spec.nodeName))].sort(), [...nodeNames].sort());
    for (const pod of pods) {
      const environment = pod.spec.containers[0]?.env ?? [];
      const keys = environment.find(({ name }) => name === "PROBE_SYSCTLS")?.value;
      assert.equal(
        keys,
        expectation()
          .sysctls.map(({ key }) => key)
          .join(" "),
      );
      assert.ok(JSON.stringify(pod).includes('"automountServiceAccountToken":false'));
      assert.ok(!JSON.stringify(pod).includes("hostPath"));
    }
  });

  it("works with a kubeconfig alone", async () => {
    const report = await runDoctor({ kubeconfig: options.kubeconfig });
    assert.equal(report.healthy, true);
    assert.ok(report.counts.ok > 0);
    assert.ok(report.results.some((result) => result.check === "host-routing" && result.outcome === "unseen"));
  });

  it("names the node on which no probe starts, and removes the others", async () => {
    api.cluster.waiting.set("pod-1", "ImagePullBackOff");
    const report = await runDoctor(options);
    const failed = report.results.filter((result) => result.outcome === "failed");
    assert.deepEqual(
      failed.map(({ check, subject, found }) => [check, subject, found]),
      [["probe", web1, "pod probe: ImagePullBackOff: as the test wants"]],
    );
    assert.deepEqual(leftNamespaces(), []);
  });

  it("names a probe that printed nothing of use as not seen", async () => {
    api.cluster.exec = (pod, command) => (pod === "pod-1" ? "OCI runtime error" : healthyExec(pod, command));
    const report = await runDoctor(options);
    const dns = report.results.find((result) => result.check === "dns" && result.subject === web1);
    assert.equal(dns?.outcome, "unseen");
    assert.match(dns.hint ?? "", /gave no results/);
  });

  it("names an exec that was refused as not seen", async () => {
    api.cluster.refuse = (request) => (/^EXEC .*\/host-1\//.test(request) ? 403 : undefined);
    const report = await runDoctor(options);
    const sysctl = report.results.find((result) => result.check === "sysctls-node" && result.subject === web1);
    assert.equal(sysctl?.outcome, "unseen");
    assert.match(sysctl.hint ?? "", /403/);
  });

  it("removes what it made when the API fails in between", async () => {
    api.cluster.refuse = (request) => (/^GET .*\/zerosteal-doctor-[^/]*\/pods$/.test(request) ? 500 : undefined);
    await assert.rejects(runDoctor(options), (error: Error) => {
      assert.ok(error instanceof CannotRun);
      assert.match(error.message, /refused to work with the probe pods: HTTP 500, the fake API said 500/);
      return true;
    });
    assert.deepEqual(leftNamespaces(), []);
  });

  it("says when it could not remove what it made", async () => {
    api.cluster.refuse = (request) => (request.startsWith("DELETE") ? 403 : undefined);
    const report = await runDoctor(options);
    const failed = report.results.filter((result) => result.outcome === "failed");
    assert.deepEqual(
      failed.map(({ check, subject, wanted }) => [check, subject, wanted]),
      [["probe", "cluster", "probe pods are removed"]],
    );
    assert.match(failed[0]?.found ?? "", /may not remove the probe pods.*kubectl delete namespace zerosteal-doctor-/);
  });

  it("removes what it made when it is interrupted", async () => {
    const controller = new AbortController();
    api.cluster.exec = (pod, command) => {
      if (!pod.startsWith("host")) return healthyExec(pod, command);
      assert.equal(leftNamespaces().length, 1);
      controller.abort();
      return undefined;
    };
    await assert.rejects(runDoctor({ ...options, signal: controller.signal }));
    assert.equal(controller.signal.aborted, true);
    assert.deepEqual(leftNamespaces(), []);
  });

  it("removes leftovers older than an hour, and only its own", async () => {
    const labels = { "app.kubernetes.io/managed-by": "zerosteal-doctor" };
    const minutesAgo = (minutes: number) => new Date(Date.now() - minutes * 60_000);
    api.cluster.namespaces.set("zerosteal-doctor-old", { created: minutesAgo(61), labels });
    api.cluster.namespaces.set("zerosteal-doctor-running", { created: minutesAgo(5), labels });
    api.cluster.namespaces.set("zerosteal-doctor-of-people", { created: minutesAgo(600), labels: {} });
    await runDoctor(options);
    assert.deepEqual(leftNamespaces(), ["zerosteal-doctor-running", "zerosteal-doctor-of-people"]);
  });

  it("lets runs at the same time alone", async () => {
    const [one, two] = await Promise.all([runDoctor(options), runDoctor(options)]);
    assert.equal(one.healthy && two.healthy, true);
    const made = api.cluster.requests.filter((request) => request.startsWith("DELETE"));
    assert.equal(new Set(made).size, 2);
  });

  const refusals: [string, (request: string) => number | undefined, RegExp][] = [
    [
      "may not list nodes",
      (r) => (r === "GET /api/v1/nodes" ? 403 : undefined),
      /^This kubeconfig may not list nodes\. Use one/,
    ],
    [
      "is not accepted",
      () => 401,
      /^The cluster at http:\/\/127\.0\.0\.1:\d+ does not accept this kubeconfig's credentials/,
    ],
    [
      "may not make a namespace",
      (r) => (r === "POST /api/v1/namespaces" ? 403 : undefined),
      /^This kubeconfig may not create a namespace/,
    ],
  ];
  for (const [what, refuse, message] of refusals) {
    it(`says in one sentence that the kubeconfig ${what}`, async () => {
      api.cluster.refuse = refuse;
      await assert.rejects(runDoctor(options), (error: Error) => {
        assert.ok(error instanceof CannotRun);
        assert.match(error.message, message);
        assert.ok(!error.message.includes("\n"));
        return true;
      });
    });
  }

  it("goes on without the right to see kube-proxy, and says so", async () => {
    api.cluster.refuse = (request) => (request.includes("kube-proxy") ? 403 : undefined);
    const report = await runDoctor(options);
    const finding = report.results.find((result) => result.check === "kube-proxy-absent");
    assert.equal(finding?.outcome, "unseen");
    assert.match(finding.hint ?? "", /may not read kube-proxy's objects/);
  });

  it("says in one sentence that the cluster cannot be reached, or that the kubeconfig is none", async () => {
    const unreachable = kubeconfig("http://127.0.0.1:1");
    await assert.rejects(runDoctor({ kubeconfig: unreachable }), {
      name: "CannotRun",
      message:
        "The cluster's API at http://127.0.0.1:1 does not answer: connection refused. Is the address right, and reachable from here?",
    });
    await assert.rejects(runDoctor({ kubeconfig: "a: [MARKER" }), (error: Error) => {
      assert.match(error.message, /^The kubeconfig cannot be read/);
      assert.ok(!error.message.includes("MARKER"));
      return true;
    });
    await assert.rejects(runDoctor({ kubeconfig: "{}" }), { name: "CannotRun" });
  });
});
