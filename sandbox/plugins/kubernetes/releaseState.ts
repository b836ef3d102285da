import { autoname } from "../core/autoname";
import { canonical } from "../core/diff";
import { type CheckFailure, PartialFailure } from "../core/provider";
import { assetText, type Bag, hasSecret, type JsonBag, open, reveal, Secret, unknown } from "../core/values";
import type { LiveRelease } from "./helm";
import { defaultTimeout, mergeMaps, resourceNames } from "./releaseArgs";

/** The plugin's id of a release. */
export function idOf(release: JsonBag): string {
  return `${String(release.namespace)}/${String(release.name)}`;
}

/**
 * Completes the inputs of a release: a kept or made-up name, the provider's namespace, helm's time to wait.
 * @param news what the program says
 * @param olds the inputs recorded last, empty at first
 */
export function withDefaults(news: Bag, olds: Bag, namespace: string, name: string, seed: Uint8Array): Bag {
  // The SDK adds the first; the others are results that older SDKs accept as inputs.
  const { compat: _compat, resourceNames: _names, manifest: _manifest, ...inputs } = news;
  const given = (key: string): boolean => !["", null].includes(open(inputs[key] ?? null) as string | null);
  if (!given("name")) inputs.name = olds.name ?? autoname(name, seed, 8);
  if (!given("namespace")) inputs.namespace = namespace;
  if (!given("timeout") && open(inputs.skipAwait ?? null) !== true) inputs.timeout = defaultTimeout;
  return inputs;
}

/** Inputs that only the real plugin can serve. */
export function refusedInputs(inputs: Bag): CheckFailure[] {
  const failures: CheckFailure[] = [];
  const repository = reveal(inputs.repositoryOpts ?? null) as JsonBag | null;
  for (const key of ["username", "password"]) {
    if (!repository?.[key]) continue;
    const reason = "the sandbox's stand-in takes charts from open repositories only; drop it, or use the real plugin";
    failures.push({ property: `repositoryOpts.${key}`, reason });
  }
  const files = open(inputs.valueYamlFiles ?? []);
  if (Array.isArray(files) && files.some((file) => open(file) !== unknown && assetText(file) === undefined)) {
    const reason = "the sandbox's stand-in reads pulumi.asset.StringAsset only";
    failures.push({ property: "valueYamlFiles", reason });
  }
  return failures;
}

/** What a preview knows of a release. */
export function previewState(inputs: Bag): Bag {
  return { ...inputs, resourceNames: unknown, status: unknown };
}

/** The state after helm did its work. */
export function stateOf(inputs: Bag, live: LiveRelease): Bag {
  const chart = live.chart?.metadata;
  return {
    ...inputs,
    ...(chart === undefined ? {} : { version: chart.version }),
    resourceNames: resourceNames(live.manifest ?? ""),
    status: {
      name: live.name,
      namespace: live.namespace,
      revision: live.version,
      status: live.info.status,
      chart: chart?.name ?? null,
      version: chart?.version ?? null,
      appVersion: chart?.appVersion ?? null,
    },
  };
}

/** As a refresh finds it: values that were changed by hand show as such, secret if the recorded ones were. */
export function refreshed(state: Bag, live: LiveRelease): Bag {
  const recorded = (reveal(state.values ?? {}) ?? {}) as JsonBag;
  const merged = mergeMaps(recorded, live.config ?? {});
  if (canonical(merged) === canonical(recorded)) return state;
  return { ...state, values: hasSecret(state.values) ? new Secret(merged) : merged };
}

/** The inputs that lead to a release found in the cluster. */
export function importedInputs(live: LiveRelease): Bag {
  const chart = live.chart?.metadata;
  return {
    name: live.name,
    namespace: live.namespace,
    timeout: defaultTimeout,
    values: live.config ?? {},
    ...(chart === undefined ? {} : { chart: chart.name, version: chart.version }),
  };
}

/** A release that exists but is not well: recorded, so that the next update goes on with it. */
export function partialRelease(what: string, id: string, inputs: Bag, live: LiveRelease, cause: Error): PartialFailure {
  const reason = `failed to become available within allocated timeout. Error: Helm Release ${id}: ${cause.message}`;
  return new PartialFailure(`${what}. Use Helm CLI to investigate: ${reason}`, id, stateOf(inputs, live));
}
