import assert from "node:assert/strict";
import { planCluster, TunedCluster } from "../../components";
import { applyScript } from "../../components/plan";
import { opened, type Registration, runProgram } from "./program";
import { catalogue, clusterArgs, find, label, runCluster, withWorkers } from "./support";

/** What a cluster `prod` registers, by the number of its workers. */
function expected(workers: number): string[] {
  const names = ["control-plane-1", ...Array.from({ length: workers }, (_, index) => `web-${index + 1}`)];
  const nodes = names.map((name) => `prod-${name}`);
  const joining = nodes.slice(1);
  return [
    "TunedCluster prod",
    "Stash operator-prod",
    "SshKey prod",
    "Network prod",
    "NetworkSubnet prod-nodes",
    "Firewall prod",
    "PlacementGroup prod-control-plane-spread-1",
    ...(workers > 0 ? ["PlacementGroup prod-web-spread-1"] : []),
    ...nodes.map((name) => `NetworkRoute ${name}`),
    ...nodes.map((name) => `Stash hostkey-${name}`),
    ...nodes.map((name) => `Server ${name}`),
    ...nodes.map((name) => `remote.Command hostkey-${name}`),
    ...nodes.map((name) => `remote.Command tune-${name}`),
    "remote.Command init-prod-control-plane-1",
    "remote.Command kubeconfig-prod",
    "kubernetes prod",
    "Release cilium-prod",
    ...joining.map((name) => `remote.Command admit-${name}`),
    ...joining.map((name) => `remote.Command join-${name}`),
    "local.Command doctor-prod",
  ];
}

const labels = (registrations: Registration[]): string[] => registrations.map(label).sort();

describe("registrations of a cluster", () => {
  for (const workers of [0, 1, 3]) {
    it(`are the planned ones for ${workers} workers, in a preview as in an update`, async () => {
      const planned = await runCluster(withWorkers(workers), { preview: true });
      const applied = await runCluster(withWorkers(workers));
      assert.deepEqual(labels(planned.registrations), expected(workers).sort());
      assert.deepEqual(labels(applied.registrations), expected(workers).sort());
    });
  }

  it("are all children of the cluster, under the types that the state will know them by", async () => {
    const { registrations } = await runCluster();
    const [component, ...children] = registrations;
    assert.equal(component?.type, "zerosteal:index:TunedCluster");
    assert.equal(component.parent, "");
    assert.deepEqual([...new Set(children.map((child) => child.parent))], ["zerosteal:index:TunedCluster prod"]);
    assert.deepEqual([...new Set(children.map((child) => child.type))].sort(), [
      "command:local:Command",
      "command:remote:Command",
      "hcloud:index/firewall:Firewall",
      "hcloud:index/network:Network",
      "hcloud:index/networkRoute:NetworkRoute",
      "hcloud:index/networkSubnet:NetworkSubnet",
      "hcloud:index/placementGroup:PlacementGroup",
      "hcloud:index/server:Server",
      "hcloud:index/sshKey:SshKey",
      "kubernetes:helm.sh/v3:Release",
      "pulumi:index:Stash",
      "pulumi:providers:kubernetes",
    ]);
    assert.ok(registrations.every((registration) => registration.aliases === 0));
  });

  it("do not collide with those of a second cluster in the same program", async () => {
    const { registrations, error } = await runProgram(
      () => ["prod", "stage"].map((name) => new TunedCluster(name, clusterArgs())),
      { calls: catalogue },
    );
    assert.equal(error, undefined);
    const urns = registrations.map((registration) => registration.urn);
    assert.equal(urns.length, 2 * expected(2).length);
    assert.equal(new Set(urns).size, urns.length);
  });

  it("have the plan's values in a preview, unknown only ids, public addresses, keys and what is made of them", async () => {
    const planned = await runCluster(clusterArgs(), { preview: true });
    const applied = await runCluster();
    const unknowns = new Set<string>();
    for (const registration of planned.registrations) {
      const found: string[] = [];
      const other = find(applied.registrations, label(registration));
      assertPlanned(withoutKeys(opened(registration.inputs)), withoutKeys(opened(other.inputs)), "", found);
      for (const place of found) unknowns.add(`${registration.type.split(":").at(-1)} ${place}`);
    }
    assert.deepEqual([...unknowns].sort(), [
      "Command connection",
      "Command stdin",
      "Command triggers",
      "NetworkRoute networkId",
      "NetworkSubnet networkId",
      "Server firewallIds",
      "Server networks",
      "Server placementGroupId",
      "Server sshKeys",
      "SshKey publicKey",
      "kubernetes kubeconfig",
    ]);
  });

  it("carry the plan's own texts: user data, files, documents, values", async () => {
    const plan = planCluster("prod", clusterArgs());
    const { registrations } = await runCluster(clusterArgs(), { preview: true });
    for (const node of plan.nodes) {
      const server = opened(find(registrations, `Server ${node.name}`).inputs) as { userData: string };
      assert.equal(withoutKeys(server.userData), node.userData.replace("ONE_TIME_HOST_KEY", "<private key>"));
      const tune = String(find(registrations, `remote.Command tune-${node.name}`).inputs.create);
      assert.ok(tune.includes(applyScript(node.files)), node.name);
    }
    const release = find(registrations, "Release cilium-prod").inputs;
    assert.deepEqual(release.values, plan.cilium.values);
  });

  it("plan the routes, addresses and rules of the cloud", async () => {
    const { registrations } = await runCluster(clusterArgs(), { preview: true });
    const route = opened(find(registrations, "NetworkRoute prod-web-2").inputs) as Record<string, unknown>;
    assert.equal(route.destination, "10.244.12.0/24");
    assert.equal(route.gateway, "10.0.0.12");
    const firewall = find(registrations, "Firewall prod").inputs;
    assert.deepEqual(
      (firewall.rules as Record<string, unknown>[]).map(({ port, sourceIps }) => ({ port, sourceIps })),
      [
        { port: "22", sourceIps: ["203.0.113.7/32"] },
        { port: "6443", sourceIps: ["203.0.113.0/24"] },
      ],
    );
    const label = { "managed-by": "zerosteal", "zerosteal/cluster": "prod" };
    for (const { type, inputs } of registrations.filter((found) => found.inputs.labels !== undefined)) {
      assert.deepEqual({ ...label, ...(inputs.labels as object) }, inputs.labels, type);
    }
  });
});

/** Keys are made anew for each cluster, so two runs of a new one differ in them. */
function withoutKeys<T>(value: T): T {
  const text = JSON.stringify(value)
    .replaceAll(/-----BEGIN OPENSSH PRIVATE KEY-----.*?-----END OPENSSH PRIVATE KEY-----/g, "<private key>")
    .replaceAll(/(ssh-ed25519|ecdsa-sha2-nistp256) [A-Za-z0-9+/=]+/g, "<public key>");
  return JSON.parse(text) as T;
}

/** Compares a planned with an applied value, and collects where nothing is known yet. */
function assertPlanned(planned: unknown, applied: unknown, place: string, unknowns: string[]): void {
  if (JSON.stringify(planned).includes("<unknown>")) {
    if (place !== "") return void unknowns.push(place);
    for (const [key, value] of Object.entries(planned as object)) {
      assertPlanned(value, (applied as Record<string, unknown>)[key], key, unknowns);
    }
    assert.deepEqual(Object.keys(planned as object).sort(), Object.keys(applied as object).sort());
    return;
  }
  assert.deepEqual(planned, applied, place);
}
