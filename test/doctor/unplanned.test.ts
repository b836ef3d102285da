import assert from "node:assert/strict";
import { judge } from "../../components/doctor/checks";
import { changed, expectation, web1 } from "./fixtures";

describe("nodes and routes beyond the plan", () => {
  const smaller = () => {
    const wanted = expectation();
    const leaving = wanted.nodes.find(({ name }) => name === web1)!;
    return {
      ...wanted,
      nodes: wanted.nodes.filter((node) => node !== leaving),
      cloudRoutes: wanted.cloudRoutes && {
        ...wanted.cloudRoutes,
        routes: wanted.cloudRoutes.routes.filter(({ gateway }) => gateway !== leaving.privateAddress),
      },
    };
  };
  const found = (unplanned: "failed" | "unseen" | undefined) =>
    judge(
      { ...smaller(), unplanned },
      changed(() => undefined),
    )
      .filter(({ outcome }) => outcome !== "ok")
      .map(({ check, subject, outcome }) => `${check} on ${subject}: ${outcome}`);

  it("fail on a cluster at rest", () => {
    const wanted = [`nodes-ready on ${web1}: failed`, "cloud-routes on cluster: failed"];
    assert.deepEqual(found(undefined), wanted);
    assert.deepEqual(found("failed"), wanted);
  });

  it("are not judged within an update, which removes them at its end", () => {
    assert.deepEqual(found("unseen"), [`nodes-ready on ${web1}: unseen`, "cloud-routes on cluster: unseen"]);
  });
});
