import { type ChildProcess, spawn } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import net from "node:net";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { findTool } from "./engine";

const adminToken = "planted-admin-token-5812";

/** A Kubernetes API without nodes: objects can be made, and with `controllers` are looked after, but nothing ever runs. */
export class KubeApi {
  private constructor(
    /** Content of a kubeconfig of its administrator. */
    readonly kubeconfig: string,
    private readonly children: ChildProcess[],
  ) {}

  /**
   * Starts etcd and the API server on free loopback ports.
   * @param controllers whether the controller manager runs too: Deployments get pods, Services endpoints, and what is deleted goes
   */
  static async start(dir: string, { controllers = false } = {}): Promise<KubeApi> {
    const [etcd, apiserver] = [await findTool("etcd"), await findTool("kube-apiserver")];
    const [clientPort, peerPort, apiPort] = [await freePort(), await freePort(), await freePort()];
    await mkdir(path.join(dir, "certs"), { recursive: true });
    const { privateKey } = generateKeyPairSync("rsa", {
      modulusLength: 2048,
      privateKeyEncoding: { type: "pkcs1", format: "pem" },
      publicKeyEncoding: { type: "spki", format: "pem" },
    });
    const key = path.join(dir, "certs", "sa.key");
    await writeFile(key, privateKey, { mode: 0o600 });
    await writeFile(path.join(dir, "tokens.csv"), `${adminToken},admin,admin,"system:masters"\n`, { mode: 0o600 });
    const client = `http://127.0.0.1:${clientPort}`;
    const peer = `http://127.0.0.1:${peerPort}`;
    const children = [
      spawn(
        etcd,
        [
          `--data-dir=${path.join(dir, "etcd")}`,
          `--listen-client-urls=${client}`,
          `--advertise-client-urls=${client}`,
          `--listen-peer-urls=${peer}`,
          "--unsafe-no-fsync",
        ],
        { stdio: "ignore" },
      ),
      spawn(
        apiserver,
        [
          `--etcd-servers=${client}`,
          `--secure-port=${apiPort}`,
          "--bind-address=127.0.0.1",
          "--advertise-address=127.0.0.1",
          `--cert-dir=${path.join(dir, "certs")}`,
          `--service-account-key-file=${key}`,
          `--service-account-signing-key-file=${key}`,
          "--service-account-issuer=https://kubernetes.test",
          `--token-auth-file=${path.join(dir, "tokens.csv")}`,
          "--authorization-mode=RBAC",
          "--service-cluster-ip-range=10.96.0.0/16",
        ],
        { stdio: "ignore" },
      ),
    ];
    const api = new KubeApi(kubeconfigFor(`https://127.0.0.1:${apiPort}`), children);
    await waitForPort(apiPort, children);
    if (controllers) children.push(await startControllers(dir, api.kubeconfig));
    return api;
  }

  async stop(): Promise<void> {
    for (const child of this.children.reverse()) {
      const ended = new Promise((resolve) => child.once("exit", resolve));
      if (child.exitCode === null && child.kill("SIGKILL")) await ended;
    }
  }
}

async function startControllers(dir: string, kubeconfig: string): Promise<ChildProcess> {
  const file = path.join(dir, "controllers.kubeconfig");
  await writeFile(file, kubeconfig, { mode: 0o600 });
  // Nodes have no kubelet that would report: they stay what the test makes them.
  const chosen = "--controllers=*,-node-lifecycle-controller,-taint-eviction-controller";
  const args = [`--kubeconfig=${file}`, "--leader-elect=false", "--secure-port=0", chosen];
  return spawn(await findTool("kube-controller-manager"), args, { stdio: "ignore" });
}

/** A kubeconfig whose user is let in by token. */
export function kubeconfigFor(server: string): string {
  return `apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: "${server}", insecure-skip-tls-verify: true}}]
users: [{name: u, user: {token: ${adminToken}}}]
contexts: [{name: x, context: {cluster: c, user: u}}]
current-context: x
`;
}

async function freePort(): Promise<number> {
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as net.AddressInfo;
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return port;
}

async function waitForPort(port: number, children: ChildProcess[]): Promise<void> {
  for (;;) {
    const dead = children.find((child) => child.exitCode !== null);
    if (dead) throw new Error(`${dead.spawnfile} ended with ${dead.exitCode}`);
    const open = await new Promise<boolean>((resolve) => {
      const socket = net.connect(port, "127.0.0.1");
      socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
      socket.once("connect", () => socket.destroy());
    });
    if (open) return;
    await sleep(200);
  }
}
