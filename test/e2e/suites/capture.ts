import assert from "node:assert/strict";
import { capture, type CaptureResult } from "../../../components/debug/capture";
import { needs } from "../../capabilities";
import { type Cluster, kubectl, type LiveNode, openCluster, worker } from "../support/cluster";
import { withDelay } from "../support/delay";
import { tell } from "../support/evidence";
import { inPod, namespace, podAddress, startPods } from "../support/pods";
import { eventually } from "../support/wait";

const port = 8091;
/** How much later packets arrive on the delayed way, milliseconds. */
const delay = 20;

/** Where a handshake's time goes, measured on a live path that is made long on purpose. */
export function captureSuite(): void {
  describe("capture", function () {
    this.timeout(300_000);
    let cluster: Cluster;

    before(async function () {
      needs(this, "tun");
      cluster = await openCluster();
      await startPods(cluster);
      const listen = `setsid socat TCP-LISTEN:${port},fork,reuseaddr,backlog=128 SYSTEM:'echo hello' >/dev/null 2>&1 </dev/null & disown`;
      await inPod(cluster, worker(cluster, 1), listen);
      const address = await podAddress(cluster, worker(cluster, 1));
      await eventually(async () => {
        await inPod(cluster, worker(cluster, 0), `timeout 2 bash -c 'exec 3<>/dev/tcp/${address}/${port}'`);
      }, 60);
    });

    const measure = (from: LiveNode, to: LiveNode, count: number): Promise<CaptureResult> =>
      capture({
        kubeconfig: cluster.kubeconfig,
        from: { namespace, name: from.name },
        to: { namespace, name: to.name },
        port,
        count,
      });

    it(`blames the wire for ${delay} ms that the wire takes`, async () => {
      const [from, to] = [worker(cluster, 0), worker(cluster, 1)];
      const without = await measure(from, to, 100);
      const result = await withDelay(cluster, from, to, delay, () => measure(from, to, 100));
      assert.equal(result.most, "wire");
      // Packets that were held for so long cannot have arrived earlier; how much later than that is a matter of the machine.
      assert.ok(median(result, "wire") >= delay, `wire: ${median(result, "wire")} ms`);
      assert.ok(result.handshakes >= 100, `${result.handshakes} handshakes`);
      tell(`${delay} ms on the wire: ${describeParts(result)}; without: ${describeParts(without)}`);
    });

    it("says that a pod's connections to itself never leave it, and leaves nothing behind", async () => {
      const node = worker(cluster, 1);
      await assert.rejects(measure(node, node, 5), /sent no SYN/);
      await eventually(async () => {
        assert.doesNotMatch(await kubectl(cluster, ["get", "namespaces", "-o", "name"]), /zerosteal-debug/);
      });
    });

    it("says that nothing listens where nothing does", async () => {
      const [from, to] = [worker(cluster, 1), worker(cluster, 0)];
      await assert.rejects(measure(from, to, 3), /does a program listen on that port\?/);
    });
  });
}

function median({ parts }: CaptureResult, part: string): number {
  return parts.find((candidate) => candidate.part === part)?.percentiles.p50 ?? Number.NaN;
}

function describeParts({ parts, total }: CaptureResult): string {
  const texts = parts.map(({ part, percentiles }) => `${part} ${percentiles.p50.toFixed(3)}`);
  return `${texts.join(", ")}, whole ${total.p50.toFixed(3)} ms at the median`;
}
