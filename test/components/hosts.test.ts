import assert from "node:assert/strict";
import { type TunedClusterArgs } from "../../components";
import { hostsCluster } from "../plan/clusters";
import { opened } from "./program";
import { commands, find, label, runCluster } from "./support";

/** Arguments of existing hosts with the key that they let in. */
function hostsArgs(change: Partial<TunedClusterArgs> = {}): TunedClusterArgs {
  return { ...hostsCluster(), sshKey: { privateKey: "the operator's key" }, ...change };
}

interface Connection {
  host: unknown;
  user: unknown;
  port?: unknown;
  privateKey?: unknown;
  agentSocketPath?: unknown;
  hostKey: unknown;
}

describe("a cluster of existing hosts", () => {
  it("registers no object of a cloud: a preflight, the files and the same steps", async () => {
    const { registrations, error } = await runCluster(hostsArgs());
    assert.equal(error, undefined);
    const nodes = ["prod-control-plane-1", "prod-web-1", "prod-web-2"];
    assert.deepEqual(
      registrations.map(label).sort(),
      [
        "TunedCluster prod",
        ...nodes.flatMap((name) => [`remote.Command preflight-${name}`, `remote.Command tune-${name}`]),
        "remote.Command init-prod-control-plane-1",
        "remote.Command kubeconfig-prod",
        "kubernetes prod",
        "Release cilium-prod",
        "remote.Command services-prod",
        ...nodes.slice(1).flatMap((name) => [`remote.Command admit-${name}`, `remote.Command join-${name}`]),
        "local.Command doctor-prod",
      ].sort(),
    );
  });

  it("knows all of a first preview but ids and outputs: addresses, keys and scripts are plain", async () => {
    const { registrations } = await runCluster(hostsArgs(), { preview: true });
    for (const step of commands(registrations).filter(({ name }) => /^(preflight|tune)-/.test(name))) {
      const { host, hostKey } = opened(step.inputs.connection) as Connection;
      assert.match(String(host), /^203\.0\.113\.1\d$/, step.name);
      assert.match(String(hostKey), /^ssh-ed25519 /, step.name);
      assert.equal(typeof step.inputs.create, "string", step.name);
    }
  });

  it("puts a machine's files into effect only after its preflight, and frees it when it leaves", async () => {
    const { registrations } = await runCluster(hostsArgs());
    const tune = find(registrations, "remote.Command tune-prod-web-1");
    const preflight = find(registrations, "remote.Command preflight-prod-web-1");
    assert.ok(tune.dependencies.includes(preflight.urn), tune.dependencies.join(" "));
    assert.equal(tune.deletedWith, preflight.urn);
    assert.match(String(preflight.inputs.delete), /kubeadm reset --force/);
    assert.ok(preflight.deleteBeforeReplace);
    assert.deepEqual(preflight.inputs.triggers, ["203.0.113.11:22"]);
  });

  it("keeps the key a secret", async () => {
    const { registrations } = await runCluster(hostsArgs());
    for (const step of commands(registrations).filter(({ type }) => type.includes("remote"))) {
      assert.notEqual(opened(step.inputs.connection), step.inputs.connection, `${step.name} shows the key`);
    }
  });

  it("takes another user by sudo, another port, and an agent in place of a key", async () => {
    const args = hostsArgs({ sshKey: undefined, sshAgent: "/run/agent.sock" });
    assert.ok(args.underlay.kind === "hosts");
    args.underlay.user = "admin";
    for (const machine of Object.values(args.underlay.machines)) machine.sshPort = 2222;
    const { registrations, error } = await runCluster(args);
    assert.equal(error, undefined);
    const { connection, create } = find(registrations, "remote.Command preflight-prod-web-1").inputs;
    const { user, port, agentSocketPath, privateKey } = opened(connection) as Connection;
    assert.deepEqual([user, port, agentSocketPath, privateKey], ["admin", 2222, "/run/agent.sock", undefined]);
    assert.match(String(create), /^LOGIN_USER='admin'$/m);
    assert.match(String(create), /\nsudo -n bash -c "\$\(cat <<'END_OF_ROOT'\n/);
  });

  it("is refused without a key that the machines let in", async () => {
    const { error, registrations } = await runCluster(hostsArgs({ sshKey: undefined }));
    assert.match(String(error), /sshKey: is missing; existing hosts let in a key of yours/);
    assert.deepEqual(registrations.map(label), ["TunedCluster prod"]);
  });
});
