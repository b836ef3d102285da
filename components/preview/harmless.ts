import { absent, type Difference, hidden, type Leaf, later } from "./differences";

/**
 * What may be shown, by the place of the value: only what every reader of the program's settings sees anyway, and only as long as it looks
 * like what belongs there. Everything else is named by its place alone.
 */
const cidr = /^[\da-f.:]{2,39}(\/\d{1,3})?$/i;
const whole = /^\d{1,9}$/;
const version = /^v?\d{1,4}(\.\d{1,5}){1,3}$/;
const sysctl = /^(\d{1,10}( \d{1,10}){0,3}|\d{1,5}-\d{1,5}(,\d{1,5}-\d{1,5})*|bbr|cubic|reno|fq|fq_codel|pfifo_fast)$/;

/** Shapes of values by the end of their place; positions and names of lists count as `[]`. */
const shapes: readonly [place: RegExp, shape: RegExp][] = [
  [/(^|\.)serverType$/, /^[a-z]{2,4}\d{1,3}$/],
  [/(^|\.)location$/, /^[a-z]{3}\d?$/],
  [/(^|\.)image$/, /^[a-z]{4,10}-\d{1,2}(\.\d{2})?$/],
  [/(^|\.)(networkZone|kind|segment)$/, /^(eu-central|us-east|us-west|ap-southeast|hetzner|hosts|l2|routed)$/],
  [/(^|\.)(profile|bbr|tunnel)$/, /^(latency|throughput|minimal|node-and-pod|node|off|none|vxlan|geneve)$/],
  [/(^|\.)cpuIsolation$/, /^(none|static|strict)$/],
  [/^pools\[\]\.(name|count|firstNumber)$/, /^([a-z][a-z0-9-]{0,19}|\d{1,4})$/],
  [/(^|\.)(version|kubernetes\.version|cilium\.version)$/, version],
  [/(^|\.)(ipRange|nodeSubnet|networkRange|podCidr|serviceCidr|destination|gateway|serviceAddresses)$/, cidr],
  [/^access\.(ssh|api|nodePorts)\[\]$/, cidr],
  [/^rules\[\]\.sourceIps\[\]$/, cidr],
  [/^rules\[\]\.(port|protocol|direction)$/, /^(\d{1,5}(-\d{1,5})?|tcp|udp|icmp|in|out)$/],
  [/^tuning\.sysctls(\.|\[").*$/, sysctl],
  [
    /(^|\.)(mtu|MTU|nodePodCidrBits|expectedServices|expectedEndpointsPerService|replicas|kubeconfigGeneration)$/,
    whole,
  ],
  [
    /^values\.(routingMode|tunnelProtocol|loadBalancer\.(mode|algorithm|acceleration)|bpf\.datapathMode|encryption\.type|ipam\.mode)$/,
    /^(native|tunnel|vxlan|geneve|snat|dsr|hybrid|random|maglev|disabled|native|best-effort|veth|netkit|netkit-l2|wireguard|ipsec|kubernetes|cluster-pool|multi-pool)$/,
  ],
  [/^values\.ipv4NativeRoutingCIDR$/, cidr],
  [/^(backups|deleteProtection|rebuildProtection)$/, /^(true|false)$/],
  [/^values\.[\w.]+\.enabled$/, /^(true|false)$/],
  [/^values\.(kubeProxyReplacement|autoDirectNodeRoutes|bpf\.masquerade|l7Proxy|enableIPv4BIGTCP)$/, /^(true|false)$/],
];

/** A changed value in words: `2 → 3`, or `changed` where it is not to be shown. */
export function renderChange(path: string, { before, after }: Difference): string {
  const [old, young] = [show(path, before), show(path, after)];
  if (old === undefined || young === undefined) return "changed, not shown here";
  return `${old} → ${young}`;
}

/** One value, if it may be shown; undefined otherwise. */
export function show(path: string, value: Leaf): string | undefined {
  if (value === absent) return "not set";
  if (value === later) return "known afterwards";
  if (value === hidden || value === null) return undefined;
  if (value === "[]" || value === "{}") return "none";
  const place = path.replace(/\[(?!")[^\]]*\]/g, "[]");
  const text = String(value);
  const fits = shapes.some(([where, shape]) => where.test(place) && shape.test(text));
  return fits ? text : undefined;
}

/** A kernel setting's value, if it looks like one. */
export function showSysctl(value: string | undefined): string {
  if (value === undefined) return "not set";
  return sysctl.test(value) ? value : "another value";
}

/** A version, if it looks like one. */
export function showVersion(value: string | undefined): string {
  if (value === undefined) return "none";
  return version.test(value) ? value : "another version";
}

/**
 * A message of this library's planner, without quoted values that do not look like names, sizes or addresses, and without anything that
 * could be a token.
 */
export function scrub(message: string): string {
  return message
    .replace(/"((?:[^"\\]|\\.)*)"/g, (all, quoted: string) => (/^[a-z0-9.:/-]{0,24}$/.test(quoted) ? all : '"…"'))
    .replace(/[A-Za-z0-9+/=_-]{28,}/g, "…")
    .replace(/-----BEGIN[\s\S]*/g, "…");
}
