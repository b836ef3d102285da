import { requiredFiles, targetsOf } from "../artifacts";
import type { NodeArtifact } from "../types";
import { defaultVersions } from "../versions";
import { findingIf, items, type Draft, type Rule, type Subject } from "./rule";
import { urlFindings } from "./url";

/** Stands for the base URL where a relative address is judged. */
const relativeTo = "http://base.invalid/";

const fileName = /^[A-Za-z0-9][A-Za-z0-9._+-]*$/;
const absolutePath = /^(\/[A-Za-z0-9._+-]+)+$/;
const memberPath = /^[A-Za-z0-9._+-]+(\/[A-Za-z0-9._+-]+)*$/;

/** Rules about artifacts and registry mirrors. */
export const artifactRules: Rule[] = [
  {
    id: "artifact-missing",
    acceptable: false,
    why: "A node needs every one of these files, where its units and kubeadm look for them.",
    check: (subject) => {
      if (subject.args.artifacts?.manifest === undefined) return [];
      const installed = artifacts(subject).flatMap(({ item }) => draftTargets(item));
      return requiredFiles
        .filter((file) => !installed.includes(file.path))
        .map((file) => ({
          path: "artifacts.manifest",
          message: `nothing in it installs ${file.path}`,
          fix: `add ${file.tool} with that target`,
        }));
    },
  },
  {
    id: "artifact-name",
    acceptable: false,
    why: "A name is also a file name on the node, and stands once.",
    check: (subject) =>
      artifacts(subject).flatMap(({ item, path }, index, all) => [
        ...findingIf(
          item.name !== undefined && !fileName.test(item.name),
          `${path}.name`,
          `${JSON.stringify(item.name)} is not a file name`,
          "use letters, digits, dots and dashes",
        ),
        ...findingIf(
          item.name !== undefined && all.slice(0, index).some((earlier) => earlier.item.name === item.name),
          `${path}.name`,
          `${JSON.stringify(item.name)} stands twice`,
          "keep one of them",
        ),
        ...findingIf(
          item.version !== undefined && !fileName.test(item.version),
          `${path}.version`,
          `${JSON.stringify(item.version)} is not a version`,
          `write e.g. "${defaultVersions.containerd}"`,
        ),
      ]),
  },
  {
    id: "artifact-version",
    acceptable: false,
    why: "kubeadm, kubelet and kubectl are of the cluster's version; kubeadm refuses to install another.",
    check: (subject) => {
      const wanted = subject.args.kubernetes?.version ?? defaultVersions.kubernetes;
      const ofKubernetes = requiredFiles.filter((file) => file.kubernetes).map((file) => file.path);
      return artifacts(subject).flatMap(({ item, path }) =>
        findingIf(
          item.version !== undefined &&
            item.version !== wanted &&
            draftTargets(item).some((target) => ofKubernetes.includes(target)),
          `${path}.version`,
          `${item.name ?? "the artifact"} is ${item.version ?? ""}, and the cluster is to be ${wanted}`,
          `set kubernetes.version, or give ${item.name ?? "it"} ${wanted}`,
        ),
      );
    },
  },
  {
    id: "artifact-sha256",
    acceptable: false,
    why: "Nothing is installed without a checksum.",
    check: (subject) =>
      artifacts(subject).flatMap(({ item, path }) =>
        findingIf(
          item.sha256 !== undefined && !/^[0-9a-f]{64}$/.test(item.sha256),
          `${path}.sha256`,
          `the checksum of ${item.name ?? "the artifact"} is not 64 lower-case hex digits`,
          "copy it from sha256sum",
        ),
      ),
  },
  {
    id: "artifact-url",
    acceptable: false,
    why: "Nodes fetch over HTTP(S); addresses may be relative to the base URL.",
    check: ({ args }) => [
      ...urlFindings("artifacts.baseUrl", args.artifacts?.baseUrl, 'write e.g. "http://mirror.internal:8080/"'),
      ...items(args.artifacts?.manifest, "artifacts.manifest").flatMap(({ item, path }) =>
        urlFindings(`${path}.url`, item.url, "write an address, absolute or relative to artifacts.baseUrl", relativeTo),
      ),
    ],
  },
  {
    id: "artifact-target",
    acceptable: false,
    why: "Each artifact is one file with a place, or an archive with a folder and members.",
    check: (subject) => artifacts(subject).flatMap(({ item, path }) => targetFindings(item, path)),
  },
  {
    id: "registry-mirror",
    acceptable: false,
    why: "The host becomes a folder name, the mirror an address in containerd's configuration.",
    check: ({ args }) =>
      Object.entries(args.registryMirrors ?? {}).flatMap(([host, mirror]) => [
        ...findingIf(
          !/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:\d{1,5})?$/.test(host),
          `registryMirrors[${JSON.stringify(host)}]`,
          `${JSON.stringify(host)} is not the host of a registry`,
          'write e.g. "registry.k8s.io"',
        ),
        ...urlFindings(`registryMirrors[${JSON.stringify(host)}]`, mirror, 'write e.g. "http://10.1.1.1:5000"'),
      ]),
  },
];

function artifacts({ args }: Subject): { item: Draft<NodeArtifact>; path: string }[] {
  return items(args.artifacts?.manifest, "artifacts.manifest");
}

/** What an artifact installs, as far as it is said. */
function draftTargets({ installTo, extract }: Draft<NodeArtifact>): string[] {
  const { to, stripComponents = 0 } = extract ?? {};
  const members = items(extract?.members, "").map(({ item }) => item);
  return targetsOf({ installTo, extract: to === undefined ? undefined : { to, stripComponents, members } });
}

function targetFindings(item: Draft<NodeArtifact>, path: string): ReturnType<typeof findingIf> {
  const { installTo, extract } = item;
  const members = items(extract?.members, `${path}.extract.members`);
  const strip = extract?.stripComponents ?? 0;
  return [
    ...findingIf(
      (installTo === undefined) === (extract === undefined),
      path,
      `${item.name ?? "the artifact"} must have exactly one of installTo and extract`,
      "give installTo for a single file, extract for an archive",
    ),
    ...[
      { value: installTo, at: `${path}.installTo` },
      { value: extract?.to, at: `${path}.extract.to` },
    ].flatMap(({ value, at }) =>
      findingIf(
        value !== undefined && (!absolutePath.test(value) || value.split("/").includes("..")),
        at,
        `${JSON.stringify(value)} is not an absolute path`,
        'write e.g. "/usr/local/bin"',
      ),
    ),
    ...findingIf(
      extract?.members?.length === 0,
      `${path}.extract.members`,
      "no member would be installed",
      "list the members to install",
    ),
    ...findingIf(
      strip < 0,
      `${path}.extract.stripComponents`,
      `${strip} folders cannot be dropped`,
      "use a number from 0",
    ),
    ...members.flatMap(({ item: member, path: at }) =>
      findingIf(
        !memberPath.test(member) || member.split("/").includes("..") || member.split("/").length <= strip,
        at,
        `${JSON.stringify(member)} is not the path of a file under ${strip} leading folders`,
        'write e.g. "bin/containerd" with stripComponents 1',
      ),
    ),
  ];
}
