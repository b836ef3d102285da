import semver from "semver";

/** Versions of a cluster that asks for none. A default changes only with a release of this library, and is named in its changelog. */
export const defaultVersions = {
  kubernetes: "1.36.4",
  cilium: "1.20.2",
  containerd: "2.3.4",
  runc: "1.4.3",
  cniPlugins: "1.9.1",
} as const;

/** Sandbox image that kubeadm 1.36 expects containerd to use; another one would be fetched beside it and could be collected as garbage. */
export const sandboxImage = "registry.k8s.io/pause:3.10.2";

/** Lowest Kubernetes minor: the first with kubeadm's v1beta4 documents. */
export const oldestKubernetes = "1.31.0";

/** Lowest good patch of a Cilium minor, and what is wrong below it. */
export const ciliumFloors: Readonly<Record<string, { version: string; why: string }>> = {
  "1.20": { version: "1.20.2", why: "before it BPF masquerading dropped IPv6 router advertisements of the node" },
};

/** A pair of minors, and who tested it. */
export interface TestedPair {
  kubernetes: string;
  cilium: string;
  /** `e2e`: this repository's end-to-end tests; `upstream`: named as tested in Cilium's documentation of that version. */
  testedBy: "e2e" | "upstream";
}

const upstream = (cilium: string, kubernetes: string[]): TestedPair[] =>
  kubernetes.map((minor) => ({ kubernetes: minor, cilium, testedBy: "upstream" }));

/** The matrix. A pair that is absent was tested by nobody. */
export const testedPairs: readonly TestedPair[] = [
  { kubernetes: "1.36", cilium: "1.20", testedBy: "e2e" },
  ...upstream("1.20", ["1.33", "1.34", "1.35", "1.36"]),
  ...upstream("1.19", ["1.32", "1.33", "1.34", "1.35"]),
  ...upstream("1.18", ["1.30", "1.31", "1.32", "1.33"]),
];

/** Whether a text is a full version without a leading `v`, e.g. `1.36.4`. */
export function isVersion(text: string): boolean {
  return semver.valid(text) === text;
}

/** The minor of a version, e.g. `1.36` of `1.36.4`. */
export function minorOf(version: string): string {
  return `${semver.major(version)}.${semver.minor(version)}`;
}

/** Who tested a pair of versions; empty when nobody did. */
export function testersOf(kubernetes: string, cilium: string): TestedPair["testedBy"][] {
  return testedPairs
    .filter((pair) => pair.kubernetes === minorOf(kubernetes) && pair.cilium === minorOf(cilium))
    .map((pair) => pair.testedBy);
}

/** What is known of a pair of versions, as a sentence. */
export function testedSentence(kubernetes: string, cilium: string): string {
  const pair = `Kubernetes ${minorOf(kubernetes)} with Cilium ${minorOf(cilium)}`;
  const testers = testersOf(kubernetes, cilium).map((tester) => testerNames[tester]);
  return testers.length === 0 ? `Nobody tested ${pair}.` : `${pair} is tested by ${testers.join(" and ")}.`;
}

const testerNames: Readonly<Record<TestedPair["testedBy"], string>> = {
  e2e: "this repository's end-to-end tests",
  upstream: "Cilium, as its documentation names it",
};

/** The Kubernetes minors tested with a Cilium version, in order, without repeats. */
export function kubernetesTestedWith(cilium: string): string[] {
  const minors = testedPairs.filter((pair) => pair.cilium === minorOf(cilium)).map((pair) => pair.kubernetes);
  return [...new Set(minors)].sort((a, b) => semver.compare(`${a}.0`, `${b}.0`));
}
