import type { ClusterArgs, NodeArtifact } from "../../components/plan";

/** Arguments of a small valid cluster, fresh at every call, so that a test may change them. */
export function smallCluster(): ClusterArgs {
  return {
    underlay: { kind: "hetzner", location: "fsn1" },
    access: { ssh: ["203.0.113.7/32"], api: ["203.0.113.0/24"] },
    controlPlane: { serverType: "ccx13" },
    pools: [{ name: "web", count: 2, serverType: "ccx23" }],
  };
}

/** A manifest as a mirror would serve it, complete for Kubernetes 1.36.4. */
export function mirrorManifest(): NodeArtifact[] {
  const sum = (digit: string): string => digit.repeat(64);
  const binary = (name: string, digit: string): NodeArtifact => ({
    name,
    version: "1.36.4",
    url: `files/${name}`,
    sha256: sum(digit),
    installTo: `/usr/local/bin/${name}`,
  });
  return [
    binary("kubeadm", "a"),
    binary("kubectl", "b"),
    binary("kubelet", "c"),
    {
      name: "containerd",
      version: "2.3.4",
      url: "files/containerd.tar",
      sha256: sum("d"),
      extract: {
        to: "/usr/local/bin",
        stripComponents: 1,
        members: ["bin/containerd", "bin/containerd-shim-runc-v2", "bin/ctr"],
      },
    },
    { name: "runc", version: "1.4.3", url: "files/runc", sha256: sum("e"), installTo: "/usr/local/sbin/runc" },
    {
      name: "cni-plugins",
      version: "1.9.1",
      url: "https://other.example/cni.tgz",
      sha256: sum("f"),
      extract: { to: "/opt/cni/bin", stripComponents: 0, members: ["loopback"] },
    },
  ];
}

/** Named clusters whose whole plan is kept in golden files. */
export const namedClusters: Readonly<Record<string, ClusterArgs>> = {
  small: smallCluster(),
  "one-node": { ...smallCluster(), pools: [], tuning: { bbr: "off" } },
  isolated: {
    ...smallCluster(),
    underlay: {
      kind: "hetzner",
      location: "hil",
      networkRange: "172.16.0.0/12",
      nodeSubnet: "172.16.4.0/24",
      privateInterface: "ens10",
      image: "ubuntu-24.04",
    },
    pools: [
      { name: "edge", count: 1, serverType: "ccx33", cpuIsolation: "strict", labels: { tier: "y" } },
      {
        name: "batch",
        count: 11,
        firstNumber: 41,
        serverType: "cpx31",
        taints: [{ key: "batch", value: "true", effect: "NoSchedule" }],
      },
    ],
    network: { podCidr: "172.20.0.0/15", serviceCidr: "172.24.0.0/16", nodePodCidrBits: 25 },
    tuning: { bbr: "node", sysctls: { "net.core.somaxconn": "32768", "net.ipv4.tcp_tw_reuse": null } },
  },
  "air-gapped": {
    ...smallCluster(),
    artifacts: { baseUrl: "http://10.9.0.1:8080/zerosteal", manifest: mirrorManifest() },
    registryMirrors: { "registry.k8s.io": "http://10.9.0.1:5000", "docker.io": "http://10.9.0.1:5000" },
    kubernetes: {
      kubelet: { failSwapOn: false, maxPods: 60, featureGates: { SomeGate: true } },
      ignorePreflightErrors: ["SystemVerification"],
    },
    cilium: {
      chart: "oci://10.9.0.1:5000/charts/cilium",
      values: { envoy: { enabled: false }, l7Proxy: false, hubble: { tls: { auto: { method: "helm" } } } },
    },
  },
  throughput: {
    ...smallCluster(),
    pools: [],
    kubernetes: { kubelet: { allowedUnsafeSysctls: ["kernel.msg*"] } },
    tuning: {
      profile: "throughput",
      sysctls: { "net.netfilter.nf_conntrack_max": "1000000", "net.ipv4.tcp_mtu_probing": null },
      podSysctls: ["net.core.somaxconn", "net.ipv4.ip_local_port_range", "net.ipv4.tcp_wmem"],
    },
  },
  accepted: {
    ...smallCluster(),
    access: { ssh: ["203.0.113.7/32"], api: ["0.0.0.0/0"] },
    pools: [{ name: "cheap", count: 1, serverType: "cx33", cpuIsolation: "strict" }],
    accept: ["access-open-to-all", "strict-needs-dedicated-cpus"],
  },
};
