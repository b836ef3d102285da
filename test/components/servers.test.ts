import assert from "node:assert/strict";
import { acceptServerType } from "../../components/underlay/hetzner";
import { opened } from "./program";
import { catalogue, find, runCluster, withWorkers } from "./support";

describe("a server's type", () => {
  it("is asked for once, however many nodes have it", async () => {
    const asked: unknown[] = [];
    const { registrations } = await runCluster(withWorkers(5), {
      calls: (token, inputs) => {
        asked.push(inputs.name);
        return catalogue(token, inputs);
      },
    });
    assert.deepEqual(asked.sort(), ["ccx13", "ccx23"]);
    assert.equal(opened(find(registrations, "Server prod-control-plane-1").inputs.serverType), "ccx13");
    assert.equal(opened(find(registrations, "Server prod-web-5").inputs.serverType), "ccx23");
  });

  it("is refused where the cloud has other CPUs than the plan counted on", () => {
    const live = { name: "ccx13", cpuType: "dedicated", cores: 2 };
    assert.equal(acceptServerType(live), "ccx13");
    assert.throws(
      () => acceptServerType({ ...live, cores: 64 }),
      /^Error: the cloud's server type ccx13 has 64 dedicated CPUs, the catalogue of [\d-]+ says 2 dedicated; choose another/,
    );
    assert.throws(() => acceptServerType({ ...live, cpuType: "shared" }), /has 2 shared CPUs/);
    assert.equal(
      acceptServerType({ ...live, name: "newer-than-the-catalogue", cores: 64 }),
      "newer-than-the-catalogue",
    );
  });
});
