import assert from "node:assert/strict";
import type { ClusterArgs } from "../../components/plan";
import { needs } from "../capabilities";
import { World } from "./world/world";

interface Network {
  id: number;
  name: string;
  ip_range: string;
  labels: object;
  subnets: { ip_range: string }[];
  routes: { destination: string }[];
  servers: number[];
}

/** A cluster whose pool has a subnet of its own, in a network that others made. */
function shared(range: string): Partial<ClusterArgs> {
  return {
    underlay: {
      kind: "hetzner",
      location: "fsn1",
      existingNetwork: "office",
      networkRange: range,
      nodeSubnet: "10.10.0.0/24",
      otherSubnets: ["10.20.0.0/24"],
      otherRoutes: ["10.200.0.0/16"],
    },
    pools: [{ name: "web", count: 1, serverType: "ccx13", subnet: "10.10.1.0/24" }],
  };
}

describe("a cluster in a network of others, under the real engine", function () {
  this.timeout(300_000);
  let world: World;
  let asMade: Network;

  const network = async (): Promise<Network> => {
    const { networks } = await world.cloud<{ networks: Network[] }>("GET", "/networks");
    assert.deepEqual(
      networks.map(({ name }) => name),
      ["office"],
    );
    return networks[0] as Network;
  };

  before(async function () {
    needs(this, "root", "ssh-port");
    world = await World.create();
    await world.cloud("POST", "/networks", {
      name: "office",
      ip_range: "10.0.0.0/8",
      labels: { owner: "office" },
      subnets: [{ type: "cloud", ip_range: "10.20.0.0/24", network_zone: "eu-central" }],
      routes: [{ destination: "10.200.0.0/16", gateway: "10.20.0.9" }],
    });
    asMade = await network();
  });

  after(async () => {
    await (world as World | undefined)?.remove();
  });

  it("is refused before anything is made where the network has another range than the plan says", async () => {
    await world.configure({ ...shared("10.0.0.0/9"), network: { podCidr: "10.64.0.0/16" } });
    const { exitCode, output } = await world.run(["preview"]);
    assert.notEqual(exitCode, 0);
    assert.match(
      output,
      /the existing network office has the range 10\.0\.0\.0\/8, and underlay\.networkRange says 10\.0\.0\.0\/9; correct the plan/,
    );
    assert.deepEqual(await network(), asMade);
  });

  it("puts its subnets and routes into it, and its machines, and makes no network", async () => {
    await world.configure(shared("10.0.0.0/8"));
    await world.upWell();
    const now = await network();
    assert.deepEqual(now.subnets.map(({ ip_range: range }) => range).sort(), [
      "10.10.0.0/24",
      "10.10.1.0/24",
      "10.20.0.0/24",
    ]);
    assert.deepEqual(now.routes.map(({ destination }) => destination).sort(), [
      "10.200.0.0/16",
      "10.244.11.0/24",
      "10.244.2.0/24",
    ]);
    assert.deepEqual([...world.nodes.attachments.values()].map(({ ip }) => ip).sort(), ["10.10.0.2", "10.10.1.11"]);
    assert.deepEqual(now.labels, { owner: "office" });
    assert.ok((await world.resources()).every(({ type }) => type !== "hcloud:index/network:Network"));
  });

  it("needs nothing more: the second preview is empty", async () => {
    await world.succeed(["preview", "--expect-no-changes", "--diff"]);
  });

  it("takes a pool in another subnet, and changes no node for it", async () => {
    const args = shared("10.0.0.0/8");
    args.pools?.push({ name: "db", count: 1, serverType: "ccx13", firstNumber: 31, subnet: "10.10.2.0/24" });
    await world.configure(args);
    const { did } = await world.upWell();
    const made = did.filter((step) => /NetworkSubnet|NetworkRoute|Server/.test(step)).sort();
    assert.deepEqual(made, [
      "create NetworkRoute eng-db-1",
      "create NetworkSubnet eng-10.10.2.0-24",
      "create Server eng-db-1",
    ]);
    const touched = did.filter((step) => step.includes("eng-web-1") || step.includes("eng-control-plane-1"));
    assert.deepEqual(touched, []);
  });

  it("leaves the network as it was when it goes", async () => {
    const { exitCode, errors } = await world.operate(["destroy", "--yes", "--skip-preview"]);
    assert.equal(exitCode, 0, JSON.stringify(errors));
    assert.deepEqual(await network(), asMade);
    const { networks: _networks, ...rest } = await world.inventory();
    for (const [kind, names] of Object.entries(rest)) assert.deepEqual(names, [], kind);
  });
});
