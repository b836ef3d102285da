import { readApplyScript } from "../plan/applyScript";
import { showSysctl, showVersion } from "./harmless";

/** What changes on a node when its files change. */
export interface FileChanges {
  /** In words. */
  changes: string[];
  /** Services that restart, in words. */
  restarts: string[];
  /** What keeps its old value until the next boot. */
  untilBoot: string[];
  /** Versions of programs, `kubelet 1.36.4 → 1.36.5`. */
  versions: string[];
}

type Files = ReadonlyMap<string, string>;

/** Compares the files that two versions of a node's step write. Undefined where a version is not known. */
export function compareFiles(before: unknown, after: unknown): FileChanges | undefined {
  if (typeof before !== "string" || typeof after !== "string") return undefined;
  const [old, young] = [filesOf(before), filesOf(after)];
  const found: FileChanges = { changes: [], restarts: [], untilBoot: [], versions: [] };
  const differing = [...new Set([...old.keys(), ...young.keys()])].filter((path) => old.get(path) !== young.get(path));
  for (const path of differing.sort()) judge(path, old, young, found);
  if (differing.length === 0 && before !== after) found.changes.push("its script is run again");
  return { ...found, restarts: [...new Set(found.restarts)].sort() };
}

function filesOf(script: string): Files {
  return new Map(readApplyScript(script).map(({ path, content }) => [path, content]));
}

/** Files with a meaning of their own, the first that fits; the list of files follows from the others. */
const kinds: readonly [path: RegExp, judge: (path: string, old: Files, young: Files, found: FileChanges) => void][] = [
  [/^\/etc\/zerosteal\/files$/, () => undefined],
  [/^\/etc\/sysctl\.d\//, judgeSysctls],
  [/^\/etc\/modules-load\.d\//, judgeModules],
  [/^\/etc\/zerosteal\/artifacts\.tsv$/, judgeArtifacts],
  [
    /^\/etc\/kubernetes\/kubelet\.conf\.d\/40-zerosteal-cpu\.conf$/,
    says("CPU isolation changes", "the kubelet, without its old CPU assignments"),
  ],
  [
    /^\/etc\/kubernetes\/kubelet\.conf\.d\/|\/kubelet\.service(\.d\/|$)/,
    says("kubelet settings change", "the kubelet"),
  ],
  [/^\/etc\/containerd\/certs\.d\//, says("registry mirrors change")],
  [/^\/etc\/containerd\/|\/containerd\.service$/, says("settings of the container runtime change", "containerd")],
  [/^\/etc\/zerosteal\/firewall\.nft$/, says("rules of the host firewall change")],
  [/^\/etc\/zerosteal\/hosts$/, says("names in /etc/hosts change")],
];

function judge(path: string, old: Files, young: Files, found: FileChanges): void {
  const kind = kinds.find(([test]) => test.test(path));
  if (kind) kind[1](path, old, young, found);
  else
    found.changes.push(
      `file ${/^[\w./-]{1,120}$/.test(path) ? path : "with an unusual name"} ${verb(path, old, young)}`,
    );
}

function verb(path: string, old: Files, young: Files): string {
  if (!old.has(path)) return "is new";
  return young.has(path) ? "changes" : "goes";
}

function says(words: string, restarts?: string): (path: string, old: Files, young: Files, found: FileChanges) => void {
  return (_path, _old, _young, found) => {
    if (!found.changes.includes(words)) found.changes.push(words);
    if (restarts !== undefined) found.restarts.push(restarts);
  };
}

function judgeSysctls(path: string, old: Files, young: Files, found: FileChanges): void {
  const read = (files: Files): Map<string, string> =>
    new Map(
      [...(files.get(path) ?? "").matchAll(/^([a-z0-9_.]+) = (.+)$/gm)].map(([, key = "", value = ""]) => [key, value]),
    );
  const [before, after] = [read(old), read(young)];
  for (const key of [...new Set([...before.keys(), ...after.keys()])].sort()) {
    if (before.get(key) === after.get(key)) continue;
    found.changes.push(`${key}: ${showSysctl(before.get(key))} → ${showSysctl(after.get(key))}`);
    if (!after.has(key)) found.untilBoot.push(key);
  }
}

function judgeModules(path: string, old: Files, young: Files, found: FileChanges): void {
  const read = (files: Files): string[] => (files.get(path) ?? "").split("\n").filter((line) => /^[\w-]+$/.test(line));
  const [before, after] = [read(old), read(young)];
  const gone = before.filter((name) => !after.includes(name));
  for (const name of after.filter((name) => !before.includes(name)))
    found.changes.push(`kernel module ${name} is loaded`);
  for (const name of gone) found.changes.push(`kernel module ${name} is no longer loaded at boot`);
  found.untilBoot.push(...gone.map((name) => `module ${name}`));
}

const restartedBy: Readonly<Record<string, string>> = {
  containerd: "containerd",
  runc: "containerd",
  kubelet: "the kubelet",
};

function judgeArtifacts(path: string, old: Files, young: Files, found: FileChanges): void {
  const read = (files: Files): Map<string, [version: string, sum: string]> =>
    new Map(
      (files.get(path) ?? "").split("\n").map((line) => {
        const [name = "", version = "", sum = ""] = line.split("\t");
        return [name, [version, sum]];
      }),
    );
  const [before, after] = [read(old), read(young)];
  for (const name of [...new Set([...before.keys(), ...after.keys()])]
    .filter((key) => /^[\w.-]{1,40}$/.test(key))
    .sort()) {
    const [[was, oldSum] = [], [is, newSum] = []] = [before.get(name), after.get(name)];
    if (oldSum === newSum) continue;
    const change = `${name} ${showVersion(was)} → ${showVersion(is)}`;
    found.changes.push(was === is ? `${name} ${showVersion(is)} comes from another file` : change);
    if (was !== is) found.versions.push(change);
    const service = restartedBy[name];
    if (service !== undefined) found.restarts.push(service);
  }
}
