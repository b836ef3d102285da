import assert from "node:assert/strict";
import { at, makeServer, start, type Harness, type Json } from "./harness";

const ssh = { direction: "in", protocol: "tcp", port: "22", source_ips: ["203.0.113.0/24"] };
const ping = { direction: "in", protocol: "icmp", source_ips: ["0.0.0.0/0", "::/0"], description: "ping" };
const onServer = (id: number): object => ({ type: "server", server: { id } });

describe("rules of firewalls", function () {
  // Far more than needed: a busy machine must not fail a test.
  this.timeout(60_000);
  let cloud: Harness;
  beforeEach(async () => {
    cloud = await start();
  });
  afterEach(() => cloud.close());

  let counter = 0;
  const make = async (fields: object = {}): Promise<number> => {
    const body = await cloud.ok("POST", "/firewalls", { name: `fw-${++counter}`, rules: [ssh], ...fields });
    return Number(at(body, "firewall.id"));
  };

  const refuses = async (rule: object, field: string, message: RegExp): Promise<void> => {
    const error = await cloud.fails("POST", "/firewalls", { name: "fw", rules: [rule] }, 422, "invalid_input");
    assert.equal(at(error, "details.fields.0.name"), `rules.0.${field}`);
    assert.match(String(at(error, "details.fields.0.messages.0")), message);
  };

  it("need a direction, a protocol, a port where there are ports, and addresses", async () => {
    await refuses({ ...ssh, direction: "up" }, "direction", /must be one of in, out/);
    await refuses({ ...ssh, protocol: "sctp" }, "protocol", /must be one of tcp/);
    await refuses({ ...ssh, port: undefined }, "port", /is required for protocol 'tcp'/);
    await refuses({ ...ping, port: "8" }, "port", /must not be given for protocol 'icmp'/);
    await refuses({ ...ssh, source_ips: [] }, "source_ips", /must not be empty for direction 'in'/);
    await refuses({ ...ssh, destination_ips: ["10.0.0.0/8"] }, "destination_ips", /must be empty for direction 'in'/);
    await refuses({ ...ssh, description: "x".repeat(256) }, "description", /255/);
    for (const port of ["0", "65536", "2-1", "ssh", "1-", "-1", ""]) {
      await refuses({ ...ssh, port }, "port", /is not a port, a range of ports, or 'any'/);
    }
  });

  it("need canonical CIDRs", async () => {
    await refuses({ ...ssh, source_ips: ["10.0.0.1/8"] }, "source_ips", /has host bits set, use '10\.0\.0\.0\/8'/);
    await refuses({ ...ssh, source_ips: ["2001:db8::1/32"] }, "source_ips", /has host bits set, use '2001:db8::\/32'/);
    await refuses({ ...ssh, source_ips: ["10.0.0.0"] }, "source_ips", /is not a CIDR/);
    await refuses({ ...ssh, source_ips: ["x/8"] }, "source_ips", /is not a CIDR/);
  });

  it("are at most 50 of 100 addresses, 500 at a server", async () => {
    const cidrs = (count: number): string[] => Array.from({ length: count }, (_, index) => `10.0.${index}.0/24`);
    await refuses({ ...ssh, source_ips: cidrs(101) }, "source_ips", /more than 100/);
    const many = { name: "fw", rules: Array.from({ length: 51 }, () => ssh) };
    const error = await cloud.fails("POST", "/firewalls", many, 422, "invalid_input");
    assert.equal(at(error, "details.fields.0.name"), "rules");
    const server = await makeServer(cloud);
    const wide = { ...ssh, source_ips: cidrs(100) };
    const id = await make({ rules: Array.from({ length: 5 }, () => wide), apply_to: [onServer(server)] });
    const more = { rules: [...Array.from({ length: 5 }, () => wide), ssh] };
    await cloud.fails("POST", `/firewalls/${id}/actions/set_rules`, more, 403, "resource_limit_exceeded");
    assert.equal((at(await cloud.ok("GET", `/firewalls/${id}`), "firewall.rules") as unknown[]).length, 5);
  });

  it("keep 'any' and ranges verbatim", async () => {
    const id = await make({
      rules: [
        { ...ssh, port: "any" },
        { ...ssh, protocol: "udp", port: "1-1024" },
      ],
    });
    const rules = at(await cloud.ok("GET", `/firewalls/${id}`), "firewall.rules") as Json[];
    assert.deepEqual(
      rules.map((rule) => rule.port),
      ["any", "1-1024"],
    );
  });

  it("with direction out are refused, since nothing enforces them, unless allowed", async () => {
    const out = { direction: "out", protocol: "tcp", port: "25", destination_ips: ["0.0.0.0/0"] };
    const error = await cloud.fails("POST", "/firewalls", { name: "fw", rules: [out] }, 422, "unsupported_error");
    assert.match(String(error.message), /enforcing firewall rules with direction 'out'/);
    const lax = await start({ acceptOutboundRules: true });
    const body = await lax.ok("POST", "/firewalls", { name: "fw", rules: [out] });
    assert.deepEqual(at(body, "firewall.rules.0.destination_ips"), ["0.0.0.0/0"]);
    await lax.close();
  });
});
