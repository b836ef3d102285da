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

/** A key that a chart no longer has. */
export interface RemovedKey {
  /** Dotted path. */
  key: string;
  /** Cilium minor whose chart was the first without it. */
  removedIn: string;
  /** What to use now, as the end of a sentence. */
  now: string;
}

/** Keys that charts had, and that do nothing or stop Helm now. */
export const removedKeys: readonly RemovedKey[] = [
  { key: "tunnel", removedIn: "1.15", now: "use routingMode and tunnelProtocol" },
  { key: "enableK8sEventHandover", removedIn: "1.15", now: "leave it out" },
  { key: "enableCnpStatusUpdates", removedIn: "1.15", now: "leave it out" },
  { key: "endpointStatus", removedIn: "1.16", now: "leave it out" },
  { key: "remoteNodeIdentity", removedIn: "1.16", now: "leave it out: it is always on" },
  { key: "containerRuntime.integration", removedIn: "1.16", now: "leave it out" },
  { key: "encryption.keyFile", removedIn: "1.16", now: "use encryption.ipsec.keyFile" },
  { key: "encryption.mountPath", removedIn: "1.16", now: "use encryption.ipsec.mountPath" },
  { key: "encryption.secretName", removedIn: "1.16", now: "use encryption.ipsec.secretName" },
  { key: "encryption.interface", removedIn: "1.16", now: "use encryption.ipsec.interface" },
  { key: "proxy.prometheus", removedIn: "1.16", now: "use envoy.prometheus" },
  { key: "externalIPs.enabled", removedIn: "1.17", now: "leave it out: kubeProxyReplacement has it" },
  { key: "wireguard.userspaceFallback", removedIn: "1.17", now: "leave it out" },
  { key: "encryption.wireguard.userspaceFallback", removedIn: "1.17", now: "leave it out" },
  { key: "hostPort.enabled", removedIn: "1.18", now: "leave it out: kubeProxyReplacement has it" },
  { key: "enableCiliumEndpointSlice", removedIn: "1.18", now: "use ciliumEndpointSlice.enabled" },
  { key: "ciliumEndpointSlice.sliceMode", removedIn: "1.18", now: "leave it out" },
  { key: "enableRuntimeDeviceDetection", removedIn: "1.18", now: "leave it out: it is always on" },
  { key: "nodePort.enabled", removedIn: "1.19", now: "leave it out: kubeProxyReplacement has it" },
  { key: "encryption.strictMode.enabled", removedIn: "1.20", now: "use encryption.strictMode.egress.enabled" },
  { key: "encryption.strictMode.cidr", removedIn: "1.20", now: "use encryption.strictMode.egress.cidr" },
  {
    key: "encryption.strictMode.allowRemoteNodeIdentities",
    removedIn: "1.20",
    now: "use encryption.strictMode.egress.allowRemoteNodeIdentities",
  },
];
