import { createHash } from "node:crypto";
import { open, rm } from "node:fs/promises";
import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Step } from "./progress";

/** Time limits of the download path, milliseconds. */
export interface Limits {
  /** For the first answer of a host. Default 3000. */
  probeMs: number;
  /** Longest silence while a file comes in. Default 20000. */
  idleMs: number;
}

/** The limits of every run outside tests. */
export const defaultLimits: Limits = { probeMs: 3000, idleMs: 20_000 };

/** Answers whether a URL's host can be reached at all, asking each host once. */
export class UpstreamProbe {
  private readonly answers = new Map<string, Promise<boolean>>();

  /** @param limits time limits */
  constructor(private readonly limits: Limits = defaultLimits) {}

  /**
   * Any HTTP answer counts as reachable; a refused connection, a name that does not resolve or silence does not.
   * @param url any file of the host
   */
  reachable(url: string): Promise<boolean> {
    const host = new URL(url).origin;
    const known = this.answers.get(host);
    if (known) return known;
    const answer = fetch(host, {
      method: "HEAD",
      redirect: "manual",
      signal: AbortSignal.timeout(this.limits.probeMs),
    }).then(
      () => true,
      () => false,
    );
    this.answers.set(host, answer);
    return answer;
  }

  /**
   * Counts a URL's host as unreachable from now on: its files redirect to a host that cannot be reached, or it breaks off.
   * @param url any file of the host
   */
  giveUp(url: string): void {
    this.answers.set(new URL(url).origin, Promise.resolve(false));
  }
}

/** Why a download is not used: the host answered an error, the file is not the published one, or the network failed. */
export class DownloadError extends Error {
  override name = "DownloadError";

  constructor(
    message: string,
    readonly kind: "status" | "corrupt" | "network",
  ) {
    super(message);
  }
}

/**
 * Downloads a file and checks it. On any failure nothing is left at `target`.
 * @param url where from; redirects are followed
 * @param sha256 expected, 64 hex digits
 * @param target path of the new file
 * @param step is told about bytes
 * @param limits time limits
 * @throws DownloadError with one sentence
 */
export async function download(
  url: string,
  sha256: string,
  target: string,
  step: Step,
  limits: Limits = defaultLimits,
): Promise<void> {
  try {
    const found = await fetchTo(url, target, step, limits);
    if (found !== sha256) {
      throw new DownloadError(
        `${url} has SHA-256 ${found} where ${sha256} was expected; the file was discarded.`,
        "corrupt",
      );
    }
  } catch (error) {
    await rm(target, { force: true });
    if (error instanceof DownloadError) throw error;
    throw new DownloadError(`${url} could not be downloaded: ${reason(error)}.`, "network");
  }
}

async function fetchTo(url: string, target: string, step: Step, limits: Limits): Promise<string> {
  const silence = new AbortController();
  const alarm = () =>
    setTimeout(() => silence.abort(new Error(`no data for ${limits.idleMs / 1000} s`)), limits.idleMs);
  let timer = alarm();
  try {
    const response = await fetch(url, { signal: silence.signal });
    if (!response.ok || !response.body) {
      throw new DownloadError(`${url} answered ${response.status}.`, "status");
    }
    const total = Number(response.headers.get("content-length") ?? 0);
    const hash = createHash("sha256");
    let bytes = 0;
    const count = new Transform({
      transform(chunk: Buffer, _encoding, done) {
        clearTimeout(timer);
        timer = alarm();
        hash.update(chunk);
        bytes += chunk.length;
        step.set(`downloading, ${mib(bytes)}${total ? ` of ${mib(total)}` : ""} MiB`);
        done(null, chunk);
      },
    });
    // Opened before anything can fail: a stream that opens the file by itself may still do so after the failed file was removed.
    const file = await open(target, "w");
    await pipeline(Readable.fromWeb(response.body), count, file.createWriteStream(), { signal: silence.signal });
    return hash.digest("hex");
  } catch (error) {
    throw silence.signal.aborted ? silence.signal.reason : error;
  } finally {
    clearTimeout(timer);
  }
}

function mib(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(0);
}

/** The innermost cause is the one that names the fault (`other side closed`, `ECONNREFUSED`). */
function reason(error: unknown): string {
  let inner = error;
  while (inner instanceof Error && inner.cause) inner = inner.cause;
  return inner instanceof Error ? inner.message : String(inner);
}
