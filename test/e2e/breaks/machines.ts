import { readFileSync } from "node:fs";
import path from "node:path";
import { type Cluster, controlPlane, kubectl, onNode, worker } from "../support/cluster";
import type { Break } from "./break";

const dropIn = "/etc/kubernetes/kubelet.conf.d/90-e2e.conf";

/** Of the aggregation layer, which nothing uses here; the API server keeps the one that goes with its key. */
const certificate = "/etc/kubernetes/pki/front-proxy-client.crt";

/** CPUs and memory of machines; what a container cannot break of them, test/doctor breaks on evidence. */
export const brokenMachines: Break[] = [
  {
    check: "certificates",
    what: "a certificate that has ended",
    make: (cluster) => {
      const ended = readFileSync(path.join(__dirname, "ended.pem"), "utf8").trim();
      const change = `cp -a ${certificate} ${certificate}.kept; printf '%s\\n' '${ended}' >${certificate}`;
      return onNode(cluster, controlPlane(cluster), change);
    },
    mend: (cluster) => onNode(cluster, controlPlane(cluster), `mv -f ${certificate}.kept ${certificate}`),
    findings: (cluster) => [
      {
        check: "certificates",
        subject: controlPlane(cluster).name,
        wanted: "good for more than 30 days",
        found: /^\/etc\/kubernetes\/pki\/front-proxy-client\.crt ends in -?\d+ days, the first of \d+$/,
      },
    ],
  },
  {
    check: "cpu-isolation",
    what: "a kubelet that somebody told to reserve CPUs",
    make: (cluster) =>
      restartKubelet(
        cluster,
        `printf '%s\\n' 'apiVersion: kubelet.config.k8s.io/v1beta1' 'kind: KubeletConfiguration' 'cpuManagerPolicy: static' 'reservedSystemCPUs: "0"' >${dropIn}`,
      ),
    // Both ways the kubelet would refuse its old CPU assignments: what runs before it removes them.
    mend: (cluster) => restartKubelet(cluster, `rm -f ${dropIn}`),
    findings: (cluster) => [
      {
        check: "cpu-isolation",
        subject: worker(cluster, 0).name,
        wanted: "CPU manager none",
        found: "CPU manager static, reserved 0, options none",
      },
    ],
  },
];

/** Changes the first worker's kubelet, and waits until it answers the API again. */
async function restartKubelet(cluster: Cluster, change: string): Promise<void> {
  const node = worker(cluster, 0);
  await onNode(cluster, node, `${change}\nsystemctl restart kubelet.service`);
  await onNode(
    cluster,
    node,
    "for try in $(seq 300); do curl --silent --fail --max-time 1 http://127.0.0.1:10248/healthz && exit 0; sleep 0.2; done; exit 1",
  );
  await kubectl(cluster, ["wait", "node", node.name, "--for=condition=Ready", "--timeout=90s"]);
}
