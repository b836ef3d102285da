import type { ClusterArgs, NodeArtifact } from "../../../components/plan";
import { mirrorManifest } from "../clusters";
import type { Mistake } from "./table";

export const versionMistakes: Mistake[] = [
  {
    rule: "version-malformed",
    what: "ranges",
    make: (args) => {
      args.kubernetes = { version: "v1.36.4" };
      args.cilium = { version: "1.20" };
    },
    lines: [
      'kubernetes.version: "v1.36.4" is not an exact version; write e.g. "1.36.4"',
      'cilium.version: "1.20" is not an exact version; write e.g. "1.20.2"',
    ],
  },
  {
    rule: "kubernetes-too-old",
    what: "1.30",
    make: (args) => {
      args.kubernetes = { version: "1.30.2" };
      args.cilium = { version: "1.18.4" };
    },
    lines: [
      "kubernetes.version: Kubernetes 1.30.2 does not know kubeadm's v1beta4 documents; use 1.31.0 or newer, e.g. 1.36.4",
      "kubernetes.version: no checksums are known here for the binaries of Kubernetes 1.30.2; use 1.36.4, or give them as artifacts",
    ],
  },
  {
    rule: "versions-untested",
    what: "Cilium of the article",
    make: (args) => (args.cilium = { version: "1.16.1" }),
    lines: [
      'cilium.version: nobody tested Cilium 1.16 with Kubernetes 1.36; use Cilium 1.20.2 with Kubernetes 1.36.4 (or accept: ["versions-untested"])',
    ],
  },
  {
    rule: "versions-untested",
    what: "an older Cilium",
    make: (args) => (args.cilium = { version: "1.19.6" }),
    lines: [
      'cilium.version: nobody tested Cilium 1.19 with Kubernetes 1.36; use Kubernetes 1.32, 1.33, 1.34, 1.35, or another Cilium (or accept: ["versions-untested"])',
    ],
  },
  {
    rule: "cilium-bad-patch",
    what: "1.20.1",
    make: (args) => (args.cilium = { version: "1.20.1" }),
    lines: [
      'cilium.version: Cilium 1.20.1 is older than 1.20.2: before it BPF masquerading dropped IPv6 router advertisements of the node; use 1.20.2 or newer (or accept: ["cilium-bad-patch"])',
    ],
  },
  {
    rule: "artifacts-unknown",
    what: "1.35.8",
    make: (args) => (args.kubernetes = { version: "1.35.8" }),
    lines: [
      "kubernetes.version: no checksums are known here for the binaries of Kubernetes 1.35.8; use 1.36.4, or give them as artifacts",
    ],
  },
];

const values = (own: Record<string, unknown>) => (args: ClusterArgs) => (args.cilium = { values: own });

export const ciliumMistakes: Mistake[] = [
  {
    rule: "cilium-chart",
    what: "an empty name",
    make: (args) => (args.cilium = { chart: "" }),
    lines: [
      'cilium.chart: "" names no chart; leave it out, or give a path that begins with "/" or "./", an archive (.tgz) or an OCI reference',
    ],
  },
  {
    rule: "cilium-repository",
    what: "a password in it",
    make: (args) => (args.cilium = { repository: "https://user:secret@charts.example/" }),
    lines: [
      "cilium.repository: the address holds a user name or password, which everybody could read in plans and on nodes; serve it without, to the nodes' network only",
    ],
  },
  {
    rule: "cilium-repository",
    what: "beside an OCI reference",
    make: (args) => (args.cilium = { chart: "oci://registry.example/cilium", repository: "https://helm.cilium.io/" }),
    lines: ['cilium.repository: the chart "oci://registry.example/cilium" is found without a repository; leave it out'],
  },
  {
    rule: "cilium-repository",
    what: "no address",
    make: (args) => (args.cilium = { repository: "cilium" }),
    lines: [
      'cilium.repository: "cilium" is not an http or https address; write e.g. "https://helm.cilium.io/", or an OCI reference as cilium.chart',
    ],
  },
  {
    rule: "cilium-key-removed",
    what: "keys of older charts",
    make: values({ tunnel: "disabled", nodePort: { enabled: true }, enableCiliumEndpointSlice: true }),
    lines: [
      "cilium.values.tunnel: the chart has no such key since 1.15; use routingMode and tunnelProtocol",
      "cilium.values.enableCiliumEndpointSlice: the chart has no such key since 1.18; use ciliumEndpointSlice.enabled",
      "cilium.values.nodePort.enabled: the chart has no such key since 1.19; leave it out: kubeProxyReplacement has it",
    ],
  },
  {
    rule: "cilium-key-unknown",
    what: "mistyped",
    make: values({ bandwithManager: { enabled: true } }),
    lines: [
      'cilium.values.bandwithManager: the chart of Cilium 1.20 has no such key; did you mean bandwidthManager? (or accept: ["cilium-key-unknown"])',
    ],
  },
  {
    rule: "cilium-key-unknown",
    what: "strange",
    make: values({ makeItFast: true }),
    lines: [
      'cilium.values.makeItFast: the chart of Cilium 1.20 has no such key; look it up in the chart\'s values.yaml (or accept: ["cilium-key-unknown"])',
    ],
  },
  {
    rule: "cilium-value-planned",
    what: "values of other arguments",
    make: values({ MTU: 1500, ipam: { mode: "cluster-pool" }, devices: "eth0" }),
    lines: [
      'cilium.values.MTU: the plan sets this value: the underlay has it; leave it out (or accept: ["cilium-value-planned"])',
      'cilium.values.ipam.mode: the plan sets this value: the pod CIDRs of the plan are the only source; leave it out (or accept: ["cilium-value-planned"])',
      'cilium.values.devices: the plan sets this value: underlay.publicInterface and underlay.privateInterface name them; leave it out (or accept: ["cilium-value-planned"])',
    ],
  },
  {
    rule: "dsr-needs-unchecked-sources",
    what: "dsr",
    make: values({ loadBalancer: { mode: "dsr" } }),
    lines: [
      'cilium.values.loadBalancer.mode: dsr needs an underlay without source checks; Hetzner Cloud networks drop it; use snat, or externalTrafficPolicy: Local (or accept: ["dsr-needs-unchecked-sources"])',
    ],
  },
  {
    rule: "auto-routes-need-one-segment",
    what: "the article's flag",
    make: values({ autoDirectNodeRoutes: true }),
    lines: [
      'cilium.values.autoDirectNodeRoutes: autoDirectNodeRoutes needs nodes on one segment; on Hetzner Cloud a gateway is between them; leave it out: the network\'s routes carry the pod CIDRs (or accept: ["auto-routes-need-one-segment"])',
    ],
  },
  {
    rule: "masquerade-needs-bpf",
    what: "iptables",
    make: (args) => {
      args.tuning = { bbr: "node" };
      const bpf = { masquerade: false, hostLegacyRouting: true };
      args.cilium = { values: { bpf, installNoConntrackIptablesRules: false } };
    },
    lines: [
      'cilium.values.bpf.masquerade: false takes packets through the host\'s stack instead of BPF; leave it out (or accept: ["masquerade-needs-bpf"])',
      'cilium.values.bpf.hostLegacyRouting: true takes packets through the host\'s stack instead of BPF; leave it out (or accept: ["masquerade-needs-bpf"])',
    ],
  },
];

const manifest = (change: (all: NodeArtifact[]) => NodeArtifact[]) => (args: ClusterArgs) => {
  const all = mirrorManifest();
  args.artifacts = { baseUrl: "http://mirror.example/", manifest: change(all) };
};
const change = (name: string, fields: Partial<NodeArtifact>) =>
  manifest((all) => all.map((artifact) => (artifact.name === name ? { ...artifact, ...fields } : artifact)));

export const artifactMistakes: Mistake[] = [
  {
    rule: "artifact-missing",
    what: "no runc",
    make: manifest((all) => all.filter(({ name }) => name !== "runc")),
    lines: ["artifacts.manifest: nothing in it installs /usr/local/sbin/runc; add runc with that target"],
  },
  {
    rule: "artifact-missing",
    what: "elsewhere",
    make: change("kubelet", { installTo: "/usr/bin/kubelet" }),
    lines: ["artifacts.manifest: nothing in it installs /usr/local/bin/kubelet; add kubelet with that target"],
  },
  {
    rule: "artifact-name",
    what: "a path, one twice, a strange version",
    make: manifest((all) => [
      ...all,
      { name: "../tool", version: "1", url: "t", sha256: "0".repeat(64), installTo: "/opt/a" },
      { name: "runc", version: "one two", url: "t", sha256: "0".repeat(64), installTo: "/opt/b" },
    ]),
    lines: [
      'artifacts.manifest[6].name: "../tool" is not a file name; use letters, digits, dots and dashes',
      'artifacts.manifest[7].name: "runc" stands twice; keep one of them',
      'artifacts.manifest[7].version: "one two" is not a version; write e.g. "2.3.4"',
    ],
  },
  {
    rule: "artifact-version",
    what: "another kubelet",
    make: change("kubelet", { version: "1.36.3" }),
    lines: [
      "artifacts.manifest[2].version: kubelet is 1.36.3, and the cluster is to be 1.36.4; set kubernetes.version, or give kubelet 1.36.4",
    ],
  },
  {
    rule: "artifact-sha256",
    what: "too short",
    make: change("runc", { sha256: "abc" }),
    lines: [
      "artifacts.manifest[4].sha256: the checksum of runc is not 64 lower-case hex digits; copy it from sha256sum",
    ],
  },
  {
    rule: "artifact-url",
    what: "other schemes",
    make: (args) => {
      change("runc", { url: "ftp://mirror.example/runc" })(args);
      if (args.artifacts) args.artifacts.baseUrl = "/srv/mirror";
    },
    lines: [
      'artifacts.baseUrl: "/srv/mirror" is not an http or https address; write e.g. "http://mirror.internal:8080/"',
      'artifacts.manifest[4].url: "ftp://mirror.example/runc" is not an http or https address; write an address, absolute or relative to artifacts.baseUrl',
    ],
  },
  {
    rule: "artifact-url",
    what: "a password in it",
    make: change("runc", { url: "https://user:secret@mirror.example/runc" }),
    lines: [
      "artifacts.manifest[4].url: the address holds a user name or password, which everybody could read in plans and on nodes; serve it without, to the nodes' network only",
    ],
  },
  {
    rule: "artifact-target",
    what: "two places, relative paths, members outside",
    make: manifest((all) => [
      ...all,
      {
        name: "tool",
        version: "1",
        url: "t",
        sha256: "0".repeat(64),
        installTo: "opt/tool",
        extract: { to: "/opt/../etc", stripComponents: 1, members: ["tool", "../tool"] },
      },
      { name: "nothing", version: "1", url: "t", sha256: "0".repeat(64) },
      {
        name: "empty",
        version: "1",
        url: "t",
        sha256: "0".repeat(64),
        extract: { to: "/opt", stripComponents: -1, members: [] },
      },
    ]),
    lines: [
      "artifacts.manifest[6]: tool must have exactly one of installTo and extract; give installTo for a single file, extract for an archive",
      'artifacts.manifest[6].installTo: "opt/tool" is not an absolute path; write e.g. "/usr/local/bin"',
      'artifacts.manifest[6].extract.to: "/opt/../etc" is not an absolute path; write e.g. "/usr/local/bin"',
      'artifacts.manifest[6].extract.members[0]: "tool" is not the path of a file under 1 leading folders; write e.g. "bin/containerd" with stripComponents 1',
      'artifacts.manifest[6].extract.members[1]: "../tool" is not the path of a file under 1 leading folders; write e.g. "bin/containerd" with stripComponents 1',
      "artifacts.manifest[7]: nothing must have exactly one of installTo and extract; give installTo for a single file, extract for an archive",
      "artifacts.manifest[8].extract.members: no member would be installed; list the members to install",
      "artifacts.manifest[8].extract.stripComponents: -1 folders cannot be dropped; use a number from 0",
    ],
  },
  {
    rule: "registry-mirror",
    what: "a control character, which would end up in containerd's file",
    make: (args) => (args.registryMirrors = { "quay.io": "http://mirror.example/\u0007" }),
    lines: [
      'registryMirrors["quay.io"]: "http://mirror.example/\\u0007" is not an http or https address; write e.g. "http://10.1.1.1:5000"',
    ],
  },
  {
    rule: "registry-mirror",
    what: "a path as host, no address",
    make: (args) => (args.registryMirrors = { "../etc": "http://mirror.example", "quay.io": "mirror" }),
    lines: [
      'registryMirrors["../etc"]: "../etc" is not the host of a registry; write e.g. "registry.k8s.io"',
      'registryMirrors["quay.io"]: "mirror" is not an http or https address; write e.g. "http://10.1.1.1:5000"',
    ],
  },
];
