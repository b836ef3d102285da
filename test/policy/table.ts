import assert from "node:assert/strict";
import {
  app,
  type BaselineArgs,
  type CheckedPolicies,
  checkNamespaceBaseline,
  checkServiceGraph,
  type EdgeArgs,
  type GraphArgs,
  renderProblem,
} from "../../components";

/** The article's rule: one workload may send one kind of request to another. */
export function goodEdge(change: Partial<EdgeArgs> = {}): EdgeArgs {
  return { from: app("frontend-proxy"), to: app("backend-api"), port: 8080, ...change };
}

/** The same with requests judged. */
export function requestEdge(change: Partial<EdgeArgs> = {}): EdgeArgs {
  return goodEdge({ http: [{ method: "POST", path: "/v1/transaction" }], ...change });
}

/** One mistake in the arguments of a graph or a baseline, and the lines that must come of it, exactly these. */
export interface PolicyMistake {
  rule: string;
  what: string;
  /** Name of the component. Default `shop`. */
  name?: string;
  /** Arguments of a graph, beside its namespace. */
  graph?: Partial<GraphArgs>;
  /** Arguments of a baseline, beside its namespace. */
  baseline?: Partial<BaselineArgs>;
  lines: string[];
}

/** What the plan says to a mistake. */
export function checkPolicyMistake({ name = "shop", graph, baseline }: PolicyMistake): CheckedPolicies {
  if (baseline) return checkNamespaceBaseline(name, { namespace: "shop", ...baseline });
  return checkServiceGraph(name, { namespace: "shop", ...graph });
}

/** Rules of everything that a mistake's arguments break, warnings included. */
export function brokenRules({ problems, plan }: CheckedPolicies): string[] {
  return [...problems, ...(plan?.warnings ?? [])].map(({ rule }) => rule);
}

/** Defines a test for every mistake. */
export function testPolicyMistakes(mistakes: PolicyMistake[]): void {
  for (const mistake of mistakes) {
    it(`${mistake.rule}: ${mistake.what}`, () => {
      const checked = checkPolicyMistake(mistake);
      const told = [...checked.problems, ...(checked.plan?.warnings ?? [])];
      assert.deepEqual(told.map(renderProblem), mistake.lines);
      assert.ok(brokenRules(checked).includes(mistake.rule), brokenRules(checked).join(", "));
    });
  }
}

/** Arguments as a configuration file may hold them: of any type. */
export function raw(value: unknown): never {
  return value as never;
}
