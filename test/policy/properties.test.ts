import assert from "node:assert/strict";
import fc from "fast-check";
import {
  type BaselineArgs,
  checkNamespaceBaseline,
  checkServiceGraph,
  type CheckedPolicies,
  type EdgeArgs,
  type GraphArgs,
  type PeerArgs,
  planServiceGraph,
  PolicyError,
  type PolicyObject,
  type PortArgs,
} from "../../components";
import { needs } from "../capabilities";
import { graphs } from "./graphs";
import { cachedPolicyCrd, policyValidator } from "./schema";

function assertSound({ plan, problems }: CheckedPolicies): void {
  assert.equal(plan === undefined, problems.length > 0);
  for (const problem of [...problems, ...(plan?.warnings ?? [])]) {
    assert.ok(problem.path !== "" && problem.message !== "" && problem.fix !== "", JSON.stringify(problem));
    assert.doesNotMatch(`${problem.path} ${problem.message} ${problem.fix}`, /undefined(?!;)|\[object/);
  }
}

const isPods = (peer: PeerArgs): boolean => peer.labels !== undefined || peer.all === true;

/** The policies that select a peer in its namespace and have the given direction. */
function policiesOf(
  policies: PolicyObject[],
  peer: PeerArgs,
  namespace: string,
  side: "egress" | "ingress",
): PolicyObject[] {
  const selector = JSON.stringify(peer.all === true ? {} : { matchLabels: sorted(peer.labels ?? {}) });
  return policies.filter(
    ({ metadata, spec }) =>
      metadata.namespace === (peer.namespace ?? namespace) &&
      JSON.stringify(spec.endpointSelector) === selector &&
      spec[side] !== undefined,
  );
}

/** Whether a rule's port list is that of an edge. */
function hasPorts(policy: PolicyObject, side: "egress" | "ingress", edge: EdgeArgs): boolean {
  const [rule] = policy.spec[side] as [
    { toPorts: { ports: { port: string; endPort?: number; protocol: string }[] }[] },
  ];
  const wanted: Partial<PortArgs>[] = edge.ports ?? [{ port: edge.port }];
  return (
    JSON.stringify(
      rule.toPorts[0]?.ports.map(({ port, endPort, protocol }) => [port, endPort ?? Number(port), protocol]),
    ) === JSON.stringify(wanted.map(({ port, endPort }) => [String(port), endPort ?? port, edge.protocol ?? "TCP"]))
  );
}

function sorted(labels: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)));
}

describe("any graph", function () {
  this.timeout(120_000);

  it("gives a problem, or policies that Cilium's schema takes, with both sides of every edge; never an exception", function () {
    needs(this, "cilium-crds");
    const valid = policyValidator(cachedPolicyCrd()!);
    const seen = { good: 0, bad: 0 };
    fc.assert(
      fc.property(graphs, (args) => {
        const checked = checkServiceGraph("graph", args);
        assertSound(checked);
        seen[checked.plan ? "good" : "bad"]++;
        if (!checked.plan) {
          assert.throws(() => planServiceGraph("graph", args), PolicyError);
          return;
        }
        const { policies } = checked.plan;
        for (const policy of policies)
          assert.ok(valid(policy), `${JSON.stringify(policy)}: ${JSON.stringify(valid.errors)}`);
        for (const edge of args.allow ?? []) {
          for (const [peer, side] of [
            [edge.from, "egress"],
            [edge.to, "ingress"],
          ] as const) {
            if (!isPods(peer)) continue;
            const written = policiesOf(policies, peer, args.namespace, side);
            assert.ok(
              written.some((policy) => hasPorts(policy, side, edge)),
              JSON.stringify(edge),
            );
          }
        }
        const names = policies.map(({ metadata }) => metadata.name);
        assert.equal(new Set(names).size, names.length);
      }),
      { numRuns: 3000 },
    );
    assert.ok(seen.good >= 500 && seen.bad >= 500, JSON.stringify(seen));
  });

  it("keeps the policies of an edge to the letter when another is added", () => {
    fc.assert(
      fc.property(graphs, graphs, (args, more) => {
        const before = checkServiceGraph("graph", args);
        const after = checkServiceGraph("graph", {
          ...args,
          allow: [...(args.allow ?? []), ...(more.allow ?? []).slice(0, 1)],
        });
        if (before.plan && after.plan)
          assert.deepEqual(after.plan.policies.slice(0, before.plan.policies.length), before.plan.policies);
      }),
      { numRuns: 500 },
    );
  });

  it("denies nothing in audit", () => {
    fc.assert(
      fc.property(graphs, (args) => {
        for (const { spec } of checkServiceGraph("graph", { ...args, audit: true }).plan?.policies ?? []) {
          assert.deepEqual(spec.enableDefaultDeny, { ingress: false, egress: false });
          assert.equal(spec.egressDeny ?? spec.ingressDeny, undefined);
          const text = JSON.stringify(spec);
          assert.equal((text.match(/"http":\[/g) ?? []).length, (text.match(/,\{\}\]/g) ?? []).length, text);
        }
      }),
      { numRuns: 500 },
    );
  });

  it("is not changed by planning", () => {
    fc.assert(
      fc.property(graphs, (args) => {
        const before = JSON.stringify(args);
        checkServiceGraph("graph", args);
        assert.equal(JSON.stringify(args), before);
      }),
      { numRuns: 200 },
    );
  });
});

describe("any arguments of policies", function () {
  this.timeout(120_000);

  it("give a plan or a problem: JSON of any kind", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (name, args) => {
        assertSound(checkServiceGraph(name as string, args as unknown as GraphArgs));
        assertSound(checkNamespaceBaseline(name as string, args as unknown as BaselineArgs));
      }),
      { numRuns: 1000 },
    );
  });

  it("give a plan or a problem: good ones with one part replaced", () => {
    const good = {
      namespace: "shop",
      allow: [
        {
          name: "edge",
          from: { labels: { app: "a" }, namespace: "b" },
          to: { fqdns: ["example.com"] },
          ports: [{ port: 80, endPort: 81 }],
          protocol: "TCP",
        },
        {
          from: { entities: ["world"] },
          to: { all: true },
          port: 80,
          http: [{ method: "GET", path: "/", query: "any" }],
        },
        { from: { labels: { app: "c" } }, to: { cidrs: ["198.51.100.0/24"] }, port: 53, dns: ["*.example.com"] },
      ],
      egress: [{ fqdns: ["example.com"], port: 443 }],
      covered: [{ namespace: "x", dnsVisible: true }],
      dns: { namespace: "kube-system", labels: { "k8s-app": "kube-dns" }, visible: true },
      accept: ["http-get-without-head"],
    };
    fc.assert(
      fc.property(fc.nat(), fc.jsonValue({ maxDepth: 2 }), (pick, value) => {
        const { egress, ...graph } = damaged(good, pick, value);
        assertSound(checkServiceGraph("shop", graph as unknown as GraphArgs));
        const { allow: _allow, covered: _covered, ...rest } = graph;
        assertSound(checkNamespaceBaseline("shop", { ...rest, egress } as unknown as BaselineArgs));
      }),
      { numRuns: 2000 },
    );
  });
});

/** A copy with one of its parts replaced. */
function damaged(good: object, pick: number, value: unknown): Record<string, unknown> {
  const copy = structuredClone(good) as Record<string, unknown>;
  const places: [parent: Record<string, unknown>, key: string][] = [];
  const visit = (node: unknown): void => {
    if (typeof node !== "object" || node === null) return;
    for (const key of Object.keys(node)) {
      places.push([node as Record<string, unknown>, key]);
      visit((node as Record<string, unknown>)[key]);
    }
  };
  visit(copy);
  const place = places[pick % places.length];
  if (place) place[0][place[1]] = value;
  return copy;
}
