import assert from "node:assert/strict";
import { checks, judge } from "../../components/doctor/checks";
import type { CheckResult } from "../../components/doctor/types";
import { breaksOfCluster, node } from "./breaksOfCluster";
import { breaksOfControlPlane } from "./breaksOfControlPlane";
import { breaksOfDataPath } from "./breaksOfDataPath";
import { breaksOfMachines } from "./breaksOfMachines";
import { breaksOfPaths } from "./breaksOfPaths";
import { changed, evidence, expectation, web1 } from "./fixtures";

const breaks = [
  ...breaksOfCluster,
  ...breaksOfPaths,
  ...breaksOfMachines,
  ...breaksOfControlPlane,
  ...breaksOfDataPath,
];

describe("checks on a cluster with one thing broken", () => {
  for (const { what, change, ...finding } of breaks) {
    it(`${finding.check}: ${what}`, () => {
      const failed = judge(expectation(), changed(change)).filter((result) => result.outcome === "failed");
      const { hint, ...rest } = finding;
      assert.deepEqual(
        failed.map(({ check, subject, wanted, found }) => ({ check, subject, wanted, found })),
        [rest],
      );
      assert.match(failed[0]?.hint ?? "", hint);
    });
  }

  it("breaks every check once", () => {
    const broken = new Set(breaks.map((entry) => entry.check));
    assert.deepEqual([...broken].sort(), checks.map((check) => check.id).sort());
  });

  it("finds everything right on the healthy cluster, and judges all of it", () => {
    const results = judge(expectation(), evidence());
    assert.deepEqual(
      results.filter((result: CheckResult) => result.outcome !== "ok"),
      [],
    );
    assert.deepEqual([...new Set(results.map((result) => result.check))].sort(), checks.map(({ id }) => id).sort());
  });

  it("names a wrong pod CIDR at the node and at its route", () => {
    const results = judge(
      expectation(),
      changed((e) => (node(e, web1).podCidr = "10.244.7.0/24")),
    );
    const failed = results.filter((result) => result.outcome === "failed");
    assert.deepEqual(
      failed.map(({ check, subject, wanted, found }) => [check, subject, wanted, found]),
      [
        ["nodes-ready", web1, "pod CIDR 10.244.1.0/24", "pod CIDR 10.244.7.0/24"],
        [
          "cloud-routes",
          web1,
          "10.244.1.0/24 via 10.0.0.3",
          "10.244.1.0/24 via 10.0.0.3, but the node's pods are in 10.244.7.0/24",
        ],
      ],
    );
  });
});
