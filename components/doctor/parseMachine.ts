import type {
  ClockReading,
  CpuTicks,
  FragmentCounts,
  KubeletReading,
  MachineReading,
  NicInterrupt,
  SoftnetCounts,
  WindowReading,
} from "./evidence";
import { parseEtcd } from "./parseControlPlane";

/** Text of each task of the probe script by its id; empty where there was none. */
export type TaskTexts = (id: string) => string;

/** What the probe on a node's network saw of CPUs, interrupts and memory. */
export function parseMachine(text: TaskTexts): MachineReading {
  const allowed = new Map(lines(text("allowed")).map((line) => line.split("\t") as [string, string]));
  return {
    isolated: text("isolated").trim(),
    cores: lines(text("siblings")),
    hugePages: /\[(\w+)\]/.exec(text("hugepages"))?.[1] ?? "",
    interrupts: lines(text("interrupts")).map(parseInterrupt),
    probeCpus: allowed.get("probe") ?? "",
    kubeletCpus: allowed.get("kubelet") ?? "",
  };
}

function parseInterrupt(line: string): NicInterrupt {
  const [nic = "", irq = "", name = "", cpus = ""] = line.split("\t");
  return { nic, irq, name, cpus };
}

/** Both samples of a window; undefined where one is missing. */
export function parseWindow(text: TaskTexts): Omit<WindowReading, "clock" | "roundTrips"> | undefined {
  const both = <T>(parse: (text: string) => T, what = "") => ({
    first: parse(text(`first${what}`)),
    last: parse(text(`last${what}`)),
  });
  const ticks = both(parseTicks);
  if (ticks.first === undefined || ticks.last === undefined) return undefined;
  const etcd = both(parseEtcd, "-etcd");
  return {
    ticks: { first: ticks.first, last: ticks.last },
    softnet: both(parseSoftnet),
    fragments: both(parseFragments, "-fragments"),
    ...(etcd.first && etcd.last ? { etcd: { first: etcd.first, last: etcd.last } } : {}),
  };
}

/** The two lines of IP in /proc/net/snmp: names and numbers. */
export function parseFragments(text: string): FragmentCounts {
  const [names = [], numbers = []] = lines(text).map((line) => line.split(" "));
  const count = (name: string): number => Number(numbers[names.indexOf(name)] ?? 0);
  return { created: count("FragCreates"), notCut: count("FragFails"), notJoined: count("ReasmFails") };
}

/**
 * A node's clock by what it told of its time. It told it after it was asked, and before that arrived here.
 * @param told its time and the time here when that had come, milliseconds since 1970
 */
export function clockOf(startedAt: number, told: { node: number; here: number }[]): ClockReading | undefined {
  if (told.length === 0) return undefined;
  return {
    atLeast: Math.max(...told.map(({ node, here }) => node - here)),
    atMost: Math.min(...told.map(({ node }) => node - startedAt)),
  };
}

/** The line of all CPUs in /proc/stat. Time of guests is part of user and nice. */
export function parseTicks(text: string): CpuTicks | undefined {
  const numbers = /^cpu +([\d ]+)$/m.exec(text)?.[1]?.trim().split(/ +/).map(Number);
  if (numbers === undefined) return undefined;
  const [user = 0, nice = 0, system = 0, idle = 0, iowait = 0, irq = 0, softirq = 0, steal = 0] = numbers;
  return { busy: user + nice + system + irq + softirq, idle: idle + iowait, steal, ioWait: iowait };
}

/** /proc/net/softnet_stat: one line of hexadecimal columns a CPU, of which the first three are packets, drops and rounds cut short. */
export function parseSoftnet(text: string): SoftnetCounts {
  const rows = lines(text)
    .filter((line) => /^[0-9a-f]{8}( [0-9a-f]{8})+$/.test(line))
    .map((line) => line.split(" ").map((word) => Number.parseInt(word, 16)));
  const sum = (column: number): number => rows.reduce((total, row) => total + (row[column] ?? 0), 0);
  return { packets: sum(0), dropped: sum(1), squeezed: sum(2) };
}

/**
 * What a kubelet says at /configz.
 * @param answer its text, or what the API's client made of it already
 * @throws SyntaxError when it is no JSON
 */
export function parseKubelet(answer: unknown): KubeletReading {
  const { kubeletconfig = {} } = (typeof answer === "string" ? JSON.parse(answer) : answer) as {
    kubeletconfig?: Record<string, unknown>;
  };
  const { cpuManagerPolicy, cpuManagerPolicyOptions, reservedSystemCPUs } = kubeletconfig;
  const options = Object.entries((cpuManagerPolicyOptions as Record<string, string> | undefined) ?? {});
  return {
    policy: typeof cpuManagerPolicy === "string" ? cpuManagerPolicy : "none",
    reserved: typeof reservedSystemCPUs === "string" ? reservedSystemCPUs : "",
    options: options.flatMap(([name, value]) => (value === "true" ? [name] : [])).sort(),
  };
}

function lines(text: string): string[] {
  return text.split("\n").flatMap((line) => (line.trim() === "" ? [] : [line.trim()]));
}
