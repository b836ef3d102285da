import { defaultProbeImage } from "../../../components/doctor";
import { cpuSettings, planCpu } from "../../../components/plan/cpu";
import { kubeletDropIns } from "../../../components/plan/nodeFiles";
import { toYaml } from "../../../components/plan/yaml";
import { type Cluster, kubeGet, kubectl, type LiveNode, onNode } from "./cluster";
import { containerId, inContainer, namespace } from "./pods";
import { eventually } from "./wait";

/** CPUs of a pod of these tests: one for itself, or whatever is free. */
export type PodCpus = "alone" | "shared";

/** Round trips of one message within a pod, microseconds. */
export interface RoundTrips {
  count: number;
  p50: number;
  p99: number;
  p999: number;
}

/**
 * Gives a node the settings that the plan writes for `cpuIsolation: "static"`, on two CPUs, where the plan itself refuses it: fewer than
 * four leave too little for pods to be worth it. The node is emptied of pods that ask for CPU, and takes no new ones but named ones.
 */
export async function isolate(cluster: Cluster, node: LiveNode): Promise<void> {
  const cpu = planCpu("static", { cores: 2, cpuType: "dedicated" });
  const settings = toYaml({
    apiVersion: "kubelet.config.k8s.io/v1beta1",
    kind: "KubeletConfiguration",
    ...cpuSettings(cpu),
  });
  await empty(cluster, node);
  await onNode(
    cluster,
    node,
    `cat >${kubeletDropIns}/40-zerosteal-cpu.conf <<'END'
${settings}END
sed -i 's/^CPU_ISOLATION=.*/CPU_ISOLATION=${cpu.isolation}/; s/^RESERVED_CPUS=.*/RESERVED_CPUS=${cpu.reserved}/' /etc/zerosteal/node.env
systemctl restart zerosteal-cpus.service kubelet.service`,
  );
  await eventually(async () => {
    const state = await onNode(cluster, node, "cat /var/lib/kubelet/cpu_manager_state");
    if ((JSON.parse(state) as { policyName: string }).policyName !== "static") throw new Error(state);
    const { status } = await kubeGet<{ status: { allocatable: { cpu: string } } }>(cluster, "node", node.name);
    if (status.allocatable.cpu !== "1") throw new Error(`${node.name} has ${status.allocatable.cpu} CPUs to give`);
  });
}

/** Keeps new pods off a node and moves those away that ask for CPU. */
export async function empty(cluster: Cluster, node: LiveNode): Promise<void> {
  await kubectl(cluster, ["cordon", node.name]);
  const where = ["--field-selector", `spec.nodeName=${node.name}`, "--wait=true", "--timeout=120s"];
  await kubectl(cluster, ["-n", "kube-system", "delete", "pods", "-l", "k8s-app=kube-dns", ...where]);
}

/** Starts a pod on a node and waits until it runs. Its container lies idle. */
export async function startPod(cluster: Cluster, name: string, node: LiveNode, cpus: PodCpus): Promise<void> {
  const resources = { cpu: "1", memory: "64Mi" };
  const items = [
    { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } },
    {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name, namespace },
      spec: {
        nodeName: node.name,
        terminationGracePeriodSeconds: 0,
        containers: [
          {
            name: "main",
            image: defaultProbeImage,
            command: ["sleep", "infinity"],
            ...(cpus === "alone" ? { resources: { requests: resources, limits: resources } } : {}),
          },
        ],
      },
    },
  ];
  await kubectl(cluster, ["apply", "-f", "-"], JSON.stringify({ apiVersion: "v1", kind: "List", items }));
  await kubectl(cluster, ["-n", namespace, "wait", "--for=condition=Ready", `pod/${name}`, "--timeout=120s"]);
}

/** CPUs that a pod's processes may use now, as the kernel lists them. */
export async function cpusOf(cluster: Cluster, node: LiveNode, pod: string): Promise<string> {
  const id = await containerId(cluster, namespace, pod);
  return (await inContainer(cluster, node, id, "grep Cpus_allowed_list /proc/self/status")).split(/\s+/)[1] ?? "";
}

/** Keeps every CPU that the pod may use busy for some seconds. */
export async function makeNoise(cluster: Cluster, pod: string, seconds: number): Promise<void> {
  const loops = `for i in 1 2 3 4; do timeout ${seconds} bash -c 'while :; do :; done' >/dev/null 2>&1 </dev/null & done`;
  await kubectl(cluster, ["-n", namespace, "exec", pod, "--", "bash", "-c", loops]);
}

/** Measures round trips between two processes of a pod by TCP on its loopback. */
export async function roundTrips(cluster: Cluster, pod: string, count: number): Promise<RoundTrips> {
  const args = ["-n", namespace, "exec", "-i", pod, "--", "bash", "-eu", "-s", String(count)];
  const times = (await kubectl(cluster, args, echo)).split("\n").map(Number);
  times.sort((a, b) => a - b);
  const at = (share: number): number => times[Math.floor(share * (times.length - 1))] ?? NaN;
  return { count: times.length, p50: at(0.5), p99: at(0.99), p999: at(0.999) };
}

/** An echo and its client, which says what each round trip took. A message comes every half millisecond, so that each finds the other side asleep, as requests do. */
const echo = `
socat TCP-LISTEN:7007,bind=127.0.0.1,reuseaddr,nodelay PIPE &
for attempt in {1..50}; do
  { exec 3<>/dev/tcp/127.0.0.1/7007; } 2>/dev/null && break
  sleep 0.1
done
exec 9<> <(:)
for ((count = 0; count < $1; count++)); do
  read -r -t 0.0005 -u 9 || :
  start=\${EPOCHREALTIME/.}
  echo message >&3
  read -r answer <&3
  echo $((\${EPOCHREALTIME/.} - start))
done
`;
