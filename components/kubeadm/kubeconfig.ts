import { parse } from "yaml";
import { toYaml } from "../plan/yaml";

/** Where the operator reaches a cluster's API. */
export interface ApiAccess {
  /** Name of the cluster. */
  cluster: string;
  /** Public address of the control plane. */
  address: string;
  port: number;
  /** Name for which the API's certificate is good. */
  name: string;
}

/** What a kubeconfig of kubeadm holds that is of use: texts in base64. */
const wanted = ["certificate-authority-data", "client-certificate-data", "client-key-data"] as const;

type Certificates = Record<(typeof wanted)[number], string>;

/**
 * The operator's kubeconfig. Of the control plane's answer only the certificates and the key are taken: a kubeconfig may name programs that
 * whoever opens it runs, and a machine that somebody else holds would choose them.
 * @param answer the kubeconfig that kubeadm printed
 * @throws when it lacks one of the three; the text itself, which holds a key, is not quoted
 */
export function operatorDocument(answer: string, api: ApiAccess): string {
  const { cluster } = api;
  const { "certificate-authority-data": authority, ...client } = certificatesOf(answer, cluster);
  return toYaml({
    apiVersion: "v1",
    kind: "Config",
    clusters: [
      {
        name: cluster,
        cluster: {
          server: `https://${api.address}:${api.port}`,
          "tls-server-name": api.name,
          "certificate-authority-data": authority,
        },
      },
    ],
    contexts: [{ name: cluster, context: { cluster, user: "operator" } }],
    "current-context": cluster,
    users: [{ name: "operator", user: client }],
  });
}

function certificatesOf(answer: string, cluster: string): Certificates {
  const found = { ...entry(answer, "clusters", "cluster"), ...entry(answer, "users", "user") };
  const texts = wanted.map((key) => [key, found[key]] as const);
  const missing = texts.filter(([, text]) => typeof text !== "string" || !/^[A-Za-z0-9+/]+={0,2}$/.test(text));
  if (missing.length > 0) {
    const keys = missing.map(([key]) => key).join(", ");
    throw new Error(
      `The kubeconfig that the control plane of ${cluster} gave has no ${keys}. Raise kubeconfigGeneration to ask again.`,
    );
  }
  return Object.fromEntries(texts) as Certificates;
}

/** The one entry of a list of a kubeconfig; nothing where the text is none. */
function entry(answer: string, list: string, name: string): Record<string, unknown> {
  try {
    const document = parse(answer) as Record<string, Record<string, Record<string, unknown>>[] | undefined> | null;
    return document?.[list]?.[0]?.[name] ?? {};
  } catch {
    return {};
  }
}
