import type { CheckResult } from "../types";

/**
 * One fault is reported once. A finding that cannot be judged apart from a failed one on the same nodes becomes
 * `unseen` and names it: without the route of a node's pods, for instance, no packet size can be tried towards them.
 */
const follows: { check: string; from: string[]; where: Where }[] = [
  { check: "pod-to-pod", from: ["cloud-routes"], where: "anyEnd" },
  { check: "pod-mtu", from: ["cloud-routes"], where: "anyEnd" },
  { check: "pod-mtu", from: ["node-mtu", "pod-to-pod"], where: "sameSubject" },
  { check: "cluster-ip", from: ["cloud-routes"], where: "anyEnd" },
  // The DNS pods may sit behind any route.
  { check: "dns", from: ["cloud-routes"], where: "anywhere" },
  { check: "dns", from: ["cluster-ip", "pod-to-pod"], where: "anyEnd" },
  { check: "egress", from: ["masquerading"], where: "anyEnd" },
  { check: "health-mesh", from: ["cloud-routes", "pod-to-pod", "node-mtu", "pod-mtu"], where: "anyEnd" },
  // What does not arrive is often dropped somewhere, and says less there.
  {
    check: "drops",
    from: ["cloud-routes", "routing-mode", "host-routing", "devices", "masquerading", "lb-mode"],
    where: "anywhere",
  },
  { check: "drops", from: ["pod-to-pod", "cluster-ip", "dns", "egress", "health-mesh"], where: "anywhere" },
  { check: "fragments", from: ["node-mtu", "pod-mtu"], where: "anywhere" },
];

/** `anyEnd`: one of the two nodes of a pair is enough. */
type Where = "sameSubject" | "anyEnd" | "anywhere";

/** Marks findings that follow from another one. Only failures are touched, and only while their cause failed too. */
export function settleCauses(results: CheckResult[]): CheckResult[] {
  const failed = results.filter((result) => result.outcome === "failed");
  return results.map((result) => {
    if (result.outcome !== "failed") return result;
    const cause = failed.find((candidate) =>
      follows.some(
        (rule) =>
          rule.check === result.check && rule.from.includes(candidate.check) && touches(rule.where, candidate, result),
      ),
    );
    if (!cause) return result;
    return {
      ...result,
      outcome: "unseen",
      hint: `Follows from ${cause.check} on ${cause.subject}; it is judged once that is mended.`,
    };
  });
}

function touches(where: Where, cause: CheckResult, result: CheckResult): boolean {
  if (where === "anywhere") return true;
  if (where === "sameSubject") return cause.subject === result.subject;
  const nodes = ends(result.subject);
  return ends(cause.subject).some((node) => nodes.includes(node));
}

function ends(subject: string): string[] {
  return subject.split(" -> ");
}
