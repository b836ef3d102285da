import { createPrivateKey, type KeyObject } from "node:crypto";
import { type ConnectConfig, type ServerHostKeyAlgorithm, utils } from "ssh2";

/**
 * Which host keys a connection accepts: exactly the given one, and only its own algorithm is offered, so that a server
 * with several keys shows the right one. Without a key: any.
 * @param hostKey one line in authorized_keys or .pub form
 */
export function hostKeyRule(hostKey: string | undefined): Pick<ConnectConfig, "hostVerifier" | "algorithms"> {
  if (hostKey === undefined) return {};
  const { algorithm, blob } = parsePublicKey(hostKey);
  return {
    algorithms: { serverHostKey: [algorithm as ServerHostKeyAlgorithm] },
    hostVerifier: (presented: Buffer) => presented.equals(blob),
  };
}

function parsePublicKey(text: string): { algorithm: string; blob: Buffer } {
  for (const line of text.split("\n")) {
    const words = line.trim().split(/\s+/);
    for (const [at, algorithm] of words.entries()) {
      const blob = Buffer.from(words[at + 1] ?? "", "base64");
      // A key blob begins with the length and name of its own algorithm.
      const named = blob.length > 4 ? blob.subarray(4, 4 + blob.readUInt32BE(0)).toString() : undefined;
      if (algorithm !== "" && named === algorithm) return { algorithm, blob };
    }
  }
  throw new Error("failed to parse host key: ssh: no key found");
}

/**
 * A private key in a form that ssh2 reads: OpenSSH and the old PEM forms as they are, PKCS #8 converted.
 * @throws Error if it is no private key, or its password is missing or wrong
 */
export function usablePrivateKey(pem: string, password: string | undefined): string {
  const text = /BEGIN (ENCRYPTED )?PRIVATE KEY/.test(pem) ? fromPkcs8(pem, password) : pem;
  const parsed = utils.parseKey(text, password);
  if (!(parsed instanceof Error)) return text;
  if (/no passphrase given/i.test(parsed.message)) throw new Error("ssh: this private key is passphrase protected");
  throw new Error(pem.includes("BEGIN") ? `ssh: ${parsed.message}` : "ssh: no key found");
}

function fromPkcs8(pem: string, password: string | undefined): string {
  const key = createPrivateKey({ key: pem, passphrase: password });
  const type = key.asymmetricKeyType;
  if (type === "rsa") return key.export({ type: "pkcs1", format: "pem" }).toString();
  if (type === "ec") return key.export({ type: "sec1", format: "pem" }).toString();
  if (type === "ed25519") return openSshEd25519(key);
  throw new Error(`ssh: unsupported key type ${type ?? "unknown"}`);
}

/** Ed25519 keys have no older PEM form, so the OpenSSH container is written out. */
function openSshEd25519(key: KeyObject): string {
  const { d = "", x = "" } = key.export({ format: "jwk" });
  const [seed, point] = [Buffer.from(d, "base64url"), Buffer.from(x, "base64url")];
  const publicBlob = Buffer.concat([field("ssh-ed25519"), field(point)]);
  const secret = [Buffer.alloc(8), field("ssh-ed25519"), field(point), field(Buffer.concat([seed, point])), field("")];
  const unpadded = Buffer.concat(secret);
  const padding = Buffer.from(Array.from({ length: (8 - (unpadded.length % 8)) % 8 }, (_, i) => i + 1));
  const count = Buffer.from([0, 0, 0, 1]);
  const body = Buffer.concat([
    Buffer.from("openssh-key-v1\0"),
    field("none"),
    field("none"),
    field(""),
    count,
    field(publicBlob),
    field(Buffer.concat([unpadded, padding])),
  ]);
  const lines = body.toString("base64").match(/.{1,70}/g) ?? [];
  return ["-----BEGIN OPENSSH PRIVATE KEY-----", ...lines, "-----END OPENSSH PRIVATE KEY-----", ""].join("\n");
}

function field(content: string | Buffer): Buffer {
  const bytes = Buffer.from(content);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}
