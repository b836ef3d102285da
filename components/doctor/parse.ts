import type {
  ConnectResult,
  HostProbe,
  LookupResult,
  PingResult,
  PodProbe,
  RouteReading,
  RuleCount,
  SysctlReading,
  WindowReading,
} from "./evidence";

import type { ExecResult } from "./exec";
import { parseCertificateFiles } from "./parseControlPlane";
import { clockOf, parseMachine, parseWindow } from "./parseMachine";

/** One thing that the probe script tried. */
export interface TaskOutput {
  id: string;
  exitCode: number;
  milliseconds: number;
  output: string;
}

/**
 * The kernel's fixed inode number of its first PID namespace (PID_NS_INIT_INO in include/uapi/linux/nsfs.h). A machine
 * whose init lives in another one is a container. Unlike files such as /run/systemd/container it needs no access to
 * the node's file system, only a pod with hostPID, and nobody forgets to write it.
 */
const firstPidNamespace = "pid:[4026531836]";

/** Whether the link of /proc/self/ns/pid, read with hostPID, is that of a machine and no container. */
export function isFirstPidNamespace(link: string): boolean {
  return link.trim() === firstPidNamespace;
}

/** Lines of the probe script. Anything that is not such a line is left out: a login banner, a shell's warning. */
export function parseTasks(text: string): Map<string, TaskOutput> {
  const tasks = new Map<string, TaskOutput>();
  for (const line of text.split("\n")) {
    const task = parseTask(line);
    if (task) tasks.set(task.id, task);
  }
  return tasks;
}

/** The same for people: each thing that was tried, with its exit code, its time and what it printed. */
export function transcript(text: string): string {
  const tasks = [...parseTasks(text).values()];
  return tasks
    .map((task) => `$ ${task.id} (${task.exitCode}, ${task.milliseconds.toFixed(1)} ms)\n${task.output}\n`)
    .join("");
}

function parseTask(line: string): TaskOutput | undefined {
  const match = /^\{"id":"([^"]+)","rc":(\d+),"us":(-?\d+),"out":"([A-Za-z0-9+/=]*)"\}$/.exec(line.trim());
  if (!match) return undefined;
  const [, id = "", exitCode, microseconds, output = ""] = match;
  return {
    id,
    exitCode: Number(exitCode),
    milliseconds: Number(microseconds) / 1000,
    output: Buffer.from(output, "base64").toString("utf8"),
  };
}

/** What the probe on the node's network said. */
export function parseHostProbe(text: string): HostProbe {
  const tasks = parseTasks(text);
  return {
    machineIsContainer: !isFirstPidNamespace(pidNamespace(tasks)),
    addresses: parseAddresses(output(tasks, "addresses")),
    resolvers: parseNameservers(output(tasks, "resolv")),
    machine: parseMachine((id) => output(tasks, id)),
    timeServices: output(tasks, "time-services")
      .split("\n")
      .filter((name) => name !== ""),
    certificates: parseCertificateFiles(output(tasks, "certificates")),
    sysctls: parseSysctls(output(tasks, "sysctls")),
    kubeProxyRules: parseRules(output(tasks, "rules")),
    connects: keyed(tasks, "connect", parseConnect),
    routes: keyed(tasks, "route", parseRoute),
    reach: keyed(tasks, "reach", parsePing),
    exact: keyed(tasks, "exact", parsePing),
    readyz: keyed(tasks, "readyz", parseReadyz),
    qdiscs: parseQdiscs(output(tasks, "qdiscs")),
  };
}

/** What the probe on the pod network said. `address`: the pod's own. */
export function parsePodProbe(text: string, address: string): PodProbe {
  const tasks = parseTasks(text);
  return {
    address,
    nameservers: parseNameservers(output(tasks, "resolv")),
    sysctls: parseSysctls(output(tasks, "sysctls")),
    lookups: Object.values(keyed(tasks, "lookup", parseLookup)),
    apiConnects: Object.values(keyed(tasks, "api", parseConnect)),
    connects: keyed(tasks, "connect", parseConnect),
    reach: keyed(tasks, "reach", parsePing),
    routes: keyed(tasks, "route", parseRoute),
    exact: keyed(tasks, "exact", parsePing),
    oneMore: keyed(tasks, "more", parsePing),
    nodeOneMore: keyed(tasks, "nodemore", parsePing),
  };
}

/**
 * Both samples of a node's counters, and its clock.
 * @throws Error when a sample is missing
 */
export function parseWindowProbe({
  stdout,
  startedAt,
  arrivals,
}: Pick<ExecResult, "stdout" | "startedAt" | "arrivals">): WindowReading {
  const tasks = parseTasks(stdout);
  const window = parseWindow((id) => output(tasks, id));
  if (window === undefined) throw new Error("the probe sampled /proc/stat less than twice");
  const told = [...tasks.values()].flatMap(({ id, milliseconds }) => {
    if (!id.startsWith("clock ")) return [];
    // The output is ASCII: a character is a byte.
    const end = stdout.indexOf("\n", stdout.indexOf(`"id":"${id}"`));
    const arrival = arrivals.find(({ bytes }) => bytes > end);
    return arrival ? [{ node: milliseconds, here: arrival.at }] : [];
  });
  const clock = clockOf(startedAt, told);
  return { ...window, ...(clock ? { clock } : {}), roundTrips: keyed(tasks, "rtt", parseRoundTrips) };
}

function pidNamespace(tasks: Map<string, TaskOutput>): string {
  const name = output(tasks, "pidns").trim();
  // Without an answer the machine is held to be a real one: nothing is then excused.
  return name.startsWith("pid:[") ? name : firstPidNamespace;
}

function output(tasks: Map<string, TaskOutput>, id: string): string {
  return tasks.get(id)?.output ?? "";
}

function keyed<T>(tasks: Map<string, TaskOutput>, kind: string, parse: (task: TaskOutput) => T): Record<string, T> {
  const entries = [...tasks.values()].filter((task) => task.id.startsWith(`${kind} `));
  return Object.fromEntries(entries.map((task) => [task.id.slice(kind.length + 1), parse(task)]));
}

/** Output of iputils ping, with or without an answer. */
export function parsePing(task: TaskOutput): PingResult {
  const text = task.output;
  const statistics = /(\d+) packets transmitted, (\d+) received/.exec(text);
  const refused = /From (\S+?):? icmp_seq=\d+ Frag needed and DF set \(mtu = (\d+)\)/.exec(text);
  const unreachable = /From \S+ icmp_seq=\d+ (?!Frag needed)(.+)/.exec(text);
  const result: PingResult = {
    sent: Number(statistics?.[1] ?? 0),
    received: Number(statistics?.[2] ?? 0),
    refusedLocally: /local error: message too long|No buffer space available/i.test(text),
  };
  const times = [...text.matchAll(/ time=([\d.]+) ms/g)].map((match) => Number(match[1]));
  if (times.length > 0) result.milliseconds = times;
  if (refused) result.refusedBy = { address: refused[1] ?? "", mtu: Number(refused[2]) };
  if (unreachable) result.complaint = unreachable[1] ?? "";
  else if (!statistics) result.complaint = lastLine(text) || `ping ended with ${task.exitCode}`;
  return result;
}

function parseConnect(task: TaskOutput): ConnectResult {
  const milliseconds = task.milliseconds;
  if (task.exitCode === 0) return { ok: true, milliseconds };
  // bash says "…: connect: Connection refused" and then once more that the file could not be opened.
  const reason = /(?:connect: )?(Connection refused|No route to host|Network is unreachable)/.exec(task.output)?.[1];
  const timedOut = task.exitCode === 124 || task.exitCode === 143;
  return { ok: false, milliseconds, error: reason ?? (timedOut ? "no answer" : lastLine(task.output) || "failed") };
}

/** Output of dig, or of getent where the image has no dig. */
export function parseLookup(task: TaskOutput): LookupResult {
  const text = task.output;
  const dig = /^; <<>> DiG|->>HEADER<<-|^;;/m.test(text);
  const pattern = dig ? /\sIN\s+A\s+(\d+\.\d+\.\d+\.\d+)\s*$/gm : /^(\d+\.\d+\.\d+\.\d+)\s/gm;
  const addresses = [...new Set([...text.matchAll(pattern)].map((match) => match[1] ?? ""))];
  const own = /Query time: (\d+) msec/.exec(text)?.[1];
  const milliseconds = own === undefined ? task.milliseconds : Number(own);
  if (addresses.length > 0) return { addresses, milliseconds };
  const status = /status: ([A-Z]+)/.exec(text)?.[1];
  const silent = /timed out|no servers could be reached/.test(text) || task.exitCode === 124 || task.exitCode === 143;
  return { addresses, milliseconds, error: silent ? "no answer" : (status ?? (lastLine(text) || "no address")) };
}

/** An HTTP status, the complaint of curl, or `open` where there is no curl and somebody listens. */
function parseReadyz(task: TaskOutput): string {
  const status = /^([1-5]\d\d) $/m.exec(task.output)?.[1];
  if (status !== undefined) return status;
  if (task.exitCode === 0) return "open";
  return /curl: \(\d+\) (.+)/.exec(task.output)?.[1]?.trim() ?? (lastLine(task.output) || "no answer");
}

function parseRoundTrips({ output: text }: TaskOutput): { milliseconds: number[]; error?: string } {
  const milliseconds = [...text.matchAll(/^(\d+) us$/gm)].map((match) => Number(match[1]) / 1000);
  const complaint = text.split("\n").find((line) => line !== "" && !/^\d+ us$/.test(line));
  return { milliseconds, ...(complaint ? { error: complaint.replace(/^.*connect: /, "") } : {}) };
}

/** Output of `tc qdisc show`. */
export function parseQdiscs(text: string): Record<string, string[]> {
  const kinds: Record<string, string[]> = {};
  for (const [, kind = "", device = ""] of text.matchAll(/^qdisc (\S+) \S+ dev (\S+) /gm))
    if (!["mq", "clsact", "ingress"].includes(kind)) (kinds[device] ??= []).push(kind);
  return kinds;
}

function parseRoute(task: TaskOutput): RouteReading {
  const match = /^(\S+) (\d+)$/m.exec(task.output);
  return match ? { device: match[1] ?? "", mtu: Number(match[2]) } : { device: "", mtu: 0 };
}

/** Lines `key<TAB>octal mode<TAB>value`, or `key<TAB>absent`. */
export function parseSysctls(text: string): Record<string, SysctlReading> {
  const readings: Record<string, SysctlReading> = {};
  for (const line of text.split("\n")) {
    const [key, mode, value] = line.split("\t");
    if (!key || !mode) continue;
    const writable = mode !== "absent" && (Number.parseInt(mode, 8) & 0o222) !== 0;
    readings[key] = { present: mode !== "absent", writable, value: oneLine(value ?? "") };
  }
  return readings;
}

function parseRules(text: string): RuleCount[] {
  const lines = text.split("\n").filter((line) => line.includes("\t"));
  return lines.map((line) => {
    const [tool = "", count = "", error] = line.split("\t");
    return count === "error" ? { tool, lines: 0, error: error ?? "failed" } : { tool, lines: Number(count) };
  });
}

/** IPv4 addresses in the output of `ip -j addr`. */
export function parseAddresses(text: string): string[] {
  return [...text.matchAll(/"local":"(\d+\.\d+\.\d+\.\d+)"/g)].map((match) => match[1] ?? "");
}

function parseNameservers(text: string): string[] {
  return [...text.matchAll(/^nameserver\s+(\S+)/gm)].map((match) => match[1] ?? "");
}

/** Whitespace of any kind and amount as one space. */
export function oneLine(text: string): string {
  return text.replace(/\s+/g, " ").trim();
}

function lastLine(text: string): string {
  return text.trim().split("\n").at(-1)?.trim() ?? "";
}
