import { Scalar } from "yaml";
import { setupPath } from "./nodeFiles";
import { isPacked, pack } from "./pack";
import type { NodeFile } from "./types";
import { toYaml } from "./yaml";

/** Largest user data that the cloud takes, bytes. */
export const userDataLimit = 32768;

/** Stands in the user data where the one-time private host key goes. */
export const hostKeyPlaceholder = "ONE_TIME_HOST_KEY";

/** Room kept for that key, bytes: an ECDSA key in OpenSSH's form has some 500. */
const hostKeyRoom = 1024;

/**
 * cloud-init user data of a node: its files, a one-time host key, and one command. No package manager runs.
 *
 * The host key is the only secret ever here. With `ssh_keys` cloud-init makes no other host key; the setup script then makes the
 * node's lasting one. `manage_etc_hosts` is off, or the cloud's own data would rewrite /etc/hosts at each boot.
 */
export function userData(nodeName: string, files: NodeFile[]): string {
  const document = {
    disable_root: false,
    hostname: nodeName,
    manage_etc_hosts: false,
    package_update: false,
    package_upgrade: false,
    runcmd: [[setupPath]],
    ssh_deletekeys: true,
    ssh_keys: { ecdsa_private: block(`${hostKeyPlaceholder}\n`) },
    ssh_pwauth: false,
  };
  return `#cloud-config\n${toYaml(document)}write_files:\n${files.map(fileEntry).join("")}`;
}

/** As little as YAML lets a text be indented below a key of a list's item: it counts once for every line of every file. */
const indent = "   ";

/** A file as an entry of `write_files`. Written by hand: a YAML writer takes most of a plan's time for these long texts. */
function fileEntry(file: NodeFile): string {
  const { path, mode, content } = file;
  const text = isPacked(file)
    ? ` ${pack(content)}\n  encoding: gz+b64\n`
    : ` |1\n${content.replace(/^(?=.)/gm, indent)}`;
  return `- content:${text}  path: "${path}"\n  permissions: "${mode}"\n`;
}

/** User data with the private host key in place of the placeholder, each line indented as YAML wants it. */
export function withHostKey(data: string, privateKey: string): string {
  return data.replace(/^( *)ONE_TIME_HOST_KEY$/m, (_, indent: string) =>
    privateKey
      .trimEnd()
      .split("\n")
      .map((line) => indent + line)
      .join("\n"),
  );
}

/** Bytes that user data will have once the key is in it. */
export function userDataSize(data: string): number {
  return Buffer.byteLength(data) + hostKeyRoom;
}

function block(text: string): Scalar {
  const scalar = new Scalar(text);
  scalar.type = Scalar.BLOCK_LITERAL;
  return scalar;
}
