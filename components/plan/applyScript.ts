import { setupPath } from "./nodeFiles";
import type { NodeFile } from "./types";

const end = "END_OF_ZEROSTEAL_FILE";

const head = `#!/bin/bash
set -euo pipefail

# put MODE PATH: writes standard input to a file, whole or not at all.
put() {
  local new
  mkdir -p "\${2%/*}"
  new=$(mktemp "$2.XXXXXX")
  cat >"$new"
  chmod "$1" "$new"
  mv -f "$new" "$2"
}
`;

/**
 * A script that writes a node's files and puts them into effect: what cloud-init does on the first boot, for a node that runs.
 * @throws RangeError when a file does not end with a newline or holds the line that ends a file here
 */
export function applyScript(files: NodeFile[]): string {
  const puts = files.map(({ path, mode, content }) => {
    if (!content.endsWith("\n") || content.split("\n").includes(end)) throw new RangeError(`${path} cannot be sent`);
    return `put ${mode} ${path} <<'${end}'\n${content}${end}\n`;
  });
  return [head, ...puts, `${setupPath}\n`].join("\n");
}

/** The files that such a script writes; what stands around them is left out. */
export function readApplyScript(script: string): NodeFile[] {
  const pattern = new RegExp(`^put (\\d{4}) (\\S+) <<'${end}'\\n([\\s\\S]*?)^${end}$`, "gm");
  return [...script.matchAll(pattern)].map(([, mode = "", path = "", content = ""]) => ({ path, mode, content }));
}
