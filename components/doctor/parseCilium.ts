import type { AgentWindow, CiliumStatus, HealthPeer, Seen } from "./evidence";

/** The parts of Cilium's StatusResponse (api/v1/openapi.yaml of Cilium) that are read. */
interface StatusResponse {
  cilium?: { msg?: string };
  "kube-proxy-replacement"?: Replacement;
  routing?: { "inter-host-routing-mode"?: string; "intra-host-routing-mode"?: string };
  masquerading?: Masquerading;
  "datapath-mode"?: string;
  encryption?: EncryptionStatus;
  "bandwidth-manager"?: { enabled?: boolean; congestionControl?: string };
}

interface EncryptionStatus {
  mode?: string;
  wireguard?: { interfaces?: { "peer-count"?: number }[] | null };
}

interface Replacement {
  mode?: string;
  devices?: string[] | null;
  deviceList?: { name?: string; ip?: string[] | null }[] | null;
  directRoutingDevice?: string;
  features?: { nodePort?: { enabled?: boolean; mode?: string } };
}

interface Masquerading {
  enabled?: boolean;
  mode?: string;
  enabledProtocols?: { ipv4?: boolean };
  "snat-exclusion-cidr-v4"?: string;
  "snat-exclusion-cidr"?: string;
}

/**
 * Output of `cilium-dbg status -o json`.
 * @throws SyntaxError when there is no JSON document in it
 */
export function parseCiliumStatus(text: string): CiliumStatus {
  const status = JSON.parse(text.slice(Math.max(0, text.indexOf("{")))) as StatusResponse;
  return {
    version: status.cilium?.msg?.split(" ")[0] ?? "",
    routingMode: status.routing?.["inter-host-routing-mode"] ?? "",
    hostRouting: status.routing?.["intra-host-routing-mode"] ?? "",
    ...replacementOf(status["kube-proxy-replacement"] ?? {}),
    ...masqueradingOf(status.masquerading ?? {}),
    deviceMode: status["datapath-mode"] ?? "",
    ...encryptionOf(status.encryption ?? {}),
    bandwidthManager: bandwidthManagerOf(status["bandwidth-manager"] ?? {}),
  };
}

function replacementOf(replacement: Replacement) {
  const devices = replacement.deviceList ?? [];
  const nodePort = replacement.features?.nodePort;
  const addresses = devices.find((device) => device.name === replacement.directRoutingDevice)?.ip ?? [];
  return {
    kubeProxyReplacement: replacement.mode ?? "False",
    devices: replacement.deviceList ? devices.map((device) => device.name ?? "") : (replacement.devices ?? []),
    directRoutingDevice: replacement.directRoutingDevice ?? "",
    // Agents write addresses that are none, of the other family, as empty texts.
    directRoutingAddresses: addresses.filter((address) => address !== ""),
    loadBalancerMode: nodePort?.enabled ? (nodePort.mode ?? "") : "",
  };
}

function encryptionOf({ mode = "Disabled", wireguard }: EncryptionStatus) {
  return { encryption: mode, encryptionPeers: wireguard?.interfaces?.[0]?.["peer-count"] ?? 0 };
}

function bandwidthManagerOf(manager: NonNullable<StatusResponse["bandwidth-manager"]>): string {
  if (manager.enabled !== true) return "off";
  return manager.congestionControl === "bbr" ? "on with bbr" : "on";
}

/** Fields that are false are left out of the document. */
function masqueradingOf(masquerading: Masquerading) {
  const protocols = masquerading.enabledProtocols;
  const ipv4 = protocols ? protocols.ipv4 === true : masquerading.enabled === true;
  return {
    masquerading: ipv4 ? (masquerading.mode ?? "") : "disabled",
    nativeRoutingCidr: masquerading["snat-exclusion-cidr-v4"] ?? masquerading["snat-exclusion-cidr"] ?? "",
  };
}

/** Version of the running agent in the output of `cilium-dbg version`; empty when it does not say. */
export function parseCiliumVersion(text: string): string {
  return /^Daemon: (\d\S*)/m.exec(text)?.[1] ?? "";
}

/** Output of the script of agents.ts; undefined where counters are missing at one end. */
export function parseAgentWindow(text: string): AgentWindow | undefined {
  const part = (name: string): string =>
    new RegExp(`^=== ${name}\n([^]*?)(?=^=== |$(?![^]))`, "m").exec(text)?.[1] ?? "";
  const [first, last] = ["first", "last"].map((name) => parseMetrics(part(name)));
  if (!first || !last) return undefined;
  return {
    drops: { first: first.drops, last: last.drops },
    pressure: last.pressure,
    health: parseHealth(part("health"), 1000 * Number(part("begin"))),
  };
}

/** Both directions of a reason together. */
function parseMetrics(text: string): (Pick<AgentWindow, "pressure"> & { drops: Record<string, number> }) | undefined {
  const start = /^\[/m.exec(text)?.index;
  if (start === undefined) return undefined;
  const metrics = JSON.parse(text.slice(start)) as { name: string; labels?: Record<string, string>; value?: number }[];
  const drops: Record<string, number> = {};
  const pressure: Record<string, number> = {};
  for (const { name, labels = {}, value = 0 } of metrics) {
    const reason = labels.reason ?? "without a reason";
    if (name === "cilium_drop_count_total") drops[reason] = (drops[reason] ?? 0) + value;
    if (name === "cilium_bpf_map_pressure") pressure[labels.map_name ?? ""] = value;
  }
  return { drops, pressure };
}

interface HealthPath {
  "primary-address"?: Record<"icmp" | "http", { status?: string; lastProbed?: string } | undefined>;
}

/**
 * Output of `cilium-health status -o json`. Whoever answered has no status.
 * @param begin when this run began, milliseconds since 1970 by the node's clock
 */
function parseHealth(text: string, begin: number): Seen<HealthPeer[]> {
  const start = text.indexOf("{");
  if (start < 0) return { unseen: `cilium-health gave no answer: ${text.trim().split("\n").at(-1) ?? ""}` };
  const { nodes } = JSON.parse(text.slice(start)) as {
    nodes?: { name: string; host?: HealthPath; "health-endpoint"?: HealthPath }[] | null;
  };
  const peers = (nodes ?? []).map(({ name, host, ["health-endpoint"]: endpoint }) => {
    const faults = [...faultsOf("the node", host), ...faultsOf("its health endpoint", endpoint)];
    const texts = (fresh: boolean) => faults.flatMap(({ at, text }) => (at >= begin === fresh ? [text] : []));
    // The cluster's name stands before the node's.
    return { node: name.split("/").at(-1) ?? "", faults: texts(true), earlierFaults: texts(false) };
  });
  return { value: peers };
}

function faultsOf(what: string, path: HealthPath | undefined): { at: number; text: string }[] {
  const address = path?.["primary-address"];
  return (["icmp", "http"] as const).flatMap((way) => {
    const { status, lastProbed = "" } = address?.[way] ?? {};
    return status ? [{ at: Date.parse(lastProbed), text: `${way.toUpperCase()} of ${what}: ${status}` }] : [];
  });
}
