import assert from "node:assert/strict";
import { type CliResult, runCli } from "../support/cli";
import { act, cloud, type ServerView } from "../support/cloud";
import { type Cluster, openCluster, worker } from "../support/cluster";
import { since, tell } from "../support/evidence";
import { engineCommand, engineSteps } from "../support/program";
import { shared } from "../support/shared";

interface Network {
  id: number;
  name: string;
  routes: { destination: string; gateway: string }[];
}

/** The same once more: nothing changes, everything is verified; what others change in the cloud is seen and mended. */
export function againSuite(): void {
  describe("again: a second up", function () {
    this.timeout(300_000);
    let cluster: Cluster;
    let result: CliResult;

    before(async () => {
      cluster = await openCluster();
      const started = performance.now();
      result = await runCli("up");
      tell(`npm run up again: ${since(started)}`);
      shared.runs.push(result);
    });

    it("ends 0 and changes nothing", () => {
      assert.equal(result.exitCode, 0, result.output);
      assert.match(result.output, /^changes: none$/m);
    });

    it("runs the doctor all the same", () => {
      assert.match(result.output, /probing from the pods/);
      assert.match(result.output, /is healthy: \d+ ok, 0 failed/);
    });

    it("agrees with `pulumi preview --expect-no-changes`", async () => {
      const preview = await engineCommand(cluster.engine, ["preview", "--expect-no-changes"]);
      assert.equal(preview.exitCode, 0, preview.stdout + preview.stderr);
    });

    describe("after a route was deleted and a label changed through the API", () => {
      let network: Network;

      before(async () => {
        const { engine, plan } = cluster;
        const { networks } = await cloud<{ networks: Network[] }>(engine, "GET", `/networks?name=${plan.name}`);
        network = networks[0]!;
        const route = network.routes.find(({ gateway }) => gateway === worker(cluster, 1).privateAddress);
        await act(engine, `/networks/${network.id}/actions/delete_route`, route);
        const server = await serverOf(cluster, 0);
        const labels = { ...server.labels, "zerosteal/pool": "changed-by-hand" };
        await cloud(engine, "PUT", `/servers/${server.id}`, { labels });
      });

      it("a refresh sees exactly these two", async () => {
        const refresh = await engineSteps(cluster.engine, ["refresh", "--preview-only"]);
        assert.equal(refresh.exitCode, 0, refresh.stdout + refresh.stderr);
        const seen = refresh.steps
          .filter(({ op }) => op !== "refresh")
          .map(({ op, urn }) => `${op} ${urn.split("::").at(-1)}`);
        assert.deepEqual(seen.sort(), [`delete ${worker(cluster, 1).name}`, `update ${worker(cluster, 0).name}`]);
      });

      it("`npm run up -- --repair` mends both", async () => {
        const up = await runCli("up", ["--repair"]);
        shared.runs.push(up);
        assert.equal(up.exitCode, 0, up.output);
        const { engine } = cluster;
        const { network: now } = await cloud<{ network: Network }>(engine, "GET", `/networks/${network.id}`);
        assert.deepEqual(routesOf(now), routesOf(network));
        assert.equal((await serverOf(cluster, 0)).labels["zerosteal/pool"], "web");
      });

      it("then a refresh sees nothing", async () => {
        const refresh = await engineCommand(cluster.engine, ["refresh", "--preview-only", "--expect-no-changes"]);
        assert.equal(refresh.exitCode, 0, refresh.stdout + refresh.stderr);
      });
    });
  });
}

function routesOf({ routes }: Network): string[] {
  return routes.map(({ destination, gateway }) => `${destination} via ${gateway}`).sort();
}

async function serverOf(cluster: Cluster, index: number): Promise<ServerView> {
  const { serverId } = worker(cluster, index);
  return (await cloud<{ server: ServerView }>(cluster.engine, "GET", `/servers/${serverId}`)).server;
}
