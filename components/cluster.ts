import type * as kubernetes from "@pulumi/kubernetes";
// A file alone: the package as a whole loads a hundred more, which is most of the time that an import of ours would take.
import { Provider } from "@pulumi/kubernetes/provider";
import * as pulumi from "@pulumi/pulumi";
import { installCilium } from "./cilium/release";
import { childOptions, type ClusterContext, type Transform } from "./context";
import { type DoctorArgs, verifyCluster } from "./doctor/resource";
import { initControlPlane, joinWorker, operatorKubeconfig } from "./kubeadm/bootstrap";
import { keptKeyPair } from "./node/keys";
import type { PreparedNode } from "./node/steps";
import { type ClusterArgs, type ClusterPlan, type NodePlan, planCluster, PlanError } from "./plan";
import { type HetznerTransforms, type OperatorKey, provisionHetzner } from "./underlay/hetzner";
import { announceServices, provisionHosts } from "./underlay/hosts";
import type { UnderlayMachine } from "./underlay/machine";

/** Arguments of a TunedCluster: the plain ones that decide its shape, and those that may be Outputs. */
export interface TunedClusterArgs extends ClusterArgs {
  /**
   * The operator's SSH key pair. Default: one is made and kept in the state, encrypted. Existing hosts know their own: give the private half
   * that they let in, or `sshAgent`.
   */
  sshKey?: {
    /** OpenSSH line. Not used with existing hosts. */
    publicKey?: pulumi.Input<string>;
    /** OpenSSH or PEM text without a passphrase. Always kept as a secret. */
    privateKey: pulumi.Input<string>;
    /** Id or name of the key in the cloud, if the project has it already: the cloud takes no second one with the same fingerprint. */
    existing?: pulumi.Input<string>;
  };
  /** Socket of an SSH agent that holds the key for existing hosts, e.g. the value of SSH_AUTH_SOCK. Default: `sshKey` is used. */
  sshAgent?: string;
  /** Token with which the doctor reads the cloud's routes. Default: configuration `hcloud:token`, else HCLOUD_TOKEN of the environment. */
  hcloudToken?: pulumi.Input<string>;
  /** Raise it to have a new operator certificate made; the old one stays valid until it expires. Default 1. */
  kubeconfigGeneration?: number;
  /** Settings of the doctor's run. */
  doctor?: DoctorArgs;
  /** Hooks into children that no argument covers. */
  transform?: HetznerTransforms & {
    /** Hook into the Helm release of Cilium. */
    cilium?: Transform<kubernetes.helm.v3.ReleaseArgs>;
  };
}

/** A node as the outside sees it. */
export interface ClusterNode {
  name: string;
  role: NodePlan["role"];
  publicAddress: pulumi.Output<string>;
  privateAddress: string;
  podCidr: string;
}

/**
 * A Kubernetes cluster tuned for network latency: planned whole before anything is created, applied by dull loops, and verified live.
 *
 * @example
 * const cluster = new TunedCluster("prod", {
 *   underlay: hetzner({ location: "fsn1" }),
 *   access: { ssh: ["203.0.113.7/32"], api: ["203.0.113.7/32"] },
 *   controlPlane: { serverType: "ccx13" },
 *   pools: [{ name: "web", count: 2, serverType: "ccx23" }],
 * });
 * export const kubeconfig = cluster.kubeconfig;
 */
export class TunedCluster extends pulumi.ComponentResource {
  /** Operator's kubeconfig, secret: the control plane's public address, a client certificate good for a year. */
  public readonly kubeconfig: pulumi.Output<string>;
  /** JSON report of the doctor's last run within an update. */
  public readonly doctorReport: pulumi.Output<string>;
  /** Public address of each node by name. */
  public readonly addresses: pulumi.Output<Record<string, string>>;
  /** Everything that was known before anything was created. */
  public readonly plan: ClusterPlan;
  /** Nodes, control planes first. */
  public readonly nodes: ClusterNode[];
  /** Provider for further Kubernetes resources on this cluster. */
  public readonly provider: kubernetes.Provider;

  /** @throws ResourceError that lists every problem of the arguments, before any resource is registered */
  constructor(name: string, args: TunedClusterArgs, opts: pulumi.ComponentResourceOptions = {}) {
    const { sshKey, sshAgent, hcloudToken, kubeconfigGeneration = 1, doctor = {}, transform = {}, ...plain } = args;
    super("zerosteal:index:TunedCluster", name, plain, opts);
    this.plan = planFor(this, name, plain);
    const context: ClusterContext = { parent: this, plan: this.plan };
    const { underlay } = this.plan;

    const { prepared, routes } =
      underlay.kind === "hosts"
        ? provisionHosts(context, underlay, hostLogin(this, sshKey, sshAgent))
        : provisionHetzner(context, underlay, operatorKey(context, sshKey), transform);
    const [first, ...workers] = prepared as [PreparedNode, ...PreparedNode[]];
    const controlPlane = initControlPlane(context, first);
    this.kubeconfig = operatorKubeconfig(context, controlPlane, kubeconfigGeneration);
    this.provider = kubernetesProvider(context, this.kubeconfig);
    const cilium = installCilium(context, this.provider, first.machine.resource, transform.cilium);
    const announced = announceServices(context, controlPlane, cilium);
    const joins = workers.map((worker) => joinWorker(context, controlPlane, worker));

    const token = hcloudToken ?? new pulumi.Config("hcloud").getSecret("token");
    const verified = verifyCluster(context, this.kubeconfig, token, doctor, [
      cilium,
      ...announced,
      ...joins,
      ...routes,
    ]);
    this.doctorReport = verified.stdout;
    this.nodes = prepared.map(({ machine }) => describeNode(machine));
    this.addresses = pulumi.output(Object.fromEntries(this.nodes.map((node) => [node.name, node.publicAddress])));
    this.registerOutputs({ kubeconfig: this.kubeconfig, doctorReport: this.doctorReport, addresses: this.addresses });
  }
}

function planFor(component: TunedCluster, name: string, args: ClusterArgs): ClusterPlan {
  try {
    return planCluster(name, args);
  } catch (error) {
    if (error instanceof PlanError) throw new pulumi.ResourceError(error.message, component, true);
    throw error;
  }
}

function operatorKey(context: ClusterContext, given: TunedClusterArgs["sshKey"]): OperatorKey {
  if (!given) return keptKeyPair(context, `operator-${context.plan.name}`, "ed25519");
  if (given.publicKey === undefined) {
    throw new pulumi.ResourceError(
      "sshKey.publicKey: is missing; give the OpenSSH line of the key",
      context.parent,
      true,
    );
  }
  return {
    publicKey: pulumi.output(given.publicKey),
    privateKey: pulumi.secret(given.privateKey),
    existing: given.existing,
  };
}

/** How existing hosts are logged into: they know nothing of a key that was made here. */
function hostLogin(
  component: TunedCluster,
  key: TunedClusterArgs["sshKey"],
  agent: string | undefined,
): { privateKey: pulumi.Output<string> } | { agentSocketPath: string } {
  if (key) return { privateKey: pulumi.secret(key.privateKey) };
  if (agent !== undefined) return { agentSocketPath: agent };
  const message = "sshKey: is missing; existing hosts let in a key of yours: give its private half, or sshAgent";
  throw new pulumi.ResourceError(message, component, true);
}

function kubernetesProvider(context: ClusterContext, kubeconfig: pulumi.Output<string>): kubernetes.Provider {
  const name = context.plan.name;
  return new Provider(
    name,
    {
      kubeconfig,
      // Without it an unknown kubeconfig at preview plans the replacement of everything in the cluster.
      clusterIdentifier: `${pulumi.getProject()}-${pulumi.getStack()}-${name}`,
      deleteUnreachable: true,
    },
    childOptions(context),
  );
}

function describeNode({ node, publicAddress }: UnderlayMachine): ClusterNode {
  const { name, role, privateAddress, podCidr } = node;
  return { name, role, publicAddress, privateAddress, podCidr };
}
