import { parse } from "yaml";
import { diffValues, ignoreProperties } from "../core/diff";
import type { Call, ResourceHandler } from "../core/provider";
import {
  assetText,
  type Bag,
  hasUnknown,
  type JsonBag,
  open,
  redact,
  reveal,
  revealBag,
  secretTexts,
} from "../core/values";
import { type ChartMetadata, helm, HelmError, type LiveRelease } from "./helm";
import { installArgs, showChartArgs, uninstallArgs, upgradeArgs, valuesFile } from "./releaseArgs";
import {
  idOf,
  importedInputs,
  partialRelease,
  previewState,
  refreshed,
  refusedInputs,
  stateOf,
  withDefaults,
} from "./releaseState";

/** The settings of the provider that releases and objects need. */
export interface ClusterAccess {
  /** Content of the kubeconfig; undefined: helm finds its own. */
  kubeconfig?: string;
  /** The kubeconfig's context to use; undefined: its current one. */
  context?: string;
  /** Namespace of releases and objects that name none. */
  namespace: string;
  /** Forget releases and objects of a cluster that cannot be reached. */
  deleteUnreachable: boolean;
}

/** `kubernetes:helm.sh/v3:Release`, by the helm program. */
export function releaseResource(access: () => ClusterAccess): ResourceHandler {
  const runHelm = (args: string[], call: Call, inputs: Bag = {}, stdin?: string): Promise<string> =>
    helm({ args, kubeconfig: access().kubeconfig, stdin, signal: call.signal }).catch((error: unknown) => {
      const message = redact((error as Error).message, secretTexts(inputs));
      throw error instanceof HelmError ? new HelmError(message) : error;
    });

  return {
    check: async ({ olds, news, seed, ...call }) => {
      const inputs = withDefaults(news, olds, access().namespace, call.name, seed);
      const failures = refusedInputs(inputs);
      if (failures.length > 0 || hasUnknown(inputs)) return { inputs, failures };
      try {
        const chart = parse(await runHelm(showChartArgs(revealBag(inputs)), call)) as ChartMetadata;
        return { inputs: { ...inputs, version: chart.version }, failures };
      } catch (error) {
        const reason = `${(error as Error).message}; check the chart name and repository configuration.`;
        return { inputs, failures: [{ property: "chart", reason }] };
      }
    },

    diff: async ({ state, oldInputs, inputs, ignoreChanges }) => {
      const news = ignoreProperties(inputs, state, ignoreChanges);
      const keys = [...new Set([...Object.keys(oldInputs), ...Object.keys(news)])].sort();
      const changes = keys.flatMap((key) => diffValues(key, state[key], news[key]));
      return {
        changes: changes.map((change) => ({ ...change, replace: ["name", "namespace"].includes(change.path) })),
        deleteBeforeReplace: false,
      };
    },

    create: async ({ inputs, preview, ...call }) => {
      if (preview) return { id: "", state: previewState(inputs) };
      const plain = revealBag(inputs);
      const id = idOf(plain);
      try {
        const args = await argsFor(plain, call, true);
        return { id, state: stateOf(inputs, await install(args, inputs, call)) };
      } catch (error) {
        const live = await existing(plain, call);
        if (live === undefined || live.info.status === "deployed") throw unreachable("create", error);
        const what = `Helm release "${id}" was created, but failed to initialize completely`;
        throw partialRelease(what, id, inputs, live, error as Error);
      }
    },

    read: async ({ id, state, oldInputs, ...call }) => {
      const [namespace = access().namespace, name = ""] = id.includes("/") ? id.split("/") : [undefined, id];
      try {
        const live = await status({ name, namespace }, call);
        if (live === undefined) return null;
        const inputs = Object.keys(oldInputs).length > 0 ? oldInputs : importedInputs(live);
        return { id, inputs, state: refreshed(stateOf(inputs, live), live) };
      } catch (error) {
        if (!(error instanceof HelmError) || !error.unreachable) throw error;
        call.log.warning(`configured Kubernetes cluster is unreachable: ${error.message}`);
        if (access().deleteUnreachable) return null;
        throw new Error(`configured Kubernetes cluster is unreachable: ${error.message}`, { cause: error });
      }
    },

    update: async ({ id, inputs, preview, ...call }) => {
      if (preview) return previewState(inputs);
      const plain = revealBag(inputs);
      try {
        const args = await argsFor(plain, call, false);
        return stateOf(inputs, await install(args, inputs, call));
      } catch (error) {
        const live = await existing(plain, call);
        if (live === undefined || live.info.status === "deployed") throw unreachable("update", error);
        const what = `Helm release "${id}" failed to initialize completely`;
        throw partialRelease(what, id, inputs, live, error as Error);
      }
    },

    delete: async ({ state, ...call }) => {
      try {
        await runHelm(uninstallArgs(revealBag(state)), call, state);
      } catch (error) {
        if (!(error instanceof HelmError) || !error.unreachable) throw error;
        const reason = JSON.stringify(error.message);
        throw new Error(`can't delete Helm Release with unreachable cluster. Reason: ${reason}`, { cause: error });
      }
    },
  };

  async function install(args: string[], inputs: Bag, call: Call): Promise<LiveRelease> {
    const files = open(inputs.valueYamlFiles ?? []);
    const texts = Array.isArray(files) ? files.map((file) => parse(assetText(file) ?? "") as JsonBag) : [];
    const values = valuesFile((reveal(inputs.values ?? {}) ?? {}) as JsonBag, texts);
    return JSON.parse(await runHelm(args, call, inputs, values)) as LiveRelease;
  }

  async function status(release: JsonBag, call: Call): Promise<LiveRelease | undefined> {
    const where = [String(release.name), "--namespace", String(release.namespace), "--output", "json"];
    try {
      const live = JSON.parse(await runHelm(["status", ...where], call)) as LiveRelease;
      // The status leaves out the chart.
      interface Metadata {
        chart: string;
        version: string;
        appVersion?: string;
      }
      const { chart, ...versions } = JSON.parse(await runHelm(["get", "metadata", ...where], call)) as Metadata;
      return { ...live, chart: { metadata: { name: chart, ...versions } } };
    } catch (error) {
      if (error instanceof HelmError && error.notFound) return undefined;
      throw error;
    }
  }

  /** As status, when an error is already being handled: it must not hide that one. */
  function existing(release: JsonBag, call: Call): Promise<LiveRelease | undefined> {
    return status(release, { ...call, signal: new AbortController().signal }).catch(() => undefined);
  }

  /** The arguments to go on with: an operation that was interrupted or failed before is cleared away first. */
  async function argsFor(plain: JsonBag, call: Call, first: boolean): Promise<string[]> {
    const where = [String(plain.name), "--namespace", String(plain.namespace)];
    const found = (await status(plain, call))?.info.status ?? "absent";
    if (found === "pending-install") {
      call.log.warning(`Helm release "${idOf(plain)}" was left half installed by an interrupted update; starting anew`);
      await runHelm(["uninstall", ...where], call);
      return installArgs(plain);
    }
    if (found === "pending-upgrade" || found === "pending-rollback") {
      call.log.warning(`Helm release "${idOf(plain)}" was left locked by an interrupted update; rolling it back first`);
      await runHelm(["rollback", ...where], call);
      return upgradeArgs(plain);
    }
    if (found === "failed") return upgradeArgs(plain, true);
    return first ? installArgs(plain) : upgradeArgs(plain);
  }
}

function unreachable(doing: string, error: unknown): unknown {
  if (!(error instanceof HelmError) || !error.unreachable) return error;
  return new Error(`can't ${doing} Helm Release with unreachable cluster: ${error.message}`, { cause: error });
}
