import assert from "node:assert/strict";
import fc from "fast-check";
import { checkCluster, planCluster, PlanError, ruleTable } from "../../components/plan";
import { mistakesOf } from "./checker";
import { families } from "./families";

/** Arguments of each family. */
const runs = 1000;

/** Share of each outcome below which a family would say little. */
const leastShare = 0.1;

const ruleIds = new Set(ruleTable.map(({ id }) => id));

describe("any arguments of a family of rules", function () {
  this.timeout(120_000);

  for (const [family, asked] of Object.entries(families)) {
    it(`${family}: give a plan that holds, or say what is wrong`, () => {
      const seen = { planned: 0, refused: 0 };
      fc.assert(
        fc.property(asked, ({ name, args }) => {
          const before = JSON.stringify(args);
          const { plan, problems } = checkCluster(name, args);
          assert.equal(JSON.stringify(args), before, "the arguments were changed");
          assert.equal(plan === undefined, problems.length > 0);
          for (const { rule, path, message, fix } of [...problems, ...(plan?.warnings ?? [])]) {
            assert.ok(ruleIds.has(rule) && path !== "" && message !== "" && fix !== "", `${rule} ${path}`);
            assert.doesNotMatch(`${path} ${message} ${fix}`, /undefined(?!;)|\[object|NaN/);
          }
          seen[plan ? "planned" : "refused"]++;
          if (plan) assert.deepEqual(mistakesOf(plan, args, seen.planned % 4 === 1), []);
          else if (seen.refused <= 20) assert.throws(() => planCluster(name, args), PlanError);
        }),
        { numRuns: runs },
      );
      assert.ok(Math.min(seen.planned, seen.refused) >= leastShare * runs, JSON.stringify(seen));
    });
  }
});
