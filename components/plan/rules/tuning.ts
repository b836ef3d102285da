import { ownedKubeletKeys } from "../cpu";
import { suggest } from "../problems";
import { isPortList, isPortRange, kernelPortRange, portsHandedOut } from "../ports";
import { resolveTuning } from "../resolve";
import { acceptsValue, choiceOf, rangeSentence, rowOf } from "../sysctl";
import { profileBbr, type SysctlRow } from "../sysctlRow";
import { sysctlTable } from "../sysctlTable";
import { findingIf, items, type Rule, type Subject } from "./rule";

const keys = sysctlTable.map((row) => row.key);
const bbrKeys = sysctlTable.filter((row) => row.bbr !== undefined).map((row) => row.key);

/** Rules about sysctls, BBR and the kubelet. */
export const tuningRules: Rule[] = [
  {
    id: "sysctl-unknown",
    acceptable: false,
    why: "An override changes a row of the tuning table; a key outside it would be checked by nobody.",
    check: (subject) =>
      overrides(subject)
        .filter(({ row }) => row === undefined)
        .map(({ key, path }) => {
          const fix = suggest(key, keys, `it has ${keys.join(", ")}`);
          return { path, message: "the tuning table has no such key", fix };
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
          row !== undefined && isUnset(row)
            ? "change the value, or leave it out"
            : "change the value, or leave it out for the profile's",
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
    id: "ports-handed-out",
    acceptable: false,
    why: "A program that gets a port of the cluster as its source port keeps the cluster's own listener from starting.",
    check: (subject) => {
      const ports = portsInReach(subject);
      return findingIf(
        ports !== "",
        'tuning.sysctls["net.ipv4.ip_local_reserved_ports"]',
        `the kernel would hand out ${ports} as source ports, which the cluster listens on`,
        "leave it out for the profile's value, or set a net.ipv4.ip_local_port_range without them",
      );
    },
  },
  {
    id: "bbr-one-switch",
    acceptable: false,
    why: "Cilium's bandwidth manager writes these sysctls as well: set apart, the last writer wins.",
    check: (subject) => [
      ...overrides(subject).flatMap(({ key, path }) =>
        findingIf(bbrKeys.includes(key), path, "BBR and its queue discipline are one choice", bbrFix(subject)),
      ),
      ...findingIf(
        subject.args.cilium?.values?.bandwidthManager !== undefined,
        "cilium.values.bandwidthManager",
        "the bandwidth manager writes the nodes' sysctls: it is part of one choice with BBR",
        bbrFix(subject),
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

function bbrFix({ args }: Subject): string {
  return `use tuning.bbr ("node-and-pod", "node" or "off"; default "${profileBbr[resolveTuning(args).profile]}")`;
}

/** Whether no profile sets a row: there is nothing that an override would replace. */
function isUnset(row: SysctlRow): boolean {
  return Object.values(row.profiles).every(({ value }) => value === null);
}

/** The cluster's ports that nodes would use as source ports; none while a malformed value has its own problem. */
function portsInReach({ args }: Subject): string {
  const tuning = resolveTuning(args);
  const inEffect = (key: string): string | undefined => {
    const row = rowOf(key);
    return row && choiceOf(row, tuning)?.value;
  };
  const range = inEffect("net.ipv4.ip_local_port_range") ?? kernelPortRange;
  const reserved = inEffect("net.ipv4.ip_local_reserved_ports");
  if (!isPortRange(range) || (reserved !== undefined && !isPortList(reserved))) return "";
  return portsHandedOut(range, reserved);
}

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
    value === undefined ? [] : [{ key, value, row: rowOf(key), path: `tuning.sysctls["${key}"]` }],
  );
}
