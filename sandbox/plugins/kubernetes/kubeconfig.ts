import { parse } from "yaml";
import { type DiffResult, diffBags, equalValues, propertyOf } from "../core/diff";
import { type Bag, open, reveal, unknown } from "../core/values";

interface Kubeconfig {
  "current-context"?: string;
  contexts?: { name: string; context?: { cluster?: string; namespace?: string } }[];
  clusters?: { name: string; cluster?: unknown }[];
}

/** Reads the content of a kubeconfig. Undefined if it is none. */
export function parseKubeconfig(content: unknown): Kubeconfig | undefined {
  if (typeof content !== "string") return undefined;
  const parsed: unknown = parse(content, { logLevel: "silent" });
  return parsed !== null && typeof parsed === "object" ? parsed : undefined;
}

/** The namespace of the chosen context, or of the current one. */
export function namespaceOf(content: unknown, context?: unknown): string | undefined {
  const config = parseKubeconfig(content);
  const name = context ?? config?.["current-context"];
  return config?.contexts?.find((entry) => entry.name === name)?.context?.namespace;
}

const clusterChoice = ["kubeconfig", "context", "cluster"];

/**
 * Whether changed provider settings mean another cluster, and with it new objects. A kubeconfig that is unknown or
 * leads to a different cluster replaces; a cluster identifier that stays the same says that nothing is replaced, and
 * one that changes replaces.
 */
export function diffSettings(olds: Bag, news: Bag): DiffResult {
  const changes = diffBags(olds, news);
  const changed = new Set(changes.map((change) => propertyOf(change.path)));
  const replacing = replacingSettings(olds, news, changed);
  return {
    changes: changes.map((change) => ({ ...change, replace: replacing.has(propertyOf(change.path)) })),
    deleteBeforeReplace: false,
  };
}

function replacingSettings(olds: Bag, news: Bag, changed: Set<string>): Set<string> {
  const [before, after] = [text(olds.clusterIdentifier), text(news.clusterIdentifier)];
  if (after !== undefined && before === after) return new Set();
  const identified = before !== undefined && after !== undefined ? ["clusterIdentifier"] : [];
  const unknowns = clusterChoice.filter((key) => open(news[key] ?? null) === unknown);
  if (unknowns.length > 0) return new Set([...identified, ...unknowns]);
  const [oldCluster, newCluster] = [activeCluster(olds), activeCluster(news)];
  const moved = oldCluster !== undefined && newCluster !== undefined && !equalValues(oldCluster, newCluster);
  return new Set([...identified, ...(moved ? clusterChoice.filter((key) => changed.has(key)) : [])]);
}

/** The cluster entry that the settings lead to. */
function activeCluster(settings: Bag): Bag | undefined {
  const config = parseKubeconfig(text(settings.kubeconfig));
  if (config === undefined) return undefined;
  const contextName = text(settings.context) ?? config["current-context"];
  const context = config.contexts?.find((entry) => entry.name === contextName)?.context;
  const clusterName = text(settings.cluster) ?? context?.cluster;
  return config.clusters?.find((entry) => entry.name === clusterName)?.cluster as Bag | undefined;
}

function text(value: Bag[string] | undefined): string | undefined {
  const revealed = reveal(value ?? null);
  return typeof revealed === "string" && revealed !== "" ? revealed : undefined;
}
