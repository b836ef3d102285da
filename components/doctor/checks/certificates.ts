import type { Certificate } from "../evidence";
import type { CheckResult } from "../types";
import { findings, type Check } from "./result";

const { ok, failed, unseen } = findings("certificates");

/** Days that a certificate must still be good for. */
export const certificateDays = 30;
const day = 86_400_000;
const wanted = `good for more than ${certificateDays} days`;

/** No certificate of a control plane, nor the kubeconfig's own, ends soon. */
export const certificates: Check = {
  id: "certificates",
  title: "the control plane's certificates are good for a while",
  settles: false,
  run(expectation, { probes, ownCertificates, takenAt }) {
    const nodes = probes.flatMap(({ node, host }): CheckResult[] => {
      const planned = expectation?.nodes.find(({ name }) => name === node)?.role === "control-plane";
      if ("unseen" in host) return planned ? [unseen(node, wanted, host.unseen)] : [];
      const found = host.value.certificates;
      const hint = `Renew on ${node}: kubeadm certs renew all, then restart the control plane's pods; authorities (ca.crt) need a plan of their own.`;
      if (found.length > 0) return [judge(node, found, takenAt, hint)];
      return planned ? [unseen(node, wanted, "No process of a control plane showed its certificates.")] : [];
    });
    if (ownCertificates.length === 0) return nodes;
    const hint = "Take a new kubeconfig from a control plane, or from the deployment.";
    return [...nodes, judge("cluster", ownCertificates, takenAt, hint)];
  },
  idle: "No node shows a control plane, and the kubeconfig has no certificate.",
};

function judge(subject: string, certificates: Certificate[], now: number, hint: string): CheckResult {
  const first = certificates.reduce((a, b) => (b.ends < a.ends ? b : a));
  const days = Math.floor((first.ends - now) / day);
  const found = `${first.file} ends in ${days} days, the first of ${certificates.length}`;
  return days > certificateDays ? ok(subject, wanted, found) : failed(subject, wanted, found, hint);
}
