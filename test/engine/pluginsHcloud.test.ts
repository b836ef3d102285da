import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import path from "node:path";
import { type Api, createApi, RecordingDriver } from "../../sandbox/api";
import { Engine, findTool, type Resource } from "../sandbox/plugins/engine";

const token = "t".repeat(64);
const publicKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB5P8l6aP0mJ0c6cG1J0YgJ9mFz8W0m0R2oJmQ0mQ0aB test";

interface Variant {
  labels?: string;
  userData?: string;
  serverType?: string;
  options?: string;
  rules?: string;
}

const twoRules = `
  { direction: "in", protocol: "tcp", port: "22", sourceIps: ["198.18.0.0/24", "10.0.0.1"] },
  { direction: "in", protocol: "icmp", sourceIps: ["0.0.0.0/0"], description: "ping" }`;

/** A small cluster: all kinds of objects that a private network with one node needs. */
function cluster({ labels, userData, serverType, options = "", rules = twoRules }: Variant = {}): string {
  return `
    const int = (id) => id.apply(Number);
    const labels = { cluster: "a" };
    const key = new hcloud.SshKey("key", { name: "key", publicKey: ${JSON.stringify(publicKey)}, labels });
    const net = new hcloud.Network("net", { name: "net", ipRange: "10.0.0.0/8", labels });
    const subnet = new hcloud.NetworkSubnet("subnet", {
      networkId: int(net.id), type: "cloud", networkZone: "eu-central", ipRange: "10.0.0.0/24" });
    const group = new hcloud.PlacementGroup("group", { type: "spread", labels });
    const firewall = new hcloud.Firewall("firewall", { name: "firewall", labels, rules: [${rules}] });
    const node = new hcloud.Server("node", {
      name: "node", serverType: "${serverType ?? "ccx13"}", image: "debian-13", location: "fsn1", sshKeys: [key.id], keepDisk: true,
      userData: ${userData ?? '"#cloud-config\\n"'}, labels: ${labels ?? "labels"}, firewallIds: [int(firewall.id)],
      placementGroupId: int(group.id), networks: [{ networkId: int(net.id), ip: "10.0.0.2" }],
    }, { dependsOn: [subnet], ${options} });
    new hcloud.NetworkRoute("route", { networkId: int(net.id), destination: "10.244.0.0/24", gateway: "10.0.0.2" },
      { dependsOn: [node] });
    exports.ip = node.ipv4Address;
  `;
}

describe("the hcloud stand-in under a real engine", function () {
  this.timeout(180_000);
  let api: Api;
  let driver: RecordingDriver;
  let engine: Engine;
  let endpoint: string;

  async function call<T>(method: string, route: string, body?: object): Promise<T> {
    const headers = { Authorization: `Bearer ${token}`, ...(body ? { "Content-Type": "application/json" } : {}) };
    const answer = await fetch(endpoint + route, { method, headers, body: body && JSON.stringify(body) });
    assert.ok(answer.ok, `${method} ${route}: ${answer.status}`);
    return (answer.status === 204 ? undefined : await answer.json()) as T;
  }

  const idOf = async (name: string): Promise<string> => (await engine.resource(name)).id ?? "";
  const ops = async (): Promise<string[]> =>
    (await engine.steps()).map((step) => `${step.op} ${step.urn.split("::").at(-1)}`);

  before(async () => {
    driver = new RecordingDriver();
    engine = await Engine.create();
    const stateDir = path.join(engine.dir, "cloud");
    api = await createApi({ stateDir, driver, publicRange: "198.18.0.0/24", mode: "settled", log: () => undefined });
    endpoint = await api.listen(0);
    Object.assign(engine.env, { HCLOUD_TOKEN: token, HCLOUD_ENDPOINT: endpoint });
  });

  after(async () => {
    await api.close();
    await engine.remove();
  });

  it("previews every resource that up makes, with the same known inputs, and then nothing more", async () => {
    await engine.program(cluster());
    const planned = new Map((await engine.steps()).map((step) => [step.urn, step.newState?.inputs ?? {}]));
    const { output } = await engine.up();
    assert.match(output, /\+ 8 created/);
    const made = (await engine.resources()).filter((resource) => !resource.type.startsWith("pulumi:providers:"));
    assert.deepEqual(made.map((resource) => resource.urn).sort(), [...planned.keys()].sort());
    for (const resource of made) assertPlanned(planned.get(resource.urn) ?? {}, resource);
    await engine.expectNoChanges();
  });

  it("gives the ids and outputs of the real plugin, and records user data by its hash", async () => {
    const netId = await idOf("net");
    assert.equal(await idOf("subnet"), `${netId}-10.0.0.0/24`);
    assert.equal(await idOf("route"), `${netId}-10.244.0.0/24`);
    assert.equal((await engine.resource("subnet")).outputs?.gateway, "10.0.0.1");
    const node = await engine.resource("node");
    assert.equal(node.inputs?.userData, "#cloud-config\n");
    assert.equal(node.outputs?.userData, "wK9leoEi2xH7hUH5D+q3hxwsPXE=");
    assert.match(String(node.outputs.ipv4Address), /^198\.18\.0\./);
    assert.deepEqual((node.outputs.networks as { ip: string; aliasIps: string[] }[])[0]?.aliasIps, []);
    const machine = driver.machines.get(Number(node.id));
    assert.equal(machine?.spec.userData, "#cloud-config\n");
    assert.deepEqual(
      machine.firewall?.map((rule) => rule.sourceCidrs),
      [["198.18.0.0/24", "10.0.0.1/32"], ["0.0.0.0/0"]],
    );
  });

  it("changes labels and the server type in place", async () => {
    await engine.program(cluster({ labels: `{ cluster: "a", role: "x" }`, serverType: "ccx23" }));
    assert.deepEqual(await ops(), ["update node"]);
    const before = await idOf("node");
    await engine.up();
    assert.equal(await idOf("node"), before);
    assert.ok(driver.methods().includes("powerOff"), "a type change needs the machine off");
    await engine.expectNoChanges();
  });

  it("replaces rules by order-free comparison and updates them in place", async () => {
    const reversed = twoRules.split("\n").reverse().join("\n").replace(/,\s*$/, "").replace(`"ping" }`, `"ping" },`);
    await engine.program(cluster({ labels: `{ cluster: "a", role: "x" }`, serverType: "ccx23", rules: reversed }));
    await engine.expectNoChanges();
    const more = `${twoRules}, { direction: "in", protocol: "tcp", port: "6443", sourceIps: ["198.18.0.0/24"] }`;
    await engine.program(cluster({ labels: `{ cluster: "a", role: "x" }`, serverType: "ccx23", rules: more }));
    assert.deepEqual(await ops(), ["update firewall"]);
    await engine.up();
    await engine.program(cluster({ labels: `{ cluster: "a", role: "x" }`, serverType: "ccx23" }));
    await engine.up();
    await engine.expectNoChanges();
  });

  it("sees by refresh what was changed and deleted behind its back, and mends exactly that", async () => {
    await engine.program(cluster());
    await engine.up();
    await call("PUT", `/servers/${await idOf("node")}`, { labels: { cluster: "a", drift: "yes" } });
    await call("POST", `/networks/${await idOf("net")}/actions/delete_route`, {
      destination: "10.244.0.0/24",
      gateway: "10.0.0.2",
    });
    const preview = await engine.fail(["refresh", "--preview-only", "--expect-no-changes", "--diff"]);
    assert.match(preview.output, /drift/);
    const { output } = await engine.succeed(["refresh", "--yes", "--skip-preview"]);
    assert.match(output, /~ 1 updated/);
    assert.match(output, /- 1 deleted/);
    assert.deepEqual((await ops()).sort(), ["create route", "update node"]);
    await engine.up();
    await engine.expectNoChanges();
    await engine.succeed(["refresh", "--preview-only", "--expect-no-changes"]);
  });

  it("replaces a server whose user data changed, the old one first because the name is taken", async () => {
    await engine.program(cluster({ userData: `"#cloud-config\\n# two\\n"` }));
    const steps = (await engine.steps()).filter((step) => step.urn.endsWith("::node"));
    assert.deepEqual(steps[0]?.replaceReasons, ["userData"]);
    const before = await idOf("node");
    const { output } = await engine.up();
    assert.ok(output.indexOf("node deleting original") < output.indexOf("node creating replacement"), output);
    assert.notEqual(await idOf("node"), before);
    await engine.expectNoChanges();
  });

  it("leaves a server alone whose user data is ignored", async () => {
    await engine.program(cluster({ options: `ignoreChanges: ["userData", "sshKeys", "image"]` }));
    await engine.expectNoChanges();
  });

  it("keeps secrets out of the state's clear text", async () => {
    await engine.program(cluster({ userData: `pulumi.secret("#cloud-config\\n# planted-marker-7261\\n")` }));
    await engine.up();
    const state = await engine.rawState();
    assert.ok(!state.includes("planted-marker-7261"));
    assert.ok(!state.includes(token));
    assert.match(JSON.stringify((await engine.resource("node")).inputs), /planted-marker-7261/);
    await engine.expectNoChanges();
  });

  it("finishes a server whose attachment failed instead of making a second one", async () => {
    const second = `
      new hcloud.Server("second", { name: "second", serverType: "ccx13", image: "debian-13", location: "fsn1",
        networks: [{ networkId: int(net.id), ip: "10.0.0.3" }] }, { dependsOn: [subnet] });`;
    await engine.program(cluster({ userData: `pulumi.secret("#cloud-config\\n# planted-marker-7261\\n")` }) + second);
    driver.before = ({ method }) => {
      if (method === "attach") throw new Error("no NIC left");
    };
    const { output } = await engine.failingUp();
    assert.match(output, /creating urn:pulumi:test::plugins::hcloud:index\/server:Server::second/);
    assert.match(output, /\([a-z_]+, \d+\)/, "the code and the id of the failed action");
    driver.before = () => undefined;
    const broken = await engine.resource("second");
    assert.ok(broken.initErrors?.length, "the state must know that the server is not complete");
    await engine.up();
    const mended = await engine.resource("second");
    assert.equal(mended.id, broken.id);
    assert.deepEqual(mended.initErrors ?? [], []);
    assert.deepEqual(driver.attachments.get(`${await idOf("net")}/${mended.id}`)?.ip, "10.0.0.3");
    await engine.expectNoChanges();
  });

  it("imports a server that exists, with inputs that need no change", async () => {
    const server = await call<{ server: { id: number } }>("POST", "/servers", {
      name: "found",
      server_type: "ccx13",
      image: "debian-13",
      location: "fsn1",
      labels: { cluster: "a" },
    });
    await engine.program(`new hcloud.Server("found", { name: "found", serverType: "ccx13", image: "debian-13",
      location: "fsn1", labels: { cluster: "a" } }, { import: "${server.server.id}" });`);
    await engine.succeed(["up", "--yes", "--skip-preview"]);
    assert.equal(await idOf("found"), String(server.server.id));
    await engine.expectNoChanges();
  });

  it("imports what a killed engine left pending, and then finds nothing to do", async () => {
    await engine.program(`new hcloud.Server("pending", { name: "pending", serverType: "ccx13", image: "debian-13",
      location: "fsn1", userData: "#cloud-config\\n", labels: { cluster: "a" } }, { ignoreChanges: ["userData"] });`);
    await engine.destroy();
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    const asked = new Promise<void>((resolve) => {
      driver.before = ({ method }) => {
        if (method !== "createMachine") return undefined;
        resolve();
        return held;
      };
    });
    const pulumi = spawn(await findTool("pulumi"), ["up", "--yes", "--skip-preview", "--non-interactive"], {
      cwd: path.join(engine.dir, "program"),
      env: engine.env,
      stdio: "ignore",
    });
    const ended = new Promise((resolve) => pulumi.once("exit", resolve));
    await asked;
    pulumi.kill("SIGKILL");
    await ended;
    release();
    driver.before = () => undefined;
    await engine.succeed(["cancel", "--yes"]);
    assert.match((await engine.run(["preview"])).output, /interrupted|pending/i);
    const { servers } = await call<{ servers: { id: number }[] }>("GET", "/servers?label_selector=cluster%3D%3Da");
    assert.equal(servers.length, 1);
    const id = String(servers[0]?.id);
    // This engine's `refresh --import-pending-creates` only forgets the pending create; `import` takes the server over.
    await engine.succeed(["refresh", "--yes", "--skip-preview", "--clear-pending-creates"]);
    const type = "hcloud:index/server:Server";
    await engine.succeed(["import", type, "pending", id, "--yes", "--protect=false", "--generate-code=false"]);
    assert.equal(await idOf("pending"), id);
    await engine.expectNoChanges();
  });

  it("destroys everything", async () => {
    await engine.destroy();
    assert.deepEqual(await engine.resources(), []);
    assert.deepEqual([driver.machines.size, driver.networks.size, driver.attachments.size], [0, 0, 0]);
    for (const kind of ["servers", "networks", "firewalls", "ssh_keys", "placement_groups"]) {
      const list = await call<{ [key: string]: unknown[] }>("GET", `/${kind}`);
      assert.deepEqual(list[kind], [], kind);
    }
  });

  it("reports errors in the provider's words", async () => {
    await engine.program(`new hcloud.Server("node", { name: "node", serverType: "no-such", image: "debian-13" });`);
    assert.match((await engine.failingUp()).output, /server type no-such not found/);
    await engine.program(`new hcloud.Network("net", { ipRange: "10.0.0.0" });`);
    assert.match((await engine.failingUp()).output, /invalid CIDR address: 10\.0\.0\.0/);
    const long = await engine.failingUp({ HCLOUD_TOKEN: "short" });
    assert.match(long.output, /entered token is invalid \(must be exactly 64 characters long\)/);
  });

  it("answers the package's functions", async () => {
    await engine.program(`
      exports.type = hcloud.getServerTypeOutput({ name: "ccx13" });
      exports.image = hcloud.getImageOutput({ name: "debian-13" });
      exports.location = hcloud.getLocationOutput({ name: "fsn1" });
      exports.servers = hcloud.getServersOutput({ withSelector: "cluster" });`);
    await engine.up();
    const { stdout } = await engine.succeed(["stack", "output", "--json"]);
    const outputs = JSON.parse(stdout) as { [name: string]: { [key: string]: unknown } };
    assert.equal(outputs.type?.cpuType, "dedicated");
    assert.equal(outputs.image?.name, "debian-13");
    assert.equal(outputs.location?.networkZone, "eu-central");
    assert.deepEqual(outputs.servers?.servers, []);
  });
});

/** Every planned input is the applied one, or was unknown. */
function assertPlanned(planned: { [key: string]: unknown }, resource: Resource): void {
  for (const [key, value] of Object.entries(planned)) {
    const hidden = JSON.stringify(value).includes("04da6b54-80e4-46f7-96ec-b56ff0331ba9");
    const generated = key === "name" && (planned.__defaults as string[]).includes("name");
    if (!hidden && !generated) assert.deepEqual(resource.inputs?.[key], value, `${resource.urn} ${key}`);
  }
}
