import { imageKernels } from "../../components/plan/kernels";
import { ciliumFloors, defaultVersions, testedPairs, type TestedPair } from "../../components/plan/versions";
import { knownKubernetesVersions } from "../../components/plan/artifacts";
import { made } from "./pages";

const names: Readonly<Record<TestedPair["testedBy"], string>> = { e2e: "**here**", upstream: "upstream" };

/** Reference of versions: which pairs somebody tested, and which images have which kernel. */
export function versionsPage(): string {
  return [
    made,
    "# Versions",
    [
      "Pairs of Kubernetes and Cilium, by who tested them: **here** by this repository's end-to-end tests, upstream as Cilium's documentation of that",
      'version names them. An empty cell was tested by nobody: the rule `versions-untested` refuses it, and `accept: ["versions-untested"]` takes it all',
      "the same. One minor of each at a time is upgraded.",
    ].join("\n"),
    matrix(),
    `Defaults: ${Object.entries(defaultVersions)
      .map(([name, version]) => `${name} ${version}`)
      .join(
        ", ",
      )}. Checksums are known of Kubernetes ${knownKubernetesVersions.join(", ")}; other versions need \`artifacts\`.`,
    "## Patches of Cilium to pass over",
    Object.entries(ciliumFloors)
      .map(([minor, { version, why }]) => `- ${minor}: use ${version} or newer; ${why}`)
      .join("\n"),
    "## Kernels of system images",
    [
      "| image | kernel |",
      "| --- | --- |",
      ...Object.entries(imageKernels).map(([image, kernel]) => `| \`${image}\` | ${kernel} |`),
    ].join("\n"),
  ].join("\n\n");
}

/** A row for each minor of Kubernetes, a column for each of Cilium, the newest first. */
function matrix(): string {
  const newestFirst = (minors: string[]): string[] =>
    [...new Set(minors)].sort((a, b) => Number(b.split(".")[1]) - Number(a.split(".")[1]));
  const columns = newestFirst(testedPairs.map(({ cilium }) => cilium));
  const rows = newestFirst(testedPairs.map(({ kubernetes }) => kubernetes)).map((kubernetes) => {
    const cells = columns.map((cilium) =>
      testedPairs
        .filter((pair) => pair.kubernetes === kubernetes && pair.cilium === cilium)
        .map(({ testedBy }) => names[testedBy])
        .join(", "),
    );
    return `| ${kubernetes} | ${cells.join(" | ")} |`;
  });
  return [
    `| Kubernetes | ${columns.map((minor) => `Cilium ${minor}`).join(" | ")} |`,
    `| --- | ${columns.map(() => "---").join(" | ")} |`,
    ...rows,
  ].join("\n");
}
