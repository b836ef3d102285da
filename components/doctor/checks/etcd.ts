import { valueOf, type EtcdReading, type Evidence, type Histogram, type NodeProbes } from "../evidence";
import type { CheckResult, Expectation } from "../types";
import { findings, type Check } from "./result";

/** Largest 99th percentile of etcd's writes to its log and of commits, milliseconds: what its authors advise. */
export const diskLimits = { fsync: 10, commit: 25 } as const;
/** Largest share of the time in which a CPU may wait for disks under an etcd, percent. */
export const ioWaitLimit = 10;
/** Fewer writes tell nothing of the slow ones. */
const enough = 10;
const noEtcd = "No etcd answers on a node's port 2381: it runs elsewhere, or keeps its metrics to itself.";

/** Every control plane's etcd votes, and they have one leader. */
export const etcd: Check = {
  id: "etcd",
  title: "etcd's members are healthy, vote, and have one leader",
  settles: true,
  idle: noEtcd,
  run(expectation, evidence) {
    const { ok, failed, unseen, equal } = findings("etcd");
    const members = etcds(evidence);
    if (members.length === 0) return [];
    const wanted = "a healthy voter with a leader and all peers";
    const nodes = evidence.probes.flatMap(({ node, window }): CheckResult[] => {
      const member = members.find((candidate) => candidate.node === node)?.last;
      if (member) {
        const faults = faultsOf(member, members.length - 1);
        if (faults === "") return [ok(node, wanted, member.isLeader ? "the leader" : "a follower")];
        return [
          failed(node, wanted, faults, `See kubectl -n kube-system logs etcd-${node}, and etcdctl member list there.`),
        ];
      }
      if (!planned(expectation, node)) return [];
      if ("unseen" in window) return [unseen(node, wanted, window.unseen)];
      return [failed(node, wanted, "no etcd answers on port 2381", `See crictl ps -a --name etcd on ${node}.`)];
    });
    const leaders = members.filter(({ last }) => last.isLeader).length;
    const hint =
      "An election was going on, or the members are split: look at the network between control planes and at their disks.";
    return [...nodes, equal("cluster", "1 leader", `${leaders} leader${leaders === 1 ? "" : "s"}`, hint)];
  },
};

function faultsOf(member: EtcdReading, peers: number): string {
  const faults = [
    member.healthy ? "" : "not healthy",
    member.hasLeader ? "" : "no leader",
    member.isLearner ? "a learner, without a vote" : "",
    member.activePeers < peers ? `${member.activePeers} of ${peers} peers` : "",
  ];
  return faults.filter((fault) => fault !== "").join(", ");
}

/** The disk under etcd takes its writes quickly: all of the control plane waits for them. */
export const etcdDisk: Check = {
  id: "etcd-disk",
  title: "etcd's disk takes writes quickly",
  settles: false,
  idle: noEtcd,
  run: (_expectation, evidence) =>
    etcds(evidence).flatMap(({ node, first, last, container }) => [
      judgeDisk(node, "log", between(first.fsync, last.fsync), diskLimits.fsync, container),
      judgeDisk(node, "commits", between(first.commit, last.commit), diskLimits.commit, container),
    ]),
};

function judgeDisk(node: string, what: string, writes: Histogram, limit: number, container: boolean): CheckResult {
  const { ok, failed, unseen, unprovable } = findings("etcd-disk");
  const wanted = `99 % of writes (${what}) within ${limit} ms`;
  const count = writes.at(-1)?.count ?? 0;
  const within = 1000 * quantile(writes, 0.99);
  const found = `${within.toFixed(1)} ms, of ${count} writes`;
  if (container) return unprovable(node, wanted, found, "The machine is a container, whose disk is its host's.");
  if (count < enough) return unseen(node, wanted, "Too few writes meanwhile to tell.", found);
  // Of a hundred writes one slow one is no more than chance.
  const slow = count * (1 - shareUpTo(writes, limit / 1000));
  if (within <= limit || slow < 2) return ok(node, wanted, found);
  return failed(
    node,
    wanted,
    found,
    "Give the control plane a faster disk (local NVMe), and let nothing else write to it.",
  );
}

/** CPUs under etcd do not wait for disks. */
export const ioWait: Check = {
  id: "io-wait",
  title: "CPUs under etcd do not wait for disks",
  settles: false,
  idle: noEtcd,
  run: (_expectation, evidence) =>
    evidence.probes.flatMap((probes) => {
      const { ok, failed, unprovable } = findings("io-wait");
      const window = valueOf(probes.window);
      if (!window?.etcd) return [];
      const { first, last } = window.ticks;
      const all = last.busy + last.idle + last.steal - first.busy - first.idle - first.steal;
      const share = all > 0 ? (100 * ((last.ioWait ?? 0) - (first.ioWait ?? 0))) / all : 0;
      const wanted = `at most ${ioWaitLimit} % of the time`;
      const found = `${share.toFixed(1)} % of the time`;
      if (isContainer(probes))
        return [unprovable(probes.node, wanted, found, "The machine is a container, whose /proc/stat is its host's.")];
      if (share <= ioWaitLimit) return [ok(probes.node, wanted, found)];
      const hint = `Something on ${probes.node} keeps its disk busy: iotop shows it. Take a faster disk, or move that away.`;
      return [failed(probes.node, wanted, found, hint)];
    }),
};

function etcds({ probes }: Evidence) {
  return probes.flatMap((one) => {
    const etcd = valueOf(one.window)?.etcd;
    return etcd ? [{ node: one.node, container: isContainer(one), ...etcd }] : [];
  });
}

function isContainer({ host }: NodeProbes): boolean {
  return valueOf(host)?.machineIsContainer ?? false;
}

function planned(expectation: Expectation | undefined, node: string): boolean {
  return expectation?.nodes.find(({ name }) => name === node)?.role === "control-plane";
}

/** What came to a histogram between two readings. */
export function between(first: Histogram, last: Histogram): Histogram {
  return last.map(({ upTo, count }, index) => ({ upTo, count: count - (first[index]?.count ?? 0) }));
}

/** A quantile as Prometheus estimates it, evenly within a bucket; of the last bucket its lower bound. */
export function quantile(histogram: Histogram, share: number): number {
  const rank = share * (histogram.at(-1)?.count ?? 0);
  const index = histogram.findIndex(({ count }) => count >= rank);
  const below = histogram[index - 1] ?? { upTo: 0, count: 0 };
  const bucket = histogram[index] ?? below;
  if (bucket.upTo === Infinity || bucket.count === below.count) return below.upTo;
  return below.upTo + ((bucket.upTo - below.upTo) * (rank - below.count)) / (bucket.count - below.count);
}

/** Share of what was no longer than a bound, in the same way. */
function shareUpTo(histogram: Histogram, bound: number): number {
  const index = histogram.findIndex(({ upTo }) => upTo >= bound);
  const bucket = histogram[index];
  const all = histogram.at(-1)?.count ?? 0;
  if (!bucket || all === 0) return 1;
  const below = histogram[index - 1] ?? { upTo: 0, count: 0 };
  const part = bucket.upTo === Infinity ? 0 : (bound - below.upTo) / (bucket.upTo - below.upTo);
  return (below.count + part * (bucket.count - below.count)) / all;
}
