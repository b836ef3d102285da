import type * as kubernetes from "@pulumi/kubernetes";
import { Release } from "@pulumi/kubernetes/helm/v3/release";
import type * as pulumi from "@pulumi/pulumi";
import { childOptions, type ClusterContext, type Transform, transformed } from "../context";

/** Registers Cilium as a Helm release. Not awaited: its agents become ready as nodes join, which is what the doctor waits for and proves. */
export function installCilium(
  context: ClusterContext,
  provider: kubernetes.Provider,
  machine: pulumi.CustomResource,
  transform: Transform<kubernetes.helm.v3.ReleaseArgs> | undefined,
): kubernetes.helm.v3.Release {
  const { cilium, name } = context.plan;
  return new Release(
    ...transformed<kubernetes.helm.v3.ReleaseArgs>(
      transform,
      `cilium-${name}`,
      {
        name: cilium.release,
        namespace: cilium.namespace,
        chart: cilium.chart,
        // A chart in a folder or archive carries its own version.
        version: cilium.repository ? cilium.version : undefined,
        repositoryOpts: cilium.repository ? { repo: cilium.repository } : undefined,
        values: cilium.values,
        skipAwait: true,
      },
      // Helm cannot uninstall from a cluster that is gone, and need not.
      childOptions(context, { provider, deletedWith: machine }),
    ),
  );
}
