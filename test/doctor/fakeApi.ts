import fastify, { type FastifyInstance, type FastifyReply } from "fastify";
import type { AddressInfo } from "node:net";
import { WebSocketServer } from "ws";
import { expectation, nodeNames } from "./fixtures";

/** Behaviour of the fake cluster that a test changes. */
export interface FakeCluster {
  /** Status for a request, e.g. 403; undefined: it is served. Given `METHOD /path`. */
  refuse(request: string): number | undefined;
  /** Containers' waiting reason by pod name; others run. */
  waiting: Map<string, string>;
  /** Called for each command in a pod: what it prints, or undefined to keep silent. */
  exec(pod: string, command: string[]): string | undefined;
  /** All requests, `METHOD /path`. */
  requests: string[];
  /** Namespaces that exist: name to creation time. */
  namespaces: Map<string, { created: Date; labels: Record<string, string> }>;
  /** Pods made by the doctor, as they were posted. */
  pods: Map<string, PostedPod>;
}

interface PostedPod {
  metadata: { name: string };
  spec: { nodeName: string; hostNetwork: boolean; containers: { env: { name: string; value: string }[] }[] };
}

/** A Kubernetes API on loopback that knows what the doctor asks, with the fixture's nodes. */
export class FakeApi {
  readonly cluster: FakeCluster = {
    refuse: () => undefined,
    waiting: new Map(),
    exec: () => "",
    requests: [],
    namespaces: new Map([["default", { created: new Date(), labels: {} }]]),
    pods: new Map(),
  };
  private readonly app: FastifyInstance = fastify({ forceCloseConnections: true });
  private readonly sockets = new WebSocketServer({ noServer: true, handleProtocols: () => "v4.channel.k8s.io" });

  /** Starts it and gives a kubeconfig for it. */
  async start(): Promise<string> {
    this.routes();
    this.serveExec();
    await this.app.listen({ host: "127.0.0.1", port: 0 });
    const { port } = this.app.server.address() as AddressInfo;
    return kubeconfig(`http://127.0.0.1:${port}`);
  }

  async stop(): Promise<void> {
    for (const client of this.sockets.clients) client.terminate();
    await this.app.close();
  }

  private routes(): void {
    const { app, cluster } = this;
    app.addHook("onRequest", async (request, reply) => {
      const path = request.url.split("?")[0];
      cluster.requests.push(`${request.method} ${path}`);
      const status = cluster.refuse(`${request.method} ${path}`);
      if (status !== undefined) return failure(reply, status);
    });
    // The client declares JSON also where it sends none, which fastify would refuse.
    app.removeContentTypeParser("application/json");
    app.addContentTypeParser("application/json", { parseAs: "string" }, (_request, body, done) =>
      done(null, body === "" ? undefined : JSON.parse(body.toString())),
    );
    app.get("/api/v1/nodes", () => ({ items: nodes() }));
    app.get<{ Params: { node: string } }>("/api/v1/nodes/:node/proxy/configz", (request) => ({
      kubeletconfig: kubelet(request.params.node),
    }));
    app.get("/api/v1/pods", () => ({ items: agents() }));
    app.get("/apis/apps/v1/namespaces/kube-system/daemonsets/kube-proxy", (_request, reply) => failure(reply, 404));
    app.get("/api/v1/namespaces/kube-system/configmaps/kube-proxy", (_request, reply) => failure(reply, 404));
    app.get("/api/v1/namespaces/default/services/kubernetes", () => ({
      spec: { clusterIP: "10.96.0.1", ports: [{ port: 443 }] },
    }));
    app.get("/api/v1/namespaces/kube-public/configmaps/cluster-info", () => ({
      data: { kubeconfig: "clusters:\n- cluster:\n    server: https://api.lab.internal:6443\n" },
    }));
    app.get("/api/v1/services", () => ({ items: [{ spec: { ports: [{ port: 443 }] } }] }));
    app.get("/api/v1/namespaces", (request) => {
      const { labelSelector } = request.query as { labelSelector?: string };
      const [key, value] = labelSelector?.split("=") ?? [];
      const items = [...cluster.namespaces].filter(([, { labels }]) => key === undefined || labels[key] === value);
      return {
        items: items.map(([name, { created, labels }]) => ({ metadata: { name, creationTimestamp: created, labels } })),
      };
    });
    app.post("/api/v1/namespaces", (request) => {
      const { metadata } = request.body as { metadata: { name: string; labels: Record<string, string> } };
      cluster.namespaces.set(metadata.name, { created: new Date(), labels: metadata.labels });
      return request.body;
    });
    app.delete<{ Params: { namespace: string } }>("/api/v1/namespaces/:namespace", (request, reply) =>
      cluster.namespaces.delete(request.params.namespace) ? { status: "Success" } : failure(reply, 404),
    );
    app.post("/api/v1/namespaces/:namespace/serviceaccounts", (request) => request.body);
    app.post("/api/v1/namespaces/:namespace/pods", (request) => {
      const pod = request.body as PostedPod;
      cluster.pods.set(pod.metadata.name, pod);
      return pod;
    });
    app.get<{ Params: { namespace: string } }>("/api/v1/namespaces/:namespace/pods", (request) => ({
      items:
        request.params.namespace === "kube-system" ? [] : [...cluster.pods.values()].map((pod) => this.podState(pod)),
    }));
    app.get("/api/v1/namespaces/:namespace/events", () => ({ items: [] }));
  }

  private podState(pod: PostedPod): object {
    const reason = this.cluster.waiting.get(pod.metadata.name);
    const state = reason ? { waiting: { reason, message: "as the test wants" } } : { running: {} };
    const index = nodeNames.indexOf(pod.spec.nodeName);
    const podIP = pod.spec.hostNetwork ? `10.0.0.${index + 2}` : `10.244.${index}.77`;
    return { ...pod, status: { phase: "Running", podIP, containerStatuses: [{ name: "probe", state }] } };
  }

  /** Speaks the channel protocol of exec: byte 1 stdout, byte 3 the final status. */
  private serveExec(): void {
    this.app.server.on("upgrade", (request, socket, head) => {
      const url = new URL(request.url ?? "", "http://fake");
      this.cluster.requests.push(`EXEC ${url.pathname}`);
      const status = this.cluster.refuse(`EXEC ${url.pathname}`);
      if (status !== undefined) {
        socket.end(`HTTP/1.1 ${status} Refused\r\nConnection: close\r\n\r\n`);
        return;
      }
      this.sockets.handleUpgrade(request, socket, head, (client) => {
        const pod = url.pathname.split("/").at(-2) ?? "";
        const output = this.cluster.exec(pod, url.searchParams.getAll("command"));
        if (output === undefined) return;
        client.send(Buffer.concat([Buffer.from([1]), Buffer.from(output)]));
        client.send(Buffer.concat([Buffer.from([3]), Buffer.from(JSON.stringify({ status: "Success" }))]));
      });
    });
  }
}

/** A kubeconfig with a marker for its secret. */
export function kubeconfig(server: string): string {
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    "current-context": "lab",
    clusters: [{ name: "lab", cluster: { server, "insecure-skip-tls-verify": true } }],
    users: [{ name: "admin", user: { token: "MARKER-OF-THE-KUBECONFIG" } }],
    contexts: [{ name: "lab", context: { cluster: "lab", user: "admin" } }],
  });
}

function nodes(): object[] {
  return expectation().nodes.map((node) => ({
    metadata: { name: node.name },
    spec: {
      podCIDR: node.podCidr,
      taints: node.taints.map((taint) => ({ key: taint.split(":")[0], effect: taint.split(":")[1] })),
    },
    status: {
      conditions: [{ type: "Ready", status: "True", message: "kubelet is posting ready status" }],
      addresses: [{ type: "InternalIP", address: node.privateAddress }],
      nodeInfo: {
        kubeletVersion: "v1.36.1",
        containerRuntimeVersion: "containerd://2.3.4",
        kernelVersion: "6.12.5-amd64",
      },
    },
  }));
}

/** What a kubelet says of its settings; strict isolation with two threads a core, as the fake probes show them. */
function kubelet(node: string): object {
  const isolation = expectation().nodes.find(({ name }) => name === node)?.cpu.isolation;
  if (isolation !== "strict") return { cpuManagerPolicy: "none", reservedSystemCPUs: "" };
  const cpuManagerPolicyOptions = { "full-pcpus-only": "true", "strict-cpu-reservation": "true" };
  return { cpuManagerPolicy: "static", cpuManagerPolicyOptions, reservedSystemCPUs: "0-1" };
}

function agents(): object[] {
  return nodeNames.map((nodeName, index) => ({
    metadata: { name: `cilium-${index}`, namespace: "kube-system" },
    spec: { nodeName, containers: [{ name: "cilium-agent" }] },
    status: { containerStatuses: [{ name: "cilium-agent", ready: true }] },
  }));
}

function failure(reply: FastifyReply, code: number): FastifyReply {
  return reply.code(code).send({ kind: "Status", status: "Failure", code, message: `the fake API said ${code}` });
}
