import { valueOf, type NodeProbes, type SysctlReading } from "../evidence";
import { oneLine } from "../parse";
import type { CheckResult, Expectation } from "../types";
import { findings, withoutPlan, type Check } from "./result";

type Entry = Expectation["sysctls"][number];

/** The tuning profile is in effect on each node. */
export const sysctlsNode: Check = {
  id: "sysctls-node",
  title: "kernel settings on the nodes",
  settles: false,
  run: (expectation, evidence) =>
    evidence.probes.flatMap((probes) =>
      judgeAll(
        "sysctls-node",
        expectation?.sysctls,
        probes,
        probes.host,
        ({ key }) =>
          `Something else sets it later (see grep -r ${key} /etc/sysctl.d /run/sysctl.d /usr/lib/sysctl.d), or it was changed by hand. sysctl --system puts the files into effect.`,
      ),
    ),
};

/** Pods start with the settings that the kernel hands down, and have those that they ask for as `tuning.podSysctls` lets them. */
export const sysctlsPod: Check = {
  id: "sysctls-pod",
  title: "kernel settings inside a new pod",
  settles: false,
  run: (expectation, evidence) =>
    evidence.probes.flatMap((probes) =>
      judgeAll(
        "sysctls-pod",
        expectation?.sysctls.filter((entry) => entry.podsInherit || entry.podsMaySet),
        probes,
        probes.pod,
        (entry) =>
          entry.podsMaySet
            ? "The pod asked for it, and the kubelet let it: look at what the container runtime does with sysctls."
            : "The kernel hands the node's value down when a pod starts: a pod made before a change keeps the old one.",
      ),
    ),
};

// tcp_sk_init in net/ipv4/tcp_ipv4.c and devinet_init_net copy from init_net, whichever namespace the pod was made from.
const handedDownByHost =
  "The machine is a container, and the kernel hands its host's value down to new pods: the node's own value cannot reach them here.";

function judgeAll(
  check: string,
  entries: Entry[] | undefined,
  probes: NodeProbes,
  probe: NodeProbes["host"] | NodeProbes["pod"],
  hint: (entry: Entry) => string,
): CheckResult[] {
  const { unseen } = findings(check);
  if (!entries) return [unseen(probes.node, "-", withoutPlan)];
  if ("unseen" in probe) return entries.map((entry) => unseen(probes.node, text(entry), probe.unseen));
  const container = valueOf(probes.host)?.machineIsContainer ?? false;
  return entries.map((entry) =>
    judge(check, probes.node, entry, probe.value.sysctls[entry.key], container, hint(entry)),
  );
}

function judge(
  check: string,
  node: string,
  entry: Entry,
  reading: SysctlReading | undefined,
  container: boolean,
  hint: string,
): CheckResult {
  const { ok, failed, unseen, unprovable } = findings(check);
  const wanted = text(entry);
  if (!reading) return unseen(node, wanted, "The probe did not read this key.");
  const found = reading.present ? `${entry.key} = ${reading.value}` : `${entry.key} is absent`;
  if (container && !(reading.present && reading.writable)) {
    const state = reading.present ? "read-only" : "absent";
    return unprovable(
      node,
      wanted,
      found,
      `The machine is a container, where this key is ${state}: it belongs to the host.`,
    );
  }
  if (!reading.present) return failed(node, wanted, found, "The kernel lacks it, or its module is not loaded.");
  if (agrees(entry, reading.value)) return ok(node, wanted, found);
  if (container && check === "sysctls-pod" && !entry.podsMaySet)
    return unprovable(node, wanted, found, handedDownByHost);
  return failed(node, wanted, found, hint);
}

/** Cilium adds the NodePort range to the reserved ports by itself (autoProtectPortRange), so there more is right. */
function agrees(entry: Entry, found: string): boolean {
  if (entry.key !== "net.ipv4.ip_local_reserved_ports") return oneLine(entry.value) === found;
  const live = ranges(found);
  return ranges(entry.value).every(([from, to]) => live.some(([first, last]) => first <= from && to <= last));
}

/** Port ranges, merged where they touch, as the kernel prints them. */
function ranges(value: string): [number, number][] {
  const parts = value
    .split(",")
    .filter((part) => part.trim() !== "")
    .map((part): [number, number] => {
      const [from, to] = part.split("-").map(Number);
      return [from ?? 0, to ?? from ?? 0];
    })
    .sort((a, b) => a[0] - b[0]);
  const merged: [number, number][] = [];
  for (const [from, to] of parts) {
    const last = merged.at(-1);
    if (last && from <= last[1] + 1) last[1] = Math.max(last[1], to);
    else merged.push([from, to]);
  }
  return merged;
}

function text(entry: Entry): string {
  return `${entry.key} = ${oneLine(entry.value)}`;
}
