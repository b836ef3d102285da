import assert from "node:assert/strict";
import * as kubernetes from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { app, type EdgeArgs, NamespaceBaseline, ServiceGraph } from "../../components";
import { opened, type ProgramRun, type Registration, runProgram } from "./program";
import { label } from "./support";

const request: EdgeArgs = {
  from: app("frontend-proxy"),
  to: app("backend-api"),
  port: 8080,
  http: [{ method: "POST", path: "/v1/transaction" }],
};

const edge = "shop-frontend-proxy-to-backend-api-8080";

function policies(registrations: Registration[]): Registration[] {
  return registrations.filter(({ type }) => type.startsWith("kubernetes:cilium.io/"));
}

function provider(): pulumi.ComponentResourceOptions {
  return { provider: new kubernetes.Provider("cluster", { kubeconfig: "{}" }) };
}

/** A program with a baseline and a graph, as the guide has it. */
function runShop(preview: boolean): Promise<ProgramRun<void>> {
  return runProgram(
    () => {
      const options = provider();
      const baseline = new NamespaceBaseline("shop", { namespace: "shop" }, options);
      new ServiceGraph("shop", { namespace: "shop", covered: [baseline.covers] }, options).allow(request);
    },
    { preview },
  );
}

describe("components of policies", () => {
  it("register the same in a preview as in an update, as children, with the given provider", async () => {
    for (const preview of [true, false]) {
      const { registrations, error } = await runShop(preview);
      assert.equal(error, undefined);
      assert.deepEqual(registrations.map(label).sort(), [
        "CiliumNetworkPolicy shop-allow-dns",
        "CiliumNetworkPolicy shop-default-deny",
        "CiliumNetworkPolicy shop-deny-metadata",
        `CiliumNetworkPolicy ${edge}-egress`,
        `CiliumNetworkPolicy ${edge}-ingress`,
        "NamespaceBaseline shop",
        "ServiceGraph shop",
        "kubernetes cluster",
      ]);
      for (const policy of policies(registrations)) {
        assert.match(policy.parent, /^zerosteal:index:(NamespaceBaseline|ServiceGraph) shop$/);
        assert.match(policy.provider, /kubernetes::cluster::/);
        assert.equal(policy.type, "kubernetes:cilium.io/v2:CiliumNetworkPolicy");
      }
    }
  });

  it("wait until Cilium has found a policy valid, two minutes at most, unless told not to", async () => {
    const { registrations } = await runShop(false);
    for (const policy of policies(registrations)) {
      const { metadata } = opened(policy.inputs) as { metadata: { annotations: object; namespace: string } };
      assert.deepEqual(metadata.annotations, { "pulumi.com/waitFor": "condition=Valid" });
      assert.equal(metadata.namespace, "shop");
      assert.deepEqual(policy.timeouts, { create: "2m", update: "2m", delete: "" });
    }
    const without = await runProgram(() => new NamespaceBaseline("shop", { namespace: "shop", awaitValid: false }));
    for (const policy of policies(without.registrations)) {
      assert.equal((policy.inputs.metadata as { annotations?: unknown }).annotations, undefined);
    }
  });

  it("deny last: the denial depends on every allowance", async () => {
    const { registrations } = await runShop(false);
    const denial = registrations.find(({ name }) => name === "shop-default-deny");
    assert.deepEqual(denial?.dependencies.map((urn) => urn.split("::").at(-1)).sort(), [
      "shop-allow-dns",
      "shop-deny-metadata",
    ]);
  });

  it("take edges as arguments and by a method, to the same effect", async () => {
    const asArguments = await runProgram(() => new ServiceGraph("shop", { namespace: "shop", allow: [request] }));
    const byMethod = await runProgram(() => new ServiceGraph("shop", { namespace: "shop" }).allow(request));
    const inputs = ({ registrations }: ProgramRun<unknown>): unknown =>
      policies(registrations).map(({ name, inputs }) => [name, inputs]);
    assert.deepEqual(inputs(byMethod), inputs(asArguments));
    assert.equal(byMethod.value?.plan.policies.length, 2);
  });

  it("leave earlier policies alone when an edge is added", async () => {
    const { registrations, error } = await runProgram(() =>
      new ServiceGraph("shop", { namespace: "shop", allow: [request] }).allow({ ...request, from: app("batch") }),
    );
    assert.equal(error, undefined);
    assert.equal(policies(registrations).length, 4);
  });

  it("refuse wrong arguments with every problem, before any policy is registered", async () => {
    const { registrations, error } = await runProgram(
      () => new ServiceGraph("shop", { namespace: "Shop", allow: [{ ...request, port: 0 }] }),
    );
    assert.ok(error instanceof Error);
    assert.match(
      error.message,
      /^ServiceGraph "shop": 2 problems\n {2}namespace: "Shop" .*\n {2}allow\[0\]\.port: port 0 /,
    );
    assert.deepEqual(policies(registrations), []);
  });

  it("judge added edges together with those that are there", async () => {
    const { error } = await runProgram(() =>
      new ServiceGraph("shop", { namespace: "shop" })
        .allow(request)
        .allow({ ...request, name: "plain", http: undefined }),
    );
    assert.ok(error instanceof Error);
    assert.match(error.message, /allow\[0\]\.http: has no effect: allow\[1\]/);
  });

  it("refuse an added edge that would change a registered policy", async () => {
    const dns = { labels: { "k8s-app": "kube-dns" }, namespace: "kube-system" };
    const lookups: EdgeArgs = { from: request.from, to: dns, port: 53, protocol: "UDP", dns: ["*.example.com"] };
    const late = await runProgram(() => new ServiceGraph("shop", { namespace: "shop" }).allow(request).allow(lookups));
    assert.ok(late.error instanceof Error);
    assert.match(late.error.message, /change the policy shop-frontend-proxy-to-backend-api-8080-egress/);
    const early = await runProgram(() => new ServiceGraph("shop", { namespace: "shop" }).allow(lookups).allow(request));
    assert.equal(early.error, undefined);
  });

  it("tell a graph what their namespace allows", async () => {
    const covers = async (args: object): Promise<unknown> =>
      (await runProgram(() => new NamespaceBaseline("base", { namespace: "shop", ...args }))).value?.covers;
    assert.deepEqual(await covers({}), { namespace: "shop", dnsVisible: true });
    assert.deepEqual(await covers({ dns: { visible: false } }), { namespace: "shop", dnsVisible: false });
    assert.deepEqual(await covers({ l7Proxy: false }), { namespace: "shop", dnsVisible: false });
  });
});
