import { ownedKubeletKeys } from "../cpu";
import { nearest } from "../problems";
import { defaults } from "../resolve";
import { acceptsValue, rangeSentence, sysctlProfile, type SysctlRow } from "../sysctl";
import { findingIf, items, type Rule, type Subject } from "./rule";

const bbrKeys = sysctlProfile.filter((row) => row.bbr !== undefined).map((row) => row.key);

/** Rules about sysctls, BBR and the kubelet. */
export const tuningRules: Rule[] = [
  {
    id: "sysctl-unknown",
    acceptable: false,
    why: "An override changes a row of the profile; a key outside it would be checked by nobody.",
    check: (subject) =>
      overrides(subject)
        .filter(({ row }) => row === undefined)
        .map(({ key, path }) => {
          const near = nearest(
            key,
            sysctlProfile.map((row) => row.key),
          );
          const fix =
            near === undefined
              ? `the profile has ${sysctlProfile.map((row) => row.key).join(", ")}`
              : `did you mean ${near}?`;
          return { path, message: "the profile has no such key", fix };
        }),
  },
  {
    id: "sysctl-value",
    acceptable: false,
    why: "The kernel, Kubernetes or Cilium refuses the value, or it would harm.",
    check: (subject) =>
      overrides(subject).flatMap(({ key, value, row, path }) =>
        findingIf(
          row !== undefined && !bbrKeys.includes(key) && value !== null && !acceptsValue(row, value),
          path,
          `${JSON.stringify(value)}: the value ${row === undefined ? "" : rangeSentence(row)}`,
          "change the value, or leave it out for the profile's",
        ),
      ),
  },
  {
    id: "sysctl-required",
    acceptable: false,
    why: "The cluster does not work without the key.",
    check: (subject) =>
      overrides(subject).flatMap(({ value, row, path }) =>
        findingIf(
          row?.required !== undefined && value === null,
          path,
          `the key cannot be left to the system: ${row?.required ?? ""}`,
          "leave it out for the profile's value",
        ),
      ),
  },
  {
    id: "bbr-one-switch",
    acceptable: false,
    why: "Cilium's bandwidth manager writes these sysctls as well: set apart, the last writer wins.",
    check: (subject) => [
      ...overrides(subject).flatMap(({ key, path }) =>
        findingIf(bbrKeys.includes(key), path, "BBR and its queue discipline are one choice", bbrFix),
      ),
      ...findingIf(
        subject.args.cilium?.values?.bandwidthManager !== undefined,
        "cilium.values.bandwidthManager",
        "the bandwidth manager writes the nodes' sysctls: it is part of one choice with BBR",
        bbrFix,
      ),
    ],
  },
  {
    id: "kubelet-planned",
    acceptable: false,
    why: "Two sources for one setting end in the one that is read last.",
    check: ({ args }) =>
      Object.keys(args.kubernetes?.kubelet ?? {})
        .filter((key) => Object.hasOwn(kubeletOwners, key))
        .map((key) => ({
          path: `kubernetes.kubelet.${key}`,
          message: "the plan sets this itself",
          fix: kubeletOwners[key] ?? "",
        })),
  },
  {
    id: "preflight-name",
    acceptable: false,
    why: "kubeadm would not start.",
    check: ({ args }) =>
      items(args.kubernetes?.ignorePreflightErrors, "kubernetes.ignorePreflightErrors").flatMap(({ item, path }) =>
        findingIf(
          !/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(item),
          path,
          `${JSON.stringify(item)} is not the name of a preflight check`,
          'write e.g. "SystemVerification"',
        ),
      ),
  },
];

const bbrFix = `use tuning.bbr ("node-and-pod", "node" or "off"; default "${defaults.bbr}")`;

const kubeletOwners: Readonly<Record<string, string>> = {
  ...Object.fromEntries(ownedKubeletKeys.map((key) => [key, "use cpuIsolation of the pool"])),
  apiVersion: "leave it out",
  kind: "leave it out",
  clusterDNS: "it is the tenth address of network.serviceCidr",
  containerRuntimeEndpoint: "leave it out",
};

interface Override {
  key: string;
  value: string | null;
  row: SysctlRow | undefined;
  path: string;
}

function overrides({ args }: Subject): Override[] {
  return Object.entries(args.tuning?.sysctls ?? {}).flatMap(([key, value]) =>
    value === undefined
      ? []
      : [{ key, value, row: sysctlProfile.find((row) => row.key === key), path: `tuning.sysctls["${key}"]` }],
  );
}
