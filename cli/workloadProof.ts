import Table from "cli-table3";
import { execInPod } from "../components/doctor/exec";
import { type Kube, openKube } from "../components/doctor/kube";

/** Something that the policies of the workload promise, and what traffic shows. */
export interface Claim {
  /** Name of the workload whose pod calls. */
  from: string;
  /** The call. */
  request: string;
  /** Why. */
  because: string;
  wanted: string;
  found: string;
}

interface ProofOptions {
  kubeconfig: string;
  /** URL of something outside the cluster that answers. */
  outside: string;
  tell: (news: string) => void;
}

const namespace = "shop";

/** Milliseconds until a call counts as stuck: it gives up by itself in three seconds. */
const patience = 20_000;

/** Calls that must pass and calls that must not, with what each ends in. A call that policy drops times out; one to a name proves DNS. */
function claimsFor(outside: string): Omit<Claim, "found">[] {
  const backend = "http://backend-api:8080";
  const out = "timed out";
  return [
    claim("frontend-proxy", `POST ${backend}/v1/transaction`, "200", "the edge of the graph"),
    claim("frontend-proxy", "POST http://127.0.0.1:8080/v1/transaction", "200", "frontend-proxy passes it on"),
    claim("bystander", `POST ${backend}/v1/transaction`, out, "no edge; the name is found, the packet dropped"),
    claim("bystander", "GET http://nobody.shop.svc.cluster.local/", "unknown name", "DNS answers everybody"),
    claim("frontend-proxy", "GET http://bystander:8080/", out, "no edge"),
    claim("backend-api", "GET http://frontend-proxy:8080/", out, "an edge has one direction"),
    claim("backend-api", `GET ${outside}`, out, "nothing outside is allowed"),
    claim("backend-api", "GET http://169.254.169.254/", out, "the metadata address is denied"),
  ];
}

function claim(from: string, request: string, wanted: string, because: string): Omit<Claim, "found"> {
  return { from, request, wanted, because };
}

/** Makes every call from a pod of the workload and notes how it ended. */
export async function proveWorkload({ kubeconfig, outside, tell }: ProofOptions): Promise<Claim[]> {
  const never = new AbortController().signal;
  const kube = openKube(kubeconfig, never);
  const claims: Claim[] = [];
  for (const wanted of claimsFor(outside)) {
    tell(`${wanted.from}: ${wanted.request}`);
    const where = { namespace, pod: await podOf(kube, wanted.from), container: "main" };
    const command = ["/httpecho", "call", ...wanted.request.split(" ")];
    const { stdout, stderr } = await execInPod(kube, where, command, patience, never);
    claims.push({ ...wanted, found: (stdout || stderr).trim() });
  }
  return claims;
}

async function podOf(kube: Kube, name: string): Promise<string> {
  const { items } = await kube.core.listNamespacedPod({ namespace, labelSelector: `app=${name}` });
  const pod = items.find(({ status, metadata }) => status?.phase === "Running" && !metadata?.deletionTimestamp);
  if (!pod?.metadata?.name) throw new Error(`no pod of ${name} runs in namespace ${namespace}`);
  return pod.metadata.name;
}

/** The claims as a table, and how many hold. */
export function renderClaims(claims: Claim[]): string {
  const table = new Table({
    head: ["", "from", "request", "wanted", "found", "because"],
    style: { head: [], border: [] },
  });
  const holds = ({ wanted, found }: Claim): boolean => wanted === found;
  for (const entry of claims) {
    const { from, request, wanted, found, because } = entry;
    table.push([holds(entry) ? "ok" : "FAILED", from, request, wanted, found, because]);
  }
  const kept = claims.filter(holds).length;
  return `${table.toString()}\n${kept} of ${claims.length} hold`;
}
