import assert from "node:assert/strict";
import { policyRuleTable, ruleTable } from "../../components";
import { nameMistakes, peerMistakes, portMistakes, structureMistakes } from "./edges.mistakes";
import { httpMistakes, l7Mistakes } from "./l7.mistakes";
import { brokenRules, checkPolicyMistake, testPolicyMistakes } from "./table";

const families = {
  structure: structureMistakes,
  names: nameMistakes,
  peers: peerMistakes,
  ports: portMistakes,
  "requests and lookups": l7Mistakes,
  "patterns of requests": httpMistakes,
};
const mistakes = Object.values(families).flat();

describe("rules of policies", () => {
  for (const [family, members] of Object.entries(families)) describe(family, () => testPolicyMistakes(members));

  it("have a test each, and an id of their own", () => {
    const ids = policyRuleTable.map(({ id }) => id);
    assert.equal(new Set(ids).size, ids.length);
    assert.deepEqual([...new Set(mistakes.map(({ rule }) => rule))].sort(), [...ids].sort());
    const shared = ids.filter((id) => !id.startsWith("argument-") && ruleTable.some((rule) => rule.id === id));
    assert.deepEqual(shared, [], "an id of the cluster's rules would name two things");
  });

  it("stop the plan when they refuse, and do not when they warn", () => {
    for (const mistake of mistakes) {
      const severity = policyRuleTable.find(({ id }) => id === mistake.rule)?.severity;
      const { plan } = checkPolicyMistake(mistake);
      assert.equal(plan === undefined, severity === "refusal", `${mistake.rule}: ${mistake.what}`);
    }
  });

  for (const { id } of policyRuleTable.filter(({ severity }) => severity === "warning")) {
    it(`${id} is silent once accepted`, () => {
      const mistake = mistakes.find(({ rule }) => rule === id);
      assert.ok(mistake);
      const { graph, baseline } = mistake;
      const accept = [id];
      const accepted = checkPolicyMistake({
        ...mistake,
        ...(graph ? { graph: { ...graph, accept } } : { baseline: { ...baseline, accept } }),
      });
      assert.deepEqual(brokenRules(accepted), []);
      assert.ok(accepted.plan);
    });
  }
});
