import assert from "node:assert/strict";
import type { TunedClusterArgs } from "../../components";
import { opened } from "./program";
import { catalogue, clusterArgs, find, label, runCluster } from "./support";
import { namedClusters } from "../plan/clusters";

/** The cloud's answers: server types, and one network. */
function cloud(token: string, inputs: Record<string, unknown>): Record<string, unknown> | undefined {
  if (token !== "hcloud:index/getNetwork:getNetwork") return catalogue(token, inputs);
  return inputs.name === "office" || inputs.id === 4711
    ? { id: 4711, name: "office", ipRange: "10.0.0.0/8" }
    : undefined;
}

const shared = namedClusters["in-a-shared-network"] as TunedClusterArgs;

describe("a cluster in a network of others", () => {
  it("makes subnets and routes in it, and no network", async () => {
    const { registrations } = await runCluster(shared, { calls: cloud });
    assert.deepEqual(
      registrations.map(label).filter((name) => name.startsWith("Network ")),
      [],
    );
    for (const { type, inputs } of registrations) {
      if (/:Network(Subnet|Route)$/.test(type)) assert.equal(opened(inputs.networkId), 4711);
      if (type.endsWith(":Server"))
        assert.deepEqual(
          (opened(inputs.networks) as { networkId: number }[]).map(({ networkId }) => networkId),
          [4711],
        );
    }
  });

  it("finds it by its number as well", async () => {
    const byNumber = { ...shared, underlay: { ...shared.underlay, existingNetwork: "4711" } } as TunedClusterArgs;
    const { registrations } = await runCluster(byNumber, { calls: cloud });
    assert.equal(opened(find(registrations, "NetworkSubnet prod-nodes").inputs.networkId), 4711);
  });
});

describe("subnets", () => {
  it("are made once each, one after the other, and a vSwitch's by its number", async () => {
    const { registrations } = await runCluster(shared, { calls: cloud });
    const subnets = registrations.filter(({ type }) => type.endsWith(":NetworkSubnet"));
    assert.deepEqual(
      subnets.map(({ name, inputs }) => [name, inputs.type, inputs.ipRange, inputs.networkZone, inputs.vswitchId]),
      [
        ["prod-nodes", "cloud", "10.10.0.0/24", "eu-central", undefined],
        ["prod-10.10.1.0-24", "cloud", "10.10.1.0/24", "eu-central", undefined],
        ["prod-vswitch", "vswitch", "10.10.9.0/24", "eu-central", 4711],
      ],
    );
    for (const [index, { dependencies }] of subnets.entries())
      assert.deepEqual(
        dependencies.filter((urn) => subnets.some((other) => other.urn === urn)),
        subnets.slice(Math.max(0, index - 1), index).map(({ urn }) => urn),
      );
  });

  it("hold the nodes of their pools, which wait for their own subnet alone", async () => {
    const { registrations } = await runCluster(shared, { calls: cloud });
    const subnets = registrations.filter(({ type }) => type.endsWith(":NetworkSubnet"));
    const place = (name: string): unknown[] => {
      const { inputs, dependencies } = find(registrations, `Server ${name}`);
      const [network] = opened(inputs.networks) as { ip: string }[];
      const own = subnets.filter(({ urn }) => dependencies.includes(urn)).map((subnet) => subnet.name);
      return [network?.ip, own];
    };
    assert.deepEqual(place("prod-control-plane-1"), ["10.10.0.2", ["prod-nodes"]]);
    assert.deepEqual(place("prod-web-1"), ["10.10.1.11", ["prod-10.10.1.0-24"]]);
    assert.deepEqual(place("prod-db-1"), ["10.10.1.31", ["prod-10.10.1.0-24"]]);
    assert.deepEqual(place("prod-jobs-1"), ["10.10.0.41", ["prod-nodes"]]);
  });

  it("do not depend on pools' names or order", async () => {
    const names = async (args: TunedClusterArgs): Promise<string[]> =>
      (await runCluster(args, { calls: cloud })).registrations
        .filter(({ type }) => type.endsWith(":NetworkSubnet"))
        .map(({ name }) => name)
        .sort();
    const pool = (name: string, firstNumber: number, subnet: string) => {
      return { name, count: 1, serverType: "ccx23", firstNumber, subnet };
    };
    const [a, b] = [pool("a", 11, "10.0.1.0/24"), pool("b", 21, "10.0.2.0/24")];
    assert.deepEqual(
      await names(clusterArgs({ pools: [a, b] })),
      await names(clusterArgs({ pools: [{ ...b, name: "c" }, a] })),
    );
  });
});
