import assert from "node:assert/strict";
import { valueOf, type CiliumStatus, type Evidence } from "../../components/doctor/evidence";
import { hostOf, podOf, web1, web2 } from "./fixtures";

/** One thing broken, and the one finding that must follow. */
export interface Break {
  what: string;
  change: (evidence: Evidence) => unknown;
  check: string;
  subject: string;
  wanted: string;
  found: string;
  hint: RegExp;
}

function status(from: Evidence, node: string): CiliumStatus {
  const agent = valueOf(from.agents)?.find((candidate) => candidate.node === node);
  const value = agent && valueOf(agent.status);
  assert.ok(value);
  return value;
}

/** A node in evidence, to be changed. */
export function node(from: Evidence, name: string): Evidence["nodes"][number] {
  const found = from.nodes.find((candidate) => candidate.name === name);
  assert.ok(found);
  return found;
}

function routes(from: Evidence): { destination: string; gateway: string }[] {
  const cloud = valueOf(from.cloud);
  assert.ok(cloud);
  return cloud.routes;
}

const lost = { sent: 3, received: 0, refusedLocally: false };

/** Nodes, versions, kube-proxy, Cilium's agents, the network's routes. */
export const breaksOfCluster: Break[] = [
  {
    what: "a node is not Ready",
    change: (e) => Object.assign(node(e, web1), { ready: false, readyMessage: "Kubelet stopped posting node status." }),
    check: "nodes-ready",
    subject: web1,
    wanted: "Ready",
    found: "not Ready: Kubelet stopped posting node status.",
    hint: /kubectl describe node lab-web-1/,
  },
  {
    what: "a node has a taint that nobody planned",
    change: (e) => node(e, web2).taints.push("dedicated=db:NoSchedule"),
    check: "nodes-ready",
    subject: web2,
    wanted: "taints none",
    found: "taints dedicated=db:NoSchedule",
    hint: /Not planned: dedicated=db:NoSchedule; missing: none/,
  },
  {
    what: "a planned taint is gone",
    change: (e) => (node(e, "lab-control-plane-1").taints = []),
    check: "nodes-ready",
    subject: "lab-control-plane-1",
    wanted: "taints node-role.kubernetes.io/control-plane:NoSchedule",
    found: "taints none",
    hint: /missing: node-role/,
  },
  {
    what: "a node announces another address",
    change: (e) => (node(e, web1).internalIp = "198.18.0.12"),
    check: "nodes-ready",
    subject: web1,
    wanted: "address 10.0.0.3",
    found: "address 198.18.0.12",
    hint: /--node-ip/,
  },
  {
    what: "a node is there that nobody planned",
    change: (e) => e.nodes.push({ ...node(e, web1), name: "stray" }),
    check: "nodes-ready",
    subject: "stray",
    wanted: "only planned nodes",
    found: "a node that is not in the plan",
    hint: /kubectl delete node stray/,
  },
  {
    what: "a planned node never joined",
    change: (e) => (e.nodes = e.nodes.filter(({ name }) => name !== web2)),
    check: "nodes-ready",
    subject: web2,
    wanted: "Ready",
    found: "no such node",
    hint: /never joined/,
  },
  {
    what: "the CNI has not taken up a node",
    change: (e) => (node(e, web1).networkUnavailable = true),
    check: "nodes-ready",
    subject: web1,
    wanted: "Ready",
    found: "Ready, but NetworkUnavailable",
    hint: /CNI/,
  },
  {
    what: "a kubelet is older than planned",
    change: (e) => (node(e, web1).kubeletVersion = "v1.35.4"),
    check: "versions",
    subject: web1,
    wanted: "kubelet 1.36.1",
    found: "kubelet 1.35.4",
    hint: /not upgraded/,
  },
  {
    what: "an agent is older than planned",
    change: (e) => (status(e, web1).version = "1.19.6"),
    check: "versions",
    subject: web1,
    wanted: "Cilium 1.20.2",
    found: "Cilium 1.19.6",
    hint: /not upgraded/,
  },
  {
    what: "a probe's image cannot be pulled",
    change: (e) => e.probes[1]!.notStarted.push("pod probe: ImagePullBackOff: not found"),
    check: "probe",
    subject: web1,
    wanted: "probe pods run",
    found: "pod probe: ImagePullBackOff: not found",
    hint: /--image/,
  },
  {
    what: "no pod starts on a node",
    change: (e) => e.probes[1]!.notStarted.push("pod probe: FailedCreatePodSandBox: plugin type=cilium-cni failed"),
    check: "probe",
    subject: web1,
    wanted: "probe pods run",
    found: "pod probe: FailedCreatePodSandBox: plugin type=cilium-cni failed",
    hint: /No new pod starts on lab-web-1/,
  },
  {
    what: "kube-proxy is there",
    change: (e) => (e.kubeProxy = { value: { daemonSet: true, configMap: true, pods: 3 } }),
    check: "kube-proxy-absent",
    subject: "cluster",
    wanted: "no kube-proxy",
    found: "DaemonSet kube-system/kube-proxy, ConfigMap kube-system/kube-proxy, 3 pods",
    hint: /kubectl -n kube-system delete/,
  },
  {
    what: "kube-proxy left rules behind",
    change: (e) => (hostOf(e, web2).kubeProxyRules[0]!.lines = 12),
    check: "no-kube-svc-rules",
    subject: web2,
    wanted: "no rules of kube-proxy",
    found: "12 in iptables-nft-save",
    hint: /iptables-restore/,
  },
  {
    what: "an agent does not replace kube-proxy",
    change: (e) => (status(e, web1).kubeProxyReplacement = "False"),
    check: "kube-proxy-replacement",
    subject: web1,
    wanted: "True",
    found: "False",
    hint: /kubeProxyReplacement/,
  },
  {
    what: "no agent runs on a node",
    change: (e) => (e.agents = { value: (valueOf(e.agents) ?? []).filter((agent) => agent.node !== web1) }),
    check: "kube-proxy-replacement",
    subject: web1,
    wanted: "True",
    found: "no Cilium agent",
    hint: /lab-web-1/,
  },
  {
    what: "packets go through the host's stack",
    change: (e) => (status(e, web1).hostRouting = "Legacy"),
    check: "host-routing",
    subject: web1,
    wanted: "host routing BPF",
    found: "host routing Legacy",
    hint: /bpf\.masquerade/,
  },
  {
    what: "iptables masquerades",
    change: (e) => (status(e, web1).masquerading = "iptables"),
    check: "masquerading",
    subject: web1,
    wanted: "BPF, not to 10.244.0.0/16",
    found: "iptables, not to 10.244.0.0/16",
    hint: /bpf\.masquerade/,
  },
  {
    what: "too wide a network is not masqueraded",
    change: (e) => (status(e, web2).nativeRoutingCidr = "10.0.0.0/8"),
    check: "masquerading",
    subject: web2,
    wanted: "BPF, not to 10.244.0.0/16",
    found: "BPF, not to 10.0.0.0/8",
    hint: /ipv4NativeRoutingCIDR/,
  },
  {
    what: "an overlay is in use",
    change: (e) => (status(e, web1).routingMode = "Tunnel"),
    check: "routing-mode",
    subject: web1,
    wanted: "native",
    found: "tunnel",
    hint: /routingMode/,
  },
  {
    what: "load balancing by DSR",
    change: (e) => (status(e, web1).loadBalancerMode = "DSR"),
    check: "lb-mode",
    subject: web1,
    wanted: "snat",
    found: "dsr",
    hint: /loadBalancer\.mode/,
  },
  {
    what: "pods' devices of another kind",
    change: (e) => (status(e, web1).deviceMode = "netkit"),
    check: "device-mode",
    subject: web1,
    wanted: "veth",
    found: "netkit",
    hint: /bpf\.datapathMode/,
  },
  {
    what: "encryption that nobody planned",
    change: (e) => Object.assign(status(e, web1), { encryption: "Wireguard", encryptionPeers: 2 }),
    check: "encryption",
    subject: web1,
    wanted: "none",
    found: "wireguard with 2 peers",
    hint: /cilium-dbg encrypt status/,
  },
  {
    what: "Cilium left out a NIC",
    change: (e) => (status(e, web1).devices = ["eth0"]),
    check: "devices",
    subject: web1,
    wanted: "eth0, enp7s+",
    found: "eth0",
    hint: /Without programs: enp7s\+; not planned: none/,
  },
  {
    what: "Cilium took one NIC too many",
    change: (e) => status(e, web1).devices.push("tailscale0"),
    check: "devices",
    subject: web1,
    wanted: "eth0, enp7s+",
    found: "eth0, enp7s0, tailscale0",
    hint: /not planned: tailscale0/,
  },
  {
    what: "packets to nodes leave by the public NIC",
    change: (e) =>
      Object.assign(status(e, web1), { directRoutingDevice: "eth0", directRoutingAddresses: ["198.18.0.12"] }),
    check: "devices",
    subject: web1,
    wanted: "direct routing by the NIC with 10.0.0.3",
    found: "direct routing by eth0 with 198.18.0.12",
    hint: /directRoutingDevice/,
  },
  {
    what: "the route of a node's pods is missing",
    change: (e) => {
      routes(e).splice(2, 1);
      for (const from of ["lab-control-plane-1", web1]) podOf(e, from).reach[web2] = { ...lost };
      for (const from of ["lab-control-plane-1", web1]) podOf(e, from).exact[web2] = { ...lost };
      podOf(e, web1).lookups = [{ addresses: [], milliseconds: 2000, error: "no answer" }];
    },
    check: "cloud-routes",
    subject: web2,
    wanted: "10.244.2.0/24 via 10.0.0.4",
    found: "no route",
    hint: /deployment again/,
  },
  {
    what: "the route of a node's pods leads to another node",
    change: (e) => (routes(e)[2]!.gateway = "10.0.0.3"),
    check: "cloud-routes",
    subject: web2,
    wanted: "10.244.2.0/24 via 10.0.0.4",
    found: "10.244.2.0/24 via 10.0.0.3",
    hint: /deployment again/,
  },
  {
    what: "a route is there that nobody planned",
    change: (e) => routes(e).push({ destination: "10.244.9.0/24", gateway: "10.0.0.3" }),
    check: "cloud-routes",
    subject: "cluster",
    wanted: "only planned routes",
    found: "10.244.9.0/24 via 10.0.0.3",
    hint: /leftover/,
  },
  {
    what: "the network is not there",
    change: (e) => (e.cloud = { value: { networkName: "lab", found: false, routes: [] } }),
    check: "cloud-routes",
    subject: "cluster",
    wanted: "network lab",
    found: "no network of this name",
    hint: /cloud project/,
  },
];
