import type { Field, Shape } from "./shape";

const text: Shape = { kind: "text" };
const integer: Shape = { kind: "integer" };
const optionalText: Field = { shape: text };
const texts: Shape = { kind: "list", of: text };
const textMap: Shape = { kind: "map", of: text };
const oneOf = (...values: string[]): Shape => ({ kind: "text", oneOf: values });
const object = (fields: Record<string, Field>): Shape => ({ kind: "object", fields });
const list = (of: Shape): Shape => ({ kind: "list", of });

const openTo = (what: string): string =>
  `give the ranges that may reach ${what}, e.g. ["203.0.113.7/32"]: nothing is open by default`;

const taint = object({
  key: { shape: text, required: "give the taint's key" },
  value: optionalText,
  effect: {
    shape: oneOf("NoSchedule", "PreferNoSchedule", "NoExecute"),
    required: 'give "NoSchedule", "PreferNoSchedule" or "NoExecute"',
  },
});

const pool = object({
  name: { shape: text, required: "give the pool a name, a DNS label" },
  count: { shape: integer, required: "say how many workers" },
  firstNumber: { shape: integer },
  serverType: optionalText,
  subnet: optionalText,
  cpuIsolation: { shape: oneOf("none", "static", "strict") },
  labels: { shape: textMap },
  taints: { shape: list(taint) },
});

const artifact = object({
  name: { shape: text, required: "give the tool's name" },
  version: { shape: text, required: "give the tool's version" },
  url: { shape: text, required: "give an address, absolute or relative to artifacts.baseUrl" },
  sha256: { shape: text, required: "give the SHA-256 of the file, 64 hex digits" },
  installTo: optionalText,
  extract: {
    shape: object({
      to: { shape: text, required: "give the folder that the members go to" },
      stripComponents: { shape: integer, required: "say how many leading folders to drop, e.g. 0" },
      members: { shape: texts, required: "list the members to install" },
    }),
  },
});

const underlayKind: Field = { shape: oneOf("hetzner", "hosts"), required: 'give "hetzner" or "hosts"' };

const hetznerUnderlay = object({
  kind: underlayKind,
  location: { shape: text, required: 'give a location, e.g. "fsn1"' },
  allowedLocations: { shape: texts },
  existingNetwork: optionalText,
  networkRange: optionalText,
  nodeSubnet: optionalText,
  vSwitch: {
    shape: object({
      id: { shape: integer },
      subnet: { shape: text, required: 'give its range, e.g. "10.0.2.0/24"' },
    }),
  },
  otherSubnets: { shape: texts },
  otherRoutes: { shape: texts },
  otherAttachments: { shape: integer },
  image: optionalText,
  publicInterface: optionalText,
  privateInterface: optionalText,
});

const host = object({
  address: { shape: text, required: "give the address by which SSH reaches it" },
  privateAddress: { shape: text, required: "give its address in underlay.nodeSubnet" },
  hostKey: {
    shape: text,
    required:
      "give its public SSH host key, as `ssh-keyscan -t ed25519 ADDRESS` shows it; compare it with the provider's console",
  },
  sshPort: { shape: integer },
  cpus: { shape: integer, required: "say how many vCPUs it has" },
  memoryGiB: { shape: integer, required: "say how much memory it has, GiB" },
  dedicatedCpus: { shape: { kind: "boolean" } },
});

const hostsUnderlay = object({
  kind: underlayKind,
  segment: {
    shape: oneOf("l2", "routed"),
    required: 'give "l2" where the private addresses are on one segment, "routed" where a router is between them',
  },
  nodeSubnet: { shape: text, required: 'give the range of the private addresses, e.g. "10.20.0.0/24"' },
  mtu: { shape: integer },
  sourceCheck: { shape: { kind: "boolean" } },
  podRoutes: { shape: oneOf("none", "declared") },
  serviceAddresses: optionalText,
  publicInterface: optionalText,
  privateInterface: optionalText,
  user: optionalText,
  machines: {
    shape: { kind: "map", of: host },
    required: 'give the machines by the last part of their node\'s name, e.g. "web-1"',
  },
});

/** Shape of `ClusterArgs`. */
export const clusterArgsShape: Shape = object({
  underlay: {
    required: 'say where the machines come from, e.g. { kind: "hetzner", location: "fsn1" }',
    shape: { kind: "variant", by: "kind", of: { hetzner: hetznerUnderlay, hosts: hostsUnderlay } },
  },
  access: {
    required: 'give access.ssh and access.api, e.g. ["203.0.113.7/32"]: nothing is open by default',
    shape: object({
      ssh: { shape: texts, required: openTo("SSH") },
      api: { shape: texts, required: openTo("the Kubernetes API") },
    }),
  },
  controlPlane: {
    required: 'give at least its server type, e.g. { serverType: "ccx13" }, or {} with existing hosts',
    shape: object({
      count: { shape: integer },
      serverType: optionalText,
    }),
  },
  pools: { shape: list(pool) },
  network: {
    shape: object({
      podCidr: optionalText,
      serviceCidr: optionalText,
      nodePodCidrBits: { shape: integer },
      tunnel: { shape: oneOf("none", "vxlan", "geneve") },
      encryption: { shape: oneOf("none", "wireguard") },
      datapath: { shape: oneOf("veth", "netkit") },
      xdp: { shape: oneOf("disabled", "best-effort") },
      expectedServices: { shape: integer },
      expectedEndpointsPerService: { shape: integer },
    }),
  },
  kubernetes: {
    shape: object({
      version: optionalText,
      kubelet: { shape: { kind: "json" } },
      ignorePreflightErrors: { shape: texts },
    }),
  },
  cilium: {
    shape: object({
      version: optionalText,
      chart: optionalText,
      repository: optionalText,
      values: { shape: { kind: "json" } },
    }),
  },
  tuning: {
    shape: object({
      profile: { shape: oneOf("latency", "throughput", "minimal") },
      bbr: { shape: oneOf("node-and-pod", "node", "off") },
      sysctls: { shape: { kind: "map", of: { kind: "null-or-text" } } },
      transparentHugePages: { shape: oneOf("always", "madvise", "never", "system") },
      podSysctls: { shape: texts },
    }),
  },
  artifacts: {
    shape: object({
      baseUrl: { shape: text, required: "give the address that the manifest's relative URLs begin with" },
      manifest: { shape: list(artifact), required: "list the artifacts of a node" },
    }),
  },
  registryMirrors: { shape: textMap },
  accept: { shape: texts },
});
