import assert from "node:assert/strict";
import { checks, judge } from "../../components/doctor/checks";
import { valueOf, type CiliumStatus, type Evidence } from "../../components/doctor/evidence";
import type { CheckResult } from "../../components/doctor/types";
import { changed, evidence, expectation, hostOf, podOf, web1, web2 } from "./fixtures";

/** One thing broken, and the one finding that must follow. */
interface Break {
  what: string;
  change(evidence: Evidence): void;
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

function node(from: Evidence, name: string): Evidence["nodes"][number] {
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

const breaks: Break[] = [
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
  {
    what: "a NIC has another MTU",
    change: (e) => (hostOf(e, web1).routes[web2]!.mtu = 1500),
    check: "node-mtu",
    subject: `${web1} -> ${web2}`,
    wanted: "the route says 1450",
    found: "the route says 1500",
    hint: /MTU of enp7s0 on lab-web-1/,
  },
  {
    what: "the path between nodes carries less",
    change: (e) => {
      const refused = { ...lost, refusedLocally: true, refusedBy: { address: "10.0.0.1", mtu: 1400 } };
      hostOf(e, web1).exact[web2] = refused;
      podOf(e, web1).exact[web2] = refused;
    },
    check: "node-mtu",
    subject: `${web1} -> ${web2}`,
    wanted: "1450 bytes arrive",
    found: "refused by 10.0.0.1 with MTU 1400",
    hint: /less than senders believe/,
  },
  {
    what: "the path between nodes loses the exact size silently",
    change: (e) => (hostOf(e, web1).exact[web2] = { ...lost }),
    check: "node-mtu",
    subject: `${web1} -> ${web2}`,
    wanted: "1450 bytes arrive",
    found: "lost without an answer",
    hint: /less than senders believe/,
  },
  {
    what: "the path between nodes carries more",
    change: (e) => (podOf(e, web1).nodeOneMore[web2] = { sent: 3, received: 3, refusedLocally: false }),
    check: "node-mtu",
    subject: `${web1} -> ${web2}`,
    wanted: "1451 bytes are refused by the path",
    found: "1451 bytes arrive",
    hint: /more than planned/,
  },
  {
    what: "pods believe in another MTU",
    change: (e) => (podOf(e, web1).routes[web2]!.mtu = 1500),
    check: "pod-mtu",
    subject: `${web1} -> ${web2}`,
    wanted: "the route says 1450",
    found: "the route says 1500",
    hint: /Set MTU in Cilium's values/,
  },
  {
    what: "the path between pods loses the exact size",
    change: (e) => (podOf(e, web1).exact[web2] = { ...lost }),
    check: "pod-mtu",
    subject: `${web1} -> ${web2}`,
    wanted: "1450 bytes arrive",
    found: "lost without an answer",
    hint: /less than senders believe/,
  },
  {
    what: "the path between pods carries more",
    change: (e) => (podOf(e, web1).oneMore[web2] = { sent: 3, received: 1, refusedLocally: false }),
    check: "pod-mtu",
    subject: `${web1} -> ${web2}`,
    wanted: "1451 bytes are refused by the path",
    found: "1451 bytes arrive",
    hint: /more than planned/,
  },
  {
    what: "a kernel setting of a node was changed",
    change: (e) => (hostOf(e, web1).sysctls["net.core.somaxconn"]!.value = "4096"),
    check: "sysctls-node",
    subject: web1,
    wanted: "net.core.somaxconn = 65535",
    found: "net.core.somaxconn = 4096",
    hint: /sysctl --system/,
  },
  {
    what: "reserved ports are not all reserved",
    change: (e) => (hostOf(e, web1).sysctls["net.ipv4.ip_local_reserved_ports"]!.value = "2379-2380,6443,10248-10259"),
    check: "sysctls-node",
    subject: web1,
    wanted: "net.ipv4.ip_local_reserved_ports = 2379-2381,6443,10248-10259",
    found: "net.ipv4.ip_local_reserved_ports = 2379-2380,6443,10248-10259",
    hint: /sysctl --system/,
  },
  {
    what: "a key is absent on a real machine",
    change: (e) => (hostOf(e, web1).sysctls["net.core.default_qdisc"] = { present: false, writable: false, value: "" }),
    check: "sysctls-node",
    subject: web1,
    wanted: "net.core.default_qdisc = fq",
    found: "net.core.default_qdisc is absent",
    hint: /module/,
  },
  {
    what: "new pods start with another congestion control",
    change: (e) => (podOf(e, web1).sysctls["net.ipv4.tcp_congestion_control"]!.value = "cubic"),
    check: "sysctls-pod",
    subject: web1,
    wanted: "net.ipv4.tcp_congestion_control = bbr",
    found: "net.ipv4.tcp_congestion_control = cubic",
    hint: /when a pod starts/,
  },
  {
    what: "pods do not reach one another",
    change: (e) => (podOf(e, web1).reach[web2] = { ...lost }),
    check: "pod-to-pod",
    subject: `${web1} -> ${web2}`,
    wanted: "packets arrive",
    found: "lost without an answer",
    hint: /the pods of lab-web-2/,
  },
  {
    what: "ClusterIPs do not work on a node",
    change: (e) => {
      podOf(e, web2).apiConnects = [1, 2, 3].map(() => ({ ok: false, milliseconds: 3000, error: "no answer" }));
      podOf(e, web2).lookups = [{ addresses: [], milliseconds: 2000, error: "no answer" }];
    },
    check: "cluster-ip",
    subject: web2,
    wanted: "10.96.0.1:443 accepts connections",
    found: "3 of 3 connections failed: no answer",
    hint: /cilium-dbg bpf lb list/,
  },
  {
    what: "one of several connections fails",
    change: (e) => (podOf(e, web2).apiConnects[1] = { ok: false, milliseconds: 3, error: "Connection refused" }),
    check: "cluster-ip",
    subject: web2,
    wanted: "10.96.0.1:443 accepts connections",
    found: "1 of 3 connections failed: Connection refused",
    hint: /cilium-dbg bpf lb list/,
  },
  {
    what: "lookups are slow",
    change: (e) => podOf(e, web1).lookups.forEach((lookup, index) => (lookup.milliseconds = 40 + index)),
    check: "dns",
    subject: web1,
    wanted: "10.96.0.1 within 10 ms",
    found: "10.96.0.1 within 40 ms",
    hint: /short of CPU/,
  },
  {
    what: "one of two DNS pods is gone",
    change: (e) => (podOf(e, web1).lookups[3] = { addresses: [], milliseconds: 2000, error: "no answer" }),
    check: "dns",
    subject: web1,
    wanted: "10.96.0.1 within 10 ms",
    found: "1 of 5 lookups failed: no answer",
    hint: /k8s-app=kube-dns/,
  },
  {
    what: "DNS gives a wrong address",
    change: (e) => podOf(e, web1).lookups.forEach((lookup) => (lookup.addresses = ["10.96.0.9"])),
    check: "dns",
    subject: web1,
    wanted: "10.96.0.1 within 10 ms",
    found: "10.96.0.9 within 1.0 ms",
    hint: /another address/,
  },
  {
    what: "pods use another resolver",
    change: (e) => (podOf(e, web1).nameservers = ["8.8.8.8"]),
    check: "dns",
    subject: web1,
    wanted: "nameserver 10.96.0.10",
    found: "nameserver 8.8.8.8",
    hint: /clusterDNS/,
  },
  {
    what: "pods do not reach the outside",
    change: (e) => (podOf(e, web1).connects["198.18.0.1:5000"] = { ok: false, milliseconds: 3000, error: "no answer" }),
    check: "egress",
    subject: web1,
    wanted: "198.18.0.1:5000 answers",
    found: "198.18.0.1:5000: no answer",
    hint: /lab-web-1 itself reaches it, so look at masquerading/,
  },
];

describe("checks on a cluster with one thing broken", () => {
  for (const { what, change, ...finding } of breaks) {
    it(`${finding.check}: ${what}`, () => {
      const failed = judge(expectation(), changed(change)).filter((result) => result.outcome === "failed");
      const { hint, ...rest } = finding;
      assert.deepEqual(
        failed.map(({ check, subject, wanted, found }) => ({ check, subject, wanted, found })),
        [rest],
      );
      assert.match(failed[0]?.hint ?? "", hint);
    });
  }

  it("breaks every check once", () => {
    const broken = new Set(breaks.map((entry) => entry.check));
    assert.deepEqual([...broken].sort(), checks.map((check) => check.id).sort());
  });

  it("finds everything right on the healthy cluster, and judges all of it", () => {
    const results = judge(expectation(), evidence());
    assert.deepEqual(
      results.filter((result: CheckResult) => result.outcome !== "ok"),
      [],
    );
    assert.deepEqual([...new Set(results.map((result) => result.check))].sort(), checks.map(({ id }) => id).sort());
  });

  it("names a wrong pod CIDR at the node and at its route", () => {
    const results = judge(
      expectation(),
      changed((e) => (node(e, web1).podCidr = "10.244.7.0/24")),
    );
    const failed = results.filter((result) => result.outcome === "failed");
    assert.deepEqual(
      failed.map(({ check, subject, wanted, found }) => [check, subject, wanted, found]),
      [
        ["nodes-ready", web1, "pod CIDR 10.244.1.0/24", "pod CIDR 10.244.7.0/24"],
        [
          "cloud-routes",
          web1,
          "10.244.1.0/24 via 10.0.0.3",
          "10.244.1.0/24 via 10.0.0.3, but the node's pods are in 10.244.7.0/24",
        ],
      ],
    );
  });
});
