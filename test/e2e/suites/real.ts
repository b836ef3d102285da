import assert from "node:assert/strict";
import { type Cluster, inNamespace, kubeGet, onNode, openCluster, routerNamespace, worker } from "../support/cluster";
import { connectScript } from "../support/connect";
import { expectHealthy } from "../support/doctor";
import { tell } from "../support/evidence";
import { agentPod, containerId, inAgent, inContainer, inPod, namespace, podAddress, startPods } from "../support/pods";
import { eventually } from "../support/wait";

/** Real programs, real packets. */
export function realSuite(): void {
  describe("real, not painted", function () {
    this.timeout(300_000);
    let cluster: Cluster;

    before(async () => {
      cluster = await openCluster();
      await startPods(cluster);
    });

    it("each node runs the kubelet of the toolchain's manifest", async () => {
      const wanted = cluster.tools.kubelet?.sha256;
      for (const node of cluster.nodes) {
        const lines = await onNode(
          cluster,
          node,
          "sha256sum /usr/local/bin/kubelet /proc/$(pidof kubelet)/exe | cut -d' ' -f1",
        );
        assert.deepEqual(lines.split("\n"), [wanted, wanted], node.name);
      }
      tell(`kubelet on ${cluster.nodes.length} nodes: ${wanted}`);
    });

    it("each agent runs the cilium-agent of the toolchain's manifest", async () => {
      const wanted = cluster.tools["cilium-agent"]?.sha256;
      for (const node of cluster.nodes) {
        const lines = await inAgent(cluster, node, ["sha256sum", "/usr/bin/cilium-agent", "/proc/1/exe"]);
        assert.deepEqual(
          lines.split("\n").map((line) => line.split(" ")[0]),
          [wanted, wanted],
          node.name,
        );
      }
      tell(`cilium-agent on ${cluster.nodes.length} nodes: ${wanted}`);
    });

    it("100 MB from pod to pod across nodes arrive intact", async () => {
      const [from, to] = [worker(cluster, 0), worker(cluster, 1)];
      const address = await podAddress(cluster, to);
      const received = inPod(
        cluster,
        to,
        "socat -u TCP-LISTEN:7000,reuseaddr OPEN:/tmp/got,creat,trunc; sha256sum /tmp/got | cut -d' ' -f1; stat -c %s /tmp/got; rm /tmp/got",
      );
      const sent = await inPod(
        cluster,
        from,
        `head -c 100000000 /dev/urandom >/tmp/sent; sha256sum /tmp/sent | cut -d' ' -f1
         for attempt in $(seq 100); do if socat -u OPEN:/tmp/sent TCP:${address}:7000 2>/dev/null; then break; fi; sleep 0.1; done; rm /tmp/sent`,
      );
      assert.deepEqual((await received).split("\n"), [sent, "100000000"]);
      tell(`100 MB ${from.name} -> ${to.name}: ${sent}`);
    });

    it("an agent that is killed and loses its links breaks ClusterIP on its node only; started again, it mends", async () => {
      const [hurt, other] = [worker(cluster, 1), worker(cluster, 0)];
      const api = await kubeGet<{ spec: { clusterIP: string } }>(cluster, "-n", "default", "service", "kubernetes");
      const connect = connectScript(api.spec.clusterIP, 443);
      const ids = await Promise.all([hurt, other].map((node) => containerId(cluster, namespace, node.name)));
      const clusterIp = async (): Promise<string[]> => [
        await inContainer(cluster, hurt, ids[0] ?? "", connect),
        await inContainer(cluster, other, ids[1] ?? "", connect),
      ];
      const agent = await containerId(cluster, "kube-system", await agentPod(cluster, hurt));
      assert.deepEqual(await clusterIp(), ["connected", "connected"]);
      // The kubelet would start it again at once.
      await onNode(cluster, hurt, "systemctl stop kubelet");
      try {
        await onNode(cluster, hurt, `ctr -n k8s.io task kill --signal KILL ${agent}`);
        assert.deepEqual(await clusterIp(), ["connected", "connected"], "the datapath goes on without its agent");
        const links = "find /sys/fs/bpf -path '*socketlb/links*' -type f";
        tell(`${await onNode(cluster, hurt, `${links} -print -delete | wc -l`)} links of ${hurt.name} deleted`);
        await eventually(async () => assert.deepEqual(await clusterIp(), ["timed out", "connected"]));
      } finally {
        await onNode(cluster, hurt, "systemctl start kubelet");
      }
      await eventually(async () => assert.deepEqual(await clusterIp(), ["connected", "connected"]));
      await expectHealthy(cluster);
    });

    it("the private network drops and counts forged sources, and passes a pod's own", async () => {
      const [from, to] = [worker(cluster, 0), worker(cluster, 1)];
      const router = await routerNamespace(cluster);
      const drops = async (): Promise<number> => {
        const text = await inNamespace(router, ["nft", "list", "counter", "ip", "zerosteal", "drops"]);
        return Number(/packets (\d+)/.exec(text)?.[1]);
      };
      const ping = async (source: string): Promise<{ answered: boolean; dropped: number }> => {
        const before = await drops();
        const script = `ip addr add ${source}/32 dev lo; ping -n -c 3 -i 0.2 -W 1 -I ${source} ${to.privateAddress} || true; ip addr del ${source}/32 dev lo`;
        const text = await onNode(cluster, from, script);
        return { answered: / [1-3] received/.test(text), dropped: (await drops()) - before };
      };
      const nobody = cluster.plan.underlay.nodeSubnet.replace(/\.\d+\/\d+$/, ".99");
      const neighboursPod = to.podCidr.replace(/\.\d+\/\d+$/, ".99");
      assert.deepEqual(await ping(nobody), { answered: false, dropped: 3 });
      assert.deepEqual(await ping(neighboursPod), { answered: false, dropped: 3 });
      const before = await drops();
      assert.match(
        await inPod(cluster, from, `ping -n -c 3 -i 0.2 -W 1 ${await podAddress(cluster, to)}`),
        / 3 received/,
      );
      assert.equal((await drops()) - before, 0);
      tell("3 of 3 forged packets counted, twice; 0 of 3 of a pod's own");
    });
  });
}
