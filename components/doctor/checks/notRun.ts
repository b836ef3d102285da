import type { CheckResult, NotRun } from "../types";
import type { Check } from "./result";

/** What a whole verification has besides the checks, and why the doctor leaves it to others. */
const elsewhere: NotRun[] = [
  {
    check: "dsr-replies",
    reason:
      "Answers that skip the first node show only to a client outside of the cluster, from where the doctor sees no packets: connect some twenty times to a Service whose only pod is on another node.",
  },
  {
    check: "large-transfers",
    reason:
      "Packets of the exact size are tried instead (node-mtu, pod-mtu); a transfer would load paths that carry users.",
  },
  {
    check: "wireguard-handshakes",
    reason: "Agents do not tell the age of handshakes; their keys of peers are counted (encryption).",
  },
  {
    check: "policy-verdicts",
    reason:
      "Which calls may pass is known to whoever wrote the policies: try an allowed and a forbidden one, as the example stack does.",
  },
  {
    check: "latency-baseline",
    reason:
      "Cilium's `connectivity perf` loads the network for minutes, and needs a tool and images of its own: run it apart and keep its report to compare with.",
  },
  {
    check: "network-bursts",
    reason:
      "A provider throttles what exceeds its share, which shows only under such a load; the doctor makes none. Compare `zerosteal capture` at rest and under load.",
  },
];

/** Everything that was not run: what is left to others, and checks that found nothing to judge. */
export function notRunOf(checks: readonly Check[], results: readonly CheckResult[]): NotRun[] {
  const judged = new Set(results.map(({ check }) => check));
  const silent = checks.filter(({ id }) => !judged.has(id));
  return [...silent.map(({ id, idle = "There was nothing to judge." }) => ({ check: id, reason: idle })), ...elsewhere];
}
