import {
  ApiException,
  AppsV1Api,
  CoreV1Api,
  createConfiguration,
  KubeConfig,
  ServerConfiguration,
  type RequestContext,
  type ResponseContext,
} from "@kubernetes/client-node";

/** The doctor could not do its work at all: one sentence for people. The program ends with exit code 2. */
export class CannotRun extends Error {
  override name = "CannotRun";

  /**
   * @param message the sentence
   * @param passing whether a moment later may be different: the API of a control plane that has just started does not answer, and then
   *   refuses its administrator until it has read its own roles
   */
  constructor(
    message: string,
    readonly passing = false,
  ) {
    super(message);
  }
}

/** A cluster's API with a time limit on every request. */
export interface Kube {
  config: KubeConfig;
  core: CoreV1Api;
  apps: AppsV1Api;
  server: string;
  contextCluster: string;
}

/** Milliseconds that one API request may take. */
const requestLimit = 10_000;

/**
 * Opens a kubeconfig.
 * @param kubeconfig its text
 * @param signal ends every request when it aborts
 * @throws CannotRun when the text is not a usable kubeconfig
 */
export function openKube(kubeconfig: string, signal: AbortSignal): Kube {
  const config = new KubeConfig();
  try {
    config.loadFromString(kubeconfig);
  } catch (error) {
    // The parser's message may quote the text, and with it a key: only its kind is passed on.
    throw new CannotRun(
      `The kubeconfig cannot be read (${(error as Error).name}). Give the file that the cluster wrote.`,
    );
  }
  const cluster = config.getCurrentCluster();
  if (!cluster) {
    throw new CannotRun("The kubeconfig names no current cluster. Set one with `kubectl config use-context NAME`.");
  }
  const configuration = createConfiguration({
    baseServer: new ServerConfiguration(cluster.server, {}),
    authMethods: { default: config },
    promiseMiddleware: [
      {
        async pre(request: RequestContext): Promise<RequestContext> {
          request.setSignal(AbortSignal.any([signal, AbortSignal.timeout(requestLimit)]));
          return request;
        },
        async post(response: ResponseContext): Promise<ResponseContext> {
          return response;
        },
      },
    ],
  });
  return {
    config,
    core: new CoreV1Api(configuration),
    apps: new AppsV1Api(configuration),
    server: cluster.server,
    contextCluster: cluster.name,
  };
}

/** HTTP status of an API error, or undefined when there was no answer. */
export function statusOf(error: unknown): number | undefined {
  return error instanceof ApiException ? error.code : undefined;
}

/**
 * An API error as the end of the doctor's run.
 * @param action what was tried, e.g. `list nodes`
 */
export function cannot(action: string, error: unknown, server: string): CannotRun {
  const status = statusOf(error);
  const unanswered = status === undefined && !/CERT|SIGNATURE|ENOTFOUND/.test((error as { code?: string }).code ?? "");
  const passing = unanswered || status === 403 || status === 429 || (status ?? 0) >= 500;
  return new CannotRun(explain(error, action, server), passing);
}

/**
 * Turns an API error into one sentence.
 * @param action what was tried, e.g. `list nodes`
 */
export function explain(error: unknown, action: string, server: string): string {
  const status = statusOf(error);
  if (status === 401) return `The cluster at ${server} does not accept this kubeconfig's credentials. Renew it.`;
  if (status === 403) return `This kubeconfig may not ${action}. Use one with administrator rights.`;
  if (status !== undefined) return `The cluster at ${server} refused to ${action}: HTTP ${status}, ${messageOf(error)}`;
  return `The cluster's API at ${server} does not answer: ${connectionProblem(error)}. Is the address right, and reachable from here?`;
}

/** The API server's own words, without the rest of the response. */
function messageOf(error: unknown): string {
  const body: unknown = error instanceof ApiException ? error.body : undefined;
  const parsed = typeof body === "string" ? parseStatus(body) : (body as { message?: string } | undefined);
  return parsed?.message ?? "without a reason";
}

function parseStatus(body: string): { message?: string } | undefined {
  try {
    return JSON.parse(body) as { message?: string };
  } catch {
    // Not a Status object: some proxy in between. Its page helps nobody.
    return undefined;
  }
}

/** Names a failed connection by its cause, in words. */
function connectionProblem(error: unknown): string {
  const { name, code, message } = error as { name?: string; code?: string; message?: string };
  if (name === "AbortError" || name === "TimeoutError") return `no answer within ${requestLimit / 1000} seconds`;
  const words: Record<string, string> = {
    ECONNREFUSED: "connection refused",
    ENOTFOUND: "the name has no address",
    EAI_AGAIN: "the name cannot be looked up",
    ETIMEDOUT: "no answer",
    EHOSTUNREACH: "no route to the host",
    ENETUNREACH: "no route to the network",
    ECONNRESET: "the connection was reset",
    DEPTH_ZERO_SELF_SIGNED_CERT: "its certificate is not signed by the kubeconfig's authority",
    SELF_SIGNED_CERT_IN_CHAIN: "its certificate is not signed by the kubeconfig's authority",
    UNABLE_TO_VERIFY_LEAF_SIGNATURE: "its certificate is not signed by the kubeconfig's authority",
    ERR_TLS_CERT_ALTNAME_INVALID: "its certificate is for another name",
    CERT_HAS_EXPIRED: "its certificate has expired",
  };
  return words[code ?? ""] ?? code ?? message ?? "unknown reason";
}
