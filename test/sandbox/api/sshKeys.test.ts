import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { fingerprintOf } from "../../../sandbox/api/sshKeys";
import { at, publicKey, start, type Harness } from "./harness";

describe("SSH keys", function () {
  // Far more than needed: a busy machine must not fail a test.
  this.timeout(60_000);
  let cloud: Harness;
  beforeEach(async () => {
    cloud = await start();
  });
  afterEach(() => cloud.close());

  it("come back verbatim, with the MD5 fingerprint", async () => {
    const text = `${publicKey("one")}\n`;
    const body = { name: "one", public_key: text, labels: { env: "test" } };
    const { ssh_key: key } = await cloud.ok("POST", "/ssh_keys", body);
    assert.deepEqual(Object.keys(key as object).sort(), [
      "created",
      "fingerprint",
      "id",
      "labels",
      "name",
      "public_key",
    ]);
    assert.equal(at(key, "public_key"), text);
    assert.match(String(at(key, "fingerprint")), /^([0-9a-f]{2}:){15}[0-9a-f]{2}$/);
    assert.match(String(at(key, "created")), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    assert.deepEqual(await cloud.ok("GET", `/ssh_keys/${String(at(key, "id"))}`), { ssh_key: key });
    const found = await cloud.ok("GET", `/ssh_keys?fingerprint=${String(at(key, "fingerprint"))}`);
    assert.deepEqual(found.ssh_keys, [key]);
  });

  it("have the fingerprint that ssh-keygen computes", () => {
    const text = publicKey("compare");
    const [, expected] =
      /MD5:(\S+)/.exec(execFileSync("ssh-keygen", ["-l", "-E", "md5", "-f", "-"], { input: text }).toString()) ?? [];
    assert.equal(fingerprintOf(text), expected);
  });

  it("are refused when they are none", async () => {
    for (const text of [
      "",
      "hello",
      "ssh-ed25519",
      "ssh-ed25519 !!!!",
      `ssh-rsa ${publicKey("x").split(" ")[1] ?? ""}`,
    ]) {
      const error = await cloud.fails("POST", "/ssh_keys", { name: "k", public_key: text }, 422, "invalid_input");
      assert.equal(at(error, "details.fields.0.name"), "public_key", text);
    }
  });

  it("are unique by name and by fingerprint", async () => {
    await cloud.ok("POST", "/ssh_keys", { name: "one", public_key: publicKey("one") });
    const name = await cloud.fails(
      "POST",
      "/ssh_keys",
      { name: "one", public_key: publicKey("two") },
      409,
      "uniqueness_error",
    );
    assert.deepEqual(name.details, { fields: [{ name: "name" }] });
    const same = { name: "two", public_key: publicKey("one", "other comment") };
    const error = await cloud.fails("POST", "/ssh_keys", same, 409, "uniqueness_error");
    assert.equal(error.message, "SSH key with the same fingerprint already exists");
  });

  it("can be renamed, relabelled and deleted", async () => {
    const id = String(at(await cloud.ok("POST", "/ssh_keys", { name: "a", public_key: publicKey("a") }), "ssh_key.id"));
    await cloud.ok("POST", "/ssh_keys", { name: "b", public_key: publicKey("b") });
    const { ssh_key: changed } = await cloud.ok("PUT", `/ssh_keys/${id}`, { name: "c", labels: { x: "y" } });
    assert.deepEqual([at(changed, "name"), at(changed, "labels.x")], ["c", "y"]);
    await cloud.fails("PUT", `/ssh_keys/${id}`, { name: "b" }, 409, "uniqueness_error");
    await cloud.fails("PUT", `/ssh_keys/${id}`, { labels: { "-": "" } }, 422, "invalid_input");
    assert.equal((await cloud.request("DELETE", `/ssh_keys/${id}`)).status, 204);
    await cloud.fails("GET", `/ssh_keys/${id}`, undefined, 404, "not_found");
  });
});
