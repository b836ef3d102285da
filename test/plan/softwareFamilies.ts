import fc from "fast-check";
import type { NodeArtifact } from "../../components/plan";
import { anywhere, type Asked, type Change, changed, oneOf, seldom } from "./arbitraries";
import { mirrorManifest } from "./clusters";

/** A manifest of a mirror, for any Kubernetes version. */
function manifestOf(kubernetes: string): NodeArtifact[] {
  return mirrorManifest().map((artifact) =>
    artifact.name.startsWith("kube") ? { ...artifact, version: kubernetes } : artifact,
  );
}

const kubernetesVersions = oneOf(
  "1.36.4",
  "1.36.9",
  "1.35.8",
  "1.33.0",
  "1.31.2",
  "1.37.0-rc.1",
  "1.30.9",
  "1.36",
  "v1.36.4",
  "latest",
);
const ciliumVersions = oneOf(
  "1.20.2",
  "1.20.5",
  "1.20.0",
  "1.19.6",
  "1.18.12",
  "1.17.18",
  "1.16.1",
  "1.21.0-pre.0",
  "1.20",
  "",
);

const versions: fc.Arbitrary<Change> = fc.oneof(
  fc.tuple(kubernetesVersions, seldom(oneOf(true), false)).map(([version, mirrored]): Change => ({ args }) => {
    args.kubernetes = { ...args.kubernetes, version };
    if (mirrored) args.artifacts = { baseUrl: "http://mirror.internal:8080/", manifest: manifestOf(version) };
  }),
  ciliumVersions.map(
    (version): Change =>
      ({ args }) =>
        (args.cilium = { ...args.cilium, version }),
  ),
  fc.subarray(["versions-untested", "cilium-bad-patch"], { minLength: 1 }).map(
    (accept): Change =>
      ({ args }) =>
        (args.accept = accept),
  ),
  oneOf<unknown>("1.20", "1.16", "1.22", 1.2).map((first): Change => ({ args }) => {
    args.cilium = { ...args.cilium, values: { ...args.cilium?.values, upgradeCompatibility: first } };
  }),
  oneOf("oci://registry.internal/cilium", "./charts/cilium", "cilium-1.20.2.tgz", "", "two words").map(
    (chart): Change =>
      ({ args }) => {
        args.cilium = { ...args.cilium, chart };
      },
  ),
);

/** Helm values by their dotted path: some that anybody may set, some that break something. */
const helmValues: Readonly<Record<string, unknown[]>> = {
  "loadBalancer.mode": ["snat", "dsr", "hybrid"],
  "loadBalancer.dsrDispatch": ["opt", "geneve", "ipip", "other"],
  "loadBalancer.acceleration": ["best-effort", "native"],
  "loadBalancer.algorithm": ["maglev"],
  tunnelProtocol: ["geneve", "vxlan"],
  routingMode: ["native", "tunnel"],
  autoDirectNodeRoutes: [true, false],
  directRoutingSkipUnreachable: [true],
  installNoConntrackIptablesRules: [true, false],
  "bpf.masquerade": [true, false],
  "bpf.hostLegacyRouting": [true, false],
  "bpf.datapathMode": ["veth", "netkit", "netkit-l2"],
  "bpf.tproxy": [true, false],
  "bpf.lbMapMax": [65536, 131072, 1024, null],
  enableIPv4Masquerade: [true, false],
  enableIPv4BIGTCP: [false, true],
  kubeProxyReplacement: [true, "false"],
  "ipv6.enabled": [false, true],
  "encryption.enabled": [true],
  "encryption.type": ["wireguard", "ipsec"],
  "operator.replicas": [1, 2, 9],
  "hubble.relay.enabled": [true],
  "hubble.ui.enabled": [true],
  "hubble.enabled": [false],
  l7Proxy: [false, true],
  "gatewayAPI.enabled": [true],
  "nodePort.enabled": [true],
  MTU: [1400],
  "debug.enabled": [true],
  "prometheus.enabled": [true],
  hubbel: [true],
  policyEnforcementMode: ["always"],
  "bandwidthManager.enabled": [false],
};

const setValue = (path: string, value: unknown): Change => {
  return ({ args }) => {
    const values = args.cilium?.values ?? {};
    const [first = "", ...rest] = path.split(".");
    const nested = rest.reduceRight<unknown>((inner, key) => ({ [key]: inner }), value);
    const before = values[first];
    const both = typeof before === "object" && typeof nested === "object" ? { ...before, ...nested } : nested;
    args.cilium = { ...args.cilium, values: { ...values, [first]: both } };
  };
};

/** What may be accepted, so that values past the plan are planned too. */
const acceptable = [
  "cilium-value-planned",
  "dsr-needs-unchecked-sources",
  "auto-routes-need-one-segment",
  "masquerade-needs-bpf",
  "xdp-needs-real-nic",
  "kernel-unknown",
  "operator-replicas",
];

const dataPath: fc.Arbitrary<Change> = fc.oneof(
  oneOf(
    { encryption: "wireguard" as const },
    { encryption: "none" as const },
    { datapath: "netkit" as const },
    { xdp: "best-effort" as const },
  ).map(
    (choice): Change =>
      ({ args }) =>
        (args.network = { ...args.network, ...choice }),
  ),
  {
    weight: 4,
    arbitrary: oneOf(...Object.entries(helmValues).flatMap(([path, all]) => all.map((value) => setValue(path, value)))),
  },
  oneOf("none" as const, "vxlan" as const, "geneve" as const).map(
    (tunnel): Change =>
      ({ args }) =>
        (args.network = { ...args.network, tunnel }),
  ),
  oneOf("debian-13", "debian-12", "ubuntu-22.04", "ubuntu-24.04", "123456").map((image): Change => ({ args }) => {
    if (args.underlay.kind === "hetzner") args.underlay.image = image;
  }),
  oneOf("node-and-pod" as const, "node" as const, "off" as const).map(
    (bbr): Change =>
      ({ args }) =>
        (args.tuning = { ...args.tuning, bbr }),
  ),
  fc
    .tuple(seldom(fc.integer({ min: 1, max: 65535 }), 0, 65536), seldom(fc.integer({ min: 1, max: 200 }), 0, 65535))
    .map(
      ([expectedServices, expectedEndpointsPerService]): Change =>
        ({ args }) =>
          (args.network = { ...args.network, expectedServices, expectedEndpointsPerService }),
    ),
  fc.subarray(acceptable, { minLength: 3 }).map(
    (accept): Change =>
      ({ args }) =>
        (args.accept = accept),
  ),
);

const sysctlValues: Readonly<Record<string, (string | null)[]>> = {
  "net.core.somaxconn": ["4096", "65535", "65536", "x", null],
  "net.core.netdev_max_backlog": ["1000", "16384", "10", null],
  "net.ipv4.ip_local_port_range": ["10240 65535", "32768 60999", "1024 65535", "1000 65535", "10241 65535", null],
  "net.ipv4.ip_local_reserved_ports": [
    "6443,30000-32767",
    "2379-2381,4240-4245,6443,8472,9878-9893,9962-9964,10248-10259,30000-32767,51871",
    "9-1",
    null,
  ],
  "net.ipv4.ip_forward": ["1", "0", null],
  "net.ipv4.conf.all.rp_filter": ["0", "2", "1"],
  "net.ipv4.tcp_congestion_control": ["cubic"],
  "net.ipv4.tcp_rmem": ["4096 131072 16777216", "1 2 3"],
  "net.ipv4.tcp_tw_reuse": ["0", "1", "3", null],
  "net.ipv4.tcp_wmem": ["4096 65536 16777216"],
  "net.netfilter.nf_conntrack_max": ["1000000", "1"],
  "vm.max_map_count": ["1048576", "10", null],
  "net.core.busy_poll": ["50", "1000"],
  "net.core.somaxcon": ["1"],
};

const tuning: fc.Arbitrary<Change> = fc.oneof(
  oneOf("latency" as const, "throughput" as const, "minimal" as const).map(
    (profile): Change =>
      ({ args }) =>
        (args.tuning = { ...args.tuning, profile }),
  ),
  oneOf("node-and-pod" as const, "node" as const, "off" as const).map(
    (bbr): Change =>
      ({ args }) =>
        (args.tuning = { ...args.tuning, bbr }),
  ),
  {
    weight: 4,
    arbitrary: oneOf(
      ...Object.entries(sysctlValues).flatMap(([key, all]) => all.map((value) => ({ [key]: value }))),
    ).map(
      (sysctls): Change =>
        ({ args }) =>
          (args.tuning = { ...args.tuning, sysctls: { ...args.tuning?.sysctls, ...sysctls } }),
    ),
  },
  fc
    .subarray([
      "net.core.somaxconn",
      "net.ipv4.ip_local_port_range",
      "net.ipv4.tcp_wmem",
      "vm.max_map_count",
      "net.nothing",
    ])
    .map(
      (podSysctls): Change =>
        ({ args }) =>
          (args.tuning = { ...args.tuning, podSysctls }),
    ),
  oneOf<Record<string, unknown>>(
    { maxPods: 60 },
    { maxPods: 252 },
    { maxPods: 253 },
    { failSwapOn: false },
    { featureGates: { SomeGate: true }, evictionHard: { "memory.available": "5%" } },
    { allowedUnsafeSysctls: ["kernel.msg*"] },
    { allowedUnsafeSysctls: "kernel.msg*" },
    { cpuManagerPolicy: "static" },
    { clusterDNS: ["10.96.0.10"] },
    { note: 'tab\t, quote ", colon: # and\nline' },
  ).map(
    (kubelet): Change =>
      ({ args }) =>
        (args.kubernetes = { ...args.kubernetes, kubelet: { ...args.kubernetes?.kubelet, ...kubelet } }),
  ),
  seldom(oneOf("Swap", "SystemVerification"), "", "two words").map(
    (check): Change =>
      ({ args }) =>
        (args.kubernetes = { ...args.kubernetes, ignorePreflightErrors: [check] }),
  ),
);

const artifactChange: fc.Arbitrary<(artifact: NodeArtifact) => unknown> = fc.oneof(
  seldom(
    oneOf("files/x", "https://mirror.example/a?b=c", "../up"),
    "ftp://x/y",
    "http://user:secret@x/y",
    "a b",
    "",
    "http://[",
  ).map((url) => (artifact: NodeArtifact) => (artifact.url = url)),
  seldom(fc.stringMatching(/^[0-9a-f]{64}$/), "", "ABC", "a".repeat(63)).map(
    (sha256) => (artifact: NodeArtifact) => (artifact.sha256 = sha256),
  ),
  seldom(oneOf("1.2.3", "2026-11"), "", "a b").map(
    (version) => (artifact: NodeArtifact) => (artifact.version = version),
  ),
  seldom(oneOf("tool", "a.b_c"), "", "..", "runc", "a/b").map(
    (name) => (artifact: NodeArtifact) => (artifact.name = name),
  ),
  oneOf("/opt/x", "relative", "/usr/../x", "/usr/local/bin/kubelet").map((path) => (artifact: NodeArtifact) => {
    if (artifact.extract) artifact.extract.to = path;
    else artifact.installTo = path;
  }),
  oneOf(["bin/ctr"], [], ["../x"], ["x"]).map((members) => (artifact: NodeArtifact) => {
    if (artifact.extract) artifact.extract.members.push(...members);
  }),
);

const baseUrls = seldom(
  oneOf("http://mirror.internal:8080/x", "https://a.example/"),
  "mirror",
  "file:///x",
  "http://a b/",
  "http://u:p@x/",
  "http://x/\u0001",
);
const mirrors = seldom(
  fc.dictionary(
    oneOf("registry.k8s.io", "docker.io", "quay.io:5000"),
    oneOf("http://10.9.0.1:5000", "https://mirror.internal/x"),
  ),
  { "Docker.io": "http://x" },
  { "docker.io": "10.9.0.1:5000" },
  { "../x": "http://x" },
  { "docker.io": "http://x/\u0007" },
  Object.fromEntries(
    Array.from({ length: 80 }, (_, index) => [`r${index}.example`, `http://${"m".repeat(200)}.example`]),
  ),
);

const artifacts: fc.Arbitrary<Change> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.tuple(fc.nat(), artifactChange).map(([pick, change]): Change => ({ args }) => {
      args.artifacts ??= { baseUrl: "http://mirror.internal/", manifest: mirrorManifest() };
      const { manifest } = args.artifacts;
      const artifact = manifest[pick % Math.max(1, manifest.length)];
      if (artifact) change(artifact);
    }),
  },
  {
    weight: 2,
    arbitrary: mirrors.map(
      (registryMirrors): Change =>
        ({ args }) =>
          (args.registryMirrors = registryMirrors),
    ),
  },
  baseUrls.map(
    (baseUrl): Change =>
      ({ args }) =>
        (args.artifacts = { manifest: mirrorManifest(), ...args.artifacts, baseUrl }),
  ),
  oneOf(0, 1, 5).map((drop): Change => ({ args }) => {
    args.artifacts = {
      baseUrl: "http://mirror.internal/",
      manifest: mirrorManifest().filter((_, index) => index !== drop || drop === 5),
    };
  }),
);

/** The families of what is installed and set. */
export const software: Readonly<Record<string, fc.Arbitrary<Asked>>> = {
  versions: changed(anywhere, versions),
  "data path": changed(anywhere, dataPath, 4),
  tuning: changed(anywhere, tuning),
  artifacts: changed(anywhere, artifacts, 2),
};
