import assert from "node:assert/strict";
import { Secret } from "../../../sandbox/plugins/core/values";
import { parseDuration, readSettings } from "../../../sandbox/plugins/hcloud/provider";

const token = "u".repeat(64);

describe("the hcloud stand-in's settings", () => {
  it("come from the program, else from the environment", () => {
    const settings = readSettings({ token: new Secret(token), endpoint: "http://127.0.0.1:1/v1" }, "1");
    assert.deepEqual([settings.token, settings.endpoint, settings.pollInterval], [token, "http://127.0.0.1:1/v1", 500]);
    assert.equal(settings.pollFunction, "exponential");
  });

  it("need a token of 64 characters, and the refusal does not show it", () => {
    const short = { token: "planted-token" };
    assert.throws(() => readSettings(short, "1"), {
      message: "entered token is invalid (must be exactly 64 characters long)",
    });
  });

  it("take durations as Go writes them", () => {
    assert.deepEqual(["500ms", "1s", "1m30s", "1.5h"].map(parseDuration), [500, 1000, 90_000, 5_400_000]);
    for (const wrong of ["", "5", "5 s", "s"]) assert.throws(() => parseDuration(wrong), /invalid duration/);
  });
});
