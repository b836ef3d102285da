import { checks } from "../../components/doctor";
import { notRunOf } from "../../components/doctor/checks/notRun";
import { certificateDays } from "../../components/doctor/checks/certificates";
import { clockLimits } from "../../components/doctor/checks/clock";
import { diskLimits, ioWaitLimit } from "../../components/doctor/checks/etcd";
import { lookupLimit } from "../../components/doctor/checks/services";
import { stealLimits } from "../../components/doctor/checks/steal";
import { made } from "./pages";

const status = "the agent's status";
const window = "an agent's metrics, at both ends of a window";
const proc = "the node's /proc and /sys";

/** When each check passes, and what it looks at. */
const rows: Readonly<Record<string, [pass: string, source: string]>> = {
  "nodes-ready": ["Ready, with the planned taints, pod CIDR and address", "Node objects"],
  versions: ["kubelet, containerd and Cilium as planned, the kernel no older than needed", `Node objects, ${status}`],
  probe: ["both probe pods run, and are gone afterwards", "the probes' namespace"],
  certificates: [
    `more than ${certificateDays} days left`,
    "files that the control plane's processes name; the kubeconfig",
  ],
  clock: [
    `within ${clockLimits.nodes} ms of other nodes and ${clockLimits.here} ms of here; a time service runs`,
    "the node's time on its way here, its processes",
  ],
  etcd: ["healthy, a voter, with a leader and all peers; one leader", "etcd's /health and /metrics on port 2381"],
  "etcd-disk": [
    `99 % of log writes within ${diskLimits.fsync} ms, of commits within ${diskLimits.commit} ms`,
    "etcd's histograms over a window",
  ],
  "io-wait": [`at most ${ioWaitLimit} % of a window`, "/proc/stat under etcd"],
  "api-endpoint": ["/readyz answers from every node", "kube-public/cluster-info, the agents' environment"],
  "kube-proxy-absent": ["no DaemonSet, ConfigMap or pod", "API objects"],
  "no-kube-svc-rules": ["no rule", "iptables, nftables and IPVS of the node"],
  "kube-proxy-replacement": ["True", status],
  "host-routing": ["as planned", status],
  masquerading: ["as planned, with the native range", status],
  "routing-mode": ["as planned", status],
  "lb-mode": ["as planned", status],
  "device-mode": ["as planned", status],
  devices: ["the planned devices, and the private one between nodes", status],
  encryption: ["as planned, with a key of each other node", status],
  "bandwidth-manager": ["as planned", status],
  qdisc: ["the planned queue alone", "tc on the NIC between nodes"],
  "cloud-routes": ["exactly the planned routes", "the cloud's API"],
  "node-mtu": ["packets of the planned size arrive, one byte more does not", "ping between nodes"],
  "pod-mtu": ["packets of the planned size arrive, one byte more does not", "ping between pods"],
  "sysctls-node": ["as planned", proc],
  "sysctls-pod": ["as planned", "/proc of a new pod"],
  "huge-pages": ["as planned", proc],
  "cpu-isolation": ["policy, reserved CPUs, pods and daemons as planned", `the kubelet's /configz, ${proc}`],
  "irq-affinity": ["within the reserved CPUs", proc],
  steal: [
    `at most ${stealLimits.dedicated} % (dedicated CPUs), ${stealLimits.shared} % (shared)`,
    "/proc/stat over a window",
  ],
  "softnet-drops": ["none", "/proc/net/softnet_stat over a window"],
  "pod-to-pod": ["packets arrive", "ping between pods of different nodes"],
  "cluster-ip": ["fresh connections succeed", "a pod of each node"],
  dns: [`the right address, the best of five within ${lookupLimit} ms`, "a pod of each node"],
  egress: ["a fresh connection succeeds", "a pod of each node"],
  "health-mesh": ["ICMP and HTTP answer", "cilium-health's last look, port 4240 tried anew"],
  "map-pressure": ["every map below 80 %", window],
  drops: ["fewer than 10 packets without a policy", window],
  fragments: ["no packet failed at being cut or joined", "/proc/net/snmp over a window"],
  "node-ports": ["none answers at a public address, unless planned", "connections from here"],
  "round-trips": ["connections succeed; their times are told", "20 fresh connections from each node"],
};

/** Reference of the doctor's checks. */
export function checksPage(): string {
  const table = checks.map(({ id, title }) => {
    const row = rows[id];
    if (!row) throw new Error(`docs/generate/checksPage.ts does not tell when ${id} passes`);
    return `| \`${id}\` | ${title} | ${row[0]} | ${row[1]} |`;
  });
  return [
    made,
    "# Checks of the doctor",
    "In their order: causes before what follows from them. Windows are of about eight seconds and overlap. What a machine that is a container cannot show is counted apart ([why](../decisions/not-provable.md)).",
    ["| check | proves that | passes when | looks at |", "| --- | --- | --- | --- |", ...table].join("\n"),
    "## Not run",
    notRunOf([], [])
      .map(({ check, reason }) => `- ${check}: ${reason}`)
      .join("\n"),
  ].join("\n\n");
}
