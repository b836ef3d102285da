import assert from "node:assert/strict";
import { chooseInstance, describeInstance, findInstance, foreignRoute, type Made } from "../../sandbox/instance";
import { run } from "../../sandbox/run";
import { defaultCilium } from "../../toolchain/cilium";
import { needs } from "../capabilities";

describe("instances of the sandbox", () => {
  it("are apart from one another by range, port and prefix", () => {
    const [one, two] = [describeInstance("a", 0), describeInstance("b", 7)];
    assert.deepEqual(
      [one.publicRange, one.hostAddress, one.apiPort, one.prefix],
      ["198.18.0.0/24", "198.18.0.1", 18000, "zs0"],
    );
    assert.deepEqual(
      [two.publicRange, two.hostAddress, two.apiPort, two.prefix],
      ["198.18.7.0/24", "198.18.7.1", 18007, "zs7"],
    );
    assert.equal(two.stateDir, "/var/lib/zerosteal/b");
  });

  it("have images on their machines' disks and the first Cilium, unless something else was asked for", () => {
    const made = ({ preload, cilium }: Made) => [preload, cilium];
    assert.deepEqual(made(describeInstance("a", 0)), [true, defaultCilium]);
    assert.deepEqual(made(describeInstance("a", 0, { preload: false, cilium: undefined })), [false, defaultCilium]);
    assert.deepEqual(made(describeInstance("a", 0, { cilium: "1.16.1" })), [true, "1.16.1"]);
  });

  it("have names that are DNS labels of at most 12 characters, and nothing is made for another", async () => {
    for (const name of ["", "Demo", "-a", "a-", "a_b", "../etc", "thirteenchars"]) {
      await assert.rejects(chooseInstance(name), /is no name for a sandbox; use a DNS label of at most 12 characters/);
    }
    for (const name of ["thirteenchars", "../zerosteal", "demo/", "."]) {
      assert.equal(await findInstance(name), undefined);
    }
  });

  it("are only chosen, not made, until they are saved", async () => {
    const chosen = await chooseInstance("never-made");
    assert.ok(chosen.index >= 0 && chosen.index < 256);
    assert.equal(await findInstance("never-made"), undefined);
  });

  it("see a range that the host routes elsewhere, and do not take their own link for it", async function () {
    needs(this, "root");
    const instance = describeInstance("x", 250);
    assert.equal(await foreignRoute(instance), undefined);
    await run("ip", ["route", "add", "blackhole", "198.18.250.128/25"]);
    try {
      assert.match((await foreignRoute(instance)) ?? "", /198\.18\.250\.128\/25/);
    } finally {
      await run("ip", ["route", "delete", "blackhole", "198.18.250.128/25"]);
    }
  });
});
