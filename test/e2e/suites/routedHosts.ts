import assert from "node:assert/strict";
import { instanceName, runCli } from "../support/cli";
import { openCluster } from "../support/cluster";
import { expectHealthy } from "../support/doctor";
import { since, tell } from "../support/evidence";

/** Sandbox of existing machines behind a router. */
const name = `${instanceName}-rt`;

/** Existing machines with a router between them that knows nothing of pods, and checks sources: pods travel in VXLAN. */
export function routedHostsSuite(): void {
  describe("existing hosts behind a router, in VXLAN", function () {
    this.timeout(400_000);

    after(async () => {
      if (process.env.ZEROSTEAL_E2E_KEEP !== "1") await runCli("down", [], name);
    });

    it("come up, and packets of the pods' MTU pass, 50 bytes less than between nodes, and one byte more does not", async () => {
      const started = performance.now();
      const made = await runCli("up", ["--underlay", "hosts-routed"], name);
      assert.equal(made.exitCode, 0, made.output);
      tell(`npm run up -- --underlay hosts-routed: ${since(started)}`);
      const cluster = await openCluster(name);
      assert.equal(cluster.plan.tunnel, "vxlan");
      assert.equal(cluster.plan.podMtu, cluster.plan.underlay.mtu - 50);
      assert.ok(cluster.plan.underlay.sourceCheck);
      const report = await expectHealthy(cluster);
      const probed = report.results.filter(({ check, outcome }) => check === "pod-mtu" && outcome === "ok");
      assert.ok(probed.length > 0, "no packet of a pod was measured");
      tell(`${probed.length} findings of pod-mtu, e.g. ${probed[0]?.subject}: ${probed[0]?.wanted}`);
    });

    it("can be asked for no other underlay or Cilium later", async () => {
      const other = await runCli("up", ["--underlay", "hetzner"], name);
      assert.equal(other.exitCode, 1);
      assert.match(other.output, /--underlay: this sandbox was made with hosts-routed; end it with `npm run down`/);
      const older = await runCli("up", ["--cilium", "1.16.1"], name);
      assert.equal(older.exitCode, 1);
      assert.match(older.output, /--cilium: this sandbox was made with 1\.20\.2; end it with `npm run down`/);
    });
  });
}
