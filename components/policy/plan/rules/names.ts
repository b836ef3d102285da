import { isDnsLabel } from "../../../plan/names";
import type { Finding } from "../../../plan/problems";
import { findingIf } from "../../../plan/rules/rule";
import { edgeName } from "../names";
import type { Item, Peer, PolicySubject } from "../subject";
import { eachEdge, failing, type PolicyRule, repeated } from "./rule";

const dnsLabel = "use at most 63 lower-case letters, digits and inner dashes";
const namespaceKeys = ["io.kubernetes.pod.namespace", "k8s.io.kubernetes.pod.namespace"];

/** Rules about names, namespaces and labels. */
export const nameRules: PolicyRule[] = [
  {
    id: "policy-name",
    severity: "refusal",
    why: "The component's name begins the names of its policies in Kubernetes.",
    check: ({ name }) =>
      failing([{ value: name, path: "name" }], isDnsLabel, (text) => `${text} is not a DNS label`, dnsLabel),
  },
  {
    id: "policy-namespace",
    severity: "refusal",
    why: "There can be no namespace of another form, so the policy would select nothing.",
    check: (subject) =>
      failing(namespacesOf(subject), isDnsLabel, (text) => `${text} is not the name of a namespace`, dnsLabel),
  },
  {
    id: "policy-label",
    severity: "refusal",
    why: "No pod can have a label of another form, so the policy would select nothing, or be refused.",
    check: (subject) => labelMapsOf(subject).flatMap(({ value, path }) => labelFindings(value, path)),
  },
  {
    id: "peer-namespace-label",
    severity: "refusal",
    why: "The namespace is part of where the policy is written; as a label alone it would be written to the wrong one.",
    check: (subject) =>
      labelMapsOf(subject).flatMap(({ value, path }) =>
        Object.keys(value)
          .filter((key) => namespaceKeys.includes(withoutSource(key)))
          .map((key) => ({
            path: `${path}[${JSON.stringify(key)}]`,
            message: "the namespace is no label here",
            fix: "give it as namespace, beside the labels",
          })),
      ),
  },
  {
    id: "edge-name",
    severity: "refusal",
    why: "An edge's name is part of its policies' names in Kubernetes.",
    check: eachEdge(({ name, path }) =>
      failing(
        name === undefined ? [] : [{ value: name, path: `${path}.name` }],
        isDnsLabel,
        (text) => `${text} is not a DNS label`,
        dnsLabel,
      ),
    ),
  },
  {
    id: "edge-name-twice",
    severity: "refusal",
    why: "Two edges of one name would be one policy, and the later one would replace the earlier.",
    check: (subject) =>
      subject.component === "NamespaceBaseline"
        ? []
        : repeated(subject.edges, (a, b) => edgeName(a, subject) === edgeName(b, subject)).map(({ item, earlier }) => ({
            path: `${item.path}.name`,
            message: `"${edgeName(item, subject)}" is the name of ${earlier.path} too`,
            fix: "give one of them another name",
          })),
  },
];

function namespacesOf({ namespace, edges, covered, dns }: PolicySubject): Item<string>[] {
  const peers = edges.flatMap(({ from, to }) => [from, to].filter((peer): peer is Peer => peer?.ownNamespace ?? false));
  return [
    { value: namespace, path: "namespace" },
    ...peers.map((peer) => ({ value: peer.namespace, path: `${peer.path}.namespace` })),
    ...covered.flatMap(({ value, path }) =>
      value.namespace === undefined ? [] : [{ value: value.namespace, path: `${path}.namespace` }],
    ),
    { value: dns.namespace, path: "dns.namespace" },
  ];
}

function labelMapsOf({ edges, dns }: PolicySubject): Item<Record<string, string>>[] {
  const peers = edges.flatMap(({ from, to }) => [from, to].filter((peer) => peer !== undefined));
  return [
    ...peers.map(({ labels, path }) => ({ value: labels, path: `${path}.labels` })),
    { value: dns.labels, path: "dns.labels" },
  ];
}

function labelFindings(labels: Record<string, string>, path: string): Finding[] {
  return Object.entries(labels).flatMap(([key, value]) => {
    const at = `${path}[${JSON.stringify(key)}]`;
    return [
      ...findingIf(
        !isLabelKey(withoutSource(key)),
        at,
        `${JSON.stringify(key)} is not a key of Kubernetes`,
        "write [DNS name/]name, the name with at most 63 letters, digits, dashes, dots and underscores",
      ),
      ...findingIf(
        value !== "" && !isLabelText(value),
        at,
        `${JSON.stringify(value)} is not a value for ${JSON.stringify(key)}`,
        "use at most 63 letters, digits, dashes, dots and underscores",
      ),
    ];
  });
}

/** A key without the source that Cilium lets one write before it. */
function withoutSource(key: string): string {
  return key.replace(/^(k8s|any):/, "");
}

function isLabelKey(key: string): boolean {
  const slash = key.lastIndexOf("/");
  const prefix = key.slice(0, Math.max(slash, 0));
  return (
    isLabelText(key.slice(slash + 1)) &&
    (slash < 0 || (prefix.length <= 253 && prefix.split(".").every((part) => isDnsLabel(part))))
  );
}

function isLabelText(text: string): boolean {
  return text.length <= 63 && /^[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?$/.test(text);
}
