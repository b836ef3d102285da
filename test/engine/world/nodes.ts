import { createHash } from "node:crypto";
import net from "node:net";
import { type Connection, type ParsedKey, Server, type ServerChannel, type Session, utils } from "ssh2";
import { parse } from "yaml";
import { newKeyPair } from "../../../components/node/keys";
import { RecordingDriver } from "../../../sandbox/api";
import type { MachineSpec } from "../../../sandbox/cloud";

/** One step that ran on a node. */
export interface StepRun {
  node: string;
  /** Name of the step, e.g. `tune-eng-web-1`; a worker's leave counts as `dismiss-eng-web-1`, a host's as `dismantle-eng-web-1`. */
  step: string;
  script: string;
  stdin: string;
}

/** What a step answers. */
export interface Answer {
  code: number;
  stdout?: string;
  stderr?: string;
}

/** Secrets that the pretended cluster gives out. */
export const planted = {
  joinToken: "planted.jointoken0000000",
  kubeconfig: "plantedClientCertificateKey",
};

/** Host keys in user data: a one-time one of the library's, or the lasting one of a machine that stands for an existing host. */
interface GivenKeys {
  ecdsa_private?: string;
  ed25519_private?: string;
}

interface PretendedNode {
  spec: MachineSpec;
  listener: net.Server;
  /** Where an API server would listen: nothing is there, but who dials is seen. */
  apiListener: net.Server;
  connections: Set<net.Socket>;
  lastingKey: { private: string; public: string };
  /** Whether the step that takes the one-time host key away has run. */
  tuned: boolean;
}

/**
 * A cloud driver whose machines are SSH servers in this process: each listens on port 22 of its public address, shows the host key of
 * its user data until it is tuned and its own afterwards, lets the registered key in, and answers the steps of a cluster.
 */
export class PretendedNodes extends RecordingDriver {
  /** Every step that ran, oldest first. */
  readonly steps: StepRun[] = [];
  /** Nodes of the pretended Kubernetes cluster, with their pod CIDRs. */
  readonly kubernetes = new Map<string, string>();
  /** Answers of steps that are to go wrong, by the step's name. */
  readonly failures = new Map<string, Answer>();
  /** Machines, by name, that let no key in. */
  readonly locked = new Set<string>();
  /** Connections to machines, `NAME:PORT`, oldest first; ports are 22 and 6443. */
  readonly dials: string[] = [];
  /** Whether every connection is seen and dropped at once, as by a firewall that refuses. */
  blocked = false;
  /** Called at each step, before its answer. */
  onStep: (run: StepRun) => Promise<void> | void = () => undefined;
  private readonly nodes = new Map<number, PretendedNode>();

  override async createMachine(spec: MachineSpec): Promise<void> {
    await super.createMachine(spec);
    if (this.nodes.has(spec.serverId)) return;
    const node: PretendedNode = {
      spec,
      listener: net.createServer(),
      apiListener: net.createServer(),
      connections: new Set(),
      lastingKey: newKeyPair("ed25519"),
      tuned: false,
    };
    for (const listener of [node.listener, node.apiListener]) {
      listener.on("connection", (socket) => {
        this.dials.push(`${spec.name}:${socket.localPort ?? 0}`);
        if (this.blocked || listener === node.apiListener) socket.destroy();
        else this.connect(node, socket);
      });
    }
    this.nodes.set(spec.serverId, node);
    await listenOn(node);
  }

  override async destroyMachine(serverId: number): Promise<void> {
    const node = this.nodes.get(serverId);
    if (node) await unplug(node);
    this.nodes.delete(serverId);
    await super.destroyMachine(serverId);
  }

  override async powerOff(serverId: number): Promise<void> {
    await super.powerOff(serverId);
    const node = this.nodes.get(serverId);
    if (node) await unplug(node);
  }

  override async powerOn(serverId: number): Promise<void> {
    await super.powerOn(serverId);
    const node = this.nodes.get(serverId);
    if (node && !node.listener.listening) await listenOn(node);
  }

  /** Names of the steps that ran since a number of them. */
  stepsSince(count: number): string[] {
    return this.steps.slice(count).map(({ step }) => step);
  }

  /** Ends all servers. */
  async close(): Promise<void> {
    for (const node of this.nodes.values()) await unplug(node);
  }

  private connect(node: PretendedNode, socket: net.Socket): void {
    node.connections.add(socket);
    socket.on("close", () => node.connections.delete(socket));
    const given = givenKeys(node);
    const oneTime = node.tuned ? [] : [given.ecdsa_private ?? ""];
    // An existing host keeps the key that it was given.
    const hostKeys = given.ed25519_private ? [given.ed25519_private] : [...oneTime, node.lastingKey.private];
    const server = new Server({ hostKeys }, (client) => this.serve(node, client));
    server.injectSocket(socket);
  }

  private serve(node: PretendedNode, client: Connection): void {
    client.on("error", () => undefined);
    client.on("authentication", (context) => {
      const key = context.method === "publickey" ? keyOf(node.spec.sshKeys, context.key.data) : undefined;
      if (!key || this.locked.has(node.spec.name) || context.method !== "publickey" || context.username !== "root") {
        context.reject(["publickey"]);
        return;
      }
      const { blob, signature, hashAlgo } = context;
      // Without a signature the client only asks whether the key would do.
      if (signature && !key.verify(blob ?? "", signature, hashAlgo)) {
        context.reject(["publickey"]);
        return;
      }
      context.accept();
    });
    client.on("session", (accept: () => Session) => {
      accept().on("exec", (acceptExec, _reject, { command }) => {
        void this.execute(node, command, acceptExec());
      });
    });
  }

  private async execute(node: PretendedNode, script: string, channel: ServerChannel): Promise<void> {
    const input = await readAll(channel);
    const step = /\/run\/zerosteal-(\S+?)\.lock/.exec(script)?.[1] ?? "unnamed";
    const run = {
      node: node.spec.name,
      step: named(step, script),
      script,
      stdin: input,
    };
    this.steps.push(run);
    await this.onStep(run);
    const { code, stdout = "", stderr = "" } = this.failures.get(run.step) ?? this.answer(node, run);
    channel.write(stdout);
    channel.stderr.write(stderr);
    channel.exit(code);
    channel.end();
  }

  private answer(node: PretendedNode, { step, script, stdin }: StepRun): Answer {
    const [kind, name] = [step.slice(0, step.indexOf("-")), step.slice(step.indexOf("-") + 1)];
    if (["preflight", "dismantle", "services"].includes(kind)) return { code: 0 };
    const podCidr = /"podCIDR": "([^"]+)"/.exec(script)?.[1] ?? "";
    switch (kind) {
      case "hostkey":
        return { code: 0, stdout: `${node.lastingKey.public.split(" ").slice(0, 2).join(" ")}\n` };
      case "tune":
        node.tuned = true;
        return { code: 0 };
      case "init":
        this.kubernetes.set(name, podCidr);
        return { code: stdin === `${idOf(node)}\n` ? 0 : 1, stdout: `${caHash}\n` };
      case "admit":
        this.kubernetes.set(name, podCidr);
        return { code: 0, stdout: `${planted.joinToken}\n`, stderr: "node created\n" };
      case "dismiss":
        this.kubernetes.delete(name);
        return { code: 0 };
      case "join":
        if (!this.kubernetes.has(name)) return { code: 1, stderr: "joined before its Node was there" };
        return { code: stdin === `${planted.joinToken}\n${caHash}\n` ? 0 : 1 };
      case "kubeconfig":
        return { code: 0, stdout: kubeconfig };
      default:
        return { code: 127, stderr: `an unknown step: ${step}` };
    }
  }
}

function givenKeys({ spec }: PretendedNode): GivenKeys {
  return (parse(spec.userData) as { ssh_keys: GivenKeys }).ssh_keys;
}

/** What a step knows a machine by: its id in the cloud, or an existing host's address. */
function idOf(node: PretendedNode): string {
  const { publicAddress, serverId } = node.spec;
  return givenKeys(node).ed25519_private === undefined ? String(serverId) : `${publicAddress}:22`;
}

/** Name of a step, apart from that of its opposite, which the same resource runs when it goes. */
function named(step: string, script: string): string {
  if (step.startsWith("admit-") && script.includes(" drain ")) return step.replace("admit", "dismiss");
  return script.includes("kubeadm reset --force") ? step.replace("preflight", "dismantle") : step;
}

const caHash = `sha256:${createHash("sha256").update("ca").digest("hex")}`;

const kubeconfig = `apiVersion: v1
kind: Config
clusters:
- name: eng
  cluster:
    certificate-authority-data: Y2E=
    server: https://api.eng.zerosteal.internal:6443
contexts:
- {name: operator, context: {cluster: eng, user: operator}}
current-context: operator
users:
- name: operator
  user:
    client-certificate-data: Q0VSVA==
    client-key-data: ${planted.kubeconfig}
`;

/** The registered key that a client shows. */
function keyOf(lines: string[], shown: Buffer): ParsedKey | undefined {
  for (const line of lines) {
    const key = utils.parseKey(line);
    if (!(key instanceof Error) && key.getPublicSSH().equals(shown)) return key;
  }
  return undefined;
}

/** Reads to the end; iterating over the channel would close it, and the answer has yet to go through. */
function readAll(channel: ServerChannel): Promise<string> {
  const chunks: Buffer[] = [];
  channel.on("data", (chunk: Buffer) => chunks.push(chunk));
  return new Promise((resolve) => channel.on("end", () => resolve(Buffer.concat(chunks).toString())));
}

async function listenOn({ listener, apiListener, spec }: PretendedNode): Promise<void> {
  for (const [server, port] of [[listener, 22] as const, [apiListener, 6443] as const]) {
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(port, spec.publicAddress, () => resolve());
    });
  }
}

async function unplug({ listener, apiListener, connections }: PretendedNode): Promise<void> {
  for (const socket of connections) socket.destroy();
  for (const server of [listener, apiListener]) {
    if (server.listening) await new Promise<void>((resolve) => server.close(() => resolve()));
  }
}
