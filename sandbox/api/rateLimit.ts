/** How many requests a project may make. */
export interface RateLimit {
  /** Requests in a burst. The real API has 3600. */
  limit: number;
  /** Requests that come back each second. The real API has 1. */
  perSecond: number;
}

/** Counts the requests of each project: a bucket that fills again steadily. */
export class RateLimiter {
  private readonly buckets = new Map<string, { left: number; at: number }>();

  constructor(
    private readonly rate: RateLimit,
    private readonly now: () => Date,
  ) {}

  /**
   * Takes one request out of a project's bucket.
   * @returns whether it was still there, and the headers every answer carries
   */
  take(project: string): { allowed: boolean; headers: Record<string, string> } {
    const { limit, perSecond } = this.rate;
    const at = this.now().getTime() / 1000;
    const bucket = this.buckets.get(project) ?? { left: limit, at };
    const left = Math.min(limit, bucket.left + Math.max(0, at - bucket.at) * perSecond);
    const allowed = left >= 1;
    const rest = allowed ? left - 1 : left;
    this.buckets.set(project, { left: rest, at });
    return {
      allowed,
      headers: {
        "ratelimit-limit": String(limit),
        "ratelimit-remaining": String(Math.floor(rest)),
        "ratelimit-reset": String(Math.ceil(at + (limit - rest) / perSecond)),
      },
    };
  }
}
