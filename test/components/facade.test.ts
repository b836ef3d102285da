import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, it } from "mocha";
import { HetznerCluster, HostsCluster } from "../../plugin/clusters";
import { runProgram } from "./program";
import { catalogue, clusterArgs, label, runCluster } from "./support";

const plugin = path.resolve(__dirname, "../../plugin");
const json = (file: string): { name: string; version: string } =>
  JSON.parse(readFileSync(file, "utf8")) as { name: string; version: string };

describe("the façade for other languages", () => {
  it("makes what the library's component makes, and gives out what that gives out", async () => {
    const { access, controlPlane, pools } = clusterArgs();
    const args = { access, controlPlane, pools, underlay: { location: "fsn1" } };
    const { registrations, value } = await runProgram(() => new HetznerCluster("prod", args), { calls: catalogue });
    const own = await runCluster({ access, controlPlane, pools, underlay: { kind: "hetzner", location: "fsn1" } });
    const [facade, ...rest] = registrations;
    assert.equal(facade?.type, "zerosteal:index:HetznerCluster");
    assert.deepEqual(rest.map(label).sort(), own.registrations.map(label).sort());
    for (const output of [value?.kubeconfig, value?.doctorReport, value?.addresses]) assert.ok(output);
  });

  it("refuses as the library does: hosts without a key", async () => {
    const args = {
      access: { ssh: ["203.0.113.7/32"], api: ["203.0.113.7/32"] },
      controlPlane: {},
      underlay: { segment: "l2" as const, nodeSubnet: "10.20.0.0/24", machines: {} },
    };
    const { error, registrations } = await runProgram(() => new HostsCluster("prod", args));
    assert.match(String(error), /underlay\.machines/);
    assert.deepEqual(registrations.map(label), ["HostsCluster prod", "TunedCluster prod"]);
  });

  it("is of the package's name and version", () => {
    const { name, version } = json(path.join(plugin, "../package.json"));
    const own = json(path.join(plugin, "package.json"));
    assert.deepEqual([own.name, own.version], [name, version]);
  });
});
