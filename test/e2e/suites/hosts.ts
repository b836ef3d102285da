import assert from "node:assert/strict";
import { PublicNetwork } from "../../../sandbox/network/public";
import { ensureNamespace, removeNamespace } from "../../../sandbox/network/namespaces";
import { Segment } from "../../../sandbox/network/segment";
import type { Instance } from "../../../sandbox/instance";
import { instanceName, runCli } from "../support/cli";
import { act, cloud } from "../support/cloud";
import {
  type Cluster,
  inNamespace,
  kubeGet,
  kubectl,
  type LiveNode,
  onNode,
  openCluster,
  worker,
} from "../support/cluster";
import { connectScript } from "../support/connect";
import { expectHealthy } from "../support/doctor";
import { since, tell } from "../support/evidence";
import { inPod, namespace, startPods } from "../support/pods";
import { scan } from "../support/scan";
import { scanUdp, type Sender, udpListeners } from "../support/udpScan";
import { eventually } from "../support/wait";

/** Sandbox of existing machines on one segment. */
const name = `${instanceName}-l2`;

/** Another Cilium than the sandbox's own, for a run by hand: the article's 1.16.1. */
const cilium = process.env.ZEROSTEAL_E2E_CILIUM;

/** Ports of the sandbox's networks that no server has: server ids are longer. */
const clientPort = 200;

/** Somebody on the segment who is no node. */
const clientAddress = "10.20.0.150";
const servicePort = 8080;

/** The article's own case: existing machines on one segment, its six Helm flags, no cloud firewall. */
export function hostsSuite(): void {
  describe("existing hosts on one segment", function () {
    this.timeout(400_000);
    let cluster: Cluster;
    let client: string;

    before(async () => {
      const started = performance.now();
      const made = await runCli("up", ["--underlay", "hosts-l2", ...(cilium ? ["--cilium", cilium] : [])], name);
      assert.equal(made.exitCode, 0, made.output);
      tell(`npm run up -- --underlay hosts-l2: ${since(started)}`);
      cluster = await openCluster(name);
      client = await plugClient(cluster);
      await startPods(cluster);
    });

    after(async () => {
      if (client) await removeNamespace(client);
      if (process.env.ZEROSTEAL_E2E_KEEP !== "1") await runCli("down", [], name);
    });

    it("the doctor is green, and a second `up` changes nothing", async () => {
      await expectHealthy(cluster);
      const again = await runCli("up", [], name);
      assert.equal(again.exitCode, 0, again.output);
      assert.match(again.output, /^changes: none$/m);
    });

    it("Cilium has the article's six flags", async () => {
      const config = await kubeGet<{ data: Record<string, string> }>(
        cluster,
        "-n",
        "kube-system",
        "configmap",
        "cilium-config",
      );
      const wanted = {
        "auto-direct-node-routes": "true",
        "bpf-lb-mode": "dsr",
        "enable-bpf-masquerade": "true",
        "enable-ipv4": "true",
        "kube-proxy-replacement": "true",
        "routing-mode": "native",
      };
      assert.deepEqual(Object.fromEntries(Object.keys(wanted).map((key) => [key, config.data[key]])), wanted);
    });

    it("a NodePort of one node, backend on the other: 20 of 20, and the backend's node answers by itself", async () => {
      const [first, backend] = [worker(cluster, 0), worker(cluster, 1)];
      const { nodePort } = await exposeService(cluster, backend, "by-node-port", "NodePort");
      await expectDirectReplies(cluster, client, { address: first.privateAddress, port: nodePort, first, backend });
    });

    it("a LoadBalancer's address, backend not on its node: the same; and its node switched off, another answers", async () => {
      const service = await exposeService(cluster, undefined, "by-address", "LoadBalancer");
      const announcer = await eventually(() => announcerOf(cluster, "by-address"));
      const backend = cluster.nodes.find((node) => node.role === "worker" && node.name !== announcer.name);
      assert.ok(backend);
      await moveBackend(cluster, "by-address", backend);
      const target = { address: service.address, port: servicePort, first: announcer, backend };
      await expectDirectReplies(cluster, client, target);
      await act(cluster.engine, `/servers/${announcer.serverId}/actions/poweroff`);
      const off = performance.now();
      await eventually(
        async () => assert.equal(await tryConnect(client, target.address, target.port, 1), "connected"),
        60,
      );
      tell(`${service.address} answered again ${since(off)} after its node ${announcer.name} was switched off`);
      await act(cluster.engine, `/servers/${announcer.serverId}/actions/poweron`);
      await expectHealthy(cluster);
    });

    it("every port of every node is closed to others, on both networks, but what was asked for", async () => {
      const service = await kubeGet<{ items: { spec: { ports: { nodePort?: number }[] } }[] }>(
        cluster,
        "services",
        "-A",
      );
      const asked = service.items.flatMap(({ spec }) => spec.ports.flatMap(({ nodePort }) => nodePort ?? []));
      const scans = cluster.nodes.map(async (node) => {
        const [outer, { open }] = await Promise.all([
          scan(client, node.publicAddress),
          scan(client, node.privateAddress),
        ]);
        assert.deepEqual(outer.open, [], `${node.name} by its public address`);
        assert.deepEqual(
          open.filter((port) => !asked.includes(port)),
          [],
          `${node.name} by its private address`,
        );
      });
      await Promise.all(scans);
      tell(
        `65535 ports on two addresses of ${cluster.nodes.length} nodes: nothing open but ${asked.length} NodePorts on the segment`,
      );
    });

    it("no datagram to any UDP port of any node gets past its firewall, on both networks, and none is answered", async () => {
      for (const node of cluster.nodes) {
        const listeners = await udpListeners(cluster, node);
        for (const [sender, target] of pathsTo(cluster, client, node)) {
          const { arrived, passed, answered } = await scanUdp(cluster, node, sender, target);
          const what = `${node.name} by ${target}`;
          assert.equal(arrived.size, 65535, `${what}: some never reached its NIC`);
          assert.deepEqual([...passed, ...answered], [], what);
        }
        tell(`${node.name}: 65535 UDP ports on two addresses, sockets on ${listeners.join(", ")}: none reached`);
      }
    });

    it("without its firewall a node shows what it hides, so the scan finds what is open", async () => {
      const node = worker(cluster, 0);
      const ports = [22, 4240, 10250];
      const datagrams = [53, 8472, 10250, 51871];
      const [[sender, target]] = pathsTo(cluster, client, node);
      const passed = async (): Promise<number[]> => [
        ...(await scanUdp(cluster, node, sender, target, datagrams)).passed,
      ];
      await onNode(cluster, node, "systemctl stop zerosteal-firewall");
      try {
        assert.deepEqual((await scan(client, node.privateAddress, ports)).open, ports);
        assert.deepEqual(
          (await passed()).sort((a, b) => a - b),
          datagrams,
        );
      } finally {
        await onNode(cluster, node, "systemctl start zerosteal-firewall");
      }
      assert.deepEqual((await scan(client, node.privateAddress, ports)).open, []);
      assert.deepEqual(await passed(), []);
    });

    it("nodes reach each other's kubelet, and the operator reaches SSH and the API", async () => {
      const [one, other] = [worker(cluster, 0), worker(cluster, 1)];
      assert.equal(await onNode(cluster, one, connectScript(other.privateAddress, 10250)), "connected");
      assert.match(await kubectl(cluster, ["get", "--raw", "/readyz"]), /^ok$/);
    });

    it("a machine whose node leaves is freed of all that was put on it, and can come back", async () => {
      const node = worker(cluster, 1);
      const left = await runCli("up", ["--workers", "1"], name);
      assert.equal(left.exitCode, 0, left.output);
      const traces = await onNode(
        cluster,
        node,
        "ls -d /etc/zerosteal /var/lib/zerosteal /etc/kubernetes/pki /etc/kubernetes/kubelet.conf.d/50-zerosteal.conf /etc/kubernetes/manifests /run/cilium /sys/fs/bpf/cilium /etc/sysctl.d/90-zerosteal.conf 2>/dev/null || true; " +
          "nft list tables | grep zerosteal || true; systemctl is-active kubelet containerd zerosteal-firewall || true; " +
          "grep zerosteal /etc/hosts || true; ls /sys/class/net | grep -E 'cilium|lxc' || true",
      );
      assert.deepEqual(traces.split("\n"), ["inactive", "inactive", "inactive"]);
      const back = await runCli("up", ["--workers", "2"], name);
      assert.equal(back.exitCode, 0, back.output);
      cluster = await openCluster(name);
      await expectHealthy(cluster);
    });

    it("the distribution's own unit, which flushes the rules of all, leaves no node open", async () => {
      const node = worker(cluster, 0);
      for (const verb of ["start", "reload", "restart", "stop"]) {
        await onNode(cluster, node, `nft delete table inet zerosteal; systemctl ${verb} nftables`);
        assert.match(await onNode(cluster, node, "nft list table inet zerosteal"), /policy drop/, verb);
      }
    });

    // It also brings back rules of Cilium's that the test before flushed.
    it("a reboot keeps the firewall", async () => {
      const node = worker(cluster, 0);
      await act(cluster.engine, `/servers/${node.serverId}/actions/reboot`);
      await eventually(async () => assert.equal(await onNode(cluster, node, "systemctl is-active kubelet"), "active"));
      assert.deepEqual((await scan(client, node.publicAddress, [22, 6443, 10250])).open, []);
      assert.equal(await onNode(cluster, node, "systemctl is-active zerosteal-firewall"), "active");
      await expectHealthy(cluster);
    });
  });
}

/** How the client comes to a node: by the segment, and by the public side; with its address there and the node's. */
function pathsTo(
  { instance }: Cluster,
  namespace: string,
  { privateAddress, publicAddress }: LiveNode,
): [[Sender, string], [Sender, string]] {
  return [
    [{ namespace, address: clientAddress }, privateAddress],
    [{ namespace, address: publicClient(instance) }, publicAddress],
  ];
}

function publicClient({ hostAddress }: Instance): string {
  return hostAddress.replace(/\.1$/, ".200");
}

/** A namespace with a NIC on the segment and one on the public side, outside of all CIDRs that were given. */
async function plugClient({ engine, instance }: Cluster): Promise<string> {
  const client = `${instance.prefix}-client`;
  await ensureNamespace(client);
  const { networks } = await cloud<{ networks: { id: number; ip_range: string }[] }>(
    engine,
    "GET",
    `/networks?name=${name}-hosts`,
  );
  const network = networks[0];
  assert.ok(network);
  const spec = { networkId: network.id, ipRange: network.ip_range, gateway: "10.20.0.1", segment: "l2" } as const;
  await new Segment(instance.prefix, spec, () => "").plug(clientPort, client, "enp7s0", clientAddress);
  await new PublicNetwork(instance).plug(clientPort, client, publicClient(instance));
  return client;
}

/** Makes a Service on the pod of a node (none yet: undefined), and waits for its address or port. */
async function exposeService(
  cluster: Cluster,
  backend: LiveNode | undefined,
  service: string,
  type: "NodePort" | "LoadBalancer",
): Promise<{ nodePort: number; address: string }> {
  const spec = { type, selector: { node: "nobody" }, ports: [{ port: servicePort }] };
  const object = { apiVersion: "v1", kind: "Service", metadata: { name: service, namespace }, spec };
  await kubectl(cluster, ["apply", "-f", "-"], JSON.stringify(object));
  if (backend) await moveBackend(cluster, service, backend);
  return eventually(async () => {
    const made = await kubeGet<{
      spec: { ports: { nodePort?: number }[] };
      status: { loadBalancer: { ingress?: { ip: string }[] } };
    }>(cluster, "-n", namespace, "service", service);
    const address = made.status.loadBalancer.ingress?.[0]?.ip ?? "";
    assert.ok(type === "NodePort" || address !== "", "no address yet");
    return { nodePort: made.spec.ports[0]?.nodePort ?? 0, address };
  });
}

/** Lets the pod of a node answer behind a Service, and that pod alone. */
async function moveBackend(cluster: Cluster, service: string, backend: LiveNode): Promise<void> {
  const listen = `ss -Hltn 'sport = :${servicePort}' | grep -q . || { setsid socat TCP-LISTEN:${servicePort},fork,reuseaddr SYSTEM:'echo hello' >/dev/null 2>&1 </dev/null & disown; }`;
  await inPod(cluster, backend, listen);
  const patch = JSON.stringify({ spec: { selector: { node: backend.name } } });
  await kubectl(cluster, ["-n", namespace, "patch", "service", service, "-p", patch]);
}

/** The node that answers ARP for a Service's address. */
async function announcerOf(cluster: Cluster, service: string): Promise<LiveNode> {
  const lease = await kubeGet<{ spec: { holderIdentity?: string } }>(
    cluster,
    ...["-n", "kube-system", "lease", `cilium-l2announce-${namespace}-${service}`],
  );
  const node = cluster.nodes.find((candidate) => candidate.name === lease.spec.holderIdentity);
  assert.ok(node, `nobody answers for ${service} yet`);
  return node;
}

interface Target {
  address: string;
  port: number;
  /** Node that the client's packets go to. */
  first: LiveNode;
  /** Node of the only backend. */
  backend: LiveNode;
}

/**
 * Twenty connections of the client. A TCP connection stands only when the answer comes from the address that was dialled; counters at the
 * client's NIC tell by the sender's MAC address whose machine sent it.
 */
async function expectDirectReplies(cluster: Cluster, client: string, target: Target): Promise<void> {
  const { address, port, first, backend } = target;
  await eventually(async () => assert.equal(await tryConnect(client, address, port, 2), "connected"));
  const [firstMac, backendMac] = await Promise.all([macOf(cluster, first), macOf(cluster, backend)]);
  await inNamespace(client, ["nft", "-f", "-"], replyCounters(address, port, firstMac, backendMac));
  try {
    const tries = [];
    for (let attempt = 0; attempt < 20; attempt++) tries.push(await tryConnect(client, address, port, 2));
    assert.deepEqual(
      tries.filter((outcome) => outcome !== "connected"),
      [],
    );
    const counters = await inNamespace(client, ["nft", "list", "counters", "table", "netdev", "replies"]);
    const packets = (counter: string): number =>
      Number(new RegExp(`counter ${counter} {\\s*packets (\\d+)`).exec(counters)?.[1]);
    tell(
      `${address}:${port}, to ${first.name}: 20 of 20, ${packets("direct")} packets from ${backend.name}, ${packets("hairpin")} from ${first.name}`,
    );
    assert.ok(packets("direct") >= 20, counters);
    assert.equal(packets("hairpin"), 0, counters);
  } finally {
    await inNamespace(client, ["nft", "delete", "table", "netdev", "replies"]);
  }
}

function replyCounters(address: string, port: number, first: string, backend: string): string {
  return `table netdev replies {
  counter direct { }
  counter hairpin { }
  chain in {
    type filter hook ingress device "enp7s0" priority 0; policy accept;
    ip saddr ${address} tcp sport ${port} ether saddr ${backend} counter name direct
    ip saddr ${address} tcp sport ${port} ether saddr ${first} counter name hairpin
  }
}
`;
}

function macOf(cluster: Cluster, node: LiveNode): Promise<string> {
  return onNode(cluster, node, "cat /sys/class/net/enp7s0/address");
}

function tryConnect(client: string, address: string, port: number, seconds: number): Promise<string> {
  return inNamespace(client, ["bash", "-c", connectScript(address, port, seconds)]);
}
