import { plainText } from "../plainText";
import { askedFor, heldBack } from "./asked";
import { judgePart } from "./clusterParts";
import { costsOf } from "./costs";
import { scrub } from "./harmless";
import { byName, finding, gravest, graver, sorted } from "./judge";
import { isOfNode, judgeNodes, nodesOf } from "./nodes";
import { judgeOthers } from "./others";
import { splitUrn } from "./urn";
import { type Preview, type PreviewError, type Step, UnreadablePreview } from "./previewTypes";
import type { ClusterReport, Finding, NodeReport, PreviewReport } from "./types";

const component = "zerosteal:index:TunedCluster";

/**
 * Says what a preview means: for each node, for the cluster, for the bill, and how much it can hurt. Pure; the same preview gives the same
 * report, whatever the order in which the engine came to its resources.
 * @throws UnreadablePreview when there is nothing in it that this library makes
 */
export function reportPreview({ project, stack, steps, errors, complete }: Preview): PreviewReport {
  const made = steps.filter(({ type }) => type !== "pulumi:pulumi:Stack");
  if (errors.length === 0 && made.length > 0 && !made.some(({ urn }) => urn.includes("::zerosteal:"))) {
    const whose = project === "" ? "" : ` It is of project ${plainText(project)}, stack ${plainText(stack)}.`;
    throw new UnreadablePreview(`The preview has nothing that zerosteal makes: is it another project's?${whose}`);
  }
  const components = componentsOf(steps);
  const clusters = components.map((own) => {
    const children = steps.filter(({ parent }) => parent === own.urn);
    return reportCluster(own, children, complete);
  });
  const owned = new Set(components.map(({ urn }) => urn));
  const others = sorted(judgeOthers(steps.filter(({ parent }) => !owned.has(parent))));
  const failed = errors.length > 0;
  return {
    version: 1,
    project,
    stack,
    grade: graver(gravest(clusters), gravest(others)),
    failed,
    errors: [...new Set(errors.map(describeError))].sort(byName),
    clusters,
    others,
    costs: failed ? undefined : costsOf(steps, complete),
    operations: countOperations(steps),
  };
}

/** The clusters of a preview. One that stays as it is may be left out: then it is known as a parent alone. */
function componentsOf(steps: Step[]): Step[] {
  const parents = [...new Set(steps.map(({ parent }) => parent))].filter((urn) => splitUrn(urn).type === component);
  const absent = parents.filter((urn) => !steps.some((step) => step.urn === urn));
  const same = {
    operation: "same",
    custom: false,
    parent: "",
    old: {},
    new: {},
    reasons: [],
    replaceReasons: [],
  } as const;
  const known = steps.filter(({ type }) => type === component);
  const added = absent.map((urn): Step => ({ ...same, reasons: [], replaceReasons: [], urn, ...splitUrn(urn) }));
  return [...known, ...added].sort((a, b) => byName(a.name, b.name));
}

function reportCluster(own: Step, steps: Step[], complete: boolean): ClusterReport {
  const nodes = judgeNodes(nodesOf(own, steps));
  const touched = nodes.filter(({ findings }) => findings.length > 0);
  const findings = sorted([
    ...wholeCluster(own, nodes),
    ...heldBack(own),
    ...versions(touched),
    ...judgeRest(own, steps),
  ]);
  return {
    name: own.name,
    grade: graver(gravest(findings), gravest(touched)),
    asked: askedFor(own),
    nodes: touched,
    ...(complete ? { untouched: own.operation === "delete" ? 0 : nodes.length - touched.length } : {}),
    findings,
  };
}

/** Parts of a cluster that is made or removed as a whole are said with it; what nobody knows is always said. */
function judgeRest(own: Step, steps: Step[]): Finding[] {
  const anew = steps.some((step) => step.name === `kubeconfig-${own.name}` && step.operation !== "same");
  const unknown: Step[] = [];
  const found = steps.flatMap((step) => {
    if (isOfNode(step)) return [];
    const judged = judgePart(step, own.name, anew);
    if (judged === undefined) unknown.push(step);
    if (own.operation === "delete") return [];
    const whole = own.operation === "create" && step.operation === "create";
    return (judged ?? []).filter(({ id }) => !whole || id === "doctor");
  });
  return [...found, ...judgeOthers(unknown, true)];
}

function wholeCluster({ operation, name }: Step, nodes: NodeReport[]): Finding[] {
  const count = nodes.length === 1 ? "1 node" : `${nodes.length} nodes`;
  if (operation === "create") return [finding("cluster-new", "low", name, `is made, with ${count}`)];
  if (operation !== "delete") return [];
  const text = `is destroyed, with ${count} and everything in it`;
  return [finding("cluster-removed", "critical", name, text, ["interrupts-etcd"])];
}

/** New programs come to all nodes in one update, and the control plane's own are not among them. */
function versions(nodes: NodeReport[]): Finding[] {
  const changes = nodes.flatMap(({ findings }) =>
    findings.filter(({ id, grade }) => id === "node-settings" && grade === "high"),
  );
  if (!changes.some(({ text }) => /(^|; )kubelet \S+ → /.test(text))) return [];
  const text =
    "its nodes get their new programs all at once, without being drained; API server, scheduler and etcd of a control plane that stands " +
    "keep their version, since kubeadm does not upgrade them here";
  return [finding("kubernetes-version", "high", "Kubernetes", text, ["not-until-replacement"])];
}

/** The planner's own words are shown; what a program or a plugin threw may hold anything, and stays in the job's log. */
function describeError({ type, name, message }: PreviewError): string {
  const subject = name === "" ? "the program" : `${type.split(":").at(-1) ?? ""} ${name}`;
  if (type.startsWith("zerosteal:") && message !== "") return scrub(message);
  return `${subject} failed; the message is in the log of the job`;
}

function countOperations(steps: Step[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { operation, custom } of [...steps].sort((a, b) => byName(a.operation, b.operation))) {
    if (custom && operation !== "same") counts[operation] = (counts[operation] ?? 0) + 1;
  }
  return counts;
}
