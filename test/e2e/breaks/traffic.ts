import { onNode, worker } from "../support/cluster";
import { whileLooking } from "../support/doctor";
import { inPod, podAddress, startPods } from "../support/pods";
import { dropInRouter, dropToSecondWorker, passInRouter } from "./paths";
import type { Break } from "./break";

/** Of those that IANA keeps for experiments: connection tracking knows none of its kind. */
const unknownProtocol = 253;

/** Packets that go on for as long as the doctor looks. */
export const brokenTraffic: Break[] = [
  {
    check: "round-trips",
    what: "a place that one node does not reach",
    make: (cluster) => dropToSecondWorker(cluster, 22),
    mend: (cluster) => passInRouter(cluster),
    settings: (cluster) => ({ rttTargets: [`${worker(cluster, 1).privateAddress}:22`] }),
    findings: (cluster) => [
      {
        check: "round-trips",
        subject: `${worker(cluster, 0).name} -> ${worker(cluster, 1).privateAddress}:22`,
        wanted: "connections succeed",
        found: "no answer",
      },
    ],
  },
  {
    check: "drops",
    what: "a pod that sends what Cilium does not track",
    make: (cluster) => startPods(cluster),
    mend: () => Promise.resolve(),
    settings: (cluster) =>
      whileLooking(async () => {
        const target = await podAddress(cluster, worker(cluster, 1));
        await inPod(
          cluster,
          worker(cluster, 0),
          `for i in {1..20}; do echo unknown | socat -u - IP4-SENDTO:${target}:${unknownProtocol}; done`,
        );
      }),
    findings: (cluster) => [
      {
        check: "drops",
        subject: worker(cluster, 0).name,
        wanted: "fewer than 10 packets dropped without a policy",
        found: /^\d+ × CT: Unknown L4 protocol$/,
      },
    ],
  },
  {
    check: "fragments",
    what: "a way on which later pieces of packets get lost",
    make: async (cluster) => {
      const { privateAddress } = worker(cluster, 0);
      await onNode(cluster, worker(cluster, 0), `sysctl -qw net.ipv4.ipfrag_time=1`);
      await dropInRouter(cluster, `ip daddr ${privateAddress} ip frag-off & 0x1fff != 0`);
    },
    mend: async (cluster) => {
      await passInRouter(cluster);
      await onNode(cluster, worker(cluster, 0), "sysctl -qw net.ipv4.ipfrag_time=30");
    },
    settings: (cluster) =>
      whileLooking(async () => {
        const target = `/dev/udp/${worker(cluster, 0).privateAddress}/9`;
        await onNode(
          cluster,
          worker(cluster, 1),
          `for i in {1..5}; do head -c 3000 /dev/zero >${target}; sleep 0.2; done`,
        );
      }),
    findings: (cluster) => [
      {
        check: "fragments",
        subject: worker(cluster, 0).name,
        wanted: "no failure",
        found: /, [1-9]\d* not put together, /,
      },
    ],
  },
];
