import assert from "node:assert/strict";
import { existsSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import { versions } from "../../toolchain/manifest";
import { ensureCiliumSources } from "../../toolchain/sources";
import { needs } from "../capabilities";

describe("ensureCiliumSources", () => {
  it("gives chart, datapath sources, scripts and CRDs of the version in the manifest", async function () {
    needs(this, "go");
    this.timeout(300_000);
    const { chart, bpf, scripts, crds } = await ensureCiliumSources();
    assert.match(
      readFileSync(path.join(chart, "Chart.yaml"), "utf8"),
      new RegExp(`^version: ${versions.cilium}$`, "m"),
    );
    for (const file of ["values.yaml", "values.schema.json", "templates"])
      assert.ok(existsSync(path.join(chart, file)));
    assert.ok(existsSync(path.join(bpf, "bpf_lxc.c")));
    assert.ok(!existsSync(path.join(bpf, "tests")), "the datapath's own tests stay out");
    assert.deepEqual(
      scripts.map((script) => path.basename(script)),
      ["init-container.sh", "install-plugin.sh", "cni-uninstall.sh"],
    );
    for (const script of scripts) assert.ok(statSync(script).mode & 0o100, `${script} is executable`);
    assert.ok(existsSync(path.join(crds, "v2/ciliumnetworkpolicies.yaml")));
  });
});
