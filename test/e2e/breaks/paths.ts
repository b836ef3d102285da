import { type Cluster, inNamespace, kubectl, onNode, routerNamespace, worker } from "../support/cluster";
import { type Break, type Finding, pairsWith } from "./break";

/** Ways of packets. */
export const brokenPaths: Break[] = [
  {
    check: "node-mtu",
    what: "a link of the network that carries less",
    make: (cluster) => portMtu(cluster, 1400),
    mend: async (cluster) => {
      await portMtu(cluster, 1450);
      await forgetPaths(cluster);
    },
    // Both ways, to and from every other node: a link is one piece.
    findings: (cluster) => pairsWith(cluster, worker(cluster, 0)).map((subject) => lessThan("node-mtu", subject)),
  },
  {
    check: "pod-mtu",
    what: "a pod route that carries less than the path between nodes",
    make: (cluster) => podRouteMtu(cluster, " mtu 1400"),
    mend: async (cluster) => {
      await podRouteMtu(cluster, "");
      await forgetPaths(cluster);
    },
    // Both ways: the answers are as big as the packets that they answer.
    findings: (cluster) => pairsWith(cluster, worker(cluster, 1)).map((subject) => lessThan("pod-mtu", subject)),
  },
  {
    check: "pod-to-pod",
    what: "pings from one pod network to another that get lost",
    make: (cluster) =>
      dropInRouter(
        cluster,
        `ip saddr ${worker(cluster, 0).podCidr} ip daddr ${worker(cluster, 1).podCidr} icmp type echo-request`,
      ),
    mend: (cluster) => passInRouter(cluster),
    findings: (cluster) => [
      {
        check: "pod-to-pod",
        subject: `${worker(cluster, 0).name} -> ${worker(cluster, 1).name}`,
        wanted: "packets arrive",
        found: "lost without an answer",
      },
    ],
  },
  {
    check: "cluster-ip",
    what: "pods of one node that do not reach the API behind its ClusterIP",
    make: (cluster) => dropInRouter(cluster, `ip saddr ${worker(cluster, 0).podCidr} tcp dport 6443`),
    mend: (cluster) => passInRouter(cluster),
    findings: (cluster) => [
      {
        check: "cluster-ip",
        subject: worker(cluster, 0).name,
        wanted: /^[\d.]+:443 accepts connections$/,
        found: "3 of 3 connections failed: no answer",
      },
    ],
  },
  {
    check: "health-mesh",
    what: "a node that another one's agent does not reach",
    make: (cluster) => dropToSecondWorker(cluster, 4240),
    mend: (cluster) => passInRouter(cluster),
    findings: (cluster) => [
      {
        check: "health-mesh",
        subject: `${worker(cluster, 0).name} -> ${worker(cluster, 1).name}`,
        wanted: "ICMP and HTTP answer",
        found: /^(HTTP of the node: .*)?TCP port 4240: no answer$/,
      },
    ],
  },
  {
    check: "dns",
    what: "no DNS server",
    make: (cluster) => scaleDns(cluster, 0),
    mend: (cluster) => scaleDns(cluster, 2),
    findings: (cluster) =>
      cluster.nodes.map(({ name }) => ({
        check: "dns",
        subject: name,
        wanted: /^[\d.]+ within 10 ms$/,
        found: /^2 of 2 lookups failed: /,
      })),
  },
  {
    check: "egress",
    what: "a node whose way outside is closed",
    make: (cluster) =>
      drop(
        `${cluster.instance.prefix}-pub`,
        `ip saddr ${worker(cluster, 0).publicAddress} tcp dport ${cluster.instance.mirrorPort}`,
      ),
    mend: (cluster) => pass(`${cluster.instance.prefix}-pub`),
    findings: (cluster) => [
      {
        check: "egress",
        subject: worker(cluster, 0).name,
        wanted: /^[\d.]+:5000 answers$/,
        found: /^[\d.]+:5000: no answer$/,
      },
    ],
  },
  {
    check: "probe",
    what: "a node that cannot get the image of the probes",
    make: async (cluster) => {
      const image = "docker.io/nicolaka/netshoot:v0.13";
      // A mirror where nobody listens, before upstream and in its place.
      const nowhere = `server = "http://127.0.0.1:9"\n[host."http://127.0.0.1:9"]\n`;
      const folder = "/etc/containerd/certs.d";
      await onNode(
        cluster,
        worker(cluster, 0),
        `cp -a ${folder} ${folder}.kept; for file in ${folder}/*/hosts.toml; do printf '%s' '${nowhere}' >$file; done; ctr -n k8s.io images rm --sync ${image}`,
      );
    },
    mend: async (cluster) => {
      const folder = "/etc/containerd/certs.d";
      await onNode(cluster, worker(cluster, 0), `rm -r ${folder}; mv ${folder}.kept ${folder}`);
    },
    findings: (cluster) => [
      {
        check: "probe",
        subject: worker(cluster, 0).name,
        wanted: "probe pods run",
        found: /^host probe: .*(ErrImagePull|ImagePullBackOff|Failed|pull).*pod probe: /s,
      },
    ],
  },
];

/** Who met the small link first may have learnt it by now: then it says so too, and its own kernel refuses. */
function lessThan(check: "node-mtu" | "pod-mtu", subject: string): Finding {
  return {
    check,
    subject,
    wanted: /^(1450 bytes arrive|the route says 1450)$/,
    found:
      /^(refused by [\d.]+ with MTU 1400|refused by the sender's own kernel|the route says 1400|lost without an answer|no answer: .*)$/,
  };
}

async function portMtu(cluster: Cluster, mtu: number): Promise<void> {
  const port = `s${worker(cluster, 0).serverId}`;
  await inNamespace(await routerNamespace(cluster), ["ip", "link", "set", "dev", port, "mtu", String(mtu)]);
}

async function podRouteMtu(cluster: Cluster, mtu: string): Promise<void> {
  const { podCidr, privateAddress, serverId } = worker(cluster, 1);
  const route = `route replace ${podCidr} via ${privateAddress} dev s${serverId} onlink${mtu}`;
  await inNamespace(await routerNamespace(cluster), ["ip", ...route.split(" ")]);
}

/** What senders have learnt about a path they keep for ten minutes. */
async function forgetPaths(cluster: Cluster): Promise<void> {
  await Promise.all(cluster.nodes.map((node) => onNode(cluster, node, "ip route flush cache")));
}

/** Drops packets of a kind in the private network's router. */
export async function dropInRouter(cluster: Cluster, match: string): Promise<void> {
  await drop(await routerNamespace(cluster), match);
}

/** Drops there what the first worker sends to a TCP port of the second. */
export async function dropToSecondWorker(cluster: Cluster, port: number): Promise<void> {
  const [from, to] = [worker(cluster, 0).privateAddress, worker(cluster, 1).privateAddress];
  await dropInRouter(cluster, `ip saddr ${from} ip daddr ${to} tcp dport ${port}`);
}

/** Lets all packets pass that router again. */
export async function passInRouter(cluster: Cluster): Promise<void> {
  await pass(await routerNamespace(cluster));
}

/** Drops packets of a kind in a router, in a table of its own. */
async function drop(namespace: string, match: string): Promise<void> {
  const rules = `table ip e2e { chain forward { type filter hook prerouting priority -200; ${match} drop; }; }`;
  await inNamespace(namespace, ["nft", "-f", "-"], rules);
}

async function pass(namespace: string): Promise<void> {
  await inNamespace(namespace, ["nft", "delete", "table", "ip", "e2e"]);
}

async function scaleDns(cluster: Cluster, replicas: number): Promise<void> {
  await kubectl(cluster, ["-n", "kube-system", "scale", "deployment", "coredns", `--replicas=${replicas}`]);
  await kubectl(cluster, ["-n", "kube-system", "rollout", "status", "deployment", "coredns", "--timeout=120s"]);
  if (replicas === 0)
    await kubectl(cluster, [
      "-n",
      "kube-system",
      "wait",
      "--for=delete",
      "pod",
      "-l",
      "k8s-app=kube-dns",
      "--timeout=60s",
    ]);
}
