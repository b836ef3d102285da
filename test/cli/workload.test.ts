import assert from "node:assert/strict";
import { workload } from "../../cli/workload";
import { type Claim, renderClaims } from "../../cli/workloadProof";
import { needs } from "../capabilities";

const kept: Claim = {
  from: "frontend-proxy",
  request: "POST http://backend-api:8080/",
  wanted: "200",
  found: "200",
  because: "edge",
};
const broken: Claim = {
  from: "bystander",
  request: "GET http://backend-api:8080/",
  wanted: "timed out",
  found: "200",
  because: "none",
};

describe("the proof of the workload", () => {
  it("says of each call whether it ended as wanted, and how many did", () => {
    const lines = renderClaims([kept, broken]).split("\n");
    assert.match(lines.find((line) => line.includes("frontend-proxy")) ?? "", /│ ok +│/);
    assert.match(lines.find((line) => line.includes("bystander")) ?? "", /│ FAILED +│.*timed out │ 200/);
    assert.equal(lines.at(-1), "1 of 2 hold");
  });

  it("ends 2 without a sandbox, and names the command that makes it", async function () {
    needs(this, "root");
    const told: string[] = [];
    const original = console.error;
    console.error = (line: string) => told.push(line);
    try {
      assert.equal(await workload({ instance: "no-such-one", remove: false }), 2);
    } finally {
      console.error = original;
    }
    assert.deepEqual(told, ['There is no sandbox "no-such-one"; make it with `npm run up -- --instance no-such-one`.']);
  });
});
