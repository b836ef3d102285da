import type { Draft } from "../../plan/rules/rule";
import { renderProblems } from "../../plan/problems";
import { describe, fit, type Shape, type ShapeFindings } from "../../plan/shape";
import type { Problem } from "../../plan/types";
import { explainPolicies } from "./explain";
import { baselinePolicies, graphPolicies } from "./policies";
import { judgePolicies } from "./rules";
import { baselineShape, graphShape } from "./shapes";
import { baselineSubject, graphSubject, type PolicySubject } from "./subject";
import type { BaselineArgs, GraphArgs, PolicyObject, PolicyPlan } from "./types";

/** All refusals of one component's arguments, thrown at once. */
export class PolicyError extends Error {
  override readonly name = "PolicyError";

  /**
   * @param component kind and name of the component, for the heading, e.g. `ServiceGraph "shop"`
   * @param problems at least one refusal
   */
  constructor(
    readonly component: string,
    readonly problems: Problem[],
  ) {
    super(renderProblems(component, problems));
  }
}

/** A plan, or every problem. */
export interface CheckedPolicies {
  plan?: PolicyPlan;
  problems: Problem[];
}

/**
 * Plans the policies of a namespace, pure and whole.
 * @param name begins the policies' names: a DNS label
 * @throws PolicyError listing every problem of the arguments
 */
export function planNamespaceBaseline(name: string, args: BaselineArgs): PolicyPlan {
  return orThrow("NamespaceBaseline", name, checkNamespaceBaseline(name, args));
}

/** The same without throwing. Takes anything that a configuration file may hold. */
export function checkNamespaceBaseline(name: string, args: BaselineArgs): CheckedPolicies {
  return check(name, args, baselineShape, baselineSubject, baselinePolicies);
}

/**
 * Plans the policies of a graph, pure and whole: for every edge both sides, in the namespaces of both.
 * @param name begins the policies' names: a DNS label
 * @throws PolicyError listing every problem of the arguments
 */
export function planServiceGraph(name: string, args: GraphArgs): PolicyPlan {
  return orThrow("ServiceGraph", name, checkServiceGraph(name, args));
}

/** The same without throwing. Takes anything that a configuration file may hold. */
export function checkServiceGraph(name: string, args: GraphArgs): CheckedPolicies {
  return check(name, args, graphShape, graphSubject, graphPolicies);
}

function check<Args>(
  name: unknown,
  args: unknown,
  shape: Shape,
  read: (name: string, args: Draft<Args>) => PolicySubject,
  render: (subject: PolicySubject) => PolicyObject[],
): CheckedPolicies {
  const found: ShapeFindings = { type: [], missing: [], unknown: [] };
  if (typeof name !== "string")
    found.type.push({
      path: "name",
      message: `must be a text, found ${describe(name)}`,
      fix: "put the name in quotes",
    });
  // What `fit` returns has the shape of the arguments, parts of it absent.
  const subject = read(typeof name === "string" ? name : "unnamed", (fit(shape, args, "", found) ?? {}) as Draft<Args>);
  const judged = judgePolicies(subject);
  const problems = [...misfits(found), ...judged.filter(({ acceptable }) => !acceptable)];
  if (problems.length > 0) return { problems };
  const accepted = new Set(subject.accept.map(({ value }) => value));
  const policies = render(subject);
  return {
    plan: {
      policies,
      warnings: judged.filter(({ rule }) => !accepted.has(rule)),
      decisions: explainPolicies(subject, policies),
    },
    problems: [],
  };
}

function misfits({ type, missing, unknown }: ShapeFindings): Problem[] {
  return Object.entries({ "argument-type": type, "argument-missing": missing, "argument-unknown": unknown }).flatMap(
    ([rule, findings]) => findings.map((finding) => ({ rule, acceptable: false, ...finding })),
  );
}

function orThrow(component: string, name: unknown, { plan, problems }: CheckedPolicies): PolicyPlan {
  if (plan === undefined) throw new PolicyError(`${component} ${JSON.stringify(name)}`, problems);
  return plan;
}
