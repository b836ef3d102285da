import assert from "node:assert/strict";
import net from "node:net";
import { utils } from "ssh2";
import { commandResource } from "../../../sandbox/plugins/command/commandResource";
import { usablePrivateKey } from "../../../sandbox/plugins/command/keys";
import { remoteCommand } from "../../../sandbox/plugins/command/remote";
import { type Bag, Secret } from "../../../sandbox/plugins/core/values";
import { callFor, create } from "./calls";
import { LoopbackSshServer, pkcs8Key, sshKeyPair } from "./sshServer";

const remote = commandResource(remoteCommand);

describe("remote.Command", () => {
  const server = new LoopbackSshServer([utils.generateKeyPairSync("ecdsa", { bits: 256 }).private]);
  const bag = (more: Bag, connection: { [key: string]: unknown } = {}): Bag => ({
    connection: new Secret(server.connection(connection) as Bag),
    ...more,
  });

  before(() => server.listen());
  after(() => server.close());

  it("runs create with its input and returns what it printed, without the last newline", async () => {
    const { state, id } = await create(remote, bag({ create: "cat; echo oops >&2", stdin: "one\ntwo\n" }));
    assert.equal(state.stdout, "one\ntwo");
    assert.equal(state.stderr, "oops");
    assert.match(id, /^demo[0-9a-f]{8}$/);
  });

  it("fills in the connection's defaults and hides it as a whole", async () => {
    const news = { connection: { host: "10.0.0.2" }, create: "true" };
    const { inputs } = await remote.check({ ...callFor("t"), olds: {}, news, seed: new Uint8Array() });
    const connection = inputs.connection;
    assert.ok(connection instanceof Secret);
    assert.deepEqual(connection.value, {
      host: "10.0.0.2",
      user: "root",
      port: 22,
      dialErrorLimit: 10,
      perDialTimeout: 15,
    });
  });

  it("names a missing host", async () => {
    const news = { connection: { user: "root" }, create: "true" };
    const { failures } = await remote.check({ ...callFor("t"), olds: {}, news, seed: new Uint8Array() });
    assert.deepEqual(failures, [{ property: "connection.host", reason: "Missing required field 'connection.host'" }]);
  });

  it("reports a failed command with its status, its text and its output in order", async () => {
    const failing = create(remote, bag({ create: 'echo "a b"; sleep 0.1; echo err >&2; exit 7' }));
    await assert.rejects(failing, {
      message: 'Process exited with status 7: running "echo \\"a b\\"; sleep 0.1; echo err >&2; exit 7":\na b\nerr\n',
    });
  });

  it("reports a command that a signal ended", async () => {
    await assert.rejects(create(remote, bag({ create: "kill -KILL $$" })), /status 137 from signal KILL: running/);
  });

  it("keeps secrets out of errors and of the display", async () => {
    const call = callFor("t");
    const inputs = bag({ create: "cat; exit 1", stdin: new Secret("first line\nplanted-marker-1\n") });
    await assert.rejects(create(remote, inputs, call), (error: Error) => {
      assert.ok(!error.message.includes("planted-marker-1"), error.message);
      assert.match(error.message, /\[secret\]/);
      return true;
    });
    assert.ok(!call.told.status.join().includes("planted-marker-1"));
    await assert.rejects(
      create(remote, bag({ create: new Secret("echo planted-marker-2; exit 1") })),
      (error: Error) => {
        assert.match(error.message, /^Process exited with status 1: running "\[secret\]"/);
        return true;
      },
    );
  });

  it("shows the streams that logging names", async () => {
    const lines = async (logging: string | null): Promise<string[]> => {
      const call = callFor("t");
      await create(remote, bag({ create: "echo out; echo err >&2", ...(logging && { logging }) }), call);
      return call.told.status.sort();
    };
    assert.deepEqual(await lines(null), ["err", "out"]);
    assert.deepEqual(await lines("stdoutAndStderr"), ["err", "out"]);
    assert.deepEqual(await lines("stdout"), ["out"]);
    assert.deepEqual(await lines("stderr"), ["err"]);
    assert.deepEqual(await lines("none"), []);
    await assert.rejects(lines("loud"), /"loud" is no kind of logging/);
  });

  it("passes lines longer than any buffer", async () => {
    const { state } = await create(remote, bag({ create: "head -c 300000 /dev/zero | tr '\\0' x" }));
    assert.equal((state.stdout as string).length, 300_000);
  });

  it("accepts exactly the pinned host key, also of a server that has several", async () => {
    const { state } = await create(remote, bag({ create: "echo in" }));
    assert.equal(state.stdout, "in");
    const wrong = create(remote, bag({ create: "echo in" }, { hostKey: sshKeyPair().public, dialErrorLimit: 0 }));
    await assert.rejects(wrong, /^Error: after 0 failed attempts: ssh: handshake failed: ssh: host key mismatch$/);
    const rsa = { hostKey: `ssh-rsa ${Buffer.from("\0\0\0\x07ssh-rsa").toString("base64")}`, dialErrorLimit: 0 };
    await assert.rejects(create(remote, bag({ create: "true" }, rsa)), /no common algorithm for host key/);
    await assert.rejects(create(remote, bag({ create: "true" }, { hostKey: "nonsense" })), /failed to parse host key/);
  });

  it("accepts any host key when none is pinned", async () => {
    const { state } = await create(remote, bag({ create: "echo in" }, { hostKey: undefined }));
    assert.equal(state.stdout, "in");
  });

  it("tries again until the server lets it in, and says so", async () => {
    server.refusals = 2;
    const call = callFor("t");
    const { state } = await create(remote, bag({ create: "echo late" }), call);
    assert.equal(state.stdout, "late");
    assert.deepEqual(call.told.status, ["Dial 1/10 failed: retrying", "Dial 2/10 failed: retrying", "late"]);
  });

  it("gives up after dialErrorLimit failures with the last reason", async () => {
    const { port } = await closedPort();
    const call = callFor("t");
    const refused = create(remote, bag({ create: "true" }, { port, dialErrorLimit: 2 }), call);
    await assert.rejects(refused, {
      message: `after 2 failed attempts: dial tcp 127.0.0.1:${port}: connect: connection refused`,
    });
    assert.equal(call.told.status.length, 2);
  });

  it("waits without end for -1, until the engine cancels", async () => {
    const { port } = await closedPort();
    const controller = new AbortController();
    const waiting = create(
      remote,
      bag({ create: "true" }, { port, dialErrorLimit: -1 }),
      callFor("t", controller.signal),
    );
    setTimeout(() => controller.abort(new Error("context canceled")), 400);
    await assert.rejects(waiting, { message: "context canceled" });
  });

  it("lets a running command end although the engine cancels", async () => {
    const controller = new AbortController();
    const running = create(remote, bag({ create: "sleep 0.5; echo done" }), callFor("t", controller.signal));
    setTimeout(() => controller.abort(new Error("context canceled")), 200);
    assert.equal((await running).state.stdout, "done");
  });

  it("says which login was refused", async () => {
    const stranger = bag({ create: "true" }, { privateKey: sshKeyPair().private, dialErrorLimit: 0 });
    await assert.rejects(create(remote, stranger), /ssh: handshake failed: ssh: unable to authenticate/);
    const { state } = await create(remote, bag({ create: "echo in" }, { privateKey: undefined, password: "letmein" }));
    assert.equal(state.stdout, "in");
  });

  it("goes through a bastion", async () => {
    const proxy = server.connection() as Bag;
    const { state } = await create(remote, bag({ create: "echo behind" }, { proxy }));
    assert.equal(state.stdout, "behind");
    const broken = bag({ create: "true" }, { proxy: { ...proxy, port: (await closedPort()).port, dialErrorLimit: 0 } });
    await assert.rejects(create(remote, broken), /^Error: proxy: after 0 failed attempts: dial tcp/);
  });

  it("sets variables that the server accepts and fails on those that it refuses", async () => {
    server.acceptEnv = ["LC_DEMO"];
    const { state } = await create(remote, bag({ create: 'echo "$LC_DEMO"', environment: { LC_DEMO: "x y" } }));
    assert.equal(state.stdout, "x y");
    const call = callFor("t");
    const refused = create(remote, bag({ create: "echo never-run", environment: { OTHER: "v" } }), call);
    await assert.rejects(refused, { message: 'could not set environment variable "OTHER": ssh: setenv failed' });
    assert.match(call.told.errors[0] ?? "", /Unable to set 'OTHER'.*AcceptEnv/);
    assert.ok(!server.commands.includes("echo never-run"));
  });

  it("offers the last output to update and only warns when the server refuses it", async () => {
    server.acceptEnv = [];
    const { inputs, state } = await create(remote, bag({ create: "echo first" }));
    const news = { ...inputs, update: "echo second" };
    const call = callFor("t");
    const updated = await remote.update({ ...call, id: "x", inputs: news, state, oldInputs: inputs, preview: false });
    assert.equal(updated.stdout, "second");
    assert.match(call.told.warnings[0] ?? "", /PULUMI_COMMAND_STDOUT/);
    server.acceptEnv = ["PULUMI_COMMAND_STDOUT"];
    news.update = 'echo "was $PULUMI_COMMAND_STDOUT"';
    const again = await remote.update({ ...call, id: "x", inputs: news, state, oldInputs: inputs, preview: false });
    assert.equal(again.stdout, "was first");
    const silent = { ...news, addPreviousOutputInEnv: false };
    const third = await remote.update({ ...call, id: "x", inputs: silent, state, oldInputs: inputs, preview: false });
    assert.equal(third.stdout, "was ");
  });

  it("runs create again on update without an update command, and delete on delete", async () => {
    const { inputs, state } = await create(remote, bag({ create: "echo again" }));
    const update = { ...callFor("t"), id: "x", inputs: { ...inputs, stdin: "" }, state, oldInputs: inputs };
    assert.equal((await remote.update({ ...update, preview: false })).stdout, "again");
    await remote.delete({ ...callFor("t"), id: "x", state });
    await remote.delete({ ...callFor("t"), id: "x", state: { ...state, delete: "echo bye" } });
    assert.equal(server.commands.at(-1), "echo bye");
    await assert.rejects(
      remote.delete({ ...callFor("t"), id: "x", state: { ...state, delete: "exit 4" } }),
      /status 4/,
    );
  });
});

describe("private keys", () => {
  for (const type of ["ed25519", "ec", "rsa"] as const) {
    it(`reads an ${type} key in PKCS #8`, () => {
      const parsed = utils.parseKey(usablePrivateKey(pkcs8Key(type), undefined));
      assert.ok(!(parsed instanceof Error));
      assert.ok(parsed.isPrivateKey());
    });
  }

  it("refuses what is no key without printing it", () => {
    assert.throws(() => usablePrivateKey("planted-marker", undefined), { message: "ssh: no key found" });
  });
});

/** A loopback port on which nobody listens. */
async function closedPort(): Promise<{ port: number }> {
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as net.AddressInfo;
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return { port };
}
