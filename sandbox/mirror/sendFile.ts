import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import type { FastifyReply, FastifyRequest } from "fastify";

/** Part of a file: first and last byte, both included. */
interface ByteRange {
  start: number;
  end: number;
}

/**
 * Streams a file, or the part that a Range header asks for. HEAD gets the same headers and no body.
 * @param request for method and Range
 * @param reply answered
 * @param file path; must exist
 * @param headers content type and what else identifies it
 */
export async function sendFile(
  request: FastifyRequest,
  reply: FastifyReply,
  file: string,
  headers: Record<string, string>,
): Promise<FastifyReply> {
  const { size } = await stat(file);
  void reply.headers(headers).header("accept-ranges", "bytes");
  const range = parseRange(request.headers.range, size);
  if (range === "unsatisfiable") {
    return reply.code(416).header("content-range", `bytes */${size}`).send();
  }
  const { start, end } = range ?? { start: 0, end: size - 1 };
  if (range) void reply.code(206).header("content-range", `bytes ${start}-${end}/${size}`);
  void reply.header("content-length", String(end - start + 1));
  if (request.method === "HEAD" || size === 0) return reply.send();
  return reply.send(createReadStream(file, { start, end, highWaterMark: 1 << 20 }));
}

/**
 * Reads a Range header of one part. Several parts, other units and nonsense are ignored, as RFC 9110 allows.
 * @param header the header, if any
 * @param size of the file, bytes
 */
export function parseRange(header: string | undefined, size: number): ByteRange | "unsatisfiable" | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header ?? "");
  if (!match || (match[1] === "" && match[2] === "")) return undefined;
  if (match[1] === "") {
    const length = Math.min(Number(match[2]), size);
    return length === 0 ? "unsatisfiable" : { start: size - length, end: size - 1 };
  }
  const start = Number(match[1]);
  const end = match[2] === "" ? size - 1 : Math.min(Number(match[2]), size - 1);
  if (match[2] !== "" && Number(match[2]) < start) return undefined;
  return start >= size ? "unsatisfiable" : { start, end };
}
