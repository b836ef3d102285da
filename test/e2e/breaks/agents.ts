import { changeFirewall, type Cluster, controlPlane, kubectl, type LiveNode, worker } from "../support/cluster";
import { agentPod, inPod, podAddress, startPods } from "../support/pods";
import { type Finding, pairsWith } from "./break";

/** Settings of one agent that differ from the plan, and what must be found on its node. Several agents differ at once: one restart for all. */
export interface AgentBreak {
  check: string;
  what: string;
  node(cluster: Cluster): LiveNode;
  settings: Record<string, string>;
  /** What else has to be so. */
  make?(cluster: Cluster): Promise<unknown>;
  mend?(cluster: Cluster): Promise<unknown>;
  /** What goes on again and again while the doctor looks. */
  meanwhile?(cluster: Cluster): Promise<unknown>;
  /** Without a subject: on the agent's node. */
  findings(cluster: Cluster): (Omit<Finding, "subject"> & { subject?: string })[];
}

/** Rounds of agents that are restarted together, each with settings of its own. */
export const agentRounds: AgentBreak[][] = [
  [
    {
      check: "masquerading",
      what: "an agent with another native range",
      node: controlPlane,
      settings: { "ipv4-native-routing-cidr": "10.244.0.0/17" },
      findings: ({ plan }) => [
        { check: "masquerading", wanted: `BPF, not to ${plan.podCidr}`, found: "BPF, not to 10.244.0.0/17" },
      ],
    },
    {
      check: "host-routing",
      what: "an agent that routes through the host's stack",
      node: (cluster) => worker(cluster, 0),
      settings: { "enable-host-legacy-routing": "true" },
      findings: () => [{ check: "host-routing", wanted: "host routing BPF", found: "host routing Legacy" }],
    },
    {
      check: "lb-mode",
      what: "an agent with DSR",
      node: (cluster) => worker(cluster, 1),
      settings: { "bpf-lb-mode": "dsr" },
      findings: () => [{ check: "lb-mode", wanted: "snat", found: "dsr" }],
    },
    {
      check: "map-pressure",
      what: "an agent with the smallest map of connections, and a pod that fills it",
      node: (cluster) => worker(cluster, 1),
      // The share is counted when old entries are looked for.
      settings: { "bpf-ct-global-any-max": "1024", "conntrack-gc-interval": "5s" },
      make: (cluster) => startPods(cluster),
      meanwhile: async (cluster) => {
        const target = await podAddress(cluster, worker(cluster, 0));
        const script = `for port in {20000..22000}; do echo >/dev/udp/${target}/$port; done`;
        await inPod(cluster, worker(cluster, 1), script);
      },
      findings: () => [
        { check: "map-pressure", wanted: "every map below 80 %", found: /^ct_any4_global at (8|9|10)\d\.\d %$/ },
      ],
    },
  ],
  [
    {
      check: "devices",
      what: "an agent that takes the public NIC for the way between nodes",
      node: (cluster) => worker(cluster, 0),
      settings: { "direct-routing-device": "eth0" },
      findings: (cluster) => [
        {
          check: "devices",
          wanted: `direct routing by the NIC with ${worker(cluster, 0).privateAddress}`,
          found: /^direct routing by eth0 with /,
        },
      ],
    },
    {
      check: "routing-mode",
      what: "an agent that wraps packets",
      node: (cluster) => worker(cluster, 1),
      settings: {
        "routing-mode": "tunnel",
        "tunnel-protocol": "vxlan",
        // The agent refuses to start with both.
        "install-no-conntrack-iptables-rules": "false",
      },
      // It wraps what the others do not unwrap, and the other way round: no packet passes between its pods and theirs.
      findings: (cluster) => [
        { check: "routing-mode", wanted: "native", found: "tunnel" },
        ...pairsWith(cluster, worker(cluster, 1)).map((subject) => ({
          check: "pod-to-pod",
          subject,
          wanted: "packets arrive",
          found: "lost without an answer",
        })),
      ],
    },
    {
      check: "node-ports",
      what: "an agent that answers node ports at its public address, with no firewall before it",
      node: controlPlane,
      settings: { "nodeport-addresses": "0.0.0.0/0" },
      make: async (cluster) => {
        const service = ["--type=NodePort", "--port=53", "--name=e2e-node-port"];
        await kubectl(cluster, ["-n", "kube-system", "expose", "deployment", "coredns", ...service]);
        await changeFirewall(cluster, controlPlane(cluster), "remove_from");
      },
      mend: async (cluster) => {
        await changeFirewall(cluster, controlPlane(cluster), "apply_to");
        await kubectl(cluster, ["-n", "kube-system", "delete", "service", "e2e-node-port", "--ignore-not-found"]);
      },
      findings: (cluster) => [
        {
          check: "node-ports",
          subject: "cluster",
          wanted: "no node port answers at a public address",
          // Other suites have left node ports of their own.
          found: new RegExp(`^(${controlPlane(cluster).publicAddress}:3\\d{4}(, |$))+$`),
        },
      ],
    },
  ],
];

/** Restarts agents with settings of their own; agents of nodes that are not named get the common ones back. */
export async function restartAgents(cluster: Cluster, nodes: LiveNode[], breaks: AgentBreak[]): Promise<void> {
  await kubectl(cluster, ["-n", "kube-system", "delete", "ciliumnodeconfigs", "--all"]);
  const items = breaks.map((entry) => ({
    apiVersion: "cilium.io/v2",
    kind: "CiliumNodeConfig",
    metadata: { name: `e2e-${entry.check}`, namespace: "kube-system" },
    spec: {
      nodeSelector: { matchLabels: { "kubernetes.io/hostname": entry.node(cluster).name } },
      defaults: entry.settings,
    },
  }));
  if (items.length > 0) {
    await kubectl(cluster, ["apply", "-f", "-"], JSON.stringify({ apiVersion: "v1", kind: "List", items }));
  }
  const pods = await Promise.all(nodes.map((node) => agentPod(cluster, node)));
  await kubectl(cluster, ["-n", "kube-system", "delete", "pod", "--grace-period=1", ...pods]);
  await kubectl(cluster, ["-n", "kube-system", "rollout", "status", "daemonset", "cilium", "--timeout=120s"]);
}
