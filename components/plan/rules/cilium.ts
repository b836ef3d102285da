import semver from "semver";
import { plannedValues } from "../cilium";
import { chartKeys, chartKeysOf, removedKeys } from "../ciliumKeys";
import { isPlainObject, leafPaths, type JsonObject } from "../merge";
import { suggest } from "../problems";
import { defaults, isChartLocation } from "../resolve";
import { defaultVersions, isVersion, minorOf } from "../versions";
import { findingIf, type Rule, type Subject } from "./rule";
import { urlFindings } from "./url";

/** Rules about Cilium's chart and Helm values. */
export const ciliumRules: Rule[] = [
  {
    id: "cilium-chart",
    acceptable: false,
    why: "Helm would look for a chart of that name and find none.",
    check: ({ args }) => {
      const chart = args.cilium?.chart;
      return findingIf(
        chart !== undefined && (chart === "" || /\s/.test(chart)),
        "cilium.chart",
        `${JSON.stringify(chart)} names no chart`,
        'leave it out, or give a path that begins with "/" or "./", an archive (.tgz) or an OCI reference',
      );
    },
  },
  {
    id: "cilium-repository",
    acceptable: false,
    why: "A path or an OCI reference says by itself where the chart lies.",
    check: ({ args }) => {
      const chart = args.cilium?.chart ?? defaults.chart;
      const repository = args.cilium?.repository;
      return [
        ...findingIf(
          repository !== undefined && isChartLocation(chart),
          "cilium.repository",
          `the chart ${JSON.stringify(chart)} is found without a repository`,
          "leave it out",
        ),
        ...urlFindings(
          "cilium.repository",
          repository,
          `write e.g. "${defaults.repository}", or an OCI reference as cilium.chart`,
        ),
      ];
    },
  },
  {
    id: "cilium-key-removed",
    acceptable: false,
    why: "Newer charts stop at some removed keys and pass over others without a word.",
    check: (subject) => {
      const { cilium, values } = ciliumOf(subject);
      if (cilium === undefined) return [];
      return removedKeys
        .filter(({ key, removedIn }) => semver.gte(cilium, `${removedIn}.0`) && has(values, key))
        .map(({ key, removedIn, now }) => ({
          path: `cilium.values.${key}`,
          message: `the chart has no such key since ${removedIn}`,
          fix: now,
        }));
    },
  },
  {
    id: "cilium-key-unknown",
    acceptable: true,
    why: "The chart takes any key without a word, so a typing mistake passes unseen.",
    check: (subject) => {
      const { cilium, values } = ciliumOf(subject);
      if (cilium === undefined || minorOf(cilium) !== chartKeysOf) return [];
      const removed = removedKeys.map(({ key }) => key.split(".")[0]);
      return Object.keys(values)
        .filter((key) => !chartKeys.includes(key) && !removed.includes(key))
        .map((key) => ({
          path: `cilium.values.${key}`,
          message: `the chart of Cilium ${chartKeysOf} has no such key`,
          fix: suggest(key, chartKeys, "look it up in the chart's values.yaml"),
        }));
    },
  },
  {
    id: "cilium-value-planned",
    acceptable: true,
    why: "The plan derives these values from other arguments or from the underlay; another value breaks the cluster or two arguments contradict.",
    check: (subject) => {
      const { values } = ciliumOf(subject);
      return leafPaths(values).flatMap((path) => {
        const owner = Object.keys(plannedValues).find((key) => path === key || path.startsWith(`${key}.`));
        return findingIf(
          owner !== undefined,
          `cilium.values.${path}`,
          `the plan sets this value: ${plannedValues[owner ?? ""] ?? ""}`,
          "leave it out",
        );
      });
    },
  },
  {
    id: "dsr-needs-unchecked-sources",
    acceptable: true,
    why: "With DSR the backend's node answers with another address as source, and the cloud's gateway drops what is not a node's own.",
    check: (subject) => {
      const mode = at(ciliumOf(subject).values, "loadBalancer.mode");
      return findingIf(
        mode === "dsr" || mode === "hybrid",
        "cilium.values.loadBalancer.mode",
        `${String(mode)} needs an underlay without source checks; Hetzner Cloud networks drop it`,
        "use snat, or externalTrafficPolicy: Local",
      );
    },
  },
  {
    id: "auto-routes-need-one-segment",
    acceptable: true,
    why: "Cilium refuses a route to a peer whose next hop is a gateway, and on this underlay every peer is behind one.",
    check: (subject) => {
      const { values } = ciliumOf(subject);
      return ["autoDirectNodeRoutes", "directRoutingSkipUnreachable"].flatMap((key) =>
        findingIf(
          at(values, key) === true,
          `cilium.values.${key}`,
          `${key} needs nodes on one segment; on Hetzner Cloud a gateway is between them`,
          "leave it out: the network's routes carry the pod CIDRs",
        ),
      );
    },
  },
  {
    id: "masquerade-needs-bpf",
    acceptable: true,
    why: "Without it Cilium falls back to legacy host routing, and with that BBR in pods and the fast path are gone.",
    check: (subject) => {
      const { values } = ciliumOf(subject);
      return [
        { key: "bpf.masquerade", harm: false },
        { key: "enableIPv4Masquerade", harm: false },
        { key: "bpf.hostLegacyRouting", harm: true },
      ].flatMap(({ key, harm }) =>
        findingIf(
          at(values, key) === harm,
          `cilium.values.${key}`,
          `${String(harm)} takes packets through the host's stack instead of BPF`,
          "leave it out",
        ),
      );
    },
  },
];

/** The Cilium version, undefined when malformed, and the user's own values. */
function ciliumOf({ args }: Subject): { cilium: string | undefined; values: JsonObject } {
  const cilium = args.cilium?.version ?? defaultVersions.cilium;
  return { cilium: isVersion(cilium) ? cilium : undefined, values: { ...args.cilium?.values } };
}

function at(values: JsonObject, path: string): unknown {
  return path
    .split(".")
    .reduce<unknown>(
      (value, key) => (isPlainObject(value) && Object.hasOwn(value, key) ? value[key] : undefined),
      values,
    );
}

function has(values: JsonObject, path: string): boolean {
  return at(values, path) !== undefined;
}
