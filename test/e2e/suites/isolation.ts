import assert from "node:assert/strict";
import { type Cluster, type LiveNode, onNode, openCluster, worker } from "../support/cluster";
import { tell } from "../support/evidence";
import { cpusOf, empty, isolate, roundTrips, startPod } from "../support/isolation";
import { removePods } from "../support/pods";
import { eventually } from "../support/wait";

const reserved = "0";

/** CPU isolation on a live node. Leaves the node isolated: what comes after removes the cluster. How much it helps: bench/isolation.ts. */
export function isolationSuite(): void {
  describe("CPU isolation", function () {
    this.timeout(300_000);
    let cluster: Cluster;
    let node: LiveNode;
    let other: LiveNode;

    before(async () => {
      cluster = await openCluster();
      [other, node] = [worker(cluster, 0), worker(cluster, 1)];
      await removePods(cluster);
      await isolate(cluster, node);
      await empty(cluster, other);
    });

    it("a Guaranteed pod gets a CPU that is not reserved, alone: others leave it", async () => {
      await startPod(cluster, "neighbour", node, "shared");
      const before = await cpusOf(cluster, node, "neighbour");
      await startPod(cluster, "pinned", node, "alone");
      const pinned = await cpusOf(cluster, node, "pinned");
      assert.notEqual(pinned, reserved);
      assert.match(pinned, /^\d$/);
      await eventually(async () => assert.equal(await cpusOf(cluster, node, "neighbour"), reserved));
      tell(`reserved ${reserved}; Guaranteed ${pinned}; BestEffort ${before}, then ${reserved}`);
    });

    it("an echo in the pinned pod answers", async () => {
      const { count, p50, p999 } = await roundTrips(cluster, "pinned", 2_000);
      assert.equal(count, 2_000);
      assert.ok(p50 > 0 && p999 >= p50);
    });

    it("without isolation both share all CPUs", async () => {
      await startPod(cluster, "neighbour-none", other, "shared");
      await startPod(cluster, "pinned-none", other, "alone");
      const all = (await onNode(cluster, other, "cat /sys/devices/system/cpu/online")).trim();
      assert.equal(await cpusOf(cluster, other, "pinned-none"), all);
      assert.equal(await cpusOf(cluster, other, "neighbour-none"), all);
    });
  });
}
