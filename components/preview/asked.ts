import { differences, renderPath, type Difference } from "./differences";
import { renderChange } from "./harmless";
import { finding } from "./judge";
import type { Step } from "./previewTypes";
import type { Finding } from "./types";

/** Well-known arguments in words, by their place. */
const words: readonly [place: RegExp, words: string][] = [
  [/^pools\[([\w-]+)\]\.count$/, "nodes of pool $1"],
  [/^pools\[([\w-]+)\]\.serverType$/, "server type of pool $1"],
  [/^pools\[([\w-]+)\]\.cpuIsolation$/, "CPU isolation of pool $1"],
  [/^controlPlane\.serverType$/, "server type of the control plane"],
  [/^underlay\.image$/, "system image"],
  [/^underlay\.location$/, "location"],
  [/^kubernetes\.version$/, "Kubernetes"],
  [/^cilium\.version$/, "Cilium"],
  [/^access\.ssh\[\d+\]$/, "who may reach SSH"],
  [/^access\.api\[\d+\]$/, "who may reach the API"],
  [/^tuning\.sysctls\["?([\w.]+?)"?\]$/, "kernel setting $1"],
];

/** Changed arguments of a component, in words. Nothing for one that is new or goes: then all of them are. */
export function askedFor({ operation, old, new: next }: Step): string[] {
  if (operation !== "update") return [];
  return differences(old, next).map((difference) => {
    const path = renderPath(difference.path);
    return `${inWords(path)}: ${renderChange(path, difference)}`;
  });
}

function inWords(path: string): string {
  const known = words.find(([place]) => place.test(path));
  return known ? path.replace(known[0], known[1]) : path;
}

/** Arguments that machines get when they are made and never again. */
const atCreation: readonly [place: RegExp, id: string, text: string][] = [
  [
    /^underlay\.image$/,
    "image",
    "the system image serves new machines: those that stand keep theirs until they are replaced",
  ],
  [
    /^pools\[[\w-]+\]\.(labels|taints)/,
    "labels",
    "labels and taints serve nodes that join: those that have joined keep theirs until they are replaced",
  ],
];

/** Changed arguments that will not come into effect. A pool that comes or goes changes no machine that stands. */
export function heldBack({ operation, old, new: next }: Step): Finding[] {
  if (operation !== "update") return [];
  const changed = differences(old, next);
  return atCreation.flatMap(([place, id, text]) => {
    const held = changed.some((difference) => place.test(renderPath(difference.path)) && stands(difference, changed));
    return held ? [finding(`held-back-${id}`, "medium", "machines that stand", text, ["not-until-replacement"])] : [];
  });
}

function stands({ path }: Difference, all: Difference[]): boolean {
  const own = (other: Difference): boolean =>
    other.path[0] === "pools" && other.path[1] === path[1] && other.path[2] === "name";
  return !all.some(own);
}
