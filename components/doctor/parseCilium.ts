import type { CiliumStatus } from "./evidence";

/** The parts of Cilium's StatusResponse (api/v1/openapi.yaml of Cilium) that are read. */
interface StatusResponse {
  cilium?: { msg?: string };
  "kube-proxy-replacement"?: Replacement;
  routing?: { "inter-host-routing-mode"?: string; "intra-host-routing-mode"?: string };
  masquerading?: Masquerading;
  "datapath-mode"?: string;
  encryption?: EncryptionStatus;
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
  };
}

function replacementOf(replacement: Replacement) {
  const devices = replacement.deviceList ?? [];
  const nodePort = replacement.features?.nodePort;
  return {
    kubeProxyReplacement: replacement.mode ?? "False",
    devices: replacement.deviceList ? devices.map((device) => device.name ?? "") : (replacement.devices ?? []),
    directRoutingDevice: replacement.directRoutingDevice ?? "",
    directRoutingAddresses: devices.find((device) => device.name === replacement.directRoutingDevice)?.ip ?? [],
    loadBalancerMode: nodePort?.enabled ? (nodePort.mode ?? "") : "",
  };
}

function encryptionOf({ mode = "Disabled", wireguard }: EncryptionStatus) {
  return { encryption: mode, encryptionPeers: wireguard?.interfaces?.[0]?.["peer-count"] ?? 0 };
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
