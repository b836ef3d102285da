import assert from "node:assert/strict";
import fc from "fast-check";
import {
  checkCluster,
  type ClusterArgs,
  type ClusterPlan,
  type NodePlan,
  planCluster,
  PlanError,
  type PoolArgs,
} from "../../components/plan";
import { contains, mustParse, overlaps } from "../../components/plan/addresses";
import { smallCluster } from "./clusters";

const runs = { numRuns: 100 };

/** Valid pools: each begins somewhere behind the one before, with room between them. */
const pools: fc.Arbitrary<PoolArgs[]> = fc
  .array(
    fc.record({
      count: fc.integer({ min: 0, max: 12 }),
      room: fc.integer({ min: 1, max: 20 }),
      serverType: fc.constantFrom("ccx13", "ccx23", "cpx32", "cx43"),
    }),
    { maxLength: 5 },
  )
  .map((seeds) => {
    let next = 11;
    return seeds.map(({ count, room, serverType }, index): PoolArgs => {
      const pool = { name: `pool-${index}`, count, firstNumber: next, serverType };
      next += Math.max(1, count) + room;
      return pool;
    });
  });

function cluster(own: PoolArgs[]): ClusterArgs {
  return { ...smallCluster(), pools: own };
}

function nodesByName(plan: ClusterPlan): Map<string, NodePlan> {
  return new Map(plan.nodes.map((node) => [node.name, node]));
}

/** Every node of the first plan that the second has too is planned the same there, to the last letter of its files. */
function assertUnmoved(before: ClusterPlan, after: ClusterPlan): void {
  const later = nodesByName(after);
  for (const node of before.nodes) if (later.has(node.name)) assert.deepEqual(later.get(node.name), node);
}

describe("a plan under change", function () {
  this.timeout(60_000);

  it("keeps every node as it is when a pool grows or shrinks within its room", () => {
    fc.assert(
      fc.property(pools, fc.nat(), fc.boolean(), (own, pick, grow) => {
        fc.pre(own.length > 0);
        const index = pick % own.length;
        const changed = own.map((pool, position) =>
          position === index ? { ...pool, count: Math.max(0, pool.count + (grow ? 1 : -1)) } : pool,
        );
        const [before, after] = [planCluster("prod", cluster(own)), planCluster("prod", cluster(changed))];
        assertUnmoved(before, after);
        const difference = Math.abs(after.nodes.length - before.nodes.length);
        assert.ok(difference <= 1);
      }),
      runs,
    );
  });

  it("keeps every node as it is when a pool is added, removed or moved in the list", () => {
    fc.assert(
      fc.property(pools, fc.nat(), (own, pick) => {
        fc.pre(own.length > 1);
        const index = pick % own.length;
        const removed = own.filter((_, position) => position !== index);
        const all = planCluster("prod", cluster(own));
        assertUnmoved(all, planCluster("prod", cluster(removed)));
        assertUnmoved(planCluster("prod", cluster(removed)), all);
        assertUnmoved(all, planCluster("prod", cluster([...own].reverse())));
      }),
      runs,
    );
  });

  it("changes neither Cilium's values nor another placement group when a worker is added", () => {
    fc.assert(
      fc.property(pools, (own) => {
        fc.pre(own.some((pool) => pool.count > 0));
        const index = own.findIndex((pool) => pool.count > 0);
        const changed = own.map((pool, at) => (at === index ? { ...pool, count: pool.count + 1 } : pool));
        const [before, after] = [planCluster("prod", cluster(own)), planCluster("prod", cluster(changed))];
        assert.deepEqual(after.cilium, before.cilium);
        assert.deepEqual({ ...after, nodes: [], placementGroups: [] }, { ...before, nodes: [], placementGroups: [] });
        for (const group of before.placementGroups) {
          const later = after.placementGroups.find(({ name }) => name === group.name);
          assert.deepEqual(later?.nodes.slice(0, group.nodes.length), group.nodes);
        }
      }),
      runs,
    );
  });

  it("moves nodes when a first number changes: that is what the number is for", () => {
    const [before, after] = [11, 12].map((firstNumber) =>
      planCluster("prod", cluster([{ name: "web", count: 1, serverType: "ccx23", firstNumber }])),
    );
    assert.ok(before && after);
    assert.throws(() => assertUnmoved(before, after), assert.AssertionError);
  });
});

describe("any valid plan", function () {
  this.timeout(60_000);

  it("gives each node addresses of its own, inside the ranges, and at most 10 nodes to a placement group", () => {
    fc.assert(
      fc.property(pools, (own) => {
        const plan = planCluster("prod", cluster(own));
        assert.ok(plan.underlay.kind === "hetzner");
        const [range, subnet, pods] = [plan.underlay.networkRange, plan.underlay.nodeSubnet, plan.podCidr].map(
          mustParse,
        );
        assert.ok(range && subnet && pods);
        const ranges = plan.nodes.map((node) => ({
          host: mustParse(`${node.privateAddress}/32`),
          pods: mustParse(node.podCidr),
        }));
        for (const [index, { host, pods: own }] of ranges.entries()) {
          assert.ok(contains(subnet, host) && contains(pods, own) && contains(range, own) && !overlaps(subnet, own));
          assert.notEqual(host.first, mustParse(`${plan.underlay.gateway}/32`).first);
          for (const other of ranges.slice(0, index)) {
            assert.ok(host.first !== other.host.first && !overlaps(own, other.pods));
          }
        }
        assert.equal(new Set(plan.nodes.map((node) => node.name)).size, plan.nodes.length);
        assert.ok(plan.placementGroups.every((group) => group.nodes.length <= 10));
        assert.deepEqual(
          plan.placementGroups.flatMap((group) => group.nodes).sort(),
          plan.nodes.map((node) => node.name).sort(),
        );
        for (const node of plan.nodes) {
          assert.deepEqual(node.route, { destination: node.podCidr, gateway: node.privateAddress });
          const object = JSON.parse(node.nodeObject) as { spec: { podCIDR: string; podCIDRs: string[] } };
          assert.deepEqual([object.spec.podCIDR, object.spec.podCIDRs], [node.podCidr, [node.podCidr]]);
        }
      }),
      runs,
    );
  });

  it("has room for 99 workers in one pool", () => {
    const plan = planCluster("prod", cluster([{ name: "web", count: 99, serverType: "ccx23" }]));
    assert.equal(plan.nodes.at(-1)?.privateAddress, "10.0.0.109");
    assert.equal(plan.nodes.at(-1)?.podCidr, "10.244.109.0/24");
    assert.equal(plan.placementGroups.length, 11);
  });
});

describe("any arguments at all", function () {
  this.timeout(60_000);

  /** Good arguments with one part, somewhere, replaced by anything that JSON holds. */
  const damaged = fc.tuple(fc.nat(), fc.jsonValue({ maxDepth: 3 })).map(([pick, value]) => {
    const args = structuredClone({
      ...smallCluster(),
      network: { podCidr: "10.244.0.0/16", serviceCidr: "10.96.0.0/12", nodePodCidrBits: 24 },
      kubernetes: { version: "1.36.4", kubelet: { maxPods: 100 }, ignorePreflightErrors: ["Swap"] },
      cilium: {
        version: "1.20.2",
        chart: "cilium",
        repository: "https://helm.cilium.io/",
        values: { debug: { enabled: true } },
      },
      tuning: {
        profile: "throughput",
        bbr: "node",
        sysctls: { "net.core.somaxconn": "4096" },
        podSysctls: ["net.core.somaxconn"],
      },
      registryMirrors: { "quay.io": "http://10.0.0.1:5000" },
      accept: ["access-open-to-all"],
    });
    const places: { parent: Record<string, unknown>; key: string }[] = [];
    const visit = (node: unknown): void => {
      if (typeof node !== "object" || node === null) return;
      for (const key of Object.keys(node)) {
        places.push({ parent: node as Record<string, unknown>, key });
        visit((node as Record<string, unknown>)[key]);
      }
    };
    visit(args);
    const place = places[pick % places.length];
    if (place) place.parent[place.key] = value;
    return args;
  });

  const judge = (name: unknown, args: unknown): void => {
    const { plan, problems } = checkCluster(name as string, args as ClusterArgs);
    assert.equal(plan === undefined, problems.length > 0);
    for (const problem of problems) {
      assert.ok(problem.path !== "" && problem.message !== "" && problem.fix !== "", JSON.stringify(problem));
      assert.doesNotMatch(problem.message + problem.fix, /undefined(?!;)|\[object/);
    }
    if (plan === undefined) assert.throws(() => planCluster(name as string, args as ClusterArgs), PlanError);
  };

  it("give a plan or a problem, never an exception: JSON of any kind", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (name, args) => judge(name, args)),
      { numRuns: 1000 },
    );
  });

  it("give a plan or a problem, never an exception: good arguments with one part replaced", () => {
    fc.assert(
      fc.property(damaged, (args) => judge("prod", args)),
      { numRuns: 2000 },
    );
  });

  it("give a problem where a value refers to itself", () => {
    const values: Record<string, unknown> = {};
    values.debug = values;
    judge("prod", { ...smallCluster(), cilium: { values } });
  });

  it("take a key named __proto__ as a key", () => {
    const args = { ...smallCluster(), cilium: { values: JSON.parse('{"__proto__": {"polluted": true}}') as object } };
    judge("prod", args);
    assert.equal((Object.prototype as Record<string, unknown>).polluted, undefined);
  });

  it("are not changed by planning", () => {
    const args = smallCluster();
    const copy = structuredClone(args);
    planCluster("prod", args);
    assert.deepEqual(args, copy);
  });
});
