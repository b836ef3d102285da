import assert from "node:assert/strict";
import { ensureNamespace, ip, removeNamespace } from "../../../sandbox/network/namespaces";
import { type Cluster, inNamespace, kubeGet, kubectl, openCluster, routerNamespace, worker } from "../support/cluster";
import { connectScript } from "../support/connect";
import { expectHealthy } from "../support/doctor";
import { tell } from "../support/evidence";
import { inAgent, inPod, namespace, startPods } from "../support/pods";
import { eventually } from "../support/wait";

/** Somebody in the private network who is no node. */
const clientAddress = "10.0.0.200";
const port = 8090;

/** What the plan refuses on Hetzner Cloud, done all the same: the network's source check drops what DSR sends. */
export function dsrSuite(): void {
  describe("DSR where sources are checked", function () {
    this.timeout(400_000);
    let cluster: Cluster;
    let client: string;
    let nodePort: number;

    before(async () => {
      cluster = await openCluster();
      client = await plugClient(cluster);
      await startPods(cluster);
      nodePort = await exposePod(cluster);
    });

    after(async () => {
      if (client) await removeNamespace(client);
    });

    /** Twenty connections to a NodePort of the first worker, whose backend is on the second. */
    const answered = async (): Promise<number> => {
      const { privateAddress } = worker(cluster, 0);
      const tries = await Promise.all(
        Array.from({ length: 20 }, () =>
          inNamespace(client, ["bash", "-c", connectScript(privateAddress, nodePort, 3)]),
        ),
      );
      return tries.filter((outcome) => outcome === "connected").length;
    };

    it("with SNAT, as planned, 20 of 20 connections are answered", async () => {
      await eventually(async () => assert.equal(await answered(), 20), 60);
    });

    it("with DSR none is, and the network counts the drops; with SNAT again all are", async () => {
      const router = await routerNamespace(cluster);
      await setMode(cluster, "dsr");
      try {
        const before = await drops(router);
        await eventually(async () => assert.equal(await answered(), 0), 60);
        const dropped = (await drops(router)) - before;
        assert.ok(dropped >= 20, `the source check dropped ${dropped} packets`);
        tell(`DSR accepted against the refusal: 0 of 20 answered, ${dropped} packets dropped by the source check`);
      } finally {
        await setMode(cluster, "snat");
      }
      await eventually(async () => assert.equal(await answered(), 20), 60);
      await expectHealthy(cluster);
    });
  });
}

/** A namespace with a NIC in the private network, as another server of the project would have it. */
async function plugClient(cluster: Cluster): Promise<string> {
  const [client, router] = [`${cluster.instance.prefix}-client`, await routerNamespace(cluster)];
  const { underlay } = cluster.plan;
  assert.ok(underlay.kind === "hetzner");
  await ensureNamespace(client);
  await ip(
    router,
    `link add client mtu ${underlay.mtu} type veth peer name enp7s0 mtu ${underlay.mtu} netns ${client}`,
  );
  await ip(router, "link set dev client up");
  await ip(client, `addr replace ${clientAddress}/32 dev enp7s0`);
  await ip(client, "link set dev enp7s0 up");
  await ip(client, `route replace ${underlay.gateway} dev enp7s0 scope link`);
  await ip(client, `route replace default via ${underlay.gateway} dev enp7s0`);
  await ip(router, `route replace ${clientAddress}/32 dev client`);
  return client;
}

/** Lets the pod of the second worker answer behind a NodePort. */
async function exposePod(cluster: Cluster): Promise<number> {
  const backend = worker(cluster, 1);
  const listen = `setsid socat TCP-LISTEN:${port},fork,reuseaddr SYSTEM:'echo hello' >/dev/null 2>&1 </dev/null & disown`;
  await inPod(cluster, backend, listen);
  const spec = { type: "NodePort", selector: { node: backend.name }, ports: [{ port }] };
  const service = { apiVersion: "v1", kind: "Service", metadata: { name: "dsr", namespace }, spec };
  await kubectl(cluster, ["apply", "-f", "-"], JSON.stringify(service));
  const made = await kubeGet<{ spec: { ports: { nodePort: number }[] } }>(cluster, "-n", namespace, "service", "dsr");
  return made.spec.ports[0]?.nodePort ?? 0;
}

/** Changes Cilium's mode behind the plan's back, and waits until every agent says that it has it. */
async function setMode(cluster: Cluster, mode: "dsr" | "snat"): Promise<void> {
  const patch = JSON.stringify({ data: { "bpf-lb-mode": mode } });
  await kubectl(cluster, ["-n", "kube-system", "patch", "configmap", "cilium-config", "-p", patch]);
  await kubectl(cluster, ["-n", "kube-system", "rollout", "restart", "daemonset/cilium"]);
  await kubectl(cluster, ["-n", "kube-system", "rollout", "status", "daemonset/cilium", "--timeout=50s"]).catch(
    () => "",
  );
  for (const node of cluster.nodes) {
    await eventually(async () => {
      const status = await inAgent(cluster, node, ["cilium-dbg", "status", "--verbose"]);
      assert.match(status, new RegExp(`Mode:\\s+${mode}`, "i"), node.name);
    });
  }
}

/** Packets that the network's source check has dropped. */
async function drops(router: string): Promise<number> {
  const text = await inNamespace(router, ["nft", "list", "counter", "ip", "zerosteal", "drops"]);
  return Number(/packets (\d+)/.exec(text)?.[1]);
}
