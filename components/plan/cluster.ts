import { clusterArgsShape } from "./argsShape";
import { buildPlan } from "./build";
import { userDataLimit, userDataSize } from "./cloudInit";
import { PlanError, type Finding } from "./problems";
import { judge } from "./rules";
import type { Draft, Subject } from "./rules/rule";
import { describe, fit, type ShapeFindings } from "./shape";
import type { ClusterArgs, ClusterPlan, Problem } from "./types";

/**
 * Plans a cluster, pure and whole: every name, address, route, file, document and value, before anything is created.
 * @param name cluster name: DNS label, at most 32 characters
 * @throws PlanError listing every problem of the arguments
 */
export function planCluster(name: string, args: ClusterArgs): ClusterPlan {
  const { plan, problems } = checkCluster(name, args);
  if (plan === undefined) throw new PlanError(nameOf(name), problems);
  return plan;
}

/**
 * The same without throwing. Takes anything that a configuration file may hold: a value of the wrong type is a problem like others.
 * @returns the plan, or every problem; refusals that `accept` names are warnings of the plan
 */
export function checkCluster(name: string, args: ClusterArgs): { plan?: ClusterPlan; problems: Problem[] } {
  const { subject, problems: misfits } = readArguments(name, args);
  const accepted = new Set(subject.args.accept?.filter((id) => id !== undefined));
  const found = [...misfits, ...judge(subject)];
  const problems = found.filter((problem) => !problem.acceptable || !accepted.has(problem.rule));
  if (problems.length > 0) return { problems };
  const plan = buildPlan(name, args, found);
  // Files go to existing hosts over SSH, which has no such limit.
  const tooLarge = plan.underlay.kind === "hosts" ? [] : judgeUserData(plan);
  return tooLarge.length > 0 ? { problems: tooLarge } : { plan, problems: [] };
}

/** Checks the types of the arguments and drops what does not fit, so that the rules judge what is left. */
function readArguments(name: unknown, args: unknown): { subject: Subject; problems: Problem[] } {
  const found: ShapeFindings = { type: [], missing: [], unknown: [] };
  if (typeof name !== "string") {
    found.type.push({
      path: "name",
      message: `must be a text, found ${describe(name)}`,
      fix: "put the name in quotes",
    });
  }
  const fitting = fit(clusterArgsShape, args, "", found) ?? {};
  // What `fit` returns has the shape of ClusterArgs, parts of it absent; a name of the wrong type has its problem already.
  const subject = { name: nameOf(name), args: fitting as Draft<ClusterArgs> };
  const of = (rule: string, findings: Finding[]): Problem[] =>
    findings.map((finding) => ({ rule, acceptable: false, ...finding }));
  return {
    subject,
    problems: [
      ...of("argument-type", found.type),
      ...of("argument-missing", found.missing),
      ...of("argument-unknown", found.unknown),
    ],
  };
}

/** The cluster's name for headings and rules; one that is no text has its own problem. */
function nameOf(name: unknown): string {
  return typeof name === "string" ? name : "unnamed";
}

/** User data that the cloud would refuse; one problem stands for all nodes. */
function judgeUserData(plan: ClusterPlan): Problem[] {
  const largest = Math.max(...plan.nodes.map((node) => userDataSize(node.userData)));
  if (largest <= userDataLimit) return [];
  return [
    {
      rule: "user-data-size",
      acceptable: false,
      path: "arguments",
      message: `the nodes' user data would have ${Math.ceil(largest / 1024)} KiB, and the cloud takes ${userDataLimit / 1024}`,
      fix: "make kubernetes.kubelet, registryMirrors or artifacts.manifest smaller",
    },
  ];
}
