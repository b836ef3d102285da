/**
 * Values whose choice belongs to another argument or to the underlay, and why; overriding one is a problem. Dotted paths; a path
 * stands for all below it.
 */
export const plannedValues: Readonly<Record<string, string>> = {
  MTU: "the underlay has it",
  "cluster.name": "it is the cluster's name",
  devices: "underlay.publicInterface and underlay.privateInterface name them",
  "bpf.datapathMode": "use network.datapath",
  "encryption.enabled": "use network.encryption",
  "encryption.ipsec": "IPsec would make the pods' MTU smaller than the plan's; use network.encryption",
  "encryption.nodeEncryption": "upstream calls it beta, and host TCP does not learn the smaller MTU",
  "encryption.type": "use network.encryption",
  "ipam.mode": "the pod CIDRs of the plan are the only source",
  ipv4NativeRoutingCIDR: "network.podCidr has it",
  "k8s.apiServerURLs": "k8sServiceHost is the planned name of the API",
  k8sServiceHost: "it is the planned name of the API",
  k8sServiceHostRef: "k8sServiceHost is the planned name of the API, and the chart takes one of the two",
  k8sServicePort: "it is the planned port of the API",
  kubeProxyReplacement: "there is no kube-proxy in this cluster",
  "loadBalancer.acceleration": "use network.xdp",
  "nodePort.directRoutingDevice": "underlay.privateInterface names it",
  routingMode: "use network.tunnel",
  tunnelProtocol: "use network.tunnel",
  underlayProtocol: "the private network has IPv4 alone, and another protocol changes the pods' MTU",
};
