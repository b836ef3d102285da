import assert from "node:assert/strict";
import { execa } from "execa";
import { PublicNetwork } from "../../../sandbox/network/public";
import { ensureNamespace, removeNamespace } from "../../../sandbox/network/namespaces";
import { run } from "../../../sandbox/run";
import {
  changeFirewall,
  type Cluster,
  controlPlane,
  inNamespace,
  kubectl,
  kubeGet,
  onNode,
  openCluster,
  worker,
} from "../support/cluster";
import { connectScript } from "../support/connect";
import { tell } from "../support/evidence";
import { inPod, namespace, startPods } from "../support/pods";
import { eventually } from "../support/wait";

/** A port of the public side that no server has: server ids are longer. */
const clientPort = 200;

/** The public side, from inside and outside of the CIDRs that the cluster was given. */
export function firewallSuite(): void {
  describe("firewall", function () {
    this.timeout(180_000);
    let cluster: Cluster;
    let client: string;
    let nodePort: number;

    /** Somebody on the internet. */
    const outside = (address: string, port: number): Promise<string> =>
      inNamespace(client, ["bash", "-c", connectScript(address, port)]);
    /** The operator: this host, whose address is in the CIDRs. */
    const inside = (address: string, port: number): Promise<string> =>
      run("bash", ["-c", connectScript(address, port)]);

    before(async () => {
      cluster = await openCluster();
      const { instance } = cluster;
      client = `${instance.prefix}-client`;
      await ensureNamespace(client);
      const address = instance.hostAddress.replace(/\.1$/, ".200");
      await new PublicNetwork(instance).plug(clientPort, client, address);
      await startPods(cluster);
      nodePort = await exposePod(cluster);
    });

    after(async () => {
      await removeNamespace(client);
    });

    it("a client outside reaches what is open to all, so what it does not reach is closed to it", async () => {
      assert.equal(await outside(cluster.instance.hostAddress, cluster.instance.mirrorPort), "connected");
    });

    for (const [what, port] of [
      ["SSH", 22],
      ["the API", 6443],
    ] as const) {
      it(`${what}: outside times out on every node, inside connects`, async () => {
        for (const node of cluster.nodes) {
          assert.equal(await outside(node.publicAddress, port), "timed out", node.name);
        }
        assert.equal(await inside(controlPlane(cluster).publicAddress, port), "connected");
        tell(`port ${port}: timed out outside on ${cluster.nodes.length} nodes, connected inside`);
      });
    }

    it("a NodePort answers on the private network and on no public address", async () => {
      const from = controlPlane(cluster);
      for (const index of [0, 1]) {
        const { privateAddress, publicAddress, name } = worker(cluster, index);
        assert.equal(await onNode(cluster, from, connectScript(privateAddress, nodePort)), "connected", name);
        assert.equal(await outside(publicAddress, nodePort), "timed out", name);
        assert.equal(await inside(publicAddress, nodePort), "timed out", name);
      }
    });

    it("a node reaches the cloud's metadata service, its pods do not", async () => {
      const [node, service] = [worker(cluster, 0), "169.254.169.254"];
      const stop = await serve(`${cluster.instance.prefix}-pub`, service);
      try {
        const probe = connectScript(service, 80);
        await eventually(async () => assert.equal(await onNode(cluster, node, probe), "connected"));
        assert.notEqual(await inPod(cluster, node, probe), "connected");
        await onNode(cluster, node, "systemctl stop zerosteal-metadata-guard");
        try {
          assert.equal(await inPod(cluster, node, probe), "connected", "without the guard");
        } finally {
          await onNode(cluster, node, "systemctl start zerosteal-metadata-guard");
        }
        assert.notEqual(await inPod(cluster, node, probe), "connected", "with the guard again");
        tell("the metadata address: reached by the node, by its pod only while the guard is off");
      } finally {
        await stop();
      }
    });

    it("a NodePort is refused on a public address even where no firewall stands before it", async () => {
      const node = worker(cluster, 0);
      const { publicAddress } = node;
      await changeFirewall(cluster, node, "remove_from");
      try {
        await eventually(async () => assert.equal(await outside(publicAddress, 22), "connected"));
        assert.equal(await outside(publicAddress, nodePort), "refused");
      } finally {
        await changeFirewall(cluster, node, "apply_to");
      }
      await eventually(async () => assert.equal(await outside(publicAddress, 22), "timed out"));
    });
  });
}

/** Answers on port 80 of an address in a router, as a service of the cloud would. @returns what ends it */
async function serve(router: string, address: string): Promise<() => Promise<void>> {
  const own = `${address}/32`;
  await inNamespace(router, ["ip", "addr", "add", own, "dev", "lo"]);
  const program = `require("node:net").createServer((socket) => socket.end()).listen(80, "${address}")`;
  const server = execa("ip", ["netns", "exec", router, process.execPath, "-e", program], { reject: false });
  return async () => {
    server.kill();
    await server;
    await inNamespace(router, ["ip", "addr", "del", own, "dev", "lo"]);
  };
}

/** Lets the pod of the first worker answer behind a NodePort. */
async function exposePod(cluster: Cluster): Promise<number> {
  const node = worker(cluster, 0);
  await inPod(
    cluster,
    node,
    "setsid socat TCP-LISTEN:8080,fork,reuseaddr SYSTEM:'echo hello' >/dev/null 2>&1 </dev/null & disown",
  );
  const service = {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "hello", namespace },
    spec: { type: "NodePort", selector: { node: node.name }, ports: [{ port: 8080 }] },
  };
  await kubectl(cluster, ["apply", "-f", "-"], JSON.stringify(service));
  const made = await kubeGet<{ spec: { ports: { nodePort: number }[] } }>(cluster, "-n", namespace, "service", "hello");
  const port = made.spec.ports[0]?.nodePort ?? 0;
  const probe = connectScript(worker(cluster, 1).privateAddress, port);
  await eventually(async () => assert.equal(await onNode(cluster, controlPlane(cluster), probe), "connected"));
  return port;
}
