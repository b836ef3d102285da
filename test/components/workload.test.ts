import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { isSecret, opened, type ProgramRun, runProgram } from "./program";
import { label } from "./support";

const clusterStack = "organization/zerosteal/prod";
// The program runs when it is loaded, so it is loaded anew for each run.
const requireHere = createRequire(__filename);
const program = requireHere.resolve("../../stacks/workload");

/** The program as the engine runs it, with settings of its stack. */
function runStack(settings: Record<string, string> = {}, preview = false): Promise<ProgramRun<unknown>> {
  const given: Record<string, string> = { cluster: clusterStack, image: "registry.example/httpecho:1", ...settings };
  const config = Object.entries(given).map(([key, value]) => [`zerosteal-workload:${key}`, value]);
  const outputs = (type: string): Record<string, unknown> | undefined =>
    type === "pulumi:pulumi:StackReference"
      ? { outputs: { kubeconfig: "planted-kubeconfig-3391" }, secretOutputNames: ["kubeconfig"] }
      : undefined;
  Reflect.deleteProperty(requireHere.cache, program);
  return runProgram(() => requireHere(program) as unknown, {
    preview,
    outputs,
    config: Object.fromEntries(config) as Record<string, string>,
  });
}

describe("the workload's stack", () => {
  it("registers the same in a preview as in an update: two services, and policies before their pods", async () => {
    for (const preview of [true, false]) {
      const { registrations, error } = await runStack({}, preview);
      assert.equal(error, undefined);
      const labels = registrations.map(label).filter((name) => !name.startsWith("CiliumNetworkPolicy"));
      assert.deepEqual(labels.sort(), [
        "Deployment backend-api",
        "Deployment frontend-proxy",
        "EchoService backend-api",
        "EchoService frontend-proxy",
        "Namespace shop",
        "NamespaceBaseline shop",
        "Service backend-api",
        "Service frontend-proxy",
        "ServiceGraph shop",
        "kubernetes cluster",
      ]);
      const policies = registrations.filter(({ type }) => type.endsWith(":CiliumNetworkPolicy"));
      for (const pods of registrations.filter(({ type }) => type.endsWith(":Deployment"))) {
        for (const policy of policies)
          assert.ok(pods.dependencies.includes(policy.urn), `${pods.name} after ${policy.name}`);
      }
    }
  });

  it("takes the kubeconfig from the cluster's stack, as a secret", async () => {
    const { registrations } = await runStack();
    const provider = registrations.find(({ type }) => type === "pulumi:providers:kubernetes");
    assert.ok(isSecret(provider?.inputs.kubeconfig));
    assert.equal(opened(provider?.inputs.kubeconfig), "planted-kubeconfig-3391");
    assert.equal(provider?.inputs.clusterIdentifier, clusterStack);
  });

  it("judges the article's request, or the port alone where Cilium has no proxies", async () => {
    const ingress = async (settings: Record<string, string>): Promise<unknown> => {
      const { registrations } = await runStack(settings);
      const name = "shop-frontend-proxy-to-backend-api-8080-ingress";
      const { spec } = registrations.find((entry) => entry.name === name)?.inputs as { spec: { ingress: unknown[] } };
      return (spec.ingress[0] as { toPorts: unknown[] }).toPorts;
    };
    const ports = [{ port: "8080", protocol: "TCP" }];
    const http = [{ method: "POST", path: "/v1/transaction(\\?.*)?" }];
    assert.deepEqual(await ingress({}), [{ ports, rules: { http } }]);
    assert.deepEqual(await ingress({ l7Proxy: "false" }), [{ ports }]);
  });

  it("has a stranger where one is asked for, and says which setting is missing", async () => {
    const { registrations } = await runStack({ bystander: "true" });
    assert.ok(registrations.some((entry) => label(entry) === "Deployment bystander"));
    const { error } = await runProgram(() => {
      Reflect.deleteProperty(requireHere.cache, program);
      return requireHere(program) as unknown;
    });
    assert.match((error as Error).message, /zerosteal-workload:cluster/);
  });
});
