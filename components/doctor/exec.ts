import { Exec, type V1Status } from "@kubernetes/client-node";
import { Writable } from "node:stream";
import type { Kube } from "./kube";

/** What a command in a pod gave. */
export interface ExecResult {
  stdout: string;
  stderr: string;
  /** True when the command ended with 0. */
  succeeded: boolean;
  /** When the command was asked for, milliseconds since 1970. */
  startedAt: number;
  /** When stdout had come up to a number of bytes. */
  arrivals: { bytes: number; at: number }[];
}

/**
 * Runs one command in a container over a websocket.
 * @param where namespace, pod, container
 * @param limit milliseconds; the connection is closed then, and the command ends with it
 * @param signal closes the connection when it aborts
 * @throws Error with one sentence when the command could not be run or did not end in time
 */
export async function execInPod(
  kube: Kube,
  where: { namespace: string; pod: string; container: string },
  command: string[],
  limit: number,
  signal: AbortSignal,
): Promise<ExecResult> {
  const startedAt = Date.now();
  const stdout = new Collector();
  const stderr = new Collector();
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(limit)]);
  const status = await new Promise<V1Status>((resolve, reject) => {
    const { namespace, pod, container } = where;
    new Exec(kube.config)
      .exec(namespace, pod, container, command, stdout, stderr, null, false, resolve)
      .then((socket) => {
        const giveUp = () => {
          socket.terminate();
          reject(new Error(signal.aborted ? "interrupted" : `no end within ${limit / 1000} seconds`));
        };
        if (deadline.aborted) giveUp();
        else deadline.addEventListener("abort", giveUp, { once: true });
        socket.onclose = () => reject(new Error("the connection was closed before the command ended"));
      })
      // The websocket rejects with an event that carries the message.
      .catch((error: unknown) => {
        reject(new Error((error as { message?: string }).message ?? "the connection failed"));
      });
    deadline.addEventListener("abort", () => reject(new Error(`no connection within ${limit / 1000} seconds`)), {
      once: true,
    });
  });
  return {
    stdout: stdout.text(),
    stderr: stderr.text(),
    succeeded: status.status === "Success",
    startedAt,
    arrivals: stdout.arrivals,
  };
}

/** Keeps what is written to it. */
class Collector extends Writable {
  readonly arrivals: ExecResult["arrivals"] = [];
  private readonly chunks: Buffer[] = [];

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.chunks.push(Buffer.from(chunk));
    this.arrivals.push({ bytes: (this.arrivals.at(-1)?.bytes ?? 0) + chunk.length, at: Date.now() });
    done();
  }

  text(): string {
    return Buffer.concat(this.chunks).toString("utf8");
  }
}
