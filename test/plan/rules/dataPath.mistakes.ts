import type { ClusterArgs } from "../../../components/plan";
import type { Mistake } from "./table";

const values = (own: Record<string, unknown>) => (args: ClusterArgs) => (args.cilium = { values: own });

/** Values on a network that is declared another than the plan's: what they need besides is judged by itself. */
const accepting = (accept: string[], own: Record<string, unknown>) => (args: ClusterArgs) => {
  args.cilium = { values: own };
  args.accept = accept;
};

const dsr = ["dsr-needs-unchecked-sources", "cilium-value-planned"];

export const chartKeyMistakes: Mistake[] = [
  {
    rule: "cilium-key-removed",
    what: "keys below others, and only from the version on that lacks them",
    make: (args) => {
      args.cilium = {
        version: "1.18.12",
        values: { hostPort: { enabled: true }, nodePort: { enabled: true }, encryption: { strictMode: { cidr: "" } } },
      };
      args.network = { encryption: "wireguard" };
      args.accept = ["versions-untested"];
    },
    lines: [
      "cilium.values.hostPort.enabled: the chart has no such key since 1.18; leave it out: kubeProxyReplacement has it",
    ],
  },
  {
    rule: "cilium-key-removed",
    what: "strict mode as charts before 1.20 had it",
    make: (args) => {
      args.network = { encryption: "wireguard" };
      args.cilium = {
        values: { encryption: { strictMode: { enabled: true, cidr: "10.244.0.0/16", egress: { enabled: true } } } },
      };
    },
    lines: [
      "cilium.values.encryption.strictMode.enabled: the chart has no such key since 1.20; use encryption.strictMode.egress.enabled",
      "cilium.values.encryption.strictMode.cidr: the chart has no such key since 1.20; use encryption.strictMode.egress.cidr",
    ],
  },
  {
    rule: "cilium-key-too-new",
    what: "keys of later charts",
    make: (args) => {
      args.cilium = {
        version: "1.18.12",
        values: { policyDenyResponse: "icmp", envoy: { xdsMode: "ads" }, localRedirectPolicies: { enabled: true } },
      };
      args.accept = ["versions-untested"];
    },
    lines: [
      "cilium.values.policyDenyResponse: the chart has such a key only since 1.19, and this cluster has Cilium 1.18.12; leave it out, or use Cilium 1.19 or newer",
      "cilium.values.envoy.xdsMode: the chart has such a key only since 1.20, and this cluster has Cilium 1.18.12; leave it out, or use Cilium 1.20 or newer",
    ],
  },
  {
    rule: "cilium-key-unknown",
    what: "a key whose removed parts are others",
    make: values({ proxy: { sidecarImageRegex: "x" } }),
    lines: [
      'cilium.values.proxy: the chart of Cilium 1.20 has no such key; did you mean l7Proxy? (or accept: ["cilium-key-unknown"])',
    ],
  },
  {
    rule: "cilium-value-planned",
    what: "what changes the MTU",
    make: values({
      encryption: { enabled: true, type: "wireguard" },
      tunnelProtocol: "geneve",
      underlayProtocol: "ipv6",
    }),
    lines: [
      'cilium.values.encryption.enabled: the plan sets this value: use network.encryption; leave it out (or accept: ["cilium-value-planned"])',
      'cilium.values.encryption.type: the plan sets this value: use network.encryption; leave it out (or accept: ["cilium-value-planned"])',
      'cilium.values.tunnelProtocol: the plan sets this value: use network.tunnel; leave it out (or accept: ["cilium-value-planned"])',
      'cilium.values.underlayProtocol: the plan sets this value: the private network has IPv4 alone, and another protocol changes the pods\' MTU; leave it out (or accept: ["cilium-value-planned"])',
    ],
  },
  {
    rule: "cilium-value-planned",
    what: "other ways to the API",
    make: values({ k8sServiceHostRef: { name: "api", key: "host" }, k8s: { apiServerURLs: "https://10.0.0.2:6443" } }),
    lines: [
      'cilium.values.k8sServiceHostRef.name: the plan sets this value: k8sServiceHost is the planned name of the API, and the chart takes one of the two; leave it out (or accept: ["cilium-value-planned"])',
      'cilium.values.k8sServiceHostRef.key: the plan sets this value: k8sServiceHost is the planned name of the API, and the chart takes one of the two; leave it out (or accept: ["cilium-value-planned"])',
      'cilium.values.k8s.apiServerURLs: the plan sets this value: k8sServiceHost is the planned name of the API; leave it out (or accept: ["cilium-value-planned"])',
    ],
  },
  {
    rule: "cilium-cluster-name",
    what: "too long",
    make: accepting(["cilium-value-planned"], { cluster: { name: "x".repeat(33) } }),
    lines: [
      `cilium.values.cluster.name: "${"x".repeat(33)}" is not a name of at most 32 small letters, digits and inner hyphens; leave it out for the cluster's own name`,
    ],
  },
  {
    rule: "upgrade-compatibility",
    what: "a number, as YAML reads it without quotes",
    make: values({ upgradeCompatibility: 1.2 }),
    lines: [
      'cilium.values.upgradeCompatibility: 1.2 is not a minor of Cilium; give the minor that the cluster began with as a text, e.g. "1.20", or leave it out',
    ],
  },
  {
    rule: "upgrade-compatibility",
    what: "a version to come",
    make: values({ upgradeCompatibility: "1.21" }),
    lines: [
      'cilium.values.upgradeCompatibility: the cluster cannot have begun with 1.21, which is newer than its Cilium 1.20.2; give the minor that the cluster began with as a text, e.g. "1.20", or leave it out',
    ],
  },
];

export const dataPathMistakes: Mistake[] = [
  {
    rule: "dsr-dispatch",
    what: "ipip",
    make: accepting(dsr, { loadBalancer: { mode: "dsr", dsrDispatch: "ipip" } }),
    lines: [
      "cilium.values.loadBalancer.dsrDispatch: ipip is for nodes that do nothing but balance load; use opt, or geneve",
    ],
  },
  {
    rule: "dsr-dispatch",
    what: "mistyped",
    make: accepting(dsr, { loadBalancer: { mode: "hybrid", dsrDispatch: "option" } }),
    lines: ['cilium.values.loadBalancer.dsrDispatch: there is no dispatch "option"; use opt, or geneve'],
  },
  {
    rule: "dsr-dispatch",
    what: "geneve without its tunnel protocol",
    make: accepting(dsr, { loadBalancer: { mode: "dsr", dsrDispatch: "geneve" } }),
    lines: ["cilium.values.loadBalancer.dsrDispatch: geneve needs tunnelProtocol: geneve; set it, or use opt"],
  },
  {
    rule: "dsr-dispatch",
    what: "VXLAN",
    make: accepting(dsr, {
      loadBalancer: { mode: "dsr" },
      routingMode: "tunnel",
      installNoConntrackIptablesRules: false,
    }),
    lines: ["cilium.values.loadBalancer.dsrDispatch: DSR does not go with a VXLAN tunnel; set tunnelProtocol: geneve"],
  },
  {
    rule: "dsr-dispatch",
    what: "an IP option in a tunnel",
    make: accepting(dsr, {
      loadBalancer: { mode: "hybrid" },
      routingMode: "tunnel",
      tunnelProtocol: "geneve",
      installNoConntrackIptablesRules: false,
    }),
    lines: [
      "cilium.values.loadBalancer.dsrDispatch: opt needs native routing, and routingMode is tunnel; use geneve, or native routing",
    ],
  },
  {
    rule: "no-conntrack-needs-native",
    what: "a tunnel, and masquerading by iptables",
    make: (args) => {
      args.cilium = { values: { routingMode: "tunnel", kubeProxyReplacement: false, bpf: { masquerade: false } } };
      args.tuning = { bbr: "node" };
      args.accept = ["cilium-value-planned", "masquerade-needs-bpf"];
    },
    lines: [
      "cilium.values.routingMode: tunnel does not go with installNoConntrackIptablesRules, which the plan sets; leave it at native, or set installNoConntrackIptablesRules: false",
      "cilium.values.kubeProxyReplacement: false does not go with installNoConntrackIptablesRules, which the plan sets; leave it at true, or set installNoConntrackIptablesRules: false",
      "cilium.values.bpf.masquerade: false does not go with installNoConntrackIptablesRules, which the plan sets; leave it at true, or set installNoConntrackIptablesRules: false",
    ],
  },
  {
    rule: "ipv6-not-built",
    what: "both addresses",
    make: values({ ipv6: { enabled: true }, k8s: { requireIPv6PodCIDR: true } }),
    lines: [
      "cilium.values.ipv6.enabled: the cluster has no IPv6 yet: no node would get a pod CIDR for it, and Cilium would wait for one; leave it out",
      "cilium.values.k8s.requireIPv6PodCIDR: the cluster has no IPv6 yet: no node would get a pod CIDR for it, and Cilium would wait for one; leave it out",
    ],
  },
  {
    rule: "bbr-needs-kernel",
    what: "an older image",
    make: (args) => (args.underlay.image = "ubuntu-22.04"),
    lines: [
      'tuning.bbr: node-and-pod needs kernel 5.18 or newer, and ubuntu-22.04 has 5.15; set underlay.image to debian-12 or debian-13 or ubuntu-24.04 or ubuntu-26.04, or tuning.bbr to "node"',
    ],
  },
  {
    rule: "bbr-needs-bpf-routing",
    what: "the host's stack",
    make: accepting(["masquerade-needs-bpf"], {
      bpf: { masquerade: false, hostLegacyRouting: true },
      installNoConntrackIptablesRules: false,
    }),
    lines: [
      'cilium.values.bpf.masquerade: BBR in pods needs host routing by BPF, and false takes it away; leave it out, or set tuning.bbr to "node"',
      'cilium.values.bpf.hostLegacyRouting: BBR in pods needs host routing by BPF, and true takes it away; leave it out, or set tuning.bbr to "node"',
    ],
  },
  {
    rule: "bbr-without-ipsec",
    what: "the chart's own type",
    make: accepting(["cilium-value-planned"], { encryption: { enabled: true } }),
    lines: [
      'cilium.values.encryption.type: IPsec switches off the bandwidth manager, which BBR in pods needs; use wireguard, or set tuning.bbr to "node"',
    ],
  },
  {
    rule: "xdp-needs-real-nic",
    what: "native",
    make: values({ loadBalancer: { acceleration: "native" } }),
    lines: [
      'cilium.values.loadBalancer.acceleration: the plan sets this value: use network.xdp; leave it out (or accept: ["cilium-value-planned"])',
      'cilium.values.loadBalancer.acceleration: native asks every NIC for XDP, which virtio gives slowly or not at all; leave it out, and set network.xdp to "best-effort" where you want it (or accept: ["xdp-needs-real-nic"])',
    ],
  },
  {
    rule: "big-tcp-needs-real-nic",
    what: "both families",
    make: values({ enableIPv4BIGTCP: true, enableIPv6BIGTCP: true }),
    lines: [
      'cilium.values.enableIPv4BIGTCP: the nodes\' NICs are virtio, whose driver takes no packets past 64 KiB; leave it out (or accept: ["big-tcp-needs-real-nic"])',
      'cilium.values.enableIPv6BIGTCP: the nodes\' NICs are virtio, whose driver takes no packets past 64 KiB; leave it out (or accept: ["big-tcp-needs-real-nic"])',
    ],
  },
];

export const componentMistakes: Mistake[] = [
  {
    rule: "operator-replicas",
    what: "more than nodes",
    make: values({ operator: { replicas: 4 } }),
    lines: [
      'cilium.values.operator.replicas: 4 operators do not fit on 3 nodes that take one each; use a number up to 3 (or accept: ["operator-replicas"])',
    ],
  },
  {
    rule: "operator-replicas",
    what: "more than nodes without taints",
    make: (args) => {
      args.pools = [{ name: "web", count: 2, serverType: "ccx23", taints: [{ key: "gpu", effect: "NoExecute" }] }];
      args.cilium = { values: { operator: { replicas: 2 } } };
    },
    lines: [
      'cilium.values.operator.replicas: 2 operators do not fit on 1 node that take one each; use a number up to 1 (or accept: ["operator-replicas"])',
    ],
  },
  {
    rule: "hubble-parts",
    what: "a UI alone",
    make: values({ hubble: { ui: { enabled: true } } }),
    lines: [
      "cilium.values.hubble.ui.enabled: the UI has nothing to read from without Hubble's relay; set hubble.relay.enabled: true too",
    ],
  },
  {
    rule: "hubble-parts",
    what: "a relay alone",
    make: values({ hubble: { enabled: false, relay: { enabled: true } } }),
    lines: [
      "cilium.values.hubble.relay.enabled: the relay has nothing to read from where hubble.enabled is false; leave hubble.enabled out, or the relay",
    ],
  },
  {
    rule: "l7-needs-proxy",
    what: "gateways, ingresses and L7 balancing",
    make: values({
      l7Proxy: false,
      gatewayAPI: { enabled: true },
      ingressController: { enabled: true },
      loadBalancer: { l7: { backend: "envoy" } },
    }),
    lines: [
      "cilium.values.gatewayAPI.enabled: true needs Cilium's proxy, and l7Proxy is false; leave l7Proxy out, or this",
      "cilium.values.ingressController.enabled: true needs Cilium's proxy, and l7Proxy is false; leave l7Proxy out, or this",
      "cilium.values.loadBalancer.l7.backend: envoy needs Cilium's proxy, and l7Proxy is false; leave l7Proxy out, or this",
    ],
  },
  {
    rule: "expected-services",
    what: "none, and too many",
    make: (args) => (args.network = { expectedServices: 65536, expectedEndpointsPerService: 0 }),
    lines: [
      "network.expectedServices: 65536 is out of range: Cilium numbers Services, and the backends of each, with 16 bits; use a number from 1 to 65535",
      "network.expectedEndpointsPerService: 0 is out of range: Cilium numbers Services, and the backends of each, with 16 bits; use a number from 1 to 65535",
    ],
  },
  {
    rule: "expected-services",
    what: "maps larger than a node's memory",
    make: (args) => (args.network = { expectedEndpointsPerService: 5000 }),
    lines: [
      "network.expectedEndpointsPerService: 5000 Services of 5000 endpoints need maps of 50010000 entries, and more than 16777216 take gigabytes of every node; use a smaller number: it is the average, not the most",
    ],
  },
  {
    rule: "service-maps-too-small",
    what: "the chart's size for the default Services",
    make: values({ bpf: { lbMapMax: 65536 } }),
    lines: [
      'cilium.values.bpf.lbMapMax: 65536 entries are less than the 110000 for 5000 Services of 10 endpoints, with room to change; leave it out, or set network.expectedServices and network.expectedEndpointsPerService (or accept: ["service-maps-too-small"])',
    ],
  },
  {
    rule: "service-maps-too-small",
    what: "left to Cilium",
    make: values({ bpf: { lbMapMax: null } }),
    lines: [
      'cilium.values.bpf.lbMapMax: 65536 entries are less than the 110000 for 5000 Services of 10 endpoints, with room to change; leave it out, or set network.expectedServices and network.expectedEndpointsPerService (or accept: ["service-maps-too-small"])',
    ],
  },
];
