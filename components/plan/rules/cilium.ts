import semver from "semver";
import { plannedValues } from "../plannedValues";
import { type ChartKeyChange, chartKeyChanges, chartKeys, chartKeysOf, firstWithout, keyAbsence } from "../ciliumKeys";
import { at, leafPaths } from "../merge";
import { suggest } from "../problems";
import { defaults, isChartLocation } from "../resolve";
import { minorOf } from "../versions";
import { ciliumOf } from "./ciliumValues";
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
    check: (subject) =>
      keysAbsent(subject, "removed").map(({ key, until = "", now = "leave it out" }) => ({
        path: `cilium.values.${key}`,
        message: `the chart has no such key since ${firstWithout(until)}`,
        fix: now,
      })),
  },
  {
    id: "cilium-key-too-new",
    acceptable: false,
    why: "A chart passes over the keys of later ones without a word.",
    check: (subject) =>
      keysAbsent(subject, "not-yet").map(({ key, since = "" }) => ({
        path: `cilium.values.${key}`,
        message: `the chart has such a key only since ${since}, and this cluster has Cilium ${ciliumOf(subject).cilium ?? ""}`,
        fix: `leave it out, or use Cilium ${since} or newer`,
      })),
  },
  {
    id: "cilium-key-unknown",
    acceptable: true,
    why: "The chart takes any key without a word, so a typing mistake passes unseen. Top-level keys of the chart 1.20 are judged.",
    check: (subject) => {
      const { cilium, values } = ciliumOf(subject);
      if (cilium === undefined || minorOf(cilium) !== chartKeysOf) return [];
      const removed = keysAbsent(subject, "removed").map(({ key }) => key.split(".")[0]);
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
    id: "cilium-cluster-name",
    acceptable: false,
    why: "Helm stops at the name: Cilium's identities and certificates are made of it.",
    check: (subject) => {
      const name = at(ciliumOf(subject).values, "cluster.name");
      return findingIf(
        name !== undefined && (typeof name !== "string" || !/^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$/.test(name)),
        "cilium.values.cluster.name",
        `${JSON.stringify(name)} is not a name of at most 32 small letters, digits and inner hyphens`,
        "leave it out for the cluster's own name",
      );
    },
  },
  {
    id: "upgrade-compatibility",
    acceptable: false,
    why: "The chart compares it with versions to keep old defaults for clusters that began with an older Cilium.",
    check: (subject) => {
      const { cilium, values } = ciliumOf(subject);
      const first = at(values, "upgradeCompatibility");
      if (first === undefined || cilium === undefined) return [];
      const path = "cilium.values.upgradeCompatibility";
      const fix = `give the minor that the cluster began with as a text, e.g. "${minorOf(cilium)}", or leave it out`;
      // YAML reads 1.20 without quotes as the number 1.2.
      if (typeof first !== "string" || !/^1\.\d+$/.test(first))
        return findingIf(true, path, `${JSON.stringify(first)} is not a minor of Cilium`, fix);
      return findingIf(
        semver.gt(`${first}.0`, `${minorOf(cilium)}.0`),
        path,
        `the cluster cannot have begun with ${first}, which is newer than its Cilium ${cilium}`,
        fix,
      );
    },
  },
];

/** Keys of the user's values that the chart of the cluster's Cilium has no more, or not yet. */
function keysAbsent(subject: Subject, how: "not-yet" | "removed"): ChartKeyChange[] {
  const { cilium, values } = ciliumOf(subject);
  if (cilium === undefined) return [];
  return chartKeyChanges.filter((change) => at(values, change.key) !== undefined && keyAbsence(change, cilium) === how);
}
