import { existsSync, readFileSync } from "node:fs";
import type { PluginProvider, ResourceHandler } from "../core/provider";
import { revealBag } from "../core/values";
import { isObjectToken } from "./kinds";
import { diffSettings, namespaceOf } from "./kubeconfig";
import { objectResource } from "./object";
import { type ClusterAccess, releaseResource } from "./release";

/** The stand-in for the kubernetes plugin. */
export function kubernetesProvider(version: string): PluginProvider {
  let access: ClusterAccess = { namespace: "default", deleteUnreachable: false };
  const release = releaseResource(() => access);
  const object = objectResource(() => access);
  return {
    name: "kubernetes",
    version,
    diffConfig: diffSettings,
    configure: async (config) => {
      const { kubeconfig, namespace, context, deleteUnreachable } = revealBag(config);
      const content = contentOf(kubeconfig);
      access = {
        kubeconfig: content,
        ...(typeof context === "string" && context !== "" ? { context } : {}),
        namespace: String(namespace ?? namespaceOf(content, context) ?? "default"),
        // The SDK sends switches as JSON texts.
        deleteUnreachable: String(deleteUnreachable ?? process.env.PULUMI_K8S_DELETE_UNREACHABLE) === "true",
      };
    },
    resource: (type): ResourceHandler | undefined => {
      if (type === "kubernetes:helm.sh/v3:Release") return release;
      return isObjectToken(type) ? object : undefined;
    },
    invoke: () => undefined,
  };
}

/** The setting holds a kubeconfig or the path of one. */
function contentOf(kubeconfig: unknown): string | undefined {
  if (typeof kubeconfig !== "string" || kubeconfig === "") return undefined;
  return !kubeconfig.includes("\n") && existsSync(kubeconfig) ? readFileSync(kubeconfig, "utf8") : kubeconfig;
}
