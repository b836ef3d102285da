import { findingIf } from "../../../plan/rules/rule";
import { dnsPort, reachesDns } from "../dns";
import { isFqdn } from "../fqdn";
import { isPods } from "../subject";
import { eachEdge, failing, type PolicyRule } from "./rule";

/** Rules about lookups of names, and about the pods that answer them. */
export const lookupRules: PolicyRule[] = [
  {
    id: "dns-port",
    severity: "refusal",
    why: `Cilium's DNS proxy serves port ${dnsPort} alone.`,
    check: eachEdge(({ dns, ports }) =>
      ports.flatMap(({ first, path }) =>
        findingIf(
          dns !== undefined && first !== dnsPort && first !== 0,
          path,
          `${first} is not the port of DNS`,
          `use ${dnsPort}`,
        ),
      ),
    ),
  },
  {
    id: "dns-from-pods",
    severity: "refusal",
    why: "Cilium reads lookups where they leave a pod; on the other side it refuses them.",
    check: eachEdge(({ dns, from, path }) =>
      findingIf(
        dns !== undefined && from?.kinds.length === 1 && !isPods(from),
        `${path}.dns`,
        "the source is not pods, whose lookups are the only ones that are read",
        "leave dns out",
      ),
    ),
  },
  {
    id: "dns-names",
    severity: "refusal",
    why: "Cilium refuses a malformed name, and takes an empty list for every name.",
    check: eachEdge(({ dns, path }) => [
      ...findingIf(
        dns?.length === 0,
        `${path}.dns`,
        "an empty list would let every lookup through",
        'name them, or give ["*"]',
      ),
      ...failing(
        dns ?? [],
        isFqdn,
        (text) => `${text} is not a DNS name or a pattern of one`,
        'write it like "api.example.com" or "*.example.com"',
      ),
    ]),
  },
  {
    id: "edge-locks-dns",
    severity: "refusal",
    why: "An edge denies its target everything else that comes in, and for the pods of DNS that is the lookups of the whole cluster.",
    check: eachEdge((edge, subject) =>
      findingIf(
        edge.dns === undefined && reachesDns(edge, subject),
        `${edge.path}.to`,
        "are the pods of DNS, which a policy of their own would close to everybody else",
        'for lookups say dns: ["*"], which is written at the source alone; baselines and graphs allow them by themselves',
      ),
    ),
  },
  {
    id: "baseline-locks-dns",
    severity: "refusal",
    why: "A baseline denies what comes into its namespace, and for that of DNS it is the lookups of the whole cluster.",
    check: ({ component, namespace, dns }) =>
      findingIf(
        component === "NamespaceBaseline" && namespace === dns.namespace,
        "namespace",
        `${namespace} is where the pods of DNS are, and nobody could look a name up any more`,
        "keep system namespaces out of baselines",
      ),
  },
  {
    id: "dns-not-visible",
    severity: "warning",
    why: "Without the DNS proxy nobody sees which names pods look up.",
    check: ({ component, l7Proxy }) =>
      findingIf(
        component === "NamespaceBaseline" && !l7Proxy,
        "l7Proxy",
        "lookups are allowed, and names are not visible: without l7Proxy there is no DNS proxy",
        "run Cilium with l7Proxy if names matter",
      ),
  },
];
