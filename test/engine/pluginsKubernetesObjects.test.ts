import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { execa } from "execa";
import { Engine, findTool } from "../sandbox/plugins/engine";
import { KubeApi, kubeconfigFor } from "../sandbox/plugins/kubeApi";

/** A kind of somebody else's, with conditions, as Cilium's policies have them. */
const crd = {
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: "things.example.test" },
  spec: {
    group: "example.test",
    scope: "Namespaced",
    names: { kind: "Thing", plural: "things" },
    versions: [
      {
        name: "v1",
        served: true,
        storage: true,
        subresources: { status: {} },
        schema: { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } },
      },
    ],
  },
};

interface Pod {
  metadata: { name: string; namespace: string; labels?: { stuck?: string }; deletionTimestamp?: string };
  status: { conditions?: { type: string; status: string }[] };
}

/** Where the pods are put. */
const node = { apiVersion: "v1", kind: "Node", metadata: { name: "pretended" } };

describe("objects of the kubernetes stand-in under a real engine", function () {
  this.timeout(180_000);
  let engine: Engine;
  let api: KubeApi;
  let kubectlFile: string;
  let kubelet = Promise.resolve();
  let running = true;

  before(async function () {
    this.timeout(900_000);
    kubectlFile = await findTool("kubectl");
    engine = await Engine.create({ ZEROSTEAL_HELM: await findTool("helm") });
    api = await KubeApi.start(path.join(engine.dir, "kube"), { controllers: true });
    await writeFile(path.join(engine.dir, "kubeconfig"), api.kubeconfig, { mode: 0o600 });
    engine.env.CLUSTER = api.kubeconfig;
    await kubectl(["apply", "-f", "-"], JSON.stringify({ apiVersion: "v1", kind: "List", items: [crd, node] }));
    kubelet = playKubelet();
  });

  after(async () => {
    running = false;
    await kubelet;
    await api.stop();
    await engine.remove();
  });

  async function kubectl(args: string[], input = ""): Promise<string> {
    const config = path.join(engine.dir, "kubeconfig");
    return (await execa(kubectlFile, ["--kubeconfig", config, ...args], { input })).stdout;
  }

  async function live<T>(...args: string[]): Promise<T> {
    return JSON.parse(await kubectl(["get", ...args, "-o", "json"])) as T;
  }

  function setStatus(args: string[], status: object): Promise<string> {
    return kubectl(["patch", ...args, "--subresource=status", "--type=merge", "-p", JSON.stringify({ status })]);
  }

  /** In a kubelet's place: pods become ready by what is written into their status, unless their label says that they are stuck, and go. */
  async function playKubelet(): Promise<void> {
    while (running) {
      const { items } = await live<{ items: Pod[] }>("pods", "-A");
      for (const [index, { metadata, status: known }] of items.entries()) {
        const where = ["-n", metadata.namespace, "pod", metadata.name];
        if (metadata.deletionTimestamp) await kubectl(["delete", ...where, "--force", "--grace-period=0"]);
        if (metadata.deletionTimestamp || known.conditions?.some(({ type }) => type === "Ready")) continue;
        const stuck = metadata.labels?.stuck === "true";
        const waiting = { name: "main", ready: false, restartCount: 0, image: "none", imageID: "" };
        const status = stuck
          ? {
              containerStatuses: [
                { ...waiting, state: { waiting: { reason: "ErrImagePull", message: "no such image" } } },
              ],
            }
          : {
              phase: "Running",
              podIPs: [{ ip: `10.9.0.${index + 1}` }],
              podIP: `10.9.0.${index + 1}`,
              conditions: [{ type: "Ready", status: "True" }],
            };
        await setStatus(where, status).catch(() => undefined);
      }
      await sleep(300);
    }
  }

  const header = `
    const provider = new k8s.Provider("cluster", {
      kubeconfig: pulumi.secret(process.env.CLUSTER), clusterIdentifier: "test", deleteUnreachable: true });
    const namespace = new k8s.core.v1.Namespace("shop", { metadata: { name: "shop" } }, { provider });
    const inShop = (name, more = {}) => ({ name, namespace: namespace.metadata.name, ...more });
    const opts = { provider, customTimeouts: { create: "90s", update: "90s" } };
    const impatient = { provider, customTimeouts: { create: "12s", update: "12s" } };
    const deployment = (name, labels, more = {}, options = opts) => new k8s.apps.v1.Deployment(name, {
      metadata: inShop(name),
      spec: { replicas: 2, selector: { matchLabels: { app: name } }, ...more,
        template: { metadata: { labels: { app: name, ...labels } }, spec: { nodeName: "pretended", containers: [{ name: "main", image: "none" }] } } },
    }, options);
    const thing = (spec, annotations, options = opts) => new k8s.apiextensions.CustomResource("thing", {
      apiVersion: "example.test/v1", kind: "Thing", metadata: inShop("thing", { annotations }), spec }, options);
  `;

  const shop = (more = ""): Promise<void> =>
    engine.program(`${header}
      const web = deployment("web", {});
      const service = new k8s.core.v1.Service("web", { metadata: inShop("web"), spec: { selector: { app: "web" }, ports: [{ port: 80 }] } }, opts);
      const settings = new k8s.core.v1.ConfigMap("settings", { metadata: { namespace: namespace.metadata.name }, data: { key: "planted-value-2201" } }, opts);
      exports.address = service.spec.clusterIP;
      ${more}`);

  it("makes a namespace with a Deployment and a Service that are ready, and then finds nothing to do", async () => {
    await shop();
    const planned = (await engine.steps()).map((step) => `${step.op} ${step.urn.split("::").slice(2).join(" ")}`);
    assert.ok(planned.includes("create kubernetes:apps/v1:Deployment web"), planned.join("\n"));
    await engine.up();
    await engine.expectNoChanges();
    const { status } = await live<{ status: { readyReplicas: number } }>("-n", "shop", "deployment", "web");
    assert.equal(status.readyReplicas, 2);
    const made = await engine.resource("web");
    assert.equal(made.id, "shop/web");
    assert.match(String(made.outputs?.__fieldManager), /^pulumi-kubernetes-[0-9a-f]{8}$/);
    assert.equal((await engine.resource("shop")).outputs?.__initialApiVersion, "v1");
  });

  it("makes up a name, marks it, and keeps it", async () => {
    const { inputs } = await engine.resource("settings");
    const metadata = inputs?.metadata as { name: string; annotations: object };
    assert.match(metadata.name, /^settings-[0-9a-f]{8}$/);
    assert.deepEqual(metadata.annotations, { "pulumi.com/autonamed": "true" });
    await shop(`new k8s.core.v1.ConfigMap("other", { metadata: { namespace: "shop" } }, opts);`);
    assert.deepEqual(
      (await engine.steps()).map((step) => step.urn.split("::").at(-1)),
      ["other"],
    );
  });

  it("changes in place, replaces what cannot change, and deletes before where the name is the same", async () => {
    await engine.program(`${header} deployment("web", {}, { replicas: 1 });`);
    const [changed] = (await engine.steps()).filter((step) => step.op !== "delete");
    assert.deepEqual([changed?.op, Object.keys(changed?.detailedDiff ?? {})], ["update", ["spec.replicas"]]);
    await engine.program(
      `${header} deployment("web", { tier: "front" }, { selector: { matchLabels: { app: "web", tier: "front" } } });`,
    );
    const [replaced] = (await engine.steps()).filter((step) => step.urn.endsWith("Deployment::web"));
    assert.equal(replaced?.op, "replace");
    const uid = async (): Promise<string> =>
      (await live<{ metadata: { uid: string } }>("-n", "shop", "deployment", "web")).metadata.uid;
    const before = await uid();
    await engine.up();
    assert.notEqual(await uid(), before);
  });

  it("finds by a refresh what somebody changed, and puts it back; its own writing is no change", async () => {
    await shop();
    await engine.up();
    await engine.succeed(["refresh", "--yes", "--skip-preview"]);
    await engine.expectNoChanges();
    await kubectl(["-n", "shop", "scale", "deployment", "web", "--replicas=1"]);
    await engine.succeed(["refresh", "--yes", "--skip-preview"]);
    const [step] = await engine.steps();
    assert.deepEqual([step?.op, Object.keys(step?.detailedDiff ?? {})], ["update", ["spec.replicas"]]);
    // Whoever scales by hand owns the field from then on.
    const { output } = await engine.failingUp();
    assert.match(output, /server-side apply field conflict detected: .*spec\.replicas/s);
    await kubectl(["-n", "shop", "scale", "deployment", "web", "--replicas=2"]);
    await engine.up();
    assert.equal((await live<{ spec: { replicas: number } }>("-n", "shop", "deployment", "web")).spec.replicas, 2);
  });

  it("records a Deployment whose pods do not start, with the kubelet's reason, and goes on with it", async () => {
    await shop(`deployment("slow", { stuck: "true" }, {}, impatient);`);
    const { output } = await engine.failingUp();
    assert.match(output, /successfully created, but .* failed to fully initialize or become live/);
    assert.match(output, /Pod slow-\S+\]: container "main": \[ErrImagePull\] no such image/);
    assert.ok((await engine.resource("slow")).initErrors?.length);
    await shop(`deployment("slow", {});`);
    await engine.up();
    await engine.expectNoChanges();
  });

  it("waits for the condition that an annotation names, and says what it is instead", async () => {
    const waiting = `thing({ a: 1 }, { "pulumi.com/waitFor": "condition=Valid" });`;
    await shop(waiting.replace(");", ", impatient);"));
    const refused = engine.failingUp();
    await until(() => setStatus(["-n", "shop", "thing", "thing"], condition("False", "unknown key")));
    assert.match((await refused).output, /condition "Valid" to be "True", it is "False": unknown key/);
    await shop(waiting);
    const accepted = engine.up();
    await setStatus(["-n", "shop", "thing", "thing"], condition("True"));
    await accepted;
    await engine.expectNoChanges();
    await shop(waiting.replace("a: 1", "a: 2"));
    await engine.up();
    assert.equal((await live<{ spec: { a: number } }>("-n", "shop", "thing", "thing")).spec.a, 2);
  });

  it("refuses what it cannot wait for, and kinds that it would do by halves", async () => {
    await shop(`thing({ a: 2 }, { "pulumi.com/waitFor": "jsonpath={.status.ok}" });`);
    assert.match((await engine.failingUp()).output, /stand-in waits for conditions only/);
    await shop(`thing({ a: 2 }, { "pulumi.com/waitFor": "Valid" });`);
    assert.match((await engine.failingUp()).output, /expected a "jsonpath=" or "condition=" prefix, got "Valid"/);
    await shop(`new k8s.core.v1.Pod("one", { spec: { containers: [{ name: "a", image: "a" }] } }, opts);`);
    assert.match((await engine.failingUp()).output, /has no resource type kubernetes:core\/v1:Pod/);
  });

  it("does not take over an object that is there, and imports it when asked", async () => {
    await kubectl(["-n", "shop", "create", "configmap", "theirs", "--from-literal=a=1"]);
    const theirs = (options: string): string =>
      `new k8s.core.v1.ConfigMap("theirs", { metadata: inShop("theirs"), data: { a: "1" } }, { ...opts, ${options} });`;
    await shop(theirs(""));
    assert.match((await engine.failingUp()).output, /ConfigMap "theirs" already exists/);
    await shop(theirs(`import: "shop/theirs"`));
    await engine.up();
    await shop(theirs(""));
    await engine.expectNoChanges();
  });

  it("keeps secret data out of the state's clear text, encoded by the server or not", async () => {
    await shop(
      `new k8s.core.v1.Secret("key", { metadata: inShop("key"), stringData: { token: pulumi.secret("planted-value-7713") } }, opts);`,
    );
    await engine.up();
    await engine.expectNoChanges();
    const state = await engine.rawState();
    assert.ok(state.includes("planted-value-2201"), "a ConfigMap is no secret");
    for (const text of ["planted-value-7713", Buffer.from("planted-value-7713").toString("base64")]) {
      assert.ok(!state.includes(text));
    }
  });

  it("names a kind that the cluster does not have", async () => {
    await shop(
      `new k8s.apiextensions.CustomResource("none", { apiVersion: "none.test/v1", kind: "None" }, { provider });`,
    );
    assert.match((await engine.failingUp()).output, /no matches for kind "None" in version "none\.test\/v1"/);
  });

  it("deletes everything, and waits until it is gone", async () => {
    await shop();
    await engine.up();
    await engine.destroy();
    await assert.rejects(kubectl(["get", "namespace", "shop"]), /NotFound/);
  });

  it("says that a cluster cannot be reached, and forgets its objects when told to", async () => {
    const gone = { CLUSTER: kubeconfigFor("https://127.0.0.1:1") };
    const settings = (more: string): string => `new k8s.core.v1.ConfigMap("settings", {
      metadata: { name: "settings" }, data: { a: "1" } }, { provider });${more}`;
    const header = `const provider = new k8s.Provider("cluster", {
      kubeconfig: pulumi.secret(process.env.CLUSTER), clusterIdentifier: "test", deleteUnreachable: true });`;
    await engine.program(header + settings(""));
    await engine.up();
    await engine.program(header + settings(`new k8s.core.v1.ConfigMap("more", {}, { provider });`));
    await engine.succeed(["preview"], gone);
    const { output } = await engine.failingUp(gone);
    assert.match(output, /configured Kubernetes cluster is unreachable: .*ECONNREFUSED/);
    assert.ok(!output.includes("planted-admin-token-5812"));
    await engine.destroy();
    assert.equal(await kubectl(["get", "configmap", "settings", "-o", "name"]), "configmap/settings");
  });
});

function condition(status: "True" | "False", message = ""): object {
  const time = new Date().toISOString();
  return { conditions: [{ type: "Valid", status, message, reason: "Judged", lastTransitionTime: time }] };
}

/** Tries again for as long as the object is not there yet. */
async function until(action: () => Promise<unknown>): Promise<void> {
  for (let tries = 0; ; tries++) {
    try {
      await action();
      return;
    } catch (error) {
      if (tries > 60) throw error;
      await sleep(300);
    }
  }
}
