import type { ClusterArgs, HetznerUnderlayArgs, HostsUnderlayArgs, NodeArtifact } from "../../components/plan";

/** Arguments of a cluster in a Hetzner Cloud project. */
export type HetznerCluster = ClusterArgs & { underlay: HetznerUnderlayArgs };

/** Arguments of a small valid cluster, fresh at every call, so that a test may change them. */
export function smallCluster(): HetznerCluster {
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

/** Arguments of a small valid cluster of existing hosts on one segment, the article's own case. Fresh at every call. */
export function hostsCluster(): ClusterArgs & { underlay: HostsUnderlayArgs } {
  return {
    underlay: {
      kind: "hosts",
      segment: "l2",
      nodeSubnet: "10.20.0.0/24",
      serviceAddresses: "10.20.0.192/27",
      machines: Object.fromEntries(
        ["control-plane-1", "web-1", "web-2"].map((key, index) => [
          key,
          {
            address: `203.0.113.${10 + index}`,
            privateAddress: `10.20.0.${10 + index}`,
            hostKey: hostKeyOf(key),
            cpus: 4,
            memoryGiB: 8,
          },
        ]),
      ),
    },
    access: { ssh: ["203.0.113.7/32"], api: ["203.0.113.0/24", "2001:db8::/64"] },
    controlPlane: {},
    pools: [{ name: "web", count: 2 }],
  };
}

/** A line that has the form of a host key, another for each name. */
export function hostKeyOf(name: string): string {
  return `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA${Buffer.from(name.padEnd(32, ".")).toString("base64").replace(/=/g, "A")}`;
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
  "in-a-shared-network": {
    ...smallCluster(),
    underlay: {
      kind: "hetzner",
      location: "hel1",
      allowedLocations: ["eu-central"],
      existingNetwork: "office",
      networkRange: "10.0.0.0/8",
      nodeSubnet: "10.10.0.0/24",
      vSwitch: { id: 4711, subnet: "10.10.9.0/24" },
      otherSubnets: ["10.0.0.0/16"],
      otherRoutes: ["0.0.0.0/0", "10.200.0.0/16"],
      otherAttachments: 20,
    },
    pools: [
      { name: "web", count: 2, serverType: "ccx23", subnet: "10.10.1.0/24" },
      { name: "db", count: 1, serverType: "ccx33", firstNumber: 31, subnet: "10.10.1.0/24" },
      { name: "jobs", count: 1, serverType: "cx33", firstNumber: 41 },
    ],
  },
  encrypted: {
    ...smallCluster(),
    network: { tunnel: "vxlan", encryption: "wireguard", datapath: "netkit", podCidr: "192.168.0.0/16" },
  },
  "hosts-on-a-segment": hostsCluster(),
  "hosts-behind-routers": {
    ...hostsCluster(),
    underlay: {
      ...hostsCluster().underlay,
      segment: "routed",
      serviceAddresses: undefined,
      mtu: 1400,
      publicInterface: "ens3",
      privateInterface: "ens3",
      user: "admin",
    },
    network: { tunnel: "vxlan" },
  },
  "as-the-article": { ...hostsCluster(), cilium: { version: "1.16.1" }, accept: ["versions-untested"] },
  "many-services": {
    ...smallCluster(),
    pools: [
      { name: "web", count: 1, serverType: "ccx33" },
      { name: "db", count: 0, serverType: "ccx43", firstNumber: 61 },
    ],
    network: { tunnel: "geneve", expectedServices: 20_000, expectedEndpointsPerService: 4 },
    tuning: { profile: "minimal" },
  },
};
