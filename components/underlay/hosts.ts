import type * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import type { ClusterContext } from "../context";
import type { ControlPlane } from "../kubeadm/bootstrap";
import { type NodeConnection, type NodeLogin, remoteStep } from "../node/remote";
import { type PreparedNode, prepareNode } from "../node/steps";
import { dismantleScript, firstLookScript, type HostsUnderlayPlan, type NodePlan, preflightScript } from "../plan";
import type { UnderlayMachine } from "./machine";

/** What opens existing hosts: a key, or an agent that has it. */
export type HostKeyring = Pick<NodeLogin, "privateKey" | "agentSocketPath">;

/** Looks at every existing machine before anything on it changes, then puts each node's files into effect. */
export function provisionHosts(
  context: ClusterContext,
  underlay: HostsUnderlayPlan,
  keyring: HostKeyring,
): { prepared: PreparedNode[]; routes: pulumi.Resource[] } {
  const prepared = context.plan.nodes.map((node) => {
    const connection = connectionTo(underlay, node, keyring);
    return prepareNode(context, checkHost(context, underlay, node, connection), connection, false);
  });
  return { prepared, routes: [] };
}

function connectionTo(underlay: HostsUnderlayPlan, node: NodePlan, keyring: HostKeyring): NodeConnection {
  const host = underlay.machines[node.name];
  if (host === undefined) throw new RangeError(`${node.name} has no machine`);
  return {
    ...keyring,
    host: host.address,
    hostKey: host.hostKey,
    port: host.sshPort,
    user: underlay.user,
  };
}

/** Registers the preflight, which stands for the machine: when it goes, the machine is freed of what the library put there. */
function checkHost(
  context: ClusterContext,
  underlay: HostsUnderlayPlan,
  node: NodePlan,
  connection: NodeConnection,
): UnderlayMachine {
  const { address = "", sshPort = 22 } = underlay.machines[node.name] ?? {};
  const id = `${address}:${sshPort}`;
  const resource = remoteStep(context, `preflight-${node.name}`, {
    node: node.name,
    connection,
    prelude: firstLookScript(underlay, node),
    script: preflightScript(underlay, node),
    deleteScript: dismantleScript,
    triggers: [id],
    timeoutSeconds: 120,
    // The node's name moves with it: the old machine leaves the cluster before its successor comes.
    opts: { deleteBeforeReplace: true },
  });
  return { node, resource, id, publicAddress: pulumi.output(address) };
}

/** Registers the range that Services of type LoadBalancer get their addresses from, and who announces them. Nothing without a range. */
export function announceServices(
  context: ClusterContext,
  { prepared, init }: ControlPlane,
  cilium: pulumi.Resource,
): command.remote.Command[] {
  const { underlay, name } = context.plan;
  if (underlay.kind !== "hosts" || underlay.serviceObjects === undefined) return [];
  const kinds = underlay.serviceObjects.map(({ kind }) => `${String(kind).toLowerCase()}s.cilium.io`);
  const objects = JSON.stringify({ apiVersion: "v1", kind: "List", items: underlay.serviceObjects }, null, 2);
  return [
    remoteStep(context, `services-${name}`, {
      node: prepared.node.name,
      connection: prepared.connection,
      script: `
export KUBECONFIG=/etc/kubernetes/admin.conf
# Cilium's operator brings these types, some seconds after its release.
for kind in ${kinds.map((kind) => kind.replace("policys", "policies")).join(" ")}; do
  for attempt in $(seq 1 300); do
    if kubectl wait --for=condition=Established --timeout=60s "crd/$kind" >/dev/null 2>&1; then break; fi
    if [ "$attempt" = 300 ]; then echo "Cilium's operator did not bring the type $kind within 300 s" >&2; exit 1; fi
    sleep 1
  done
done
kubectl apply --server-side --force-conflicts --field-manager=zerosteal -f - >/dev/null <<'END_OF_OBJECTS'
${objects}
END_OF_OBJECTS
`,
      deleteScript: `kubectl --kubeconfig=/etc/kubernetes/admin.conf delete --ignore-not-found ciliumloadbalancerippool,ciliuml2announcementpolicy ${name}-services >/dev/null`,
      machine: prepared.machine,
      timeoutSeconds: 600,
      opts: { dependsOn: [init, cilium] },
    }),
  ];
}
