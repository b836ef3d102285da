import { Gauge, Registry } from "prom-client";
import type { NodeSteal } from "./steal";

/** Metrics of measurements for Prometheus. */
export interface StealMetrics {
  /** Takes a measurement over. Nodes that are gone lose their series. */
  record: (nodes: NodeSteal[]) => void;
  /** The text that Prometheus reads. */
  text: () => Promise<string>;
  contentType: string;
}

/** Metrics that are all empty until the first measurement. */
export function stealMetrics(): StealMetrics {
  const registry = new Registry();
  const gauge = (name: string, help: string): Gauge<"node"> =>
    new Gauge({ name: `zerosteal_steal_${name}`, help, labelNames: ["node"], registers: [registry] });
  const share = gauge(
    "ratio",
    "Share of the wanted CPU time that the node's host gave to others, of the last measurement",
  );
  const p95 = gauge("p95_ratio", "The same in the worst twentieth of single seconds");
  const limit = gauge("limit_ratio", "What the node's kind of CPU allows");
  const judged = gauge(
    "judged",
    "1 where the measurement can be judged: busy CPUs, and a machine that is no container",
  );
  return {
    record(nodes) {
      for (const metric of [share, p95, limit, judged]) metric.reset();
      for (const { node, ...found } of nodes) {
        share.set({ node }, found.percent / 100);
        p95.set({ node }, found.p95 / 100);
        limit.set({ node }, found.limit / 100);
        judged.set({ node }, found.verdict === "ok" || found.verdict === "stolen" ? 1 : 0);
      }
    },
    text: () => registry.metrics(),
    contentType: registry.contentType,
  };
}
