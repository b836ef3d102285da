import assert from "node:assert/strict";
import { checkCluster, PlanError, planCluster, ruleTable } from "../../../components/plan";
import { smallCluster } from "../clusters";
import { chartKeyMistakes, componentMistakes, dataPathMistakes } from "./dataPath.mistakes";
import { encryptionMistakes, netkitMistakes, routeMistakes } from "./encryption.mistakes";
import { hetznerMistakes } from "./hetzner.mistakes";
import { hostMistakes } from "./hosts.mistakes";
import { accessMistakes, nameMistakes } from "./names.mistakes";
import { networkMistakes } from "./network.mistakes";
import { nodeMistakes } from "./nodes.mistakes";
import { artifactMistakes, ciliumMistakes, versionMistakes } from "./software.mistakes";
import { structureMistakes } from "./structure.mistakes";
import { checkMistake, testMistakes } from "./table";
import { podSysctlMistakes, tuningMistakes } from "./tuning.mistakes";

const families = {
  structure: structureMistakes,
  names: nameMistakes,
  access: accessMistakes,
  nodes: nodeMistakes,
  network: networkMistakes,
  hetzner: hetznerMistakes,
  hosts: hostMistakes,
  versions: versionMistakes,
  cilium: ciliumMistakes,
  chartKeys: chartKeyMistakes,
  dataPath: dataPathMistakes,
  encryption: encryptionMistakes,
  netkit: netkitMistakes,
  routes: routeMistakes,
  components: componentMistakes,
  tuning: tuningMistakes,
  "sysctls of pods": podSysctlMistakes,
  artifacts: artifactMistakes,
};
const mistakes = Object.values(families).flat();

describe("plan rules", () => {
  for (const [family, members] of Object.entries(families)) describe(family, () => testMistakes(members));

  it("have a test each, and an id of their own", () => {
    const ids = ruleTable.map((rule) => rule.id);
    assert.equal(new Set(ids).size, ids.length);
    assert.deepEqual([...new Set(mistakes.map((mistake) => mistake.rule))].sort(), [...ids].sort());
  });

  for (const { id } of ruleTable.filter((rule) => rule.acceptable)) {
    it(`${id} becomes a warning when accepted, and nothing else does`, () => {
      const mistake = mistakes.find((candidate) => candidate.rule === id);
      assert.ok(mistake);
      const accepted = checkMistake({
        ...mistake,
        make: (args) => {
          mistake.make?.(args);
          args.accept = [id];
          // A Kubernetes or Cilium version outside the table also lacks artifacts or has other warnings; those are tested alone.
        },
      });
      const before = checkMistake(mistake).problems;
      assert.deepEqual(
        accepted.problems,
        before.filter((problem) => problem.rule !== id),
      );
      if (accepted.plan) assert.deepEqual(accepted.plan.warnings, before);
    });
  }

  it("cannot be accepted where they are not marked so", () => {
    for (const { id } of ruleTable.filter((rule) => !rule.acceptable)) {
      const { problems } = checkCluster("prod", { ...smallCluster(), accept: [id] });
      assert.deepEqual(
        problems.map((problem) => problem.rule),
        ["accept-not-possible"],
        id,
      );
    }
  });

  it("list all problems at once, in one error", () => {
    const args = smallCluster();
    args.controlPlane.count = 2;
    args.access.api = [];
    assert.throws(
      () => planCluster("prod", args),
      (error: unknown) => {
        assert.ok(error instanceof PlanError);
        assert.equal(error.name, "PlanError");
        assert.deepEqual(
          error.problems.map((problem) => problem.rule),
          ["access-empty", "control-plane-even"],
        );
        assert.equal(
          error.message,
          [
            'Cluster "prod": 2 problems',
            '  access.api: an empty list lets nobody in, not even this program; give your own address, e.g. ["203.0.113.7/32"]',
            "  controlPlane.count: 2 control planes survive no more failures than 1; use 1",
          ].join("\n"),
        );
        return true;
      },
    );
  });

  it("say one problem for one", () => {
    assert.throws(
      () => planCluster("prod", { ...smallCluster(), accept: ["x"] }),
      /^PlanError: Cluster "prod": 1 problem\n/,
    );
  });
});
