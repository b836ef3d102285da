import semver from "semver";
import { at, isPlainObject, type JsonObject } from "./merge";
import { minorOf } from "./versions";

/** Cilium minor whose chart the key list is of. */
export const chartKeysOf = "1.20";

/**
 * Top-level keys of the Cilium chart 1.20.2: those of its values.yaml and values.schema.json, and those that only its templates
 * read. The chart itself takes any other key without a word, so a typing mistake would pass unseen.
 */
export const chartKeys: readonly string[] = `
MTU affinity agent agentNotReadyTaintKey aksbyocni alibabacloud annotateK8sNode annotations apiRateLimit
authentication autoDirectNodeRoutes azure bandwidthManager bgpControlPlane bpf bpfClockProbe certgen cgroup
ciliumEndpointSlice cleanBpfState cleanState cluster clusterHealthPort clustermesh cni commonLabels
configDriftDetection connectivityProbeFrequencyRatio conntrackGCInterval conntrackGCMaxInterval crdWaitTimeout
daemon dashboards datapathPlugins debug defaultLBServiceIPAM devices directRoutingSkipUnreachable
disableEndpointCRD disableEnvoyVersionCheck disableIptablesFeederRules dnsPolicy dnsPolicyUnloadOnShutdown
dnsProxy egressGateway egressMasqueradeInterfaces enableCriticalPriorityClass enableIPv4BIGTCP
enableIPv4Masquerade enableIPv6BIGTCP enableIPv6Masquerade enableIdentityMark enableInternalTrafficPolicy
enableLBIPAM enableMasqueradeRouteSource enableNoServiceEndpointsRoutable enableNonDefaultDenyPolicies
enableXTSocketFallback encryption endpointHealthChecking endpointLockdownOnMapOverflow
endpointPolicyUpdateTimeoutDuration endpointRoutes eni envoy envoyConfig etcd extraArgs extraConfig
extraContainers extraEnv extraHostPathMounts extraInitContainers extraVolumeMounts extraVolumes
forceDeviceDetection fragmentTracking gatewayAPI gke global healthCheckICMPFailureThreshold healthChecking
healthPort hostFirewall hubble identityAllocationMode identityChangeGracePeriod identityManagementMode image
imagePullSecrets ingressController initResources installNoConntrackIptablesRules ipMasqAgent ipam
iptablesLockTimeout iptablesRandomFully ipv4 ipv4NativeRoutingCIDR ipv6 ipv6NativeRoutingCIDR k8s
k8sClientExponentialBackoff k8sClientRateLimit k8sClusterNetworkPolicy k8sNetworkPolicy k8sServiceHost
k8sServiceHostRef k8sServiceLookupConfigMapName k8sServiceLookupNamespace k8sServicePort keepDeprecatedLabels
keepDeprecatedProbes kubeConfigPath kubeProxyReplacement kubeProxyReplacementHealthzBindAddr l2NeighDiscovery
l2announcements l2podAnnouncements l7Proxy labels livenessProbe loadBalancer localRedirectPolicies
localRedirectPolicy logOptions logSystemLoad maglev minReadySeconds monitor name namespaceOverride nat
nat46x64Gateway nativeRoutingCIDRFromClusterPool nodeIPAM nodeLabels nodePort nodeSelector nodeSelectorLabels
nodeinit nonIdempotentAnnotations operator pmtuDiscovery podAnnotations podLabels podSecurityContext
policyAuditMode policyCIDRMatchMode policyDenyResponse policyEnforcementMode pprof preferIpv6 preflight
priorityClassName prometheus rbac readinessProbe resourceQuotas resources rollOutCiliumPods routingMode
scheduling sctp secretsNamespaceAnnotations secretsNamespaceLabels securityContext serviceAccounts
serviceNoBackendResponse sleepAfterInit socketLB standaloneDnsProxy startupProbe synchronizeK8sNodes sysctlfix
terminationGracePeriodSeconds tls tmpVolume tolerations tunnelPort tunnelProtocol tunnelSourcePortRange
underlayProtocol updateStrategy upgradeCompatibility vtep waitForKubeProxy wellKnownIdentities
`
  .trim()
  .split(/\s+/);

/** A key that not every chart has. */
export interface ChartKeyChange {
  /** Dotted path; it stands for all below it. */
  key: string;
  /** First Cilium minor whose chart has it. Unset: 1.16 or older. */
  since?: string;
  /** Last Cilium minor whose chart has it. Unset: it is still there. */
  until?: string;
  /** With `until`: what to use instead, as the end of a sentence. */
  now?: string;
}

const byReplacement = "leave it out: kubeProxyReplacement has it";

/** Keys that came or went between the charts of Cilium 1.14 and 1.20. What a chart lacks does nothing, or stops Helm. */
export const chartKeyChanges: readonly ChartKeyChange[] = [
  { key: "tunnel", until: "1.14", now: "use routingMode and tunnelProtocol" },
  { key: "enableK8sEventHandover", until: "1.14", now: "leave it out" },
  { key: "enableCnpStatusUpdates", until: "1.14", now: "leave it out" },
  { key: "endpointStatus", until: "1.15", now: "leave it out" },
  { key: "remoteNodeIdentity", until: "1.15", now: "leave it out: it is always on" },
  { key: "containerRuntime.integration", until: "1.15", now: "leave it out" },
  { key: "encryption.keyFile", until: "1.15", now: "use encryption.ipsec.keyFile" },
  { key: "encryption.mountPath", until: "1.15", now: "use encryption.ipsec.mountPath" },
  { key: "encryption.secretName", until: "1.15", now: "use encryption.ipsec.secretName" },
  { key: "encryption.interface", until: "1.15", now: "use encryption.ipsec.interface" },
  { key: "etcd.managed", until: "1.15", now: "leave it out" },
  { key: "proxy.prometheus", until: "1.15", now: "use envoy.prometheus" },
  { key: "externalIPs.enabled", until: "1.16", now: byReplacement },
  { key: "wireguard.userspaceFallback", until: "1.16", now: "leave it out" },
  { key: "encryption.wireguard.userspaceFallback", until: "1.16", now: "leave it out" },
  { key: "hostPort.enabled", until: "1.17", now: byReplacement },
  { key: "enableCiliumEndpointSlice", until: "1.17", now: "use ciliumEndpointSlice.enabled" },
  { key: "ciliumEndpointSlice.sliceMode", until: "1.17", now: "leave it out" },
  { key: "enableRuntimeDeviceDetection", until: "1.17", now: "leave it out: it is always on" },
  { key: "nodePort.enabled", until: "1.18", now: byReplacement },
  { key: "encryption.strictMode.enabled", until: "1.19", now: "use encryption.strictMode.egress.enabled" },
  { key: "encryption.strictMode.cidr", until: "1.19", now: "use encryption.strictMode.egress.cidr" },
  {
    key: "encryption.strictMode.allowRemoteNodeIdentities",
    until: "1.19",
    now: "use encryption.strictMode.egress.allowRemoteNodeIdentities",
  },
  { key: "bpf.distributedLRU", since: "1.17" },
  { key: "bpf.lbModeAnnotation", since: "1.17" },
  { key: "bandwidthManager.bbrHostNamespaceOnly", since: "1.18" },
  { key: "k8s.apiServerURLs", since: "1.18" },
  { key: "k8sServiceHostRef", since: "1.18" },
  { key: "localRedirectPolicies", since: "1.18" },
  { key: "underlayProtocol", since: "1.18" },
  // The flat keys of strictMode were still read by the chart of 1.19, which has these beside them.
  { key: "encryption.strictMode.egress", since: "1.19" },
  { key: "encryption.strictMode.ingress", since: "1.19" },
  { key: "pmtuDiscovery.packetizationLayerPMTUDMode", since: "1.19" },
  { key: "policyDenyResponse", since: "1.19" },
  { key: "envoy.xdsMode", since: "1.20" },
  { key: "k8sClusterNetworkPolicy", since: "1.20" },
  { key: "nativeRoutingCIDRFromClusterPool", since: "1.20" },
  { key: "nodePort.enableDynamicSourceLookup", since: "1.20" },
];

/** Whether a chart came before the first, or after the last, that has the key. */
export function keyAbsence({ since, until }: ChartKeyChange, cilium: string): "not-yet" | "removed" | undefined {
  if (since !== undefined && semver.lt(cilium, `${since}.0-0`)) return "not-yet";
  return until !== undefined && semver.gte(cilium, `${firstWithout(until)}.0-0`) ? "removed" : undefined;
}

/** Values without those keys that the chart of a version has not yet, or no more. */
export function valuesInChart(values: JsonObject, cilium: string): JsonObject {
  return chartKeyChanges
    .filter((change) => at(values, change.key) !== undefined && keyAbsence(change, cilium) !== undefined)
    .reduce((left, { key }) => without(left, key.split(".")), values);
}

function without(values: JsonObject, [key = "", ...rest]: string[]): JsonObject {
  if (!Object.hasOwn(values, key)) return values;
  const { [key]: inner, ...others } = values;
  return rest.length > 0 && isPlainObject(inner) ? { ...values, [key]: without(inner, rest) } : others;
}

/** The minor after a key's last one, e.g. `1.19` after `1.18`. */
export function firstWithout(until: string): string {
  return minorOf(semver.inc(`${until}.0`, "minor") ?? until);
}
