import * as pulumi from "@pulumi/pulumi";
import { renderProblem } from "../plan/problems";
import { plannedFor, type PolicyComponentArgs, registerPolicy, tellWarnings } from "./objects";
import { type EdgeArgs, type GraphArgs, planServiceGraph, type PolicyObject, type PolicyPlan } from "./plan";

/** Arguments of a ServiceGraph, all plain values. */
export interface ServiceGraphArgs extends GraphArgs, PolicyComponentArgs {}

/**
 * Who may reach whom: each edge becomes a policy where it leaves and one where it arrives, across namespaces too. Pods at either end lose,
 * in that direction, what no policy allows.
 *
 * @example
 * new ServiceGraph("shop", { namespace: "shop", covered: [baseline.covers] }).allow({
 *   from: app("frontend-proxy"),
 *   to: app("backend-api"),
 *   port: 8080,
 *   http: [{ method: "POST", path: "/v1/transaction" }],
 * });
 */
export class ServiceGraph extends pulumi.ComponentResource {
  /** Everything that is known before anything is applied, of all edges so far. */
  public plan: PolicyPlan;
  private readonly graphName: string;
  private readonly given: ServiceGraphArgs;
  private edges: EdgeArgs[] = [];
  private readonly registered = new Map<string, string>();

  /** @throws ResourceError that lists every problem of the arguments, before any policy is registered */
  constructor(name: string, args: ServiceGraphArgs, opts: pulumi.ComponentResourceOptions = {}) {
    super("zerosteal:index:ServiceGraph", name, args, opts);
    this.graphName = name;
    this.given = args;
    this.plan = { policies: [], warnings: [], decisions: [] };
    this.apply(args.allow);
    this.registerOutputs({});
  }

  /**
   * Adds edges. They are judged together with those that are there; edges in one call have all their problems told at once.
   * @throws ResourceError that lists every problem
   */
  allow(...edges: EdgeArgs[]): this {
    this.apply([...this.edges, ...edges]);
    return this;
  }

  /** Plans all edges and registers the policies that are not there yet. */
  private apply(allow: EdgeArgs[] | undefined): void {
    const { awaitValid, ...plain } = this.given;
    const plan = plannedFor(this, () => planServiceGraph(this.graphName, { ...plain, allow }));
    for (const policy of plan.policies) {
      const text = JSON.stringify(policy);
      const known = this.registered.get(policy.metadata.name);
      if (known === undefined) registerPolicy(this, policy, { awaitValid });
      else if (known !== text) throw new pulumi.ResourceError(changed(policy), this, true);
      this.registered.set(policy.metadata.name, text);
    }
    const told = new Set(this.plan.warnings.map(renderProblem));
    tellWarnings(
      this,
      plan.warnings.filter((warning) => !told.has(renderProblem(warning))),
    );
    this.plan = plan;
    this.edges = allow ?? [];
  }
}

/** An edge to DNS takes the place of a rule that earlier policies of its source have already. */
function changed({ metadata }: PolicyObject): string {
  return `allow: the new edges change the policy ${metadata.name}, which is registered already; give edges to DNS before the others of their source, or all in one list`;
}
