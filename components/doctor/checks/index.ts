import type { Evidence } from "../evidence";
import type { CheckResult, Expectation } from "../types";
import { certificates } from "./certificates";
import { ciliumModes, devices, encryption, kubeProxyReplacement } from "./cilium";
import { clock } from "./clock";
import { cloudRoutes } from "./cloudRoutes";
import { settleCauses } from "./causes";
import { cpuIsolation, irqAffinity } from "./cpuIsolation";
import { drops, fragments, healthMesh, mapPressure, roundTrips } from "./dataPath";
import { apiEndpoint, nodePorts } from "./endpoints";
import { etcd, etcdDisk, ioWait } from "./etcd";
import { hugePages } from "./hugePages";
import { kubeProxyAbsent, noKubeSvcRules } from "./kubeProxy";
import { nodeMtu, podMtu } from "./mtu";
import { bandwidthManager, qdisc } from "./nics";
import { nodesReady } from "./nodes";
import type { Check } from "./result";
import { clusterIp, dns, egress, podToPod, probe, versions } from "./services";
import { softnetDrops } from "./softnet";
import { steal } from "./steal";
import { sysctlsNode, sysctlsPod } from "./sysctls";

/** All checks, causes before what follows from them. */
export const checks: Check[] = [
  nodesReady,
  versions,
  probe,
  certificates,
  clock,
  etcd,
  etcdDisk,
  ioWait,
  apiEndpoint,
  kubeProxyAbsent,
  noKubeSvcRules,
  kubeProxyReplacement,
  ...ciliumModes,
  devices,
  encryption,
  bandwidthManager,
  qdisc,
  cloudRoutes,
  nodeMtu,
  podMtu,
  sysctlsNode,
  sysctlsPod,
  hugePages,
  cpuIsolation,
  irqAffinity,
  steal,
  softnetDrops,
  podToPod,
  clusterIp,
  dns,
  egress,
  healthMesh,
  mapPressure,
  drops,
  fragments,
  nodePorts,
  roundTrips,
];

/**
 * Judges evidence. Pure: the same evidence gives the same findings.
 * @param expectation what is wanted; undefined: only what holds on every cluster is judged
 */
export function judge(expectation: Expectation | undefined, evidence: Evidence): CheckResult[] {
  return settleCauses(checks.flatMap((check) => check.run(expectation, evidence)));
}
