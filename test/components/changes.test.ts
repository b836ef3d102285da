import assert from "node:assert/strict";
import { isDeepStrictEqual } from "node:util";
import type { TunedClusterArgs } from "../../components";
import { opened, type Registration } from "./program";
import { clusterArgs, label, runCluster, withWorkers } from "./support";

/** Inputs that differ at each run of the mocks, or that the engine keeps by `ignoreChanges`. */
function steady(registrations: Registration[]): Map<string, unknown> {
  return new Map(
    registrations.map((registration) => {
      const inputs = Object.entries(registration.inputs).filter(([key]) => !registration.ignoreChanges.includes(key));
      return [label(registration), opened(Object.fromEntries(inputs))];
    }),
  );
}

interface Change {
  added: string[];
  removed: string[];
  changed: string[];
}

/** Keys as the state keeps them: the program makes new ones at each run, and the engine ignores these. */
function kept(type: string): Record<string, unknown> | undefined {
  return type === "pulumi:index:Stash" ? { output: { publicKey: "ssh-ed25519 AAAA", privateKey: "kept" } } : undefined;
}

/** What changed arguments mean for a cluster that exists. */
async function change(before: TunedClusterArgs, after: TunedClusterArgs): Promise<Change> {
  const old = steady((await runCluster(before, { outputs: kept })).registrations);
  const now = steady((await runCluster(after, { outputs: kept })).registrations);
  // The component's own row shows the arguments; it has nothing to change.
  const keys = [...now.keys()].filter((key) => key !== "TunedCluster prod");
  return {
    added: keys.filter((key) => !old.has(key)).sort(),
    removed: [...old.keys()].filter((key) => !now.has(key)).sort(),
    changed: keys.filter((key) => old.has(key) && !isDeepStrictEqual(old.get(key), now.get(key))).sort(),
  };
}

/** Everything that belongs to one worker. */
function partsOf(node: string): string[] {
  const commands = ["hostkey", "tune", "admit", "join"].map((step) => `remote.Command ${step}-${node}`);
  return [`NetworkRoute ${node}`, `Server ${node}`, `Stash hostkey-${node}`, ...commands].sort();
}

const doctor = "local.Command doctor-prod";
const nodes = ["prod-control-plane-1", "prod-web-1", "prod-web-2"];
const tunes = nodes.map((node) => `remote.Command tune-${node}`);

describe("changed arguments", () => {
  it("change nothing when they are the same", async () => {
    assert.deepEqual(await change(clusterArgs(), clusterArgs()), { added: [], removed: [], changed: [] });
  });

  it("add a worker's parts and touch no other resource but the doctor", async () => {
    const { added, removed, changed } = await change(withWorkers(2), withWorkers(3));
    assert.deepEqual(added, partsOf("prod-web-3"));
    assert.deepEqual([removed, changed], [[], [doctor]]);
  });

  it("remove a worker's parts and touch no other resource but the doctor", async () => {
    const { added, removed, changed } = await change(withWorkers(3), withWorkers(2));
    assert.deepEqual(removed, partsOf("prod-web-3"));
    assert.deepEqual([added, changed], [[], [doctor]]);
  });

  it("open another placement group for an eleventh worker, which none of the ten leaves its own for", async () => {
    const { added, changed } = await change(withWorkers(10), withWorkers(11));
    assert.deepEqual(added, ["PlacementGroup prod-web-spread-2", ...partsOf("prod-web-11")].sort());
    assert.deepEqual(changed, [doctor]);
  });

  it("add a pool, before or after the others, and touch no other resource but the doctor", async () => {
    const web = { name: "web", count: 2, serverType: "ccx23" };
    const batch = { name: "batch", count: 1, serverType: "ccx13", firstNumber: 41 };
    const parts = ["PlacementGroup prod-batch-spread-1", ...partsOf("prod-batch-1")].sort();
    for (const pools of [
      [web, batch],
      [batch, web],
    ]) {
      const { added, removed, changed } = await change(clusterArgs({ pools: [web] }), clusterArgs({ pools }));
      assert.deepEqual(added, parts);
      assert.deepEqual([removed, changed], [[], [doctor]]);
    }
  });

  it("tune every node once when a sysctl changes, and replace none", async () => {
    const tuned = clusterArgs({ tuning: { sysctls: { "net.core.somaxconn": "32768" } } });
    assert.deepEqual(await change(clusterArgs(), tuned), {
      added: [],
      removed: [],
      changed: [doctor, ...tunes].sort(),
    });
  });

  it("upgrade Cilium alone when its values change in a way that no check looks at", async () => {
    const { changed } = await change(clusterArgs(), clusterArgs({ cilium: { values: { debug: { enabled: true } } } }));
    assert.deepEqual(changed, ["Release cilium-prod"]);
  });

  it("open the firewall in place", async () => {
    const access = { ssh: ["203.0.113.7/32", "203.0.113.8/32"], api: ["203.0.113.0/24"] };
    assert.deepEqual((await change(clusterArgs(), clusterArgs({ access }))).changed, ["Firewall prod"]);
  });

  it("make a new operator certificate when its generation is raised, in the place of the old one", async () => {
    const { changed } = await change(clusterArgs(), clusterArgs({ kubeconfigGeneration: 2 }));
    // What follows from the new certificate is not known to the mocks, whose step prints the same again.
    assert.deepEqual(changed, ["remote.Command kubeconfig-prod"]);
  });

  it("reach the kubelets as files of the nodes", async () => {
    const { changed } = await change(clusterArgs(), clusterArgs({ kubernetes: { kubelet: { maxPods: 60 } } }));
    assert.deepEqual(changed, [...tunes, "remote.Command init-prod-control-plane-1"].sort());
  });
});
