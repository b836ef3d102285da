import assert from "node:assert/strict";
import { planNamespaceBaseline, planServiceGraph, type PolicyObject } from "../../../components/policy/plan";
import { type Cluster, controlPlane, kubectl, openCluster, worker } from "../support/cluster";
import { startCli } from "../support/cli";
import { type Connection, connectScript } from "../support/connect";
import { expectHealthy } from "../support/doctor";
import { tell } from "../support/evidence";
import { inPod, namespace, podAddress, removePods, startPods } from "../support/pods";
import {
  applyPolicies,
  dropsByReason,
  endpointId,
  grown,
  policiesInEffect,
  removePolicies,
  verdictPackets,
} from "../support/policies";
import { eventually } from "../support/wait";

const port = 8080;

/** The policies of the library, by traffic, and what Cilium counts meanwhile. */
export function policiesSuite(): void {
  describe("policies by traffic", function () {
    this.timeout(300_000);
    let cluster: Cluster;
    let policies: PolicyObject[];
    let untouched: Record<string, string>;

    before(async () => {
      cluster = await openCluster();
      await startPods(cluster);
      const [source, target] = [worker(cluster, 0), worker(cluster, 1)];
      // Where nobody listens a refusal would look like an answer.
      await inPod(cluster, target, `nohup socat TCP-LISTEN:${port},fork,reuseaddr EXEC:true >/dev/null 2>&1 &`);
      const [from, to] = [source, target].map(({ name }) => ({ labels: { node: name } }));
      const common = { namespace, l7Proxy: false };
      const baseline = planNamespaceBaseline("e2e", common);
      const graph = planServiceGraph("e2e", {
        ...common,
        covered: [{ namespace, dnsVisible: false }],
        allow: [{ name: "pair", from: from!, to: to!, port }],
      });
      policies = [...graph.policies, ...baseline.policies];
      untouched = await look();
    });

    after(async () => {
      await removePolicies(cluster, policies);
      await removePods(cluster);
    });

    /** Every kind of call, and how it ends now. */
    async function look(): Promise<Record<string, string>> {
      const [source, target, third] = [worker(cluster, 0), worker(cluster, 1), controlPlane(cluster)];
      const [to, back] = [await podAddress(cluster, target), await podAddress(cluster, source)];
      const { hostAddress, mirrorPort } = cluster.instance;
      const connect = (node: typeof source, address: string, at: number): Promise<string> =>
        inPod(cluster, node, connectScript(address, at, 2));
      return {
        pair: await connect(source, to, port),
        "pair, another port": await connect(source, to, port + 1),
        "pair, backwards": await connect(target, back, port),
        "third pod": await connect(third, to, port),
        world: await connect(source, hostAddress, mirrorPort),
        metadata: await connect(source, "169.254.169.254", 80),
        lookup: await inPod(
          cluster,
          third,
          "getent hosts kubernetes.default.svc.cluster.local >/dev/null && echo found",
        ),
      };
    }

    const open: Record<string, Connection | "found"> = {
      pair: "connected",
      "pair, another port": "refused",
      "pair, backwards": "refused",
      "third pod": "connected",
      world: "connected",
      lookup: "found",
    };

    it("without policies every pod reaches every other, names and the outside", () => {
      const { metadata: _metadata, ...rest } = untouched;
      assert.deepEqual(rest, open);
      tell(`without policies: ${JSON.stringify(untouched)}`);
    });

    it("with them the allowed pair connects and names are found; the third pod, the world and the metadata time out", async () => {
      await applyPolicies(cluster, policies);
      for (const node of cluster.nodes) await policiesInEffect(cluster, node);
      const found = await look();
      assert.deepEqual(found, {
        pair: "connected",
        "pair, another port": "timed out",
        "pair, backwards": "timed out",
        "third pod": "timed out",
        world: "timed out",
        metadata: "timed out",
        lookup: "found",
      });
      tell(`${policies.length} policies: ${JSON.stringify(found)}`);
    });

    it("Cilium counts what it drops, by the reason that the policies give, and nothing of what is allowed", async () => {
      const [source, target, third] = [worker(cluster, 0), worker(cluster, 1), controlPlane(cluster)];
      const to = await podAddress(cluster, target);
      const call = (node: typeof source, address: string, at: number) => async (): Promise<void> => {
        await inPod(cluster, node, connectScript(address, at, 2));
      };
      const denied = (drops: Record<string, number>): string[] =>
        Object.keys(drops).filter((reason) => reason.startsWith("Policy denied"));
      const [ofSource, ofThird] = [source, third].map((node) => () => dropsByReason(cluster, node));
      const allowed = await grown(ofSource!, call(source, to, port));
      assert.deepEqual(denied(allowed), []);
      const stranger = await grown(ofThird!, call(third, to, port));
      assert.deepEqual(denied(stranger), ["Policy denied egress"]);
      const outside = await grown(ofSource!, call(source, cluster.instance.hostAddress, cluster.instance.mirrorPort));
      assert.deepEqual(denied(outside), ["Policy denied egress"]);
      // A denial of its own, so that no allowance can open it.
      const metadata = await grown(ofSource!, call(source, "169.254.169.254", 80));
      assert.deepEqual(denied(metadata), ["Policy denied by denylist egress"]);
      tell(`drops: ${JSON.stringify({ allowed, stranger, outside, metadata })}`);
    });

    it("the edge's own verdict counts the pair's packets at both ends", async () => {
      const [source, target] = [worker(cluster, 0), worker(cluster, 1)];
      const to = await podAddress(cluster, target);
      for (const [node, direction] of [
        [source, "egress"],
        [target, "ingress"],
      ] as const) {
        const id = await endpointId(cluster, node, namespace, node.name);
        const count = (): Promise<number> => verdictPackets(cluster, node, id, direction, port);
        const earlier = await count();
        await inPod(cluster, source, connectScript(to, port, 2));
        const packets = (await count()) - earlier;
        assert.ok(packets > 0, `${node.name} ${direction}`);
        tell(`policy map of ${node.name}: ${packets} packets more by the edge, ${direction}`);
      }
    });

    it("after their removal all is as before", async () => {
      await removePolicies(cluster, policies);
      await eventually(async () => assert.deepEqual(await look(), untouched));
      const left = await kubectl(cluster, ["-n", namespace, "get", "ciliumnetworkpolicies", "-o", "name"]);
      assert.equal(left, "");
      await expectHealthy(cluster);
    });

    it("the workload's stack takes the cluster by its outputs, proves itself, and leaves nothing", async () => {
      const deployed = await startCli("workload").result;
      assert.equal(deployed.exitCode, 0, deployed.output);
      assert.match(deployed.output, /8 of 8 hold/);
      tell(deployed.output.slice(deployed.output.indexOf("┌")));
      const removed = await startCli("workload", ["--remove"]).result;
      assert.equal(removed.exitCode, 0, removed.output);
      assert.equal(await kubectl(cluster, ["get", "namespace", "shop", "--ignore-not-found"]), "");
    });
  });
}
