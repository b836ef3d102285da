import { parseAllDocuments, stringify } from "yaml";
import type { JsonBag } from "../core/values";

/** Seconds that helm waits for a release when the program names no time. */
export const defaultTimeout = 300;

type Flag = [input: string, flag: string];

const sharedSwitches: Flag[] = [
  ["atomic", "--atomic"],
  ["dependencyUpdate", "--dependency-update"],
  ["devel", "--devel"],
  ["disableOpenapiValidation", "--disable-openapi-validation"],
  ["renderSubchartNotes", "--render-subchart-notes"],
  ["verify", "--verify"],
];
const installSwitches: Flag[] = [
  ["createNamespace", "--create-namespace"],
  ["disableWebhooks", "--no-hooks"],
  ["replace", "--replace"],
  ["skipCrds", "--skip-crds"],
  ["takeOwnership", "--take-ownership"],
];
const upgradeSwitches: Flag[] = [
  ["cleanupOnFail", "--cleanup-on-fail"],
  ["disableCRDHooks", "--no-hooks"],
  ["forceUpdate", "--force"],
  ["resetValues", "--reset-values"],
  ["reuseValues", "--reuse-values"],
];

/** Arguments of `helm install NAME CHART`; values come by standard input. */
export function installArgs(inputs: JsonBag): string[] {
  return ["install", ...target(inputs), ...switches(inputs, installSwitches), ...common(inputs)];
}

/** Arguments of `helm upgrade NAME CHART`; with `install` it also begins from a failed or absent release. */
export function upgradeArgs(inputs: JsonBag, install = false): string[] {
  const history = typeof inputs.maxHistory === "number" ? inputs.maxHistory : 0;
  const extra = install ? ["--install", ...switches(inputs, [["createNamespace", "--create-namespace"]])] : [];
  const own = [...switches(inputs, upgradeSwitches), "--history-max", String(history)];
  return ["upgrade", ...target(inputs), ...extra, ...own, ...common(inputs)];
}

/** Arguments of `helm uninstall NAME`. */
export function uninstallArgs(state: JsonBag): string[] {
  const wait = state.atomic === true || state.skipAwait !== true;
  return ["uninstall", String(state.name), ...namespace(state), ...(wait ? ["--wait", ...timeout(state)] : [])];
}

/** Arguments of `helm show chart CHART`. */
export function showChartArgs(inputs: JsonBag): string[] {
  return ["show", "chart", String(inputs.chart), ...chartSource(inputs), ...switches(inputs, [["devel", "--devel"]])];
}

function target(inputs: JsonBag): string[] {
  return [String(inputs.name), String(inputs.chart), ...namespace(inputs)];
}

function namespace(inputs: JsonBag): string[] {
  return ["--namespace", String(inputs.namespace)];
}

function timeout(inputs: JsonBag): string[] {
  return [
    "--timeout",
    `${typeof inputs.timeout === "number" && inputs.timeout > 0 ? inputs.timeout : defaultTimeout}s`,
  ];
}

function common(inputs: JsonBag): string[] {
  const awaits = inputs.skipAwait === true ? [] : ["--wait", ...switches(inputs, [["waitForJobs", "--wait-for-jobs"]])];
  const described = typeof inputs.description === "string" ? ["--description", inputs.description] : [];
  const rendered = typeof inputs.postrender === "string" ? ["--post-renderer", inputs.postrender] : [];
  const shared = [...chartSource(inputs), ...awaits, ...timeout(inputs), ...switches(inputs, sharedSwitches)];
  return [...shared, ...described, ...rendered, "--values", "-", "--output", "json"];
}

function chartSource(inputs: JsonBag): string[] {
  const options = (inputs.repositoryOpts ?? {}) as JsonBag;
  const flags: Flag[] = [
    ["repo", "--repo"],
    ["caFile", "--ca-file"],
    ["certFile", "--cert-file"],
    ["keyFile", "--key-file"],
  ];
  const version = typeof inputs.version === "string" && inputs.version !== "" ? ["--version", inputs.version] : [];
  const keyring = typeof inputs.keyring === "string" ? ["--keyring", inputs.keyring] : [];
  return [
    ...version,
    ...keyring,
    ...flags.flatMap(([key, flag]) => (options[key] ? [flag, String(options[key])] : [])),
  ];
}

function switches(inputs: JsonBag, flags: Flag[]): string[] {
  return flags.filter(([input]) => inputs[input] === true).map(([, flag]) => flag);
}

/** The values file: those of `valueYamlFiles` in order, then `values`; maps are merged, everything else is replaced. */
export function valuesFile(values: JsonBag, files: JsonBag[]): string {
  return stringify([...files, values].reduce(mergeMaps, {}));
}

/** Merges the second map into the first, deeply. */
export function mergeMaps(base: JsonBag, over: JsonBag): JsonBag {
  const merged: JsonBag = { ...base };
  for (const [key, value] of Object.entries(over)) {
    const old = merged[key];
    merged[key] = isMap(old) && isMap(value) ? mergeMaps(old, value) : value;
  }
  return merged;
}

function isMap(value: unknown): value is JsonBag {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}

/** Names of a manifest's objects, by `Kind.group/apiVersion`. */
export function resourceNames(manifest: string): { [kind: string]: string[] } {
  const names: { [kind: string]: string[] } = {};
  for (const document of parseAllDocuments(manifest, { logLevel: "silent" })) {
    const object = document.toJS() as { apiVersion?: string; kind?: string; metadata?: Metadata } | null;
    if (!object?.kind || !object.apiVersion) continue;
    const group = object.apiVersion.includes("/") ? `.${object.apiVersion.split("/")[0]}` : "";
    const { name = "", namespace: space } = object.metadata ?? {};
    (names[`${object.kind}${group}/${object.apiVersion}`] ??= []).push(space ? `${space}/${name}` : name);
  }
  return Object.fromEntries(Object.entries(names).map(([kind, list]) => [kind, [...new Set(list)].sort()]));
}

interface Metadata {
  name?: string;
  namespace?: string;
}
