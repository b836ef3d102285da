import net from "node:net";
import type { Duplex } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { Client, type ConnectConfig } from "ssh2";
import type { EngineLog } from "../core/engineLog";
import type { JsonBag } from "../core/values";
import { joinHostPort } from "../core/goText";
import { hostKeyRule, usablePrivateKey } from "./keys";

/** How to reach one host: the plugin's `connection` input with its defaults filled in. */
export interface Endpoint {
  host: string;
  port: number;
  user: string;
  password?: string;
  privateKey?: string;
  privateKeyPassword?: string;
  agentSocketPath?: string;
  /** Failed attempts before giving up; -1: never. */
  dialErrorLimit: number;
  /** Seconds for one TCP connect; 0: no limit. */
  perDialTimeout: number;
  /** The only host key to accept, in authorized_keys form; undefined: any. */
  hostKey?: string;
}

export interface DialContext {
  signal: AbortSignal;
  log: EngineLog;
}

/** Connects to a host, through a bastion if the connection names one, trying again until its limit is reached. */
export async function dial(connection: JsonBag, context: DialContext): Promise<Client> {
  const endpoint = connection as unknown as Endpoint;
  const config = sshConfig(endpoint);
  if (connection.proxy === undefined || connection.proxy === null) {
    return retryDial("Dial", endpoint, context, async () => {
      return handshake(await connectTcp(endpoint, context.signal), config, context.signal);
    });
  }
  const proxy = connection.proxy as unknown as Endpoint;
  try {
    const proxyConfig = sshConfig(proxy);
    const bastion = await retryDial("Dial proxy", proxy, context, async () => {
      return handshake(await connectTcp(proxy, context.signal), proxyConfig, context.signal);
    });
    const client = await retryDial("Dial from proxy", endpoint, context, async () => {
      return handshake(await forward(bastion, endpoint), config, context.signal);
    });
    client.once("close", () => bastion.end());
    return client;
  } catch (error) {
    throw new Error(`proxy: ${(error as Error).message}`, { cause: error });
  }
}

/** Tries until it works; waits 100 ms after the first failure, then half as long again each time, at most 5 s. */
async function retryDial<T>(what: string, to: Endpoint, context: DialContext, attempt: () => Promise<T>): Promise<T> {
  for (let failures = 0, wait = 100; ; wait = Math.min(wait * 1.5, 5000)) {
    try {
      return await attempt();
    } catch (error) {
      if (context.signal.aborted) throw context.signal.reason;
      if (to.dialErrorLimit > -1 && failures + 1 > to.dialErrorLimit) {
        throw new Error(`after ${failures} failed attempts: ${(error as Error).message}`, { cause: error });
      }
    }
    failures++;
    const limit = to.dialErrorLimit === -1 ? "inf" : to.dialErrorLimit;
    context.log.status(`${what} ${failures}/${limit} failed: retrying`);
    await sleep(wait, undefined, { signal: context.signal }).catch(() => {
      throw context.signal.reason;
    });
  }
}

function sshConfig(endpoint: Endpoint): ConnectConfig {
  const config: ConnectConfig = {
    username: endpoint.user,
    // Only connecting is bounded by perDialTimeout; a slow handshake is waited for.
    readyTimeout: 0,
    ...hostKeyRule(endpoint.hostKey),
  };
  if (endpoint.password !== undefined) Object.assign(config, { password: endpoint.password, tryKeyboard: true });
  if (endpoint.privateKey !== undefined) {
    config.privateKey = usablePrivateKey(endpoint.privateKey, endpoint.privateKeyPassword);
    if (endpoint.privateKeyPassword !== undefined) config.passphrase = endpoint.privateKeyPassword;
  } else {
    // An agent's keys are a second try of the same method, which is not made once a private key was tried.
    const agent = endpoint.agentSocketPath ?? process.env.SSH_AUTH_SOCK;
    if (agent) config.agent = agent;
  }
  return config;
}

function connectTcp(endpoint: Endpoint, signal: AbortSignal): Promise<net.Socket> {
  const address = joinHostPort(endpoint.host, endpoint.port);
  return new Promise((resolve, reject) => {
    const socket = net.connect({ host: endpoint.host, port: endpoint.port });
    const fail = (reason: string) => {
      signal.removeEventListener("abort", stop);
      socket.destroy();
      reject(new Error(`dial tcp ${address}: ${reason}`));
    };
    const stop = () => fail("operation was canceled");
    if (endpoint.perDialTimeout > 0) socket.setTimeout(endpoint.perDialTimeout * 1000, () => fail("i/o timeout"));
    socket.once("error", (error: NodeJS.ErrnoException) => fail(connectReason(error)));
    signal.addEventListener("abort", stop, { once: true });
    socket.once("connect", () => {
      socket.setTimeout(0);
      socket.removeAllListeners("error");
      signal.removeEventListener("abort", stop);
      resolve(socket);
    });
  });
}

const connectReasons: { [code: string]: string } = {
  ECONNREFUSED: "connect: connection refused",
  EHOSTUNREACH: "connect: no route to host",
  ENETUNREACH: "connect: network is unreachable",
  ECONNRESET: "read: connection reset by peer",
  ETIMEDOUT: "connect: connection timed out",
};

function connectReason(error: NodeJS.ErrnoException): string {
  if (error.code === "ENOTFOUND") return "lookup: no such host";
  return connectReasons[error.code ?? ""] ?? error.message;
}

function forward(bastion: Client, to: Endpoint): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    bastion.forwardOut("127.0.0.1", 0, to.host, to.port, (error, stream) => {
      if (error) reject(new Error(`ssh: rejected: connect failed (${error.message})`));
      else resolve(stream);
    });
  });
}

function handshake(stream: Duplex, config: ConnectConfig, signal: AbortSignal): Promise<Client> {
  return new Promise((resolve, reject) => {
    const client = new Client();
    const stop = () => fail("operation was canceled");
    const fail = (reason: string) => {
      signal.removeEventListener("abort", stop);
      client.removeAllListeners("close");
      client.destroy();
      reject(new Error(`ssh: handshake failed: ${reason}`));
    };
    signal.addEventListener("abort", stop, { once: true });
    client.once("error", (error) => fail(handshakeReason(error)));
    client.once("close", () => fail("EOF"));
    client.on("keyboard-interactive", (_name, _instructions, _language, prompts, answer) =>
      answer(prompts.map(() => config.password ?? "")),
    );
    client.once("ready", () => {
      signal.removeEventListener("abort", stop);
      client.removeAllListeners("close").removeAllListeners("error");
      resolve(client);
    });
    client.connect({ ...config, sock: stream });
  });
}

function handshakeReason(error: Error & { level?: string }): string {
  if (error.level === "client-authentication") {
    return "ssh: unable to authenticate, attempted methods [none publickey], no supported methods remain";
  }
  if (error.message.includes("Host denied")) return "ssh: host key mismatch";
  if (error.message.includes("no matching host key format")) return "ssh: no common algorithm for host key";
  return error.message;
}
