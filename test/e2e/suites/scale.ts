import assert from "node:assert/strict";
import { type CliResult, runCli } from "../support/cli";
import { act, cloud, type ServerView } from "../support/cloud";
import { type Cluster, kubeGet, openCluster, type StateResource, worker } from "../support/cluster";
import { diagnose, expectHealthy, failures } from "../support/doctor";
import { since, tell } from "../support/evidence";
import { appliedResources, engineSteps } from "../support/program";
import { shared } from "../support/shared";
import { eventually } from "../support/wait";

interface NodeList {
  items: { metadata: { name: string; uid: string } }[];
}

/** Workers come and go; one that is dead is in nobody's way. */
export function scaleSuite(): void {
  describe("scale", function () {
    this.timeout(400_000);

    describe("two workers to three", () => {
      let earlier: { servers: Map<string, number>; uids: Map<string, string>; resources: StateResource[] };
      let result: CliResult;

      before(async () => {
        const cluster = await openCluster();
        earlier = { ...(await identities(cluster)), resources: await appliedResources(cluster.engine) };
        result = await timedUp(["--workers", "3"]);
      });

      it("ends 0 with a healthy doctor", () => {
        assert.equal(result.exitCode, 0, result.output);
        assert.match(result.output, /is healthy: \d+ ok, 0 failed/);
      });

      it("creates, and changes nothing but the doctor's own step and the cluster's own record", async () => {
        const changes = /^changes: (.*)$/m.exec(result.output)?.[1] ?? "";
        tell(`changes: ${changes}`);
        assert.doesNotMatch(changes, /replace|delete/);
        const after = await appliedResources((await openCluster()).engine);
        const kept = earlier.resources.map((old) => ({ old, now: after.find(({ urn }) => urn === old.urn) }));
        const changed = kept.filter(({ old, now }) => content(old) !== content(now)).map(({ old }) => old.type);
        assert.deepEqual(changed.sort(), [
          "command:local:Command",
          // The stack's outputs and the arguments of the component, which no machine ever sees.
          "pulumi:pulumi:Stack",
          "zerosteal:index:TunedCluster",
        ]);
      });

      it("leaves the servers and nodes that were there as they are", async () => {
        const after = await identities(await openCluster());
        for (const [name, id] of earlier.servers) assert.equal(after.servers.get(name), id, name);
        for (const [name, uid] of earlier.uids) assert.equal(after.uids.get(name), uid, name);
        assert.equal(after.uids.size, earlier.uids.size + 1);
      });
    });

    describe("three workers to two", () => {
      let result: CliResult;
      let gone: string;

      before(async () => {
        const cluster = await openCluster();
        gone = worker(cluster, 2).name;
        result = await timedUp(["--workers", "2"]);
      });

      it("ends 0 with a healthy doctor", () => {
        assert.equal(result.exitCode, 0, result.output);
        assert.match(result.output, /is healthy: \d+ ok, 0 failed/);
      });

      it("takes the worker's Node, server and route away", async () => {
        const cluster = await openCluster();
        const { servers, uids } = await identities(cluster);
        assert.equal(uids.has(gone), false);
        assert.equal(servers.has(gone), false);
        const { networks } = await cloud<{ networks: { routes: unknown[] }[] }>(
          cluster.engine,
          "GET",
          `/networks?name=${cluster.plan.name}`,
        );
        assert.equal(networks[0]?.routes.length, 3);
      });
    });

    describe("a third worker while the first is switched off", () => {
      let cluster: Cluster;
      let result: CliResult;

      before(async () => {
        cluster = await openCluster();
        await act(cluster.engine, `/servers/${worker(cluster, 0).serverId}/actions/poweroff`);
        result = await timedUp(["--workers", "3"]);
      });

      it("adds the third", async () => {
        await eventually(async () => {
          const node = await kubeGet<{ status: { conditions: { type: string; status: string }[] } }>(
            cluster,
            "node",
            worker(cluster, 0).name.replace(/1$/, "3"),
          );
          assert.equal(node.status.conditions.find(({ type }) => type === "Ready")?.status, "True");
        });
      });

      it("names the dead one and ends with 3: the cluster stands, a check failed", () => {
        assert.equal(result.exitCode, 3, result.output);
        assert.match(
          result.output,
          new RegExp(`FAILED nodes-ready on ${worker(cluster, 0).name}: wanted Ready; found not Ready`),
        );
      });

      it("is green once the dead one is switched on", async () => {
        const now = await openCluster();
        await act(now.engine, `/servers/${worker(now, 0).serverId}/actions/poweron`);
        await expectHealthy(now);
        result = await timedUp([]);
        assert.equal(result.exitCode, 0, result.output);
      });

      it("goes back to two", async () => {
        assert.equal((await timedUp(["--workers", "2"])).exitCode, 0);
        assert.deepEqual(failures(await diagnose(await openCluster())), []);
      });
    });

    describe("afterwards", () => {
      it("no step is left to do", async () => {
        const { engine } = await openCluster();
        assert.deepEqual((await engineSteps(engine, ["preview"])).steps, []);
      });
    });
  });
}

async function timedUp(args: string[]): Promise<CliResult> {
  const started = performance.now();
  const result = await runCli("up", args);
  shared.runs.push(result);
  tell(`npm run up -- ${args.join(" ")}: exit ${result.exitCode}, ${since(started)}`);
  return result;
}

/** What must not change: ids of servers, uids of Nodes. */
async function identities(cluster: Cluster): Promise<{ servers: Map<string, number>; uids: Map<string, string> }> {
  const { servers } = await cloud<{ servers: ServerView[] }>(cluster.engine, "GET", "/servers?per_page=50");
  const { items } = await kubeGet<NodeList>(cluster, "nodes");
  return {
    servers: new Map(servers.map(({ name, id }) => [name, id])),
    uids: new Map(items.map(({ metadata }) => [metadata.name, metadata.uid])),
  };
}

/** What a resource is, secrets masked. */
function content(resource: StateResource | undefined): string {
  return JSON.stringify([resource?.id, resource?.inputs, resource?.outputs]);
}
