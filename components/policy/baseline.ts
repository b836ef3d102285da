import * as pulumi from "@pulumi/pulumi";
import { plannedFor, type PolicyComponentArgs, registerPolicy, tellWarnings } from "./objects";
import { type BaselineArgs, type CoveredNamespace, planNamespaceBaseline, type PolicyPlan } from "./plan";

/** Arguments of a NamespaceBaseline, all plain values. */
export interface NamespaceBaselineArgs extends BaselineArgs, PolicyComponentArgs {}

/**
 * Locks a namespace down: everything is denied both ways but lookups of names, which are visible, and the named destinations outside.
 * The address of machine metadata is denied whatever else is allowed. What workloads say to each other is a ServiceGraph's part.
 *
 * Give it the cluster's provider, and let it depend on the cluster: Cilium's own types come with Cilium.
 *
 * @example
 * const baseline = new NamespaceBaseline(
 *   "shop",
 *   { namespace: "shop", egress: [{ fqdns: ["api.payments.example"] }] },
 *   { provider: cluster.provider, dependsOn: cluster },
 * );
 */
export class NamespaceBaseline extends pulumi.ComponentResource {
  /** Everything that was known before anything was applied. */
  public readonly plan: PolicyPlan;
  /** What a ServiceGraph needs to know of it, for its `covered`. */
  public readonly covers: CoveredNamespace;

  /** @throws ResourceError that lists every problem of the arguments, before any policy is registered */
  constructor(name: string, args: NamespaceBaselineArgs, opts: pulumi.ComponentResourceOptions = {}) {
    super("zerosteal:index:NamespaceBaseline", name, args, opts);
    const { awaitValid, ...plain } = args;
    this.plan = plannedFor(this, () => planNamespaceBaseline(name, plain));
    tellWarnings(this, this.plan.warnings);
    const { namespace, l7Proxy = true, dns } = plain;
    this.covers = { namespace, dnsVisible: l7Proxy && (dns?.visible ?? true) };

    const allowed = this.plan.policies.slice(0, -1).map((policy) => registerPolicy(this, policy, { awaitValid }));
    // The denial comes last and goes first: in between, pods keep what they are allowed.
    for (const denial of this.plan.policies.slice(-1)) registerPolicy(this, denial, { awaitValid }, allowed);
    this.registerOutputs({ policies: this.plan.policies.map(({ metadata }) => metadata.name) });
  }
}
