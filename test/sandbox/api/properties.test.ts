import assert from "node:assert/strict";
import fc from "fast-check";
import { matches, parseSelector } from "../../../sandbox/api/labels";
import { at, start, type Harness, type Json } from "./harness";

/** One step of a random client; numbers choose among what exists. */
type Step =
  | { kind: "network"; range: number }
  | { kind: "server"; labels: Record<string, string>; network: number | null }
  | { kind: "attach" | "detach"; server: number; network: number }
  | { kind: "attachAt"; server: number; network: number; host: number }
  | { kind: "label"; server: number; labels: Record<string, string> }
  | { kind: "firewall"; selector: string }
  | { kind: "deleteServer"; server: number }
  | { kind: "deleteNetwork"; network: number }
  | { kind: "deleteSubnet"; network: number }
  | { kind: "restart" };

const index = fc.nat({ max: 9 });
const labels = fc.dictionary(fc.constantFrom("role", "env"), fc.constantFrom("a", "b"));
const selector = fc.constantFrom("role=a", "role!=a", "env", "!env", "role in (a,b)", "env notin (b)");
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("network" as const), range: fc.nat({ max: 3 }) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("server" as const), labels, network: fc.option(index) }) },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constantFrom("attach" as const, "detach" as const),
      server: index,
      network: index,
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("attachAt" as const),
      server: index,
      network: index,
      host: fc.nat({ max: 8 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("label" as const), server: index, labels }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("firewall" as const), selector }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("deleteServer" as const), server: index }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("deleteNetwork" as const), network: index }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("deleteSubnet" as const), network: index }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("restart" as const) }) },
);

let counter = 0;

async function list(cloud: Harness, kind: string): Promise<Json[]> {
  return (await cloud.ok("GET", `/${kind}?per_page=50`))[kind] as Json[];
}

async function pick(cloud: Harness, kind: "servers" | "networks", number: number): Promise<unknown> {
  const items = await list(cloud, kind);
  return items.length === 0 ? 1 : items[number % items.length]?.id;
}

async function take(cloud: Harness, one: Step): Promise<void> {
  const act = async (server: number, action: string, body: object): Promise<void> => {
    await cloud.request("POST", `/servers/${String(await pick(cloud, "servers", server))}/actions/${action}`, body);
  };
  switch (one.kind) {
    case "network": {
      const range = `10.${one.range}.0`;
      const subnets = [{ type: "cloud", ip_range: `${range}.0/29`, network_zone: "eu-central" }];
      await cloud.ok("POST", "/networks", { name: `n${++counter}`, ip_range: `${range}.0/16`, subnets });
      return;
    }
    case "server": {
      const networks = one.network === null ? [] : [await pick(cloud, "networks", one.network)];
      const fields = { name: `s${++counter}`, server_type: "ccx13", image: "debian-13", labels: one.labels, networks };
      await cloud.request("POST", "/servers", fields);
      return;
    }
    case "attach":
    case "detach": {
      const action = one.kind === "attach" ? "attach_to_network" : "detach_from_network";
      return act(one.server, action, { network: await pick(cloud, "networks", one.network) });
    }
    case "attachAt": {
      const network = await pick(cloud, "networks", one.network);
      const range = at((await cloud.request("GET", `/networks/${String(network)}`)).body, "network.ip_range");
      const ip = String(range).replace(/\.\d+\/\d+$/, `.${one.host}`);
      return act(one.server, "attach_to_network", { network, ip });
    }
    case "label":
      await cloud.request("PUT", `/servers/${String(await pick(cloud, "servers", one.server))}`, {
        labels: one.labels,
      });
      return;
    case "firewall": {
      const apply = [{ type: "label_selector", label_selector: { selector: one.selector } }];
      const rules = [
        { direction: "in", protocol: "tcp", port: String(1 + (++counter % 65535)), source_ips: ["10.0.0.0/8"] },
      ];
      await cloud.request("POST", "/firewalls", { name: `f${counter}`, rules, apply_to: apply });
      return;
    }
    case "deleteServer":
      await cloud.request("DELETE", `/servers/${String(await pick(cloud, "servers", one.server))}`);
      return;
    case "deleteNetwork":
      await cloud.request("DELETE", `/networks/${String(await pick(cloud, "networks", one.network))}`);
      return;
    case "deleteSubnet": {
      const network = String(await pick(cloud, "networks", one.network));
      const range = at((await cloud.request("GET", `/networks/${network}`)).body, "network.subnets.0.ip_range");
      await cloud.request("POST", `/networks/${network}/actions/delete_subnet`, { ip_range: range });
      return;
    }
    case "restart":
      await cloud.restart();
      await cloud.api.reconcile();
  }
}

/** What must hold after every step, whatever the steps were. */
async function check(cloud: Harness): Promise<void> {
  const [servers, networks] = [await list(cloud, "servers"), await list(cloud, "networks")];
  const nics = servers.flatMap((server) =>
    (server.private_net as Json[]).map((nic): Json => ({ server: server.id, ...nic })),
  );
  const unique = (values: unknown[], what: string): void => {
    assert.equal(new Set(values).size, values.length, what);
  };
  unique(
    nics.map((nic) => `${String(nic.network)} ${String(nic.ip)}`),
    "a private address is there twice",
  );
  unique(
    nics.map((nic) => nic.mac_address),
    "a MAC is there twice",
  );
  unique(
    servers.map((server) => at(server, "public_net.ipv4.ip")),
    "a public address is there twice",
  );
  for (const nic of nics) {
    const network = networks.find(({ id }) => id === nic.network);
    assert.ok(network, "a NIC is in a network that does not exist");
    const bases = (network.subnets as Json[]).map((subnet) => String(subnet.ip_range).replace(/\.\d+\/29$/, ""));
    const [, base, host] = /^(.*)\.(\d+)$/.exec(String(nic.ip)) ?? [];
    assert.ok(bases.includes(base ?? ""), "a NIC's subnet does not exist");
    assert.ok(Number(host) >= 2 && Number(host) <= 6, `reserved address ${String(nic.ip)}`);
  }
  for (const network of networks) {
    const attached = nics.filter((nic) => nic.network === network.id).map((nic) => nic.server);
    assert.deepEqual(
      [...(network.servers as unknown[])].sort(),
      attached.sort(),
      "the two sides of attachments differ",
    );
  }
  const primary = await list(cloud, "primary_ips");
  assert.deepEqual(
    new Set(primary.map((item) => item.assignee_id)),
    new Set(servers.map(({ id }) => id)),
    "an orphaned primary IP",
  );
  checkDriver(cloud, servers, networks, nics);
  await checkFirewalls(cloud, servers);
}

function checkDriver(cloud: Harness, servers: Json[], networks: Json[], nics: Json[]): void {
  const { driver } = cloud;
  assert.deepEqual(
    [...driver.machines.keys()].sort(),
    servers.map(({ id }) => id).sort(),
    "machines differ from servers",
  );
  assert.deepEqual(
    [...driver.networks.keys()].sort(),
    networks.map(({ id }) => id).sort(),
    "the driver's networks differ",
  );
  const keys = nics.map((nic) => `${String(nic.network)}/${String(nic.server)}`);
  assert.deepEqual([...driver.attachments.keys()].sort(), keys.sort(), "the driver's attachments differ");
  const perServer = new Map<number, number[]>();
  for (const { serverId, interfaceNumber } of driver.attachments.values()) {
    perServer.set(serverId, [...(perServer.get(serverId) ?? []), interfaceNumber]);
  }
  for (const numbers of perServer.values())
    assert.equal(new Set(numbers).size, numbers.length, "an interface number is there twice");
}

async function checkFirewalls(cloud: Harness, servers: Json[]): Promise<void> {
  const firewalls = await list(cloud, "firewalls");
  const selectorOf = (firewall: Json): string => String(at(firewall, "applied_to.0.label_selector.selector"));
  for (const server of servers) {
    const own = server.labels as Record<string, string>;
    const applied = firewalls.filter((firewall) => matches(parseSelector(selectorOf(firewall)), own));
    const shown = (at(server, "public_net.firewalls") as Json[]).map(({ id, status }) => [id, status]);
    assert.deepEqual(
      shown,
      applied.map(({ id }) => [id, "applied"]),
      "firewalls by label differ",
    );
    const ports = cloud.driver.machines.get(Number(server.id))?.firewall?.map((rule) => rule.port) ?? null;
    assert.deepEqual(
      ports,
      applied.length === 0 ? null : applied.map((firewall) => at(firewall, "rules.0.port")),
      "rules differ",
    );
  }
  for (const firewall of firewalls) {
    const found = (
      await cloud.ok("GET", `/servers?per_page=50&label_selector=${encodeURIComponent(selectorOf(firewall))}`)
    ).servers as Json[];
    const brute = servers.filter((server) =>
      matches(parseSelector(selectorOf(firewall)), server.labels as Record<string, string>),
    );
    assert.deepEqual(
      found.map(({ id }) => id),
      brute.map(({ id }) => id),
      "the label filter differs from brute force",
    );
  }
}

describe("random sequences of requests", function () {
  // Far more than needed: a busy machine must not fail a test.
  this.timeout(60_000);
  it("never break what must always hold", async function () {
    this.timeout(120_000);
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 30 }), async (steps) => {
        const cloud = await start();
        try {
          for (const one of steps) {
            await take(cloud, one);
            await check(cloud);
          }
          for (const server of await list(cloud, "servers")) await cloud.ok("DELETE", `/servers/${String(server.id)}`);
          for (const network of await list(cloud, "networks"))
            await cloud.ok("DELETE", `/networks/${String(network.id)}`);
          await check(cloud);
        } finally {
          await cloud.close();
        }
      }),
      { numRuns: 40 },
    );
  });
});
