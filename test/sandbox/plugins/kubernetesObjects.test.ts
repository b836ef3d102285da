import assert from "node:assert/strict";
import { type Bag, Secret } from "../../../sandbox/plugins/core/values";
import type { KubeObject } from "../../../sandbox/plugins/kubernetes/api";
import { isObjectToken, knownScope, replaces } from "../../../sandbox/plugins/kubernetes/kinds";
import {
  importedObject,
  objectState,
  pruned,
  refreshedInputs,
  refusals,
  waitsOf,
  withNames,
} from "../../../sandbox/plugins/kubernetes/objectState";

const seed = new Uint8Array([1]);

describe("objects of the kubernetes stand-in", () => {
  it("are of every kind but those that it would do by halves", () => {
    for (const token of ["core/v1:Namespace", "apps/v1:Deployment", "cilium.io/v2:CiliumNetworkPolicy"]) {
      assert.ok(isObjectToken(`kubernetes:${token}`), token);
    }
    const refused = [
      "core/v1:Pod",
      "core/v1:PodList",
      "core/v1:NamespacePatch",
      "helm.sh/v4:Chart",
      "yaml/v2:ConfigGroup",
    ];
    for (const token of [...refused, "core/v1:namespace"]) assert.ok(!isObjectToken(`kubernetes:${token}`), token);
  });

  it("lie in namespaces by what every cluster has in common, or as a cluster says", () => {
    assert.equal(knownScope("v1", "Namespace"), false);
    assert.equal(knownScope("v1", "Service"), true);
    assert.equal(knownScope("apps/v1", "Deployment"), true);
    assert.equal(knownScope("networking.k8s.io/v1", "NetworkPolicy"), true);
    assert.equal(knownScope("cilium.io/v2", "CiliumClusterwideNetworkPolicy"), undefined);
  });

  it("are replaced for what the API server does not change", () => {
    assert.ok(replaces("v1", "Service", "metadata.name"));
    assert.ok(replaces("apps/v1", "Deployment", "spec.selector.matchLabels.app"));
    assert.ok(!replaces("apps/v1", "Deployment", "spec.replicas"));
    assert.ok(replaces("v1", "ConfigMap", `data["a.b"]`));
    assert.ok(!replaces("v1", "ConfigMap", "database"));
  });

  it("get a name and a namespace unless they have them, and keep a made-up name", () => {
    const made = withNames({ kind: "Service" }, {}, "shop", "web", seed);
    const { name, namespace, annotations } = made.metadata as { name: string; namespace: string; annotations: Bag };
    assert.match(name, /^web-[0-9a-f]{8}$/);
    assert.deepEqual([namespace, annotations], ["shop", { "pulumi.com/autonamed": "true" }]);
    const next = withNames({ kind: "Service", spec: {} }, made, "shop", "web", new Uint8Array([2]));
    assert.deepEqual(next.metadata, made.metadata);
    const own = withNames({ metadata: { name: "x", namespace: "y", uid: "1" } }, made, "shop", "web", seed);
    assert.deepEqual(own.metadata, { name: "x", namespace: "y" });
    assert.deepEqual(withNames({ metadata: { name: "x" } }, {}, undefined, "web", seed).metadata, { name: "x" });
  });

  it("wait for conditions, one or several, and for nothing else", () => {
    const waiting = (text: string): Bag => ({ metadata: { annotations: { "pulumi.com/waitFor": text } } });
    assert.deepEqual(waitsOf(waiting("condition=Valid")), ["condition=Valid"]);
    assert.deepEqual(waitsOf(waiting(`["condition=A", "condition=B=False"]`)), ["condition=A", "condition=B=False"]);
    assert.deepEqual(refusals(waiting(`["condition=A", "condition=B=False"]`)), []);
    assert.match(refusals(waiting("jsonpath={.a}"))[0]?.reason ?? "", /conditions only/);
    assert.match(refusals(waiting("A"))[0]?.reason ?? "", /expected a "jsonpath=" or "condition=" prefix/);
    assert.match(refusals({ metadata: { generateName: "a-" } })[0]?.reason ?? "", /generateName/);
  });

  const inputs: Bag = { metadata: { name: "a" }, spec: { cpu: "0.5", list: [{ a: 1 }], none: null } };
  const object = (spec: object): KubeObject => ({
    apiVersion: "v1",
    kind: "Thing",
    metadata: { name: "a", uid: "1", resourceVersion: "7" },
    spec: spec as never,
    status: { ok: true },
  });
  const live = object({ cpu: "500m", list: [{ a: 1, more: 2 }], byServer: true });

  it("are cut to the shape of the inputs", () => {
    const expected = { metadata: { name: "a" }, spec: { cpu: "500m", list: [{ a: 1 }] } };
    assert.deepEqual(pruned(live as unknown as Bag, inputs), expected);
  });

  it("keep their inputs over a refresh until somebody changes what these say", () => {
    const state = objectState(inputs, live, "manager", "v1");
    assert.equal(refreshedInputs(inputs, state, live), inputs);
    assert.equal(refreshedInputs(inputs, state, object({ ...live.spec, byServer: false })), inputs);
    const changed = refreshedInputs(inputs, state, object({ ...live.spec, cpu: "2" }));
    assert.deepEqual(changed.spec, { cpu: "2", list: [{ a: 1 }] });
  });

  it("carry secrets of the inputs into the state and the refreshed inputs, at the same places", () => {
    const secret: Bag = { metadata: { name: "a" }, spec: { cpu: new Secret("0.5") } };
    const state = objectState(secret, live, "manager", "v1");
    assert.ok((state.spec as Bag).cpu instanceof Secret);
    const changed = refreshedInputs(secret, state, object({ cpu: "2" }));
    assert.deepEqual(changed.spec, { cpu: new Secret("2") });
  });

  it("are imported without what the API server wrote", () => {
    const { metadata, status } = importedObject(live) as { metadata: Bag; status?: Bag };
    assert.deepEqual([metadata, status], [{ name: "a" }, undefined]);
  });
});
