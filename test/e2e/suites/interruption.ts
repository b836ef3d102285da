import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { execa } from "execa";
import { listCloud } from "../../../cli/cloud";
import { type CliResult, runCli, startOnTerminal, type TerminalRun } from "../support/cli";
import { exportState, kubeGet, openCluster, openInstance } from "../support/cluster";
import { expectHealthy } from "../support/doctor";
import { since, tell } from "../support/evidence";
import { shared } from "../support/shared";
import { eventually } from "../support/wait";

/** One fresh cluster that is cut off again and again while it is made, and is whole at the end. */
export function interruptionSuite(): void {
  describe("interruption", function () {
    this.timeout(400_000);

    before(async () => {
      assert.equal((await runCli("down")).exitCode, 0);
    });

    const ctrlC: [where: string, sign: RegExp, args: string[]][] = [
      ["server create", /: server …/, ["--workers", "1"]],
      ["cloud-init", /: first boot, lasting host key …/, []],
    ];
    for (const [where, sign, args] of ctrlC) it(`Ctrl-C at ${where} stops it`, () => stopAt(sign, args));

    it("kill -9 of the engine at kubeadm init ends the run with an error", async () => {
      const run = startOnTerminal("up");
      await seen(run, /: kubeadm init …/);
      process.kill(await enginePid(), "SIGKILL");
      const result = await run.result;
      shared.runs.push(result);
      assert.notEqual(result.exitCode, 0, result.output);
    });

    it("Ctrl-C at kubeadm init stops it", () => stopAt(/: kubeadm init …/, []));

    it("Ctrl-C at Helm stops it", () => stopAt(/: Cilium …/, []));

    it("the next `npm run up` ends green", () => endsGreen([]));

    it("Ctrl-C at the join of another worker stops it", () => stopAt(/web-2: kubeadm join …/, ["--workers", "2"]));

    it("the `npm run up` after it ends green", () => endsGreen([]));

    it("nothing is there twice: cloud objects, Nodes, resources of the state", async () => {
      const cluster = await openCluster();
      const objects = await listCloud(cluster.engine, cluster.plan.name);
      const count = (type: string): number => objects.filter((object) => object.type.endsWith(`:${type}`)).length;
      const counts = Object.fromEntries(
        ["Network", "NetworkSubnet", "NetworkRoute", "Firewall", "SshKey", "PlacementGroup", "Server"].map((type) => [
          type,
          count(type),
        ]),
      );
      assert.deepEqual(counts, {
        Network: 1,
        NetworkSubnet: 1,
        NetworkRoute: 3,
        Firewall: 1,
        SshKey: 1,
        PlacementGroup: 2,
        Server: 3,
      });
      const { items } = await kubeGet<{ items: unknown[] }>(cluster, "nodes");
      assert.equal(items.length, 3);
      const { resources, text } = await exportState(cluster.engine);
      const urns = resources.map(({ urn }) => urn);
      assert.equal(new Set(urns).size, urns.length);
      assert.doesNotMatch(text, /"pending_operations": *\[ *\{/);
      const known = new Set(resources.map(({ type, id }) => `${type} ${id}`));
      assert.deepEqual(
        objects.filter(({ type, id }) => !known.has(`${type} ${id}`)),
        [],
      );
      tell(`${JSON.stringify(counts)}, ${urns.length} resources in the state`);
    });
  });
}

/** Waits until a run has printed something. @throws when it ends before */
async function seen(run: TerminalRun, sign: RegExp): Promise<void> {
  let ended: CliResult | undefined;
  void run.result.then((result) => (ended = result));
  await eventually(() => {
    if (sign.test(run.output())) return Promise.resolve();
    if (ended) throw new Error(`the run ended before ${sign.source} came:\n${ended.output}`);
    throw new Error(`${sign.source} does not come:\n${run.output()}`);
  }, 240);
}

async function stopAt(sign: RegExp, args: string[]): Promise<void> {
  const run = startOnTerminal("up", args);
  await seen(run, sign);
  run.interrupt();
  const started = performance.now();
  const result = await run.result;
  shared.runs.push(result);
  tell(`ended with ${result.exitCode} ${since(started)} after Ctrl-C`);
  assert.equal(result.exitCode, 130, result.output);
  assert.match(result.output, /stopping after the steps under way; press Ctrl-C again to drop them/);
}

async function endsGreen(args: string[]): Promise<void> {
  const started = performance.now();
  const result = await runCli("up", args);
  shared.runs.push(result);
  assert.equal(result.exitCode, 0, result.output);
  assert.match(result.output, /is healthy: \d+ ok, 0 failed/);
  await expectHealthy(await openCluster());
  tell(`npm run up: ${since(started)}`);
}

/** The engine that runs `up` of this sandbox now. */
async function enginePid(): Promise<number> {
  const { stateDir } = await openInstance();
  const { stdout } = await execa("pgrep", ["-x", "pulumi"]);
  for (const pid of stdout.split("\n").map(Number)) {
    const environment = await readFile(`/proc/${pid}/environ`, "utf8");
    if (environment.includes(`PULUMI_HOME=${stateDir}/`)) return pid;
  }
  throw new Error("the engine of this sandbox does not run");
}
