import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { execa } from "execa";
import { projectDir } from "../../../cli/engine";
import { holdInstance } from "../../../cli/hold";
import { checkInstance } from "../../../cli/preflight";
import { chooseInstance, type Instance, saveInstance } from "../../../sandbox/instance";
import { run } from "../../../sandbox/run";
import { instanceName, runCli, startCli } from "../support/cli";
import { openInstance } from "../support/cluster";
import { difference, hostSnapshot, otherInstances, withoutOthers } from "../support/hostSnapshot";
import { shared } from "../support/shared";
import { eventually } from "../support/wait";

/** What cannot work is refused in one sentence, before anything is made. */
export function refusalsSuite(): void {
  describe("refusals of the command line", function () {
    this.timeout(180_000);
    const fresh = `${instanceName}-bad`;
    let instance: Instance;

    before(async () => {
      instance = await chooseInstance(fresh);
    });

    /** Runs `up` for a sandbox that does not exist, and expects one sentence, where options are explained at most, and an unchanged host. */
    async function expectRefusal(name: string, sentence: RegExp, args: string[] = [], code = 1): Promise<void> {
      const others = await otherInstances(name);
      const before = withoutOthers(await hostSnapshot(), others);
      const { exitCode, output } = await runCli("up", args, name);
      const said = output.split("\n").filter((line) => line && !/^(npm |> |\[|Options go after)/.test(line));
      assert.equal(exitCode, code, output);
      assert.equal(said.length, 1, output);
      assert.match(said[0] ?? "", sentence);
      await eventually(
        async () => assert.deepEqual(difference(before, withoutOthers(await hostSnapshot(), others)), []),
        30,
      );
    }

    it("a name that is no DNS label", () =>
      expectRefusal("Bad_Name", /^--instance: "Bad_Name" is no name for a sandbox; use a DNS label/));

    it("a number of workers that is none", () =>
      expectRefusal(
        fresh,
        /'--workers <n>' argument 'two' is invalid\. a whole number from 0 to 99 is wanted/,
        ["--workers", "two"],
        2,
      ));

    it("a Cilium that there is not", () =>
      expectRefusal(
        fresh,
        /'--cilium <version>' argument '1\.15\.0' is invalid\. Allowed choices are 1\.20\.2, 1\.16\.1\./,
        ["--cilium", "1.15.0"],
        2,
      ));

    it("an option that there is not", () => expectRefusal(fresh, /^error: unknown option '--bogus'$/, ["--bogus"], 2));

    it("the port of the API in use", async () => {
      const blocker = await listen(instance.apiPort, "127.0.0.1");
      try {
        await expectRefusal(
          fresh,
          new RegExp(`^Port ${instance.apiPort} on 127.0.0.1, .* is in use\\. Use another sandbox`),
        );
      } finally {
        blocker.close();
      }
    });

    it("the port of the mirror in use on all addresses", async () => {
      // Another port than the mirrors that run: beside them nobody can take theirs on all addresses.
      const mirrorPort = 18_999;
      await checkInstance({ ...instance, mirrorPort });
      const blocker = await listen(mirrorPort, "::");
      try {
        const sentence =
          "Port 18999, where the sandbox's mirror listens on an address of its own, is in use on all addresses";
        await assert.rejects(checkInstance({ ...instance, mirrorPort }), ({ message }: Error) =>
          message.startsWith(sentence),
        );
      } finally {
        blocker.close();
      }
    });

    it("an address range that the host routes elsewhere: a new sandbox takes the next one, an old one is refused", async () => {
      await run("ip", ["route", "add", "blackhole", instance.publicRange]);
      try {
        assert.notEqual((await chooseInstance(fresh)).publicRange, instance.publicRange);
        await saveInstance(instance);
        await expectRefusal(
          fresh,
          new RegExp(`^This host routes ${instance.publicRange.replaceAll(".", "\\.")}, .*: blackhole`),
        );
      } finally {
        await run("ip", ["route", "del", "blackhole", instance.publicRange]);
        assert.equal((await runCli("down", [], fresh)).exitCode, 0);
      }
      assert.equal(existsSync(instance.stateDir), false);
    });

    it("somebody who is not root", async () => {
      const args = [
        "--reuid=65534",
        "--regid=65534",
        "--clear-groups",
        process.execPath,
        "cli/launch.js",
        "cli/main.ts",
        "up",
      ];
      const { exitCode, all } = await execa("setpriv", args, {
        cwd: projectDir,
        reject: false,
        all: true,
        env: { HOME: "/nonexistent" },
      });
      assert.equal(exitCode, 1, all);
      assert.match(all, /^The sandbox makes machines and networks, so it needs root: run it again by `sudo`\./m);
    });

    it("a second run of the same sandbox", async () => {
      const here = await openInstance();
      const refusal = new RegExp(`^Another run works on the sandbox "${instanceName}"; wait until it ends`, "m");
      const first = startCli("up");
      await eventually(() => {
        assert.match(first.output(), /\[STARTED\] Tools/);
        return Promise.resolve();
      });
      await assert.rejects(holdInstance(here), ({ message }: Error) => refusal.test(message));
      const result = await first.result;
      shared.runs.push(result);
      assert.equal(result.exitCode, 0, result.output);
      // The first run ends soon, as it has nothing to do: what programs say is seen while this one holds the sandbox.
      const release = await holdInstance(here);
      try {
        for (const second of await Promise.all([runCli("up"), runCli("down")])) {
          assert.equal(second.exitCode, 1, second.output);
          assert.match(second.output, refusal);
        }
      } finally {
        await release();
      }
    });
  });
}

function listen(port: number, address: string): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(port, address, () => resolve(server));
  });
}
