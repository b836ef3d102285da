import type { V1Namespace, V1Pod } from "@kubernetes/client-node";
import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { cannot, statusOf, type Kube } from "./kube";
import { probeScript } from "./probeScript";
import type { Expectation } from "./types";

/** On everything that the doctor makes. */
const label = { key: "app.kubernetes.io/managed-by", value: "zerosteal-doctor" };
/** Milliseconds after which the leftovers of a run that was killed are removed by the next one. */
const leftoverAge = 3_600_000;
/** Seconds after which a probe ends by itself, whatever becomes of the doctor. */
const probeLifetime = 900;

/** Image of the probe pods: bash, iproute2, iputils ping, iptables, nft and dig in one. */
export const defaultProbeImage = "docker.io/nicolaka/netshoot:v0.13";

export type ProbeRole = "host" | "pod";

/** A kernel setting that probes read; the pod on the pod network asks for those that pods may set. */
export type PodSysctl = Pick<Expectation["sysctls"][number], "key" | "value" | "podsMaySet">;

/** A probe pod that runs. */
export interface RunningProbe {
  node: string;
  role: ProbeRole;
  pod: string;
  address: string;
}

/** A probe pod that does not run, and why. */
export interface StuckProbe {
  node: string;
  role: ProbeRole;
  reason: string;
}

/** Name for a run's namespace: unique, so that runs at the same time do not meet. */
export function newNamespaceName(): string {
  return `zerosteal-doctor-${randomBytes(4).toString("hex")}`;
}

/** The namespace of a run. Pod security is off in it: the probes look at the node's own network. */
export function namespaceManifest(name: string): V1Namespace {
  return {
    metadata: {
      name,
      labels: {
        [label.key]: label.value,
        "pod-security.kubernetes.io/enforce": "privileged",
        "pod-security.kubernetes.io/warn": "privileged",
        "pod-security.kubernetes.io/audit": "privileged",
      },
    },
  };
}

/**
 * A probe pod. It does nothing by itself: the script in its environment is run by exec.
 * The host role shares the node's network and PID namespace (the latter tells a machine from a container: parse.ts);
 * neither role mounts anything of the node, nor a token of the cluster.
 */
export function probePodManifest(
  node: string,
  role: ProbeRole,
  index: number,
  image: string,
  sysctls: readonly PodSysctl[],
): V1Pod {
  const host = role === "host";
  const own = sysctls.flatMap(({ key, value, podsMaySet }) => (podsMaySet ? [{ name: key, value }] : []));
  return {
    metadata: { name: `${role}-${index}`, labels: { [label.key]: label.value, "zerosteal-doctor/role": role } },
    spec: {
      nodeName: node,
      hostNetwork: host,
      hostPID: host,
      // The node's own resolvers on the node, the cluster's DNS in the pod.
      dnsPolicy: host ? "Default" : "ClusterFirst",
      serviceAccountName: "probe",
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      restartPolicy: "Never",
      terminationGracePeriodSeconds: 0,
      activeDeadlineSeconds: probeLifetime,
      tolerations: [{ operator: "Exists" }],
      ...(own.length > 0 && !host ? { securityContext: { sysctls: own } } : {}),
      containers: [
        {
          name: "probe",
          image,
          imagePullPolicy: "IfNotPresent",
          command: ["sleep", String(probeLifetime)],
          env: [
            { name: "PROBE_SCRIPT", value: probeScript },
            { name: "PROBE_SYSCTLS", value: sysctls.map(({ key }) => key).join(" ") },
          ],
          securityContext: { runAsUser: 0, capabilities: { add: ["NET_ADMIN", "NET_RAW"] } },
        },
      ],
    },
  };
}

/**
 * Makes the namespace with its service account (made by hand, as the default one appears only after a while).
 * @throws CannotRun without the rights for it
 */
export async function createNamespace(kube: Kube, name: string): Promise<void> {
  try {
    await kube.core.createNamespace({ body: namespaceManifest(name) });
    await kube.core.createNamespacedServiceAccount({ namespace: name, body: { metadata: { name: "probe" } } });
  } catch (error) {
    throw cannot("create a namespace for the doctor's probe pods", error, kube.server);
  }
}

/**
 * Removes a run's namespace and everything in it. Does not wait for the end of it.
 * Has its own connection, as the run's may be interrupted.
 */
export async function removeNamespace(kube: Kube, name: string): Promise<void> {
  try {
    await kube.core.deleteNamespace({ name, gracePeriodSeconds: 0 });
  } catch (error) {
    if (statusOf(error) !== 404) throw error;
  }
}

/** Removes namespaces of runs that were killed more than an hour ago. */
export async function removeLeftovers(kube: Kube, now: Date): Promise<string[]> {
  const namespaces = await kube.core.listNamespace({ labelSelector: `${label.key}=${label.value}` });
  const old = namespaces.items.filter((namespace) => {
    const created = namespace.metadata?.creationTimestamp;
    return created !== undefined && now.getTime() - new Date(created).getTime() > leftoverAge;
  });
  const names = old.map((namespace) => namespace.metadata?.name ?? "");
  await Promise.all(names.map((name) => removeNamespace(kube, name)));
  return names;
}

/**
 * Waits until every probe pod runs, or is seen not to, or the time is over.
 * @param limit milliseconds
 */
export async function waitForProbes(
  kube: Kube,
  namespace: string,
  wanted: { node: string; role: ProbeRole; pod: string }[],
  limit: number,
  signal: AbortSignal,
): Promise<{ running: RunningProbe[]; stuck: StuckProbe[] }> {
  const deadline = Date.now() + limit;
  for (;;) {
    const pods = await kube.core.listNamespacedPod({ namespace });
    const states = wanted.map((probe) => ({
      probe,
      state: probeState(pods.items.find((pod) => pod.metadata?.name === probe.pod)),
    }));
    const waiting = states.some(({ state }) => state.kind === "waiting");
    if (!waiting || Date.now() > deadline) {
      const reasons = await failureEvents(
        kube,
        namespace,
        states.every(({ state }) => state.kind === "running"),
      );
      return {
        running: states.flatMap(({ probe, state }) =>
          state.kind === "running" ? [{ ...probe, address: state.address }] : [],
        ),
        stuck: states.flatMap(({ probe, state }) =>
          state.kind === "running"
            ? []
            : [{ node: probe.node, role: probe.role, reason: reasons.get(probe.pod) ?? state.reason }],
        ),
      };
    }
    await sleep(400, undefined, { signal });
  }
}

type ProbeState = { kind: "running"; address: string } | { kind: "waiting" | "stuck"; reason: string };

/** Reasons of a waiting container that time does not mend. */
const hopeless = [
  "ImagePullBackOff",
  "InvalidImageName",
  "ErrImageNeverPull",
  "CreateContainerConfigError",
  "CreateContainerError",
  "RunContainerError",
];

/** Where a probe pod stands. */
export function probeState(pod: V1Pod | undefined): ProbeState {
  const status = pod?.status ?? {};
  const { running, waiting, terminated } = status.containerStatuses?.[0]?.state ?? {};
  if (running && status.podIP) return { kind: "running", address: status.podIP };
  if (waiting && hopeless.includes(waiting.reason ?? "")) return { kind: "stuck", reason: words(waiting) };
  if (terminated) return { kind: "stuck", reason: words(terminated) };
  if (status.phase === "Failed") return { kind: "stuck", reason: words(status) };
  return { kind: "waiting", reason: waiting?.reason ?? "the kubelet has not answered yet" };
}

function words(state: { reason?: string; message?: string }): string {
  return `${state.reason ?? "ended"}: ${state.message ?? "no details"}`;
}

/** The last warning about each pod: why a pod hangs in ContainerCreating stands only there. */
async function failureEvents(kube: Kube, namespace: string, allRun: boolean): Promise<Map<string, string>> {
  const reasons = new Map<string, string>();
  if (allRun) return reasons;
  try {
    const events = await kube.core.listNamespacedEvent({ namespace });
    for (const event of events.items) {
      if (event.type === "Warning") reasons.set(event.involvedObject.name ?? "", `${event.reason}: ${event.message}`);
    }
  } catch (error) {
    // Without the right to read events the container's own state has to do.
    if (statusOf(error) !== 403) throw error;
  }
  return reasons;
}
