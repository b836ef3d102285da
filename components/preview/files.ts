import { packedMark, readApplyScript } from "../plan/applyScript";
import { showSysctl, showVersion } from "./harmless";
import { type Sources, opened } from "./openings";
import { plainPath } from "./scripts";

/** What changes on a node when its files change. */
export interface FileChanges {
  /** In words. */
  changes: string[];
  /** Those by which something else is run as root, in words. */
  grave: string[];
  /** Whom the host firewall lets in from then on, in words. */
  opened: string[];
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
  const [old, young] = [writtenBy(before), writtenBy(after)];
  const found: FileChanges = { changes: [], grave: [], opened: [], restarts: [], untilBoot: [], versions: [] };
  for (const path of [...new Set([...old.content.keys(), ...young.content.keys()])].sort()) {
    if (old.content.get(path) !== young.content.get(path)) judge(path, old.content, young.content, found);
    const rights = young.mode.get(path);
    if (rights !== undefined && rights !== (old.mode.get(path) ?? "0644"))
      found.grave.push(`${nameOf(path)} gets other rights`);
  }
  // Between the first time and the last it may be run, or its writing may end the step.
  for (const path of young.repeated) found.grave.push(`${nameOf(path)} is written more than once`);
  return { ...found, restarts: [...new Set(found.restarts)].sort() };
}

function writtenBy(script: string): { content: Files; mode: Files; repeated: Set<string> } {
  const read = readApplyScript(script);
  const paths = read.map(({ path }) => path);
  return {
    repeated: new Set(paths.filter((path, index) => paths.indexOf(path) !== index)),
    content: new Map(read.map(({ path, content }) => [path, content])),
    mode: new Map(read.map(({ path, mode }) => [path, mode])),
  };
}

/** Files with a meaning of their own, the first that fits; the list of files follows from the others. */
const kinds: readonly [path: RegExp, judge: (path: string, old: Files, young: Files, found: FileChanges) => void][] = [
  [/^\/etc\/zerosteal\/files$/, judgeList],
  [/^\/etc\/zerosteal\/node\.env$/, judgeEnvironment],
  [/^\/etc\/sysctl\.d\//, judgeSysctls],
  [/^\/etc\/modules-load\.d\//, judgeModules],
  [/^\/etc\/zerosteal\/artifacts\.tsv$/, judgeArtifacts],
  [
    /^\/etc\/kubernetes\/kubelet\.conf\.d\/40-zerosteal-cpu\.conf$/,
    says("CPU isolation changes", "the kubelet, without its old CPU assignments"),
  ],
  [/^\/etc\/kubernetes\/kubelet\.conf\.d\//, says("kubelet settings change", "the kubelet")],
  [/^\/etc\/containerd\/certs\.d\//, says("registry mirrors change")],
  [/^\/etc\/containerd\//, says("settings of the container runtime change", "containerd")],
  [/^\/etc\/zerosteal\/firewall\.nft$/, judgeFirewall],
  [/^\/etc\/zerosteal\/hosts$/, says("names in /etc/hosts change")],
];

/** A file of another kind is a program, packed or not, a unit, or what nobody planned: whatever stands in it may be run. */
function judge(path: string, old: Files, young: Files, found: FileChanges): void {
  const readable = plainPath.test(path) && young.get(path)?.startsWith(packedMark) !== true;
  const kind = readable ? kinds.find(([test]) => test.test(path)) : undefined;
  if (kind) kind[1](path, old, young, found);
  else found.grave.push(`${nameOf(path)} ${verb(path, old, young)}`);
}

function nameOf(path: string): string {
  return plainPath.test(path) && path.length <= 120 ? `file ${path}` : "a file with an unusual name";
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

/** The files that an update takes away are those that this list no longer has. */
function judgeList(path: string, old: Files, young: Files, found: FileChanges): void {
  const read = (files: Files): Set<string> => new Set((files.get(path) ?? "").split("\n"));
  const [before, after] = [read(old), read(young)];
  const unwritten = [...after].filter((line) => !before.has(line) && !young.has(line));
  const kept = [...before].filter((line) => !after.has(line) && young.has(line));
  if (unwritten.length > 0 || kept.length > 0) found.grave.push("the list of files names others than are written");
}

const environment =
  /^((NODE_NAME|PRIVATE_ADDRESS|PRIVATE_INTERFACE|REFUSE_SWAP|HUGE_PAGES|CPU_ISOLATION|RESERVED_CPUS)=[\w.:,+-]*\n)*$/;

/** Scripts take this file up as their own lines. */
function judgeEnvironment(path: string, old: Files, young: Files, found: FileChanges): void {
  const plain = young.has(path) && environment.test(young.get(path) ?? "");
  (plain ? found.changes : found.grave).push(`file ${path} ${plain ? "changes" : "is more than the plan's values"}`);
}

const chain =
  /^ {4}(?:(?:ip6? saddr (?:\{ ([\da-fA-F.:/, -]+) \}|([\da-fA-F.:/-]+)))|meta nfproto (ipv[46])) ((?:[^;#"]|"[^"]*")*accept)$/;

/** The lines of a host's rules, each node's address in the place where they are let in. */
function linesOf(rules: string): string[] {
  const [elements = "", nodes = ""] = /^ {4}elements = (\{ [\d./, -]+ \})\n/m.exec(rules) ?? [];
  const lines = rules.replace(elements, "").replace("@nodes", nodes).split("\n");
  return lines.map((line) => line.replace(/ comment "[^"]*"$/, ""));
}

/** Whom a line of the host's rules lets in, and to what; what it does not know lets everybody in. */
function sourcesOf(rules: string): Sources {
  const found = new Map<string, string[]>();
  for (const line of linesOf(rules)) {
    const [, list, one, family, to] = chain.exec(line) ?? [];
    const from = list?.split(", ") ?? [one ?? (family === "ipv4" ? "0.0.0.0/0" : family === "ipv6" ? "::/0" : "all")];
    found.set(to ?? line, [...(found.get(to ?? line) ?? []), ...from]);
  }
  return found;
}

function judgeFirewall(path: string, old: Files, young: Files, found: FileChanges): void {
  found.changes.push("rules of the host firewall change");
  if (!old.has(path)) return;
  const [before, after] = [sourcesOf(old.get(path) ?? ""), sourcesOf(young.get(path) ?? "")];
  // A rule that goes closes something. All other lines hold the rules: they stay as they are, in their order, each as often as before.
  const frame = (files: Files): string =>
    linesOf(files.get(path) ?? "")
      .filter((line) => !line.endsWith("accept"))
      .join("\n");
  const broken = frame(old) !== frame(young);
  const words = opened(before, after);
  if (!young.has(path) || broken) found.opened.push("the host firewall goes, or does not filter as planned");
  else if (words !== undefined) found.opened.push(`the host firewall ${words}`);
}

function judgeSysctls(path: string, old: Files, young: Files, found: FileChanges): void {
  const read = (files: Files): Map<string, string> =>
    new Map(
      [...(files.get(path) ?? "").matchAll(/^([a-z0-9_.]+) = (.+)$/gm)].map(([, key = "", value = ""]) => [key, value]),
    );
  const [before, after] = [read(old), read(young)];
  for (const key of [...new Set([...before.keys(), ...after.keys()])].sort()) {
    if (before.get(key) === after.get(key)) continue;
    const is = showSysctl(after.get(key));
    // Some settings are commands, which the kernel runs.
    (is === "another value" ? found.grave : found.changes).push(`${key}: ${showSysctl(before.get(key))} → ${is}`);
    if (!after.has(key)) found.untilBoot.push(key);
  }
  judgeLines(path, /^(#.*|[a-z0-9_.]+ = .+)?$/, old, young, found);
}

/** Lines of another shape than the plan's mean what this does not know. */
function judgeLines(path: string, shape: RegExp, old: Files, young: Files, found: FileChanges): void {
  const known = new Set((old.get(path) ?? "").split("\n"));
  const added = (young.get(path) ?? "").split("\n").filter((line) => !known.has(line));
  if (added.some((line) => !shape.test(line)))
    found.grave.push(`${nameOf(path)} gets lines that are none of the plan's`);
}

function judgeModules(path: string, old: Files, young: Files, found: FileChanges): void {
  const read = (files: Files): string[] => (files.get(path) ?? "").split("\n").filter((line) => /^[\w-]+$/.test(line));
  const [before, after] = [read(old), read(young)];
  const gone = before.filter((name) => !after.includes(name));
  for (const name of after.filter((name) => !before.includes(name)))
    found.changes.push(`kernel module ${name} is loaded`);
  for (const name of gone) found.changes.push(`kernel module ${name} is no longer loaded at boot`);
  found.untilBoot.push(...gone.map((name) => `module ${name}`));
  judgeLines(path, /^\w[\w-]*$|^$/, old, young, found);
}

const restartedBy: Readonly<Record<string, string>> = {
  containerd: "containerd",
  runc: "containerd",
  kubelet: "the kubelet",
};

function judgeArtifacts(path: string, old: Files, young: Files, found: FileChanges): void {
  const read = (files: Files): Map<string, string[]> =>
    new Map((files.get(path) ?? "").split("\n").map((line) => [line.split("\t")[0] ?? "", line.split("\t")]));
  const [before, after] = [read(old), read(young)];
  for (const name of [...new Set([...before.keys(), ...after.keys()])].sort()) {
    if (/^[\w.-]{1,40}$/.test(name)) judgeArtifact(name, before.get(name), after.get(name), found);
    else if (!before.has(name)) found.grave.push("a program with an unusual name is fetched");
  }
}

/** A program by name, version, checksum, address, and where it is put. */
function judgeArtifact(name: string, old: string[] = [], young: string[] = [], found: FileChanges): void {
  const [[, was, oldSum, oldUrl, ...oldPlace], [, is, newSum, newUrl, ...newPlace]] = [old, young];
  if (was !== is) {
    const change = `${name} ${showVersion(was)} → ${showVersion(is)}`;
    found.changes.push(change);
    found.versions.push(change);
  } else if (oldSum !== newSum) found.grave.push(`${name} ${showVersion(is)} is another program than before`);
  else if (oldUrl !== newUrl) found.changes.push(`${name} ${showVersion(is)} is fetched from elsewhere`);
  if (was !== undefined && is !== undefined && oldPlace.join() !== newPlace.join())
    found.grave.push(`${name} is put elsewhere`);
  const service = restartedBy[name];
  if (service !== undefined && oldSum !== newSum) found.restarts.push(service);
}
