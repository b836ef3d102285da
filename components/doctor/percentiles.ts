/** What is said of many values, in their own unit. */
export interface Percentiles {
  p50: number;
  p90: number;
  p99: number;
  max: number;
}

/** The value that this share of the values does not exceed, by nearest rank. @param values not empty */
export function nearestRank(values: number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}

/** Percentiles by nearest rank. @param values not empty */
export function percentiles(values: number[]): Percentiles {
  const [p50 = 0, p90 = 0, p99 = 0, max = 0] = [0.5, 0.9, 0.99, 1].map((share) => nearestRank(values, share));
  return { p50, p90, p99, max };
}
