import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { execa } from "execa";
import { Engine, findTool } from "../sandbox/plugins/engine";
import { KubeApi, kubeconfigFor } from "../sandbox/plugins/kubeApi";

const configMap = `apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .Release.Name }}
data:
  values: {{ toJson .Values.a | quote }}
{{- if .Values.stuck }}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: never}
spec:
  selector: {matchLabels: {a: b}}
  template: {metadata: {labels: {a: b}}, spec: {containers: [{name: a, image: none}]}}
{{- end }}
`;

describe("the kubernetes stand-in under a real engine", function () {
  this.timeout(180_000);
  let engine: Engine;
  let api: KubeApi;
  let chart: string;
  let helm: string;

  before(async function () {
    this.timeout(900_000);
    helm = await findTool("helm");
    engine = await Engine.create({ ZEROSTEAL_HELM: helm });
    api = await KubeApi.start(path.join(engine.dir, "kube"));
    chart = path.join(engine.dir, "chart");
    await mkdir(path.join(chart, "templates"), { recursive: true });
    await writeFile(path.join(chart, "Chart.yaml"), "apiVersion: v2\nname: demo\nversion: 1.2.3\nappVersion: '9.9'\n");
    await writeFile(path.join(chart, "values.yaml"), "a: {b: 1, c: 2}\n");
    await writeFile(path.join(chart, "templates", "cm.yaml"), configMap);
    await writeFile(path.join(engine.dir, "kubeconfig"), api.kubeconfig, { mode: 0o600 });
    engine.env.CLUSTER = api.kubeconfig;
  });

  after(async () => {
    await api.stop();
    await engine.remove();
  });

  const program = (values: string, more = ""): string => `
    const provider = new k8s.Provider("cluster", {
      kubeconfig: pulumi.secret(process.env.CLUSTER), clusterIdentifier: "test", deleteUnreachable: true });
    const helmV3 = require("@pulumi/kubernetes/helm/v3");
    const release = new helmV3.Release("demo", { chart: ${JSON.stringify(chart)}, name: "demo", namespace: "kube-system",
      values: ${values}, ${more} }, { provider });
    exports.status = release.status;`;

  async function helmSays(args: string[]): Promise<string> {
    const env = { KUBECONFIG: path.join(engine.dir, "kubeconfig") };
    return (await execa(helm, [...args, "--namespace", "kube-system"], { env, reject: false })).stdout;
  }

  /** Runs helm until its release is pending, then kills it. */
  async function killedHelm(args: string[]): Promise<void> {
    const env = { KUBECONFIG: path.join(engine.dir, "kubeconfig") };
    const running = execa(helm, [...args, "--namespace", "kube-system"], { env, reject: false });
    while (!(await helmSays(["status", "demo"])).includes("STATUS: pending")) await sleep(100);
    running.kill("SIGKILL");
    await running;
  }

  it("shows a release in a preview while the kubeconfig is still unknown", async () => {
    await engine.program(`
      const made = new command.local.Command("make", { create: "echo later" });
      const provider = new k8s.Provider("cluster", { kubeconfig: made.stdout });
      const helmV3 = require("@pulumi/kubernetes/helm/v3");
      new helmV3.Release("demo", { chart: ${JSON.stringify(chart)}, name: "demo", values: { made: made.stdout } }, { provider });`);
    const steps = await engine.steps();
    assert.deepEqual(
      steps.map((step) => `${step.op} ${step.urn.split("::").at(-1)}`),
      ["create plugins-test", "create make", "create cluster", "create demo"],
    );
  });

  it("installs, finds nothing more to do, and tells the release's status", async () => {
    await engine.program(program(`{ a: { b: 5 }, list: [1, "x"], key: pulumi.secret("planted-value-9035") }`));
    await engine.up();
    await engine.expectNoChanges();
    const release = await engine.resource("demo");
    assert.equal(release.id, "kube-system/demo");
    assert.deepEqual(release.outputs?.status, {
      name: "demo",
      namespace: "kube-system",
      revision: 1,
      status: "deployed",
      chart: "demo",
      version: "1.2.3",
      appVersion: "9.9",
    });
    assert.deepEqual(release.outputs.resourceNames, { "ConfigMap/v1": ["demo"] });
    assert.equal(release.inputs?.version, "1.2.3");
    assert.match(await helmSays(["get", "values", "demo", "--output", "json"]), /"b":5.*planted-value-9035/);
  });

  it("keeps kubeconfig and secret values out of the state's clear text", async () => {
    const state = await engine.rawState();
    assert.ok(!state.includes("planted-value-9035"));
    assert.ok(!state.includes("planted-admin-token-5812"));
  });

  it("upgrades in place, and refresh sees values changed by hand", async () => {
    await engine.program(program(`{ a: { b: 6 } }`));
    const [step] = await engine.steps();
    assert.equal(step?.op, "update");
    assert.ok(step.detailedDiff?.["values.a.b"], JSON.stringify(step.detailedDiff));
    await engine.up();
    assert.match(await helmSays(["get", "values", "demo", "--output", "json"]), /^\{"a":\{"b":6\}\}$/);
    await engine.expectNoChanges();
    await helmSays(["upgrade", "demo", chart, "--set", "a.b=7"]);
    await engine.succeed(["refresh", "--yes", "--skip-preview"]);
    assert.deepEqual(
      (await engine.steps()).map((found) => found.op),
      ["update"],
    );
    await engine.up();
    assert.match(await helmSays(["get", "values", "demo", "--output", "json"]), /^\{"a":\{"b":6\}\}$/);
    await engine.succeed(["refresh", "--preview-only", "--expect-no-changes"]);
  });

  it("records a release that does not become ready, and the next update mends it", async () => {
    await engine.destroy();
    await engine.program(program(`{ stuck: true }`, "timeout: 2"));
    const { output } = await engine.failingUp();
    assert.match(output, /Helm release "kube-system\/demo" was created, but failed to initialize completely/);
    assert.match(output, /context deadline exceeded/);
    assert.ok((await engine.resource("demo")).initErrors?.length);
    // Without any values helm would keep those of the failed revision.
    await engine.program(program(`{ stuck: false }`, "timeout: 20"));
    await engine.up();
    assert.equal(((await engine.resource("demo")).outputs?.status as { status: string }).status, "deployed");
    await engine.expectNoChanges();
  });

  it("does not wait when the program says so", async () => {
    await engine.program(program(`{ stuck: true }`, "skipAwait: true"));
    await engine.up();
    await engine.expectNoChanges();
  });

  it("takes up what an interrupted install left", async () => {
    await engine.destroy();
    await helmSays(["install", "demo", chart, "--set", "stuck=true", "--wait", "--timeout", "1s"]);
    assert.match(await helmSays(["status", "demo"]), /STATUS: failed/);
    await engine.program(program(`{ stuck: false }`, "timeout: 20"));
    await engine.up();
    assert.match(await helmSays(["status", "demo"]), /STATUS: deployed/);
  });

  it("frees a release that a killed helm left locked", async () => {
    await killedHelm(["upgrade", "demo", chart, "--set", "stuck=true", "--wait"]);
    assert.match(await helmSays(["status", "demo"]), /STATUS: pending-upgrade/);
    await engine.program(program(`{ a: { b: 11 } }`, "timeout: 20"));
    assert.match((await engine.up()).output, /rolling it back first/);
    await engine.destroy();
    await killedHelm(["install", "demo", chart, "--set", "stuck=true", "--wait"]);
    assert.match(await helmSays(["status", "demo"]), /STATUS: pending-install/);
    assert.match((await engine.up()).output, /starting anew/);
    assert.match(await helmSays(["status", "demo"]), /STATUS: deployed/);
  });

  it("replaces nothing when the kubeconfig changes under the same identifier", async () => {
    const moved = api.kubeconfig.replace("127.0.0.1", "localhost");
    const { stdout } = await engine.succeed(["preview", "--json"], { CLUSTER: moved });
    const steps = (JSON.parse(stdout) as { steps: { op: string; urn: string }[] }).steps;
    assert.deepEqual(
      steps.filter((step) => step.op !== "same").map((step) => `${step.op} ${step.urn.split("::").at(-1)}`),
      ["update cluster"],
    );
  });

  it("needs no cluster for a preview, and says so when up cannot reach it", async () => {
    const gone = kubeconfigFor("https://127.0.0.1:1");
    await engine.succeed(["preview"], { CLUSTER: gone });
    await engine.program(program(`{ a: { b: 8 } }`));
    const { output } = await engine.failingUp({ CLUSTER: gone });
    assert.match(output, /can't update Helm Release with unreachable cluster: .*connection refused/);
    assert.ok(!output.includes("planted-admin-token-5812"));
  });

  it("names a chart that is not there", async () => {
    await engine.program(program(`{ a: {} }`).replace(JSON.stringify(chart), `"./no-chart"`));
    assert.match((await engine.failingUp()).output, /no-chart.*check the chart name and repository configuration/s);
  });

  it("uninstalls", async () => {
    await engine.destroy();
    assert.equal(await helmSays(["list", "--all", "--short"]), "");
  });
});
