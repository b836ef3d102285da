import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import type { Instance } from "../../../sandbox/instance";
import { type CliResult, instanceName, runCli } from "../support/cli";
import { openInstance } from "../support/cluster";
import { since, tell } from "../support/evidence";
import { difference, hostSnapshot, otherInstances, processesOf, withoutOthers } from "../support/hostSnapshot";
import { shared } from "../support/shared";
import { eventually } from "../support/wait";

/** The sandbox's end: the host is as it was before it. */
export function downSuite(): void {
  describe("down: the host as it was", function () {
    this.timeout(180_000);
    let instance: Instance;
    let result: CliResult;

    before(async () => {
      instance = await openInstance();
      const own = await processesOf(instance);
      assert.ok(own.length > 20, "the processes of three machines are seen before they end");
      const started = performance.now();
      result = await runCli("down");
      tell(`npm run down: ${since(started)}, ${own.length} processes ended`);
      shared.runs.push(result);
    });

    it("ends 0", () => assert.equal(result.exitCode, 0, result.output));

    it("leaves no process of the sandbox", async () => assert.deepEqual(await processesOf(instance), []));

    it("leaves links, namespaces, routes, rules, mounts, cgroups, packet filters, BPF, listeners, kernel settings and files as they were", async () => {
      const others = await otherInstances(instanceName);
      const { before } = shared;
      assert.ok(before, "suite `up` takes the snapshot before");
      const wanted = withoutOthers(before, others);
      // The kernel frees namespaces and BPF programs a while after their last user, and others work on this host too.
      await eventually(async () => {
        const after = withoutOthers(await hostSnapshot(), others);
        assert.deepEqual(difference(wanted, after), []);
      }, 60);
      const counts = Object.entries(wanted).map(([kind, lines]) => `${lines.length} ${kind}`);
      tell(`equal before and after: ${counts.join(", ")}`);
      if (others.length > 0)
        tell(`not compared beside another sandbox (${others.map(({ name }) => name).join(", ")}): BPF`);
    });

    it("leaves no folder of the sandbox", () => assert.equal(existsSync(instance.stateDir), false));

    it("is fine a second time", async () => {
      const again = await runCli("down");
      assert.equal(again.exitCode, 0, again.output);
      assert.match(again.output, new RegExp(`There is no sandbox "${instanceName}"; nothing to remove.`));
    });
  });
}
