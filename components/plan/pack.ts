import { gzipSync, strToU8 } from "fflate";
import type { NodeFile } from "./types";

const packed = new Map<string, string>();

/** Whether a file is sent packed: a program of the library. It is the same for every node, and no argument changes it. */
export function isPacked({ mode }: NodeFile): boolean {
  return mode === "0755";
}

/**
 * A text as base64 of gzip. Not by Node's own zlib, whose result may differ by its version and by the CPU: the same program would then differ
 * between the machines of a team, and each `pulumi up` run every node's step again.
 */
export function pack(content: string): string {
  const known = packed.get(content);
  if (known !== undefined) return known;
  const text = Buffer.from(gzipSync(strToU8(content), { level: 9, mtime: 0 })).toString("base64");
  packed.set(content, text);
  return text;
}
