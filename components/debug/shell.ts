import { cannot, CannotRun, type Kube } from "../doctor/kube";
import { defaultProbeImage } from "../doctor/probePods";
import { findPodProcess } from "./podProcess";
import { type FoundPod, podName, type PodRef } from "./pods";

/** What a debugging session is wanted for. */
export interface ShellOptions {
  /** Default: the doctor's image, netshoot at a fixed version. */
  image?: string;
  /** Container whose processes are shown. Default: the pod's first. */
  container?: string;
  /** Look from the node instead: works where pod security refuses NET_ADMIN in the pod, and leaves nothing in the pod. */
  viaNode?: boolean;
  /** What to run. Default: bash. */
  command?: string[];
  /** Whether somebody sits at a terminal. */
  terminal: boolean;
  /**
   * Whether a command begins only once kubectl is attached, which is some time after its container began: what it prints until then is
   * lost. At a terminal that shows by the terminal's size; elsewhere the first line of the input tells it, which must be written for it.
   */
  waits?: boolean;
}

const waitForSize = 'for i in $(seq 100); do [ "$(stty size 2>/dev/null)" = "0 0" ] || break; sleep 0.1; done; ';
const waitForLine = "read -r line; ";

/** Levels of pod security under which a pod may not have NET_ADMIN or NET_RAW added (Kubernetes, pod security standards). */
const refusingLevels = ["baseline", "restricted"];

/**
 * Arguments of the kubectl that opens a session with network tools in a pod.
 *
 * kubectl's own default profile gives no NET_RAW, so tcpdump would see nothing; `netadmin` does. Pod security may refuse that: then only
 * the node is left, from which the pod's network namespace is entered.
 * @param enforced level of pod security that the namespace enforces; undefined: none
 * @throws CannotRun where pod security refuses, with what to do
 */
export function shellCommand(
  ref: PodRef,
  pod: FoundPod,
  enforced: string | undefined,
  { image = defaultProbeImage, container, viaNode, command, terminal, waits }: ShellOptions,
): string[] {
  const wait = !waits || !command ? "" : terminal ? waitForSize : waitForLine;
  const session = ["--image", image, "--stdin", ...(terminal ? ["--tty"] : []), "--attach"];
  if (viaNode) {
    const inside = command ?? ["bash"];
    const enter = ["bash", "-c", `${wait}${enterScript}`, pod.uid, ...inside];
    return [
      "debug",
      `node/${pod.node}`,
      "--namespace",
      nodeNamespace,
      ...session,
      "--profile",
      "sysadmin",
      "--",
      ...enter,
    ];
  }
  const target = container ?? pod.containers[0] ?? "";
  if (!pod.containers.includes(target)) {
    throw new CannotRun(`The pod ${podName(ref)} has no container ${target}; it has ${pod.containers.join(", ")}.`);
  }
  if (refusingLevels.includes(enforced ?? "")) {
    throw new CannotRun(
      `The namespace ${ref.namespace} enforces pod security "${enforced}", which refuses NET_ADMIN and NET_RAW in its pods. ` +
        "Look from the node instead: add --via-node.",
    );
  }
  const run = command ? ["--", ...(wait ? ["sh", "-c", `${wait}exec "$@"`, "sh"] : []), ...command] : [];
  return [
    "debug",
    ref.name,
    "--namespace",
    ref.namespace,
    ...session,
    "--target",
    target,
    "--profile",
    "netadmin",
    ...run,
  ];
}

/** Where kubectl makes its pod for a node: pod security is never enforced there. */
const nodeNamespace = "kube-system";

/** Seconds after which a session from a node ends whatever it does: the pod is root on its node, and a lost connection would leave it running. */
export const nodeSessionLimit = 4 * 60 * 60;

/** Enters the network of the pod whose UID is $0, and runs the rest there. `exec` keeps the number that the watch knows. */
const enterScript =
  `pid=$(${findPodProcess("0")}); ` +
  '[ -n "$pid" ] || { echo "no process of the pod was found on this node" >&2; exit 1; }; ' +
  // Kubernetes makes one dollar of two in a row, so bash's own number has this name.
  `self=$BASHPID; (sleep ${nodeSessionLimit}; kill -KILL "$self") >/dev/null 2>&1 & ` +
  'exec nsenter --target "$pid" --net "$@"';

/** The level of pod security that a namespace enforces, if any. */
export async function enforcedLevel(kube: Kube, namespace: string): Promise<string | undefined> {
  try {
    const { metadata } = await kube.core.readNamespace({ name: namespace });
    return metadata?.labels?.["pod-security.kubernetes.io/enforce"];
  } catch (error) {
    throw cannot(`read the namespace ${namespace}`, error, kube.server);
  }
}
