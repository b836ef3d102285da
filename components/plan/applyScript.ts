import { setupPath } from "./nodeFiles";
import { isPacked, pack } from "./pack";
import type { NodeFile } from "./types";

const end = "END_OF_ZEROSTEAL_FILE";

const head = `#!/bin/bash
set -euo pipefail

# put MODE PATH [FILTER]: writes standard input, as the filter gives it, to a file, whole or not at all.
put() {
  local new
  mkdir -p "\${2%/*}"
  new=$(mktemp "$2.XXXXXX")
  "\${3:-cat}" >"$new" || { rm -f "$new"; return 1; }
  chmod "$1" "$new"
  mv -f "$new" "$2"
}

unpack() { base64 -d | gzip -dc; }
`;

/**
 * A script that writes a node's files and puts them into effect: what cloud-init does on the first boot, for a node that runs.
 * @throws RangeError when a file does not end with a newline or holds the line that ends a file here
 */
export function applyScript(files: NodeFile[]): string {
  const puts = files.map((file) => {
    const { path, mode, content } = file;
    if (isPacked(file)) return `put ${mode} ${path} unpack <<'${end}'\n${pack(content)}\n${end}\n`;
    if (!content.endsWith("\n") || content.split("\n").includes(end)) throw new RangeError(`${path} cannot be sent`);
    return `put ${mode} ${path} <<'${end}'\n${content}${end}\n`;
  });
  return [head, ...puts, `${setupPath}\n`].join("\n");
}

/** What a packed file's text begins with where it is read back. A plain text cannot begin so: this line would have ended it. */
export const packedMark = `${end}\n`;

/** The files that such a script writes, packed ones as they are sent; what stands around them is left out. */
export function readApplyScript(script: string): NodeFile[] {
  const pattern = new RegExp(`^put (\\d{4}) (\\S+)( unpack)? <<'${end}'\\n([\\s\\S]*?)^${end}$`, "gm");
  return [...script.matchAll(pattern)].map(([, mode = "", path = "", packed, content = ""]) => ({
    path,
    mode,
    // Not unpacked: two decoders need not agree on what somebody made up.
    content: packed === undefined ? content : packedMark + content,
  }));
}
