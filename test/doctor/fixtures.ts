import type {
  AgentWindow,
  Certificate,
  EtcdReading,
  Evidence,
  HostProbe,
  MachineReading,
  NodeProbes,
  PingResult,
  PodProbe,
  WindowReading,
} from "../../components/doctor/evidence";
import type { Expectation } from "../../components/doctor/types";

/** Node names of the fixture: one control plane and two workers. */
export const nodeNames = ["lab-control-plane-1", "lab-web-1", "lab-web-2"];
const [controlPlane, ...workers] = nodeNames as [string, string, string];

/** What the fixture's plan wants. */
export function expectation(): Expectation {
  const nodes: Expectation["nodes"] = nodeNames.map((name, index) => ({
    name,
    role: name === controlPlane ? "control-plane" : "worker",
    privateAddress: `10.0.0.${index + 2}`,
    podCidr: `10.244.${index}.0/24`,
    cpu:
      name === controlPlane
        ? { isolation: "none", cores: 2, dedicated: false, reserved: "" }
        : { isolation: "strict", cores: 4, dedicated: true, reserved: "0" },
    taints: name === controlPlane ? ["node-role.kubernetes.io/control-plane:NoSchedule"] : [],
  }));
  return {
    cluster: "lab",
    versions: { kubernetes: "1.36.1", cilium: "1.20.2", containerd: "2.3.4", kernel: "5.18" },
    nodes,
    podCidr: "10.244.0.0/16",
    serviceCidr: "10.96.0.0/12",
    clusterDns: "10.96.0.10",
    mtu: { node: 1450, pod: 1450 },
    sysctls: [
      { key: "net.core.somaxconn", value: "65535", podsInherit: false, namespaced: true },
      { key: "net.core.default_qdisc", value: "fq", podsInherit: false, namespaced: false },
      { key: "net.ipv4.tcp_congestion_control", value: "bbr", podsInherit: true, namespaced: true },
      {
        key: "net.ipv4.ip_local_reserved_ports",
        value: "2379-2381,6443,10248-10259",
        podsInherit: false,
        namespaced: true,
      },
      { key: "net.ipv4.tcp_keepalive_time", value: "600", podsInherit: false, namespaced: true, podsMaySet: true },
    ],
    transparentHugePages: "madvise",
    cilium: {
      kubeProxyReplacement: true,
      routingMode: "native",
      hostRouting: "BPF",
      masquerading: "BPF",
      nativeRoutingCidr: "10.244.0.0/16",
      loadBalancerMode: "snat",
      deviceMode: "veth",
      encryption: "none",
      devices: ["eth0", "enp7s+"],
      bandwidthManager: "on with bbr",
      nodePortAddresses: ["10.0.0.0/24"],
    },
    cloudRoutes: {
      networkName: "lab",
      routes: nodes.map((node) => ({ destination: node.podCidr, gateway: node.privateAddress })),
    },
  };
}

const arrived: PingResult = { sent: 3, received: 3, refusedLocally: false };
const reached: PingResult = { sent: 4, received: 4, refusedLocally: false, milliseconds: [0.4, 0.2, 0.21, 0.22] };
const refusedByRouter: PingResult = {
  sent: 3,
  received: 0,
  refusedLocally: true,
  refusedBy: { address: "10.0.0.1", mtu: 1450 },
};

/** By which the fixture's nodes reach the API. */
export const endpoint = "api.lab.internal:6443";
const takenAt = Date.UTC(2026, 10, 26);
const day = 86_400_000;

/** What a healthy cluster made from that plan shows. */
export function evidence(): Evidence {
  const wanted = expectation();
  return {
    contextCluster: "kubernetes",
    server: "https://198.18.0.11:6443",
    takenAt,
    ownCertificates: [{ file: "this kubeconfig", ends: takenAt + 300 * day }],
    nodes: wanted.nodes.map((node) => ({
      name: node.name,
      ready: true,
      readyMessage: "kubelet is posting ready status",
      lost: false,
      networkUnavailable: false,
      taints: node.taints,
      podCidr: node.podCidr,
      internalIp: node.privateAddress,
      externalIps: [],
      kubeletVersion: "v1.36.1",
      containerRuntimeVersion: "containerd://2.3.4",
      kernelVersion: "6.12.5-amd64",
    })),
    kubeProxy: { value: { daemonSet: false, configMap: false, pods: 0 } },
    apiService: { value: { clusterIp: "10.96.0.1", port: 443 } },
    apiEndpoints: { value: [endpoint] },
    nodePorts: { value: { ports: [31_234], tried: 3, open: [] } },
    agents: {
      value: wanted.nodes.map((node, index) => ({
        node: node.name,
        pod: `cilium-${index}`,
        ready: true,
        status: {
          value: {
            version: "1.20.2",
            kubeProxyReplacement: "True",
            devices: ["eth0", "enp7s0"],
            directRoutingDevice: "enp7s0",
            directRoutingAddresses: [node.privateAddress],
            routingMode: "Native",
            hostRouting: "BPF",
            masquerading: "BPF",
            nativeRoutingCidr: "10.244.0.0/16",
            loadBalancerMode: "SNAT",
            deviceMode: "veth",
            encryption: "Disabled",
            encryptionPeers: 0,
            bandwidthManager: "on with bbr",
          },
        },
        window: {
          value: {
            drops: {
              first: { "Unsupported L3 protocol": 3 },
              last: { "Unsupported L3 protocol": 90, "Policy denied": 40 },
            },
            pressure: { ct4_global: 0.02, lb4_services_v2: 0.41 },
            health: { value: nodeNames.map((name) => ({ node: name, faults: [], earlierFaults: [] })) },
          },
        },
      })),
    },
    kubelets: Object.fromEntries(
      wanted.nodes.map(({ name, cpu }) => [
        name,
        {
          value:
            cpu.isolation === "none"
              ? { policy: "none", reserved: "", options: [] }
              : // The workers show two threads a core: see the machine below.
                { policy: "static", reserved: "0-1", options: ["full-pcpus-only", "strict-cpu-reservation"] },
        },
      ]),
    ),
    probes: nodeNames.map(probes),
    egressTargets: [{ target: "198.18.0.1:5000", asked: false }],
    cloud: { value: { networkName: "lab", found: true, routes: structuredClone(wanted.cloudRoutes!.routes) } },
  };
}

function probes(node: string, index: number): NodeProbes {
  const others = nodeNames.filter((name) => name !== node);
  const each = <T>(value: T) => Object.fromEntries(others.map((name) => [name, structuredClone(value)]));
  const reading = (value: string) => ({ present: true, writable: true, value });
  const connects = { "198.18.0.1:5000": { ok: true, milliseconds: 1.5 } };
  const host: HostProbe = {
    machineIsContainer: false,
    machine: machine(node === controlPlane),
    timeServices: ["chronyd"],
    certificates: node === controlPlane ? certificates() : [],
    addresses: ["127.0.0.1", `10.0.0.${index + 2}`, `10.244.${index}.1`, `198.18.0.${index + 11}`],
    resolvers: ["198.18.0.1"],
    sysctls: {
      "net.core.somaxconn": reading("65535"),
      "net.core.default_qdisc": reading("fq"),
      "net.ipv4.tcp_congestion_control": reading("bbr"),
      "net.ipv4.tcp_keepalive_time": reading("600"),
      "net.ipv4.ip_local_reserved_ports": reading("2379-2381,6443,10248-10259,30000-32767"),
    },
    kubeProxyRules: [
      { tool: "iptables-nft-save", lines: 0 },
      { tool: "nft", lines: 0 },
    ],
    connects,
    readyz: { [endpoint]: "200" },
    qdiscs: { eth0: ["fq"], enp7s0: ["fq", "fq"] },
    routes: each({ device: "enp7s0", mtu: 1450 }),
    reach: each(reached),
    exact: each(arrived),
  };
  const pod: PodProbe = {
    address: `10.244.${index}.77`,
    nameservers: ["10.96.0.10"],
    sysctls: { "net.ipv4.tcp_congestion_control": reading("bbr"), "net.ipv4.tcp_keepalive_time": reading("600") },
    lookups: [1, 2, 3, 4, 5].map(() => ({ addresses: ["10.96.0.1"], milliseconds: 1 })),
    apiConnects: [1, 2, 3].map(() => ({ ok: true, milliseconds: 2 })),
    connects: structuredClone(connects),
    reach: each(reached),
    routes: each({ device: "eth0", mtu: 1450 }),
    exact: each(arrived),
    oneMore: each(refusedByRouter),
    nodeOneMore: each(refusedByRouter),
  };
  return {
    node,
    host: { value: host },
    pod: { value: pod },
    window: { value: window(node === controlPlane) },
    notStarted: [],
  };
}

/** A worker has four threads of two cores, of which the first core is reserved; the control plane has two CPUs that are nothing of the kind. */
function machine(plain: boolean): MachineReading {
  return {
    isolated: "",
    cores: plain ? ["0", "1"] : ["0-1", "2-3"],
    hugePages: "madvise",
    interrupts: [
      { nic: "eth0", irq: "24", name: "virtio1-input.0", cpus: "1" },
      { nic: "eth0", irq: "25", name: "virtio1-output.0", cpus: "0" },
    ],
    probeCpus: plain ? "0-1" : "2-3",
    kubeletCpus: "0-1",
  };
}

function certificates(): Certificate[] {
  const folder = "/etc/kubernetes/pki";
  return [
    { file: `${folder}/apiserver.crt`, ends: takenAt + 364 * day },
    { file: `${folder}/ca.crt`, ends: takenAt + 3650 * day },
  ];
}

/** A quick disk: 100 writes, one of them in more than 8 ms. */
function etcd(writes: number): EtcdReading {
  const buckets = [
    { upTo: 0.008, count: writes * 0.99 },
    { upTo: 0.016, count: writes },
    { upTo: Infinity, count: writes },
  ];
  return {
    healthy: true,
    hasLeader: true,
    isLeader: true,
    isLearner: false,
    activePeers: 0,
    fsync: buckets,
    commit: structuredClone(buckets),
  };
}

/** Eight seconds with some work, no steal and no drop. */
function window(controlPlane: boolean): WindowReading {
  const fragments = { created: 12, notCut: 1, notJoined: 2 };
  return {
    ticks: {
      first: { busy: 1000, idle: 9000, steal: 7, ioWait: 50 },
      last: { busy: 1400, idle: 11_800, steal: 7, ioWait: 60 },
    },
    fragments: { first: fragments, last: { ...fragments } },
    roundTrips: { "198.18.0.9:443": { milliseconds: [21, 20, 22, 24, 20.5] } },
    clock: { atLeast: -3, atMost: 240 },
    ...(controlPlane ? { etcd: { first: etcd(500), last: etcd(600) } } : {}),
    softnet: {
      first: { packets: 50_000, dropped: 3, squeezed: 1 },
      last: { packets: 51_000, dropped: 3, squeezed: 1 },
    },
  };
}

/** The healthy evidence with one thing changed. */
export function changed(change: (evidence: Evidence) => void): Evidence {
  const result = evidence();
  change(result);
  return result;
}

/** The first worker and the second one. */
export const [web1, web2] = workers;

/** The node probe of a node in evidence, to be changed. */
export function hostOf(from: Evidence, node: string): HostProbe {
  const probe = from.probes.find((candidate) => candidate.node === node)?.host;
  if (!probe || !("value" in probe)) throw new Error(`no host probe of ${node} in the fixture`);
  return probe.value;
}

/** The pod probe of a node in evidence, to be changed. */
export function podOf(from: Evidence, node: string): PodProbe {
  const probe = from.probes.find((candidate) => candidate.node === node)?.pod;
  if (!probe || !("value" in probe)) throw new Error(`no pod probe of ${node} in the fixture`);
  return probe.value;
}

/** The counters of a node in evidence, to be changed. */
export function windowOf(from: Evidence, node: string): WindowReading {
  const probe = from.probes.find((candidate) => candidate.node === node)?.window;
  if (!probe || !("value" in probe)) throw new Error(`no counters of ${node} in the fixture`);
  return probe.value;
}

/** What an agent told of its window in evidence, to be changed. */
export function agentWindowOf(from: Evidence, node: string): AgentWindow {
  const agent = "value" in from.agents ? from.agents.value.find((candidate) => candidate.node === node) : undefined;
  if (!agent || !("value" in agent.window)) throw new Error(`no agent's counters of ${node} in the fixture`);
  return agent.window.value;
}
