import semver from "semver";
import { knownKubernetesVersions } from "../artifacts";
import {
  ciliumFloors,
  defaultVersions,
  isVersion,
  kubernetesTestedWith,
  minorOf,
  oldestKubernetes,
  testersOf,
} from "../versions";
import { findingIf, type Rule, type Subject } from "./rule";

/** Rules about versions. */
export const versionRules: Rule[] = [
  {
    id: "version-malformed",
    acceptable: false,
    why: "A version that is not exact would mean something else next month.",
    check: ({ args }) =>
      (["kubernetes", "cilium"] as const).flatMap((part) => {
        const version = args[part]?.version;
        return findingIf(
          version !== undefined && !isVersion(version),
          `${part}.version`,
          `${JSON.stringify(version)} is not an exact version`,
          `write e.g. "${defaultVersions[part]}"`,
        );
      }),
  },
  {
    id: "kubernetes-too-old",
    acceptable: false,
    why: "The kubeadm documents are of v1beta4, which came with Kubernetes 1.31.",
    check: (subject) => {
      const { kubernetes } = versions(subject);
      return findingIf(
        isVersion(kubernetes) && semver.lt(kubernetes, oldestKubernetes),
        "kubernetes.version",
        `Kubernetes ${kubernetes} does not know kubeadm's v1beta4 documents`,
        `use ${oldestKubernetes} or newer, e.g. ${defaultVersions.kubernetes}`,
      );
    },
  },
  {
    id: "versions-untested",
    acceptable: true,
    why: "Cilium tests each release with few minors of Kubernetes; other pairs may work, nobody knows.",
    check: (subject) => {
      const { kubernetes, cilium } = versions(subject);
      if (!isVersion(kubernetes) || !isVersion(cilium)) return [];
      const tested = kubernetesTestedWith(cilium);
      return findingIf(
        testersOf(kubernetes, cilium).length === 0,
        "cilium.version",
        `nobody tested Cilium ${minorOf(cilium)} with Kubernetes ${minorOf(kubernetes)}`,
        tested.length > 0
          ? `use Kubernetes ${tested.join(", ")}, or another Cilium`
          : `use Cilium ${defaultVersions.cilium} with Kubernetes ${defaultVersions.kubernetes}`,
      );
    },
  },
  {
    id: "cilium-bad-patch",
    acceptable: true,
    why: "A patch release with a known fault on such clusters.",
    check: (subject) => {
      const { cilium } = versions(subject);
      const floor = isVersion(cilium) ? ciliumFloors[minorOf(cilium)] : undefined;
      return findingIf(
        floor !== undefined && semver.lt(cilium, floor.version),
        "cilium.version",
        `Cilium ${cilium} is older than ${floor?.version ?? ""}: ${floor?.why ?? ""}`,
        `use ${floor?.version ?? ""} or newer`,
      );
    },
  },
  {
    id: "artifacts-unknown",
    acceptable: false,
    why: "Nothing is installed without a checksum.",
    check: (subject) => {
      const { kubernetes } = versions(subject);
      return findingIf(
        subject.args.artifacts === undefined && isVersion(kubernetes) && !knownKubernetesVersions.includes(kubernetes),
        "kubernetes.version",
        `no checksums are known here for the binaries of Kubernetes ${kubernetes}`,
        `use ${knownKubernetesVersions.join(" or ")}, or give them as artifacts`,
      );
    },
  },
];

function versions({ args }: Subject): { kubernetes: string; cilium: string } {
  return {
    kubernetes: args.kubernetes?.version ?? defaultVersions.kubernetes,
    cilium: args.cilium?.version ?? defaultVersions.cilium,
  };
}
