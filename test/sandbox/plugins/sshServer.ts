import { execFile } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import net from "node:net";
import { type Connection, Server, type Session, utils } from "ssh2";
import { newKeyPair } from "../../../components/node/keys";

/** A key pair in the forms that SSH uses. */
export interface SshKeyPair {
  /** Private key, OpenSSH form. */
  private: string;
  /** `ssh-ed25519 AAAA…`. */
  public: string;
}

export function sshKeyPair(): SshKeyPair {
  return newKeyPair("ed25519");
}

/** A private key as other tools write it: PKCS #8. */
export function pkcs8Key(type: "ed25519" | "ec" | "rsa"): string {
  const pem = { type: "pkcs8", format: "pem" } as const;
  const spki = { type: "spki", format: "pem" } as const;
  if (type === "ed25519")
    return generateKeyPairSync(type, { privateKeyEncoding: pem, publicKeyEncoding: spki }).privateKey;
  if (type === "ec") {
    return generateKeyPairSync(type, { namedCurve: "P-256", privateKeyEncoding: pem, publicKeyEncoding: spki })
      .privateKey;
  }
  return generateKeyPairSync(type, { modulusLength: 2048, privateKeyEncoding: pem, publicKeyEncoding: spki })
    .privateKey;
}

/** An SSH server on a loopback port that runs commands by /bin/sh, as root would find it on a node. */
export class LoopbackSshServer {
  readonly hostKey = sshKeyPair();
  readonly clientKey = sshKeyPair();
  readonly commands: string[] = [];
  /** Variables that clients may set. */
  acceptEnv: string[] = [];
  /** Connections to refuse before the first one is let in. */
  refusals = 0;
  port = 0;
  private readonly server: Server;
  private readonly open = new Set<Connection>();

  constructor(moreHostKeys: string[] = []) {
    const hostKeys = [...moreHostKeys, this.hostKey.private];
    this.server = new Server({ hostKeys }, (client) => this.serve(client));
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve) => this.server.listen(0, "127.0.0.1", resolve));
    this.port = (this.server.address() as net.AddressInfo).port;
  }

  async close(): Promise<void> {
    for (const client of this.open) client.end();
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }

  /** The `connection` input that reaches this server. */
  connection(more: { [key: string]: unknown } = {}): { [key: string]: unknown } {
    const { port, clientKey, hostKey } = this;
    return { host: "127.0.0.1", port, user: "root", privateKey: clientKey.private, hostKey: hostKey.public, ...more };
  }

  private serve(client: Connection): void {
    this.open.add(client);
    client.on("close", () => this.open.delete(client));
    client.on("error", () => undefined);
    if (this.refusals > 0) {
      this.refusals--;
      client.end();
      return;
    }
    const allowed = utils.parseKey(this.clientKey.public);
    client.on("authentication", (context) => {
      const blob = allowed instanceof Error ? undefined : allowed.getPublicSSH();
      if (context.method === "publickey" && blob && context.key.data.equals(blob)) context.accept();
      else if (context.method === "password" && context.password === "letmein") context.accept();
      else context.reject(["publickey", "password"]);
    });
    client.on("session", (accept) => this.session(accept()));
    client.on("tcpip", (accept, reject, info) => {
      const target = net.connect(info.destPort, info.destIP, () => {
        const stream = accept();
        target.pipe(stream).pipe(target);
      });
      target.on("error", () => reject());
    });
  }

  private session(session: Session): void {
    const env: { [name: string]: string } = {};
    // Clients that want no reply leave both functions out, whatever the types say.
    session.on("env", (acceptEnv: (() => void) | undefined, reject: (() => void) | undefined, { key, val }) => {
      if (!this.acceptEnv.includes(key)) {
        reject?.();
        return;
      }
      env[key] = val;
      acceptEnv?.();
    });
    session.on("exec", (acceptExec, _reject, { command }) => {
      this.commands.push(command);
      const channel = acceptExec();
      const child = execFile("/bin/sh", ["-c", command], {
        env: { PATH: process.env.PATH, ...env },
        maxBuffer: 1 << 26,
      });
      channel.pipe(child.stdin as NodeJS.WritableStream);
      child.stdin?.on("error", () => undefined);
      child.stdout?.on("data", (chunk: Buffer) => channel.write(chunk));
      child.stderr?.on("data", (chunk: Buffer) => channel.stderr.write(chunk));
      child.on("close", (code, signal) => {
        if (signal) channel.exit(signal.replace(/^SIG/, ""));
        else channel.exit(code ?? 1);
        channel.end();
      });
    });
  }
}
