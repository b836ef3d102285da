import { valueOf, type HostProbe, type NodeProbes } from "../evidence";
import type { CheckResult } from "../types";
import { findings, list, withoutPlan, type Check } from "./result";

const absent = findings("kube-proxy-absent");
const rules = findings("no-kube-svc-rules");

/** Neither the DaemonSet nor the ConfigMap nor a pod of kube-proxy. */
export const kubeProxyAbsent: Check = {
  id: "kube-proxy-absent",
  title: "kube-proxy is not there",
  settles: false,
  run(expectation, evidence) {
    const wanted = "no kube-proxy";
    if ("unseen" in evidence.kubeProxy) return [absent.unseen("cluster", wanted, evidence.kubeProxy.unseen)];
    const { daemonSet, configMap, pods } = evidence.kubeProxy.value;
    const parts = [
      ...(daemonSet ? ["DaemonSet kube-system/kube-proxy"] : []),
      ...(configMap ? ["ConfigMap kube-system/kube-proxy"] : []),
      ...(pods > 0 ? [`${pods} pods`] : []),
    ];
    const found = parts.length > 0 ? list(parts) : wanted;
    if (!expectation) return [absent.unseen("cluster", wanted, withoutPlan, found)];
    const hint =
      "Remove it: kubectl -n kube-system delete daemonset,configmap kube-proxy; then its rules on each node.";
    return [absent.equal("cluster", wanted, found, hint)];
  },
};

/** No packet filter rule of a kube-proxy on any node: iptables in both backends, nftables, IPVS. */
export const noKubeSvcRules: Check = {
  id: "no-kube-svc-rules",
  title: "no packet filter rules of kube-proxy",
  settles: false,
  run(expectation, evidence) {
    return evidence.probes.map((probes) => judge(probes, expectation !== undefined));
  },
};

function judge(probes: NodeProbes, planned: boolean): CheckResult {
  const wanted = "no rules of kube-proxy";
  const host = valueOf(probes.host);
  if (!host) return rules.unseen(probes.node, wanted, "unseen" in probes.host ? probes.host.unseen : "");
  const seen = host.kubeProxyRules.filter((count) => count.error === undefined);
  if (seen.length === 0) return rules.unseen(probes.node, wanted, `No tool could list rules: ${list(problems(host))}.`);
  const present = seen.filter((count) => count.lines > 0).map((count) => `${count.lines} in ${count.tool}`);
  const found = present.length > 0 ? list(present) : wanted;
  if (!planned) return rules.unseen(probes.node, wanted, withoutPlan, found);
  const hint =
    "Leftovers of a kube-proxy: on this node run iptables-save | grep -v KUBE- | iptables-restore, or reboot it.";
  return rules.equal(probes.node, wanted, found, hint);
}

function problems(host: HostProbe): string[] {
  return host.kubeProxyRules.map((count) => `${count.tool}: ${count.error ?? ""}`);
}
