import type * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import type { ClusterContext } from "../context";
import type { PreparedNode } from "../node/steps";
import { remoteStep } from "../node/remote";
import { operatorDocument } from "./kubeconfig";
import { admitScript, dismissScript, initScript, joinScript, kubeconfigScript } from "./scripts";

/** The first control plane, running. */
export interface ControlPlane {
  prepared: PreparedNode;
  init: command.remote.Command;
  /** `sha256:` and the hash of the cluster CA's public key: what a joining worker trusts. */
  caHash: pulumi.Output<string>;
}

/** Registers `kubeadm init` on the first control plane. */
export function initControlPlane(context: ClusterContext, prepared: PreparedNode): ControlPlane {
  const init = remoteStep(context, `init-${prepared.node.name}`, {
    node: prepared.node.name,
    connection: prepared.connection,
    script: initScript(prepared.node),
    stdin: pulumi.interpolate`${prepared.machine.id}\n`,
    machine: prepared.machine,
    timeoutSeconds: 900,
    opts: { dependsOn: [prepared.prepared] },
  });
  return { prepared, init, caHash: init.stdout };
}

/** Registers a worker's admission on the control plane and its join. Nothing of another node changes. */
export function joinWorker(
  context: ClusterContext,
  controlPlane: ControlPlane,
  worker: PreparedNode,
): command.remote.Command {
  const { node, machine } = worker;
  const admit = remoteStep(context, `admit-${node.name}`, {
    node: controlPlane.prepared.node.name,
    connection: controlPlane.prepared.connection,
    script: admitScript(node),
    deleteScript: dismissScript(node),
    stdin: pulumi.interpolate`${machine.id}\n`,
    secretOutput: true,
    machine: controlPlane.prepared.machine,
    triggers: [machine.id],
    timeoutSeconds: 300,
    // The token is for one join and ends by itself after two hours: a later wording of the script must not make another.
    opts: { dependsOn: [controlPlane.init], ignoreChanges: ["create"] },
  });
  return remoteStep(context, `join-${node.name}`, {
    node: node.name,
    connection: worker.connection,
    script: joinScript(node),
    stdin: pulumi.secret(pulumi.interpolate`${admit.stdout}\n${controlPlane.caHash}\n`),
    machine,
    timeoutSeconds: 600,
    opts: { dependsOn: [worker.prepared, admit] },
  });
}

/**
 * Registers the making of the operator's kubeconfig and gives it with the control plane's public address and the planned API name, so that
 * its certificate holds whatever the address is.
 * @param generation raise it to have a new client certificate made
 */
export function operatorKubeconfig(
  context: ClusterContext,
  controlPlane: ControlPlane,
  generation: number,
): pulumi.Output<string> {
  const { api } = context.plan;
  const made = remoteStep(context, `kubeconfig-${context.plan.name}`, {
    node: controlPlane.prepared.node.name,
    connection: controlPlane.prepared.connection,
    script: kubeconfigScript(),
    secretOutput: true,
    machine: controlPlane.prepared.machine,
    triggers: [controlPlane.prepared.machine.id, generation],
    timeoutSeconds: 120,
    opts: { dependsOn: [controlPlane.init], ignoreChanges: ["create"] },
  });
  return pulumi.secret(
    pulumi
      .all([made.stdout, controlPlane.prepared.machine.publicAddress])
      .apply(([answer, address]) =>
        operatorDocument(answer, { cluster: context.plan.name, address, port: api.port, name: api.name }),
      ),
  );
}
