import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { type Api as Cloud, createApi, RecordingDriver } from "../../../sandbox/api";
import { type Bag, type JsonBag, revealBag, Secret, unknown, type Value } from "../../../sandbox/plugins/core/values";
import type { PluginProvider, ResourceHandler } from "../../../sandbox/plugins/core/provider";
import { hcloudProvider } from "../../../sandbox/plugins/hcloud/provider";
import { callFor, create } from "./calls";

const token = "u".repeat(64);
const publicKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB5P8l6aP0mJ0c6cG1J0YgJ9mFz8W0m0R2oJmQ0mQ0aB test";

/** A property that is a text. */
function text(value: Value | undefined): string {
  assert.equal(typeof value, "string");
  return value as string;
}

describe("the hcloud stand-in", () => {
  let dir: string;
  let cloud: Cloud;
  let driver: RecordingDriver;
  let provider: PluginProvider;

  before(async () => {
    dir = await mkdtemp(path.join(os.tmpdir(), "zerosteal-hcloud-"));
    driver = new RecordingDriver();
    cloud = await createApi({ stateDir: dir, driver, publicRange: "198.18.0.0/24", log: () => undefined });
    const endpoint = await cloud.listen(0);
    provider = hcloudProvider("0.0.0");
    await provider.configure({ token: new Secret(token), endpoint, pollInterval: "5ms", pollFunction: "constant" });
  });

  after(async () => {
    await cloud.close();
    await rm(dir, { recursive: true, force: true });
  });

  const handler = (kind: string): ResourceHandler => {
    const found = provider.resource(`hcloud:index/${kind.charAt(0).toLowerCase()}${kind.slice(1)}:${kind}`);
    assert.ok(found, kind);
    return found;
  };
  const make = async (kind: string, news: Bag) => create(handler(kind), news, callFor(kind));
  const read = async (kind: string, id: string, state: Bag = {}, oldInputs: Bag = {}) =>
    handler(kind).read({ ...callFor(kind), id, state, oldInputs });
  const diff = async (kind: string, made: { state: Bag; inputs: Bag }, inputs: Bag, ignoreChanges: string[] = []) => {
    const call = { ...callFor(kind), id: "1", state: made.state, oldInputs: made.inputs, ignoreChanges };
    const { changes, deleteBeforeReplace } = await handler(kind).diff({ ...call, inputs });
    return {
      paths: changes.map(({ path: at, kind: how, replace }) => `${how} ${at}${replace ? " !" : ""}`),
      deleteBeforeReplace,
    };
  };
  const update = async (kind: string, made: { id: string; state: Bag; inputs: Bag }, inputs: Bag) =>
    handler(kind).update({ ...callFor(kind), ...made, oldInputs: made.inputs, inputs, preview: false });
  const remove = async (kind: string, id: string, state: Bag = {}) => {
    const call = callFor(kind);
    await handler(kind).delete({ ...call, id, state });
    return call.told;
  };
  const failuresOf = async (kind: string, news: Bag): Promise<string[]> => {
    const { failures } = await handler(kind).check({ ...callFor(kind), olds: {}, news, seed: new Uint8Array() });
    return failures.map(({ property, reason }) => `${property}: ${reason}`);
  };

  it("names objects that have no name, keeps that name, and takes a new one when a fixed name goes", async () => {
    const check = async (olds: Bag, news: Bag) => {
      const call = { ...callFor("t"), olds, news, seed: new Uint8Array([7]) };
      return (await handler("Network").check(call)).inputs;
    };
    const first = await check({}, { ipRange: "10.0.0.0/16" });
    assert.match(text(first.name), /^demo-[0-9a-f]{7}$/);
    assert.deepEqual((first.__defaults as string[]).includes("name"), true);
    assert.equal((await check({ ...first, name: "demo-kept" }, { ipRange: "10.0.0.0/16" })).name, "demo-kept");
    const fixed = await check({}, { ipRange: "10.0.0.0/16", name: "mine" });
    assert.match(text((await check(fixed, { ipRange: "10.0.0.0/16" })).name), /^demo-/);
  });

  it("says what is wrong with inputs, and believes unknown ones", async () => {
    assert.deepEqual(await failuresOf("Network", { name: "n" }), [
      "ipRange: Missing required argument. The argument \"ip_range\" is required, but no definition was found.. Examine values at 'ipRange'.",
    ]);
    assert.match(
      (await failuresOf("Network", { ipRange: "10.0.0.300/8" }))[0] ?? "",
      /invalid CIDR address: 10\.0\.0\.300\/8/,
    );
    assert.match(
      (await failuresOf("Network", { ipRange: "10.0.0.0/8", labels: { "a b": "c" } }))[0] ?? "",
      /label key 'a b'/,
    );
    assert.match(
      (await failuresOf("PlacementGroup", { type: "stack" }))[0] ?? "",
      /stack is not a valid placement group type/,
    );
    const rules = [{ direction: "up", protocol: "tcp" }];
    assert.match((await failuresOf("Firewall", { rules }))[0] ?? "", /up is not a valid direction/);
    assert.deepEqual(await failuresOf("Network", { ipRange: unknown, labels: { a: unknown } }), []);
    const twice: Bag[] = [{ networkId: 1 }, { networkId: 1, ip: "10.0.0.9" }];
    assert.match(
      (await failuresOf("Server", { serverType: "ccx13", networks: twice }))[0] ?? "",
      /only allowed .* once: 1/,
    );
    assert.match((await failuresOf("Server", { serverType: "ccx13", iso: "x" }))[0] ?? "", /stand-in has no iso/);
    assert.match((await failuresOf("ServerNetwork", { serverId: 1 }))[0] ?? "", /\[network_id,subnet_id\]/);
  });

  it("keeps an SSH key as given and reports one that exists", async () => {
    const key = await make("SshKey", { name: "k", publicKey });
    assert.equal(key.state.publicKey, publicKey);
    assert.match(text(key.state.fingerprint), /^([0-9a-f]{2}:){15}[0-9a-f]{2}$/);
    await assert.rejects(
      make("SshKey", { name: "k2", publicKey }),
      /SSH key with the same fingerprint already exists \(uniqueness_error, [0-9a-f]+\)/,
    );
    assert.deepEqual((await diff("SshKey", key, { ...key.inputs, publicKey: "other" })).paths, ["update publicKey !"]);
    const renamed = await update("SshKey", key, { ...key.inputs, name: "new", labels: { a: "b" } });
    assert.deepEqual([renamed.name, revealBag(renamed).labels], ["new", { a: "b" }]);
    await remove("SshKey", key.id);
    await remove("SshKey", key.id);
    assert.equal(await read("SshKey", key.id), null);
  });

  it("gives a network part its id, reads it back by it, and misses it when it is gone", async () => {
    const net = await make("Network", { name: "net", ipRange: "10.1.0.0/16", deleteProtection: true });
    const networkId = Number(net.id);
    assert.equal(net.state.deleteProtection, true);
    await assert.rejects(remove("Network", net.id), /is delete protected \(protected, /);
    await update("Network", net, { ...net.inputs, deleteProtection: false });
    const zone = { type: "cloud", networkZone: "eu-central" };
    const subnet = await make("NetworkSubnet", { networkId, ...zone, ipRange: "10.1.2.0/24" });
    assert.equal(subnet.id, `${networkId}-10.1.2.0/24`);
    const imported = await read("NetworkSubnet", subnet.id);
    assert.deepEqual(imported?.inputs, { networkId, ...zone, ipRange: "10.1.2.0/24", __defaults: [] });
    const route = await make("NetworkRoute", { networkId, destination: "10.1.9.0/24", gateway: "10.1.2.2" });
    assert.equal(route.id, `${networkId}-10.1.9.0/24`);
    assert.deepEqual((await diff("NetworkRoute", route, { ...route.inputs, gateway: "10.1.2.3" })).paths, [
      "update gateway !",
    ]);
    await remove("NetworkRoute", route.id);
    await remove("NetworkRoute", route.id);
    assert.equal(await read("NetworkRoute", route.id), null);
    assert.equal(await read("NetworkSubnet", "nonsense"), null);
    await remove("NetworkSubnet", subnet.id);
    await remove("NetworkSubnet", subnet.id);
    await remove("Network", net.id);
    await remove("Network", net.id);
    assert.equal(await read("NetworkSubnet", subnet.id), null);
  });

  it("explains refused fields as the real provider does", async () => {
    const refused = make("Network", { name: "net", ipRange: "1.2.3.0/24" });
    await assert.rejects(
      refused,
      /creating urn:pulumi:test::plugins::Network::demo: 1 error occurred:\s+\* .*\(invalid_input, [0-9a-f]+\): \[.+ => \[.+\]\]/,
    );
  });

  it("compares rules without regard to order and to the writing of addresses", async () => {
    const ssh = { direction: "in", protocol: "tcp", port: "22", sourceIps: ["10.0.0.1", "2001:DB8::1", "10.0.0.0/8"] };
    const ping = { direction: "in", protocol: "icmp", sourceIps: ["0.0.0.0/0"] };
    const made = await make("Firewall", { name: "fw", rules: [ssh, ping] });
    const same = [ping, { ...ssh, sourceIps: ["10.0.0.0/8", "2001:db8::1/128", "10.0.0.1/32"], description: "" }];
    assert.deepEqual((await diff("Firewall", made, { ...made.inputs, rules: same })).paths, []);
    const other = [{ ...ssh, port: "2222" }, ping];
    const { paths } = await diff("Firewall", made, { ...made.inputs, rules: other });
    assert.ok(paths.includes("update rules[0].port"), paths.join());
    const changed = await update("Firewall", made, { ...made.inputs, rules: other });
    assert.equal((changed.rules as JsonBag[])[0]?.port, "2222");
    await remove("Firewall", made.id);
    await remove("Firewall", made.id);
  });

  describe("with a server", () => {
    let net: Awaited<ReturnType<typeof make>>;
    let server: Awaited<ReturnType<typeof make>>;
    const wanted = (more: Bag = {}): Bag => ({
      name: "s",
      serverType: "ccx13",
      image: "debian-13",
      location: "fsn1",
      ...more,
    });

    before(async () => {
      net = await make("Network", { name: "snet", ipRange: "10.2.0.0/16" });
      const zone = { type: "cloud", networkZone: "eu-central" };
      await make("NetworkSubnet", { networkId: Number(net.id), ...zone, ipRange: "10.2.0.0/24" });
      const networks = [{ networkId: Number(net.id), ip: "10.2.0.5" }];
      server = await make("Server", wanted({ userData: new Secret("#cloud-config\n"), networks }));
    });

    it("attaches it with the planned address before it is said to be there", () => {
      assert.equal(driver.attachments.get(`${net.id}/${server.id}`)?.ip, "10.2.0.5");
      const [first] = server.state.networks as JsonBag[];
      assert.deepEqual([first?.ip, first?.networkId, first?.aliasIps], ["10.2.0.5", Number(net.id), []]);
      assert.equal(server.state.ipv6Address, `${text(server.state.ipv6Network).replace(/\/\d+$/, "")}1`);
    });

    it("records user data by its hash, secret if the program said so, and ignores equal text", async () => {
      const recorded = server.state.userData;
      assert.ok(recorded instanceof Secret && recorded.value === "wK9leoEi2xH7hUH5D+q3hxwsPXE=");
      assert.deepEqual((await diff("Server", server, server.inputs)).paths, []);
      const changed = { ...server.inputs, userData: "#cloud-config\n#\n" };
      assert.deepEqual(await diff("Server", server, changed), {
        paths: ["update userData !"],
        deleteBeforeReplace: true,
      });
      assert.deepEqual((await diff("Server", server, changed, ["userData"])).paths, []);
    });

    it("replaces for image, location and keys, and for nothing else", async () => {
      for (const [key, value] of Object.entries({ image: "ubuntu-24.04", location: "nbg1", sshKeys: ["1"] })) {
        const { paths } = await diff("Server", server, { ...server.inputs, [key]: value });
        assert.ok(paths.length === 1 && paths[0]?.endsWith("!"), paths.join());
      }
      const inPlace: Bag[] = [{ serverType: "ccx23" }, { labels: { a: "b" } }, { name: "t" }, { backups: true }];
      for (const more of inPlace) {
        const { paths } = await diff("Server", server, { ...server.inputs, ...more });
        assert.ok(paths.length === 1 && !paths[0]?.endsWith("!"), paths.join());
      }
    });

    it("sees what changed behind its back, in the state and in the inputs", async () => {
      const before = { state: server.state, inputs: server.inputs };
      await update("Server", server, { ...server.inputs, labels: { drift: "yes" } });
      const seen = await read("Server", server.id, before.state, { ...before.inputs, labels: { a: "b" } });
      assert.deepEqual(revealBag(seen?.state ?? {}).labels, { drift: "yes" });
      assert.deepEqual(seen?.inputs.labels, { drift: "yes" });
      assert.ok(seen.inputs.userData instanceof Secret && seen.inputs.userData.value === "#cloud-config\n");
      await update("Server", { ...server, state: seen.state }, server.inputs);
    });

    it("moves it to another address and changes aliases", async () => {
      const networks = (ip: string, aliasIps: string[]): Bag => ({
        ...server.inputs,
        networks: [{ networkId: Number(net.id), ip, aliasIps }],
      });
      const moved = await update("Server", server, networks("10.2.0.6", []));
      assert.equal(driver.attachments.get(`${net.id}/${server.id}`)?.ip, "10.2.0.6");
      const aliased = await update("Server", { ...server, state: moved }, networks("10.2.0.6", ["10.2.0.77"]));
      assert.deepEqual(driver.attachments.get(`${net.id}/${server.id}`)?.aliasIps, ["10.2.0.77"]);
      const detached = await update("Server", { ...server, state: aliased }, { ...server.inputs, networks: [] });
      assert.ok(detached);
    });

    it("attaches by a resource of its own", async () => {
      for (const id of [...driver.attachments.keys()].filter((key) => key === `${net.id}/${server.id}`)) {
        await remove("ServerNetwork", id.split("/").reverse().join("-"));
      }
      const news = { serverId: Number(server.id), subnetId: `${net.id}-10.2.0.0/24`, ip: "10.2.0.9" };
      const made = await make("ServerNetwork", news);
      assert.equal(made.id, `${server.id}-${net.id}`);
      assert.match(text(made.state.macAddress), /^86:00:00/);
      assert.deepEqual((await diff("ServerNetwork", made, { ...made.inputs, ip: "10.2.0.10" })).paths, ["update ip !"]);
      const aliased = await update("ServerNetwork", made, { ...made.inputs, aliasIps: ["10.2.0.88"] });
      assert.deepEqual(aliased.aliasIps, ["10.2.0.88"]);
      await remove("ServerNetwork", made.id);
      assert.equal(await read("ServerNetwork", made.id), null);
    });

    it("applies firewalls to it and takes them off before they are deleted", async () => {
      const rules = [{ direction: "in", protocol: "icmp", sourceIps: ["0.0.0.0/0"] }];
      const firewall = await make("Firewall", { name: "sfw", rules });
      const attachment = await make("FirewallAttachment", {
        firewallId: Number(firewall.id),
        serverIds: [Number(server.id)],
      });
      assert.equal(attachment.id, firewall.id);
      assert.equal(driver.machines.get(Number(server.id))?.firewall?.length, 1);
      await remove("FirewallAttachment", attachment.id, attachment.state);
      assert.equal(driver.machines.get(Number(server.id))?.firewall, null);
      await update("Server", server, { ...server.inputs, firewallIds: [Number(firewall.id)] });
      assert.equal(driver.machines.get(Number(server.id))?.firewall?.length, 1);
      await remove("Firewall", firewall.id);
      assert.equal(driver.machines.get(Number(server.id))?.firewall, null);
    });

    it("shuts it down first if asked, deletes it, and then finds it gone", async () => {
      const told = await remove("Server", server.id, { ...server.state, shutdownBeforeDeletion: true });
      assert.deepEqual(told.warnings, []);
      assert.ok(driver.methods().includes("shutdown"));
      assert.equal(await read("Server", server.id, server.state, server.inputs), null);
      await assert.rejects(remove("Server", server.id), /deleting .*not_found/s);
    });
  });

  it("has nothing to offer for what it does not know", () => {
    assert.equal(provider.resource("hcloud:index/volume:Volume"), undefined);
    assert.equal(provider.invoke("hcloud:index/getVolume:getVolume"), undefined);
  });
});
