import assert from "node:assert/strict";
import { runCli } from "../support/cli";
import { type Cluster, kubeGet, onNode, openCluster, worker } from "../support/cluster";
import { diagnose, failures } from "../support/doctor";
import { tell } from "../support/evidence";
import { shared } from "../support/shared";

/** What somebody changed by hand on a node is named by `up` and mended by one command. */
export function driftSuite(): void {
  describe("drift on a node", function () {
    this.timeout(300_000);
    let cluster: Cluster;
    const read = "sysctl -n net.core.somaxconn; cat /etc/sysctl.d/*zerosteal* | sha256sum";

    before(async () => {
      cluster = await openCluster();
    });

    it("a setting and its file, changed by hand: `up` names it and ends 3, `up --repair` mends both", async () => {
      const node = worker(cluster, 1);
      const { metadata } = await kubeGet<{ metadata: { uid: string } }>(cluster, "node", node.name);
      const good = await onNode(cluster, node, read);
      await onNode(
        cluster,
        node,
        "sed -i 's/^net.core.somaxconn.*/net.core.somaxconn = 512/' /etc/sysctl.d/*zerosteal*; sysctl -qw net.core.somaxconn=512",
      );
      assert.notEqual(await onNode(cluster, node, read), good);
      const named = await runCli("up");
      shared.runs.push(named);
      assert.equal(named.exitCode, 3, named.output);
      assert.match(
        named.output,
        new RegExp(
          `FAILED sysctls-node on ${node.name}: wanted net.core.somaxconn = 65535; found net.core.somaxconn = 512`,
        ),
      );
      const repaired = await runCli("up", ["--repair"]);
      shared.runs.push(repaired);
      assert.equal(repaired.exitCode, 0, repaired.output);
      assert.equal(await onNode(cluster, node, read), good);
      assert.deepEqual(failures(await diagnose(cluster)), []);
      const after = await kubeGet<{ metadata: { uid: string } }>(cluster, "node", node.name);
      assert.equal(after.metadata.uid, metadata.uid, "the node was mended in place");
      tell(`${node.name}: ${/^changes: .*$/m.exec(repaired.output)?.[0]}`);
    });
  });
}
