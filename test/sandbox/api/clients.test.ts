import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { needs } from "../../capabilities";
import { goClient, pythonClient } from "./clients";
import { at, publicKey, start, token, type Harness, type Json } from "./harness";

const exec = promisify(execFile);

describe("the vendor's own clients", function () {
  // Far more than needed: a busy machine must not fail a test.
  this.timeout(60_000);
  let cloud: Harness;
  let endpoint: string;
  beforeEach(async () => {
    cloud = await start({ mode: "async" });
    endpoint = await cloud.api.listen(0);
    // Machines take a moment, so that clients must poll and parallel changes meet.
    cloud.driver.before = () => new Promise((resolve) => setTimeout(resolve, 15));
  });
  afterEach(() => cloud.close());

  const drive = async ([command, ...args]: [string, ...string[]]): Promise<Json> => {
    const { stdout } = await exec(command, [...args, endpoint, token, publicKey("client")], { timeout: 60_000 });
    return JSON.parse(stdout) as Json;
  };

  it("hcloud-python: creates, waits, lists, is refused, deletes", async function () {
    this.timeout(300_000);
    needs(this, "hcloud-python");
    assert.deepEqual(await drive(pythonClient()), {
      status: "running",
      private_ip: "10.0.0.2",
      firewalls: ["applied"],
      applied_to: "label_selector",
      routes: ["10.244.1.0/24"],
      members: true,
      server_types: 26,
      images: 24,
      locations: ["fsn1", "nbg1", "hel1", "ash", "hil", "sin"],
      all_servers: 1,
      duplicate: "uniqueness_error",
      status_after_poweroff: "off",
      left: 0,
    });
    assert.deepEqual([cloud.driver.machines.size, cloud.driver.networks.size], [0, 0]);
  });

  it("hcloud-go: creates, waits, retries conflicts, reads error details, deletes", async function () {
    this.timeout(300_000);
    needs(this, "hcloud-go");
    assert.deepEqual(await drive(goClient()), {
      server_types: 26,
      image: 161547269,
      zone: "eu-central",
      currency: "EUR",
      missing_is_nil: true,
      status: "running",
      private_ip: "10.0.0.2",
      public_ip: "198.18.0.10",
      firewall: "applied",
      group: "go",
      routes: 4,
      gateway: "10.0.0.1",
      same_key: true,
      details: true,
      correlation: true,
      subnet_in_use: true,
      servers_left: 0,
    });
    assert.deepEqual([cloud.driver.machines.size, cloud.driver.networks.size], [0, 0]);
  });

  it("hcloud-go: reports the error of a failed action", async function () {
    this.timeout(300_000);
    needs(this, "hcloud-go");
    const fault = {
      method: "POST",
      path: "/servers",
      action_error: { code: "action_failed", message: "no capacity left" },
    };
    await cloud.ok("POST", "/_sandbox/faults", fault);
    await assert.rejects(drive(goClient()), (error: unknown) => {
      assert.match(String(at(error, "stderr")), /no capacity left/);
      return true;
    });
  });
});
