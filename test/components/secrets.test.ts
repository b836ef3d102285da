import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { readInput } from "../../components/doctor/main";
import { clearText, isSecret, kubeadmKubeconfig, opened, type Registration } from "./program";
import { clusterArgs, commands, find, runCluster } from "./support";

/** What must never stand anywhere in clear. */
const marks = {
  privateKey: "-----BEGIN OPENSSH PRIVATE KEY-----\nplanted-client-key\n-----END OPENSSH PRIVATE KEY-----\n",
  cloudToken: "planted-cloud-token",
  joinToken: "planted.jointoken",
  kubeconfig: "plantedKubeconfigKey",
};
const traces = ["planted-client-key", "planted-cloud-token", "planted.jointoken", "plantedKubeconfigKey"];
const generated = "BEGIN OPENSSH PRIVATE KEY";

/** The engine wraps what `additionalSecretOutputs` names; the mocks do not, so here the value comes wrapped. */
function outputs(_type: string, name: string): Record<string, unknown> | undefined {
  if (name.startsWith("admit-")) return { stdout: pulumi.secret(marks.joinToken) };
  if (name.startsWith("kubeconfig-")) {
    return { stdout: pulumi.secret(kubeadmKubeconfig(marks.kubeconfig)) };
  }
  return undefined;
}

async function withSecrets(): Promise<Registration[]> {
  const sshKey = { publicKey: "ssh-ed25519 AAAA", privateKey: marks.privateKey };
  const { registrations, error } = await runCluster(clusterArgs({ sshKey, hcloudToken: marks.cloudToken }), {
    outputs,
  });
  assert.equal(error, undefined);
  return registrations;
}

describe("secrets of a cluster", () => {
  it("are wrapped wherever they stand among the inputs", async () => {
    const registrations = await withSecrets();
    const inputs = JSON.stringify(registrations.map((registration) => opened(registration.inputs)));
    for (const trace of [...traces, generated]) assert.ok(inputs.includes(trace), `${trace} is used`);
    const clear = JSON.stringify(registrations.map((registration) => clearText(registration.inputs)));
    for (const trace of [...traces, generated]) assert.ok(!clear.includes(trace), `${trace} stands in clear`);
  });

  it("are wrapped when the library makes the operator's key and the token comes from the configuration", async () => {
    const config = { "hcloud:token": marks.cloudToken };
    const { registrations } = await runCluster(clusterArgs(), { config, secretConfig: ["hcloud:token"] });
    const doctor = find(registrations, "local.Command doctor-prod").inputs;
    assert.ok(String(opened(doctor.stdin)).includes(marks.cloudToken));
    const clear = JSON.stringify(registrations.map((registration) => clearText(registration.inputs)));
    assert.ok(!clear.includes(marks.cloudToken) && !clear.includes(generated));
  });

  it("reach steps by standard input or as the connection, whole values marked", async () => {
    const registrations = await withSecrets();
    const at = (name: string, key: string): unknown => find(registrations, name).inputs[key];
    assert.ok(isSecret(at("Server prod-web-1", "userData")));
    assert.ok(isSecret(at("Stash hostkey-prod-web-1", "input")));
    assert.ok(isSecret(at("remote.Command join-prod-web-1", "stdin")));
    assert.ok(isSecret(at("local.Command doctor-prod", "stdin")));
    assert.ok(isSecret(at("kubernetes prod", "kubeconfig")));
    for (const { inputs, type } of commands(registrations).filter((found) => found.type.includes("remote"))) {
      assert.ok(
        isSecret(inputs.connection) || isSecret((inputs.connection as Record<string, unknown>).privateKey),
        type,
      );
    }
  });

  it("stand in no script: what is run is the same for every secret", async () => {
    const texts = (registrations: Registration[]): unknown[] =>
      commands(registrations).map(({ inputs }) => [inputs.create, inputs.delete]);
    const planted = texts(await withSecrets());
    const others = texts((await runCluster()).registrations);
    assert.deepEqual(planted, others);
    assert.ok(!JSON.stringify(planted).includes("planted"));
    assert.ok(
      planted.flat().every((text) => text === undefined || typeof text === "string"),
      "no script is a secret",
    );
  });

  it("come out of steps as secrets: join token and kubeconfig", async () => {
    const registrations = await withSecrets();
    const secretOutputs = commands(registrations)
      .filter((command) => command.secretOutputs.includes("stdout") && command.secretOutputs.includes("stderr"))
      .map((command) => command.name);
    assert.deepEqual(secretOutputs.sort(), ["admit-prod-web-1", "admit-prod-web-2", "kubeconfig-prod"]);
  });

  it("leave the component as secrets", async () => {
    const run = await runCluster(clusterArgs(), { outputs });
    const cluster = run.value;
    assert.ok(cluster);
    assert.equal(await pulumi.isSecret(cluster.kubeconfig), true);
    assert.equal(await pulumi.isSecret(cluster.nodes[0]!.publicAddress), false);
  });

  it("are no part of the component's own inputs", async () => {
    const registrations = await withSecrets();
    const keys = Object.keys(find(registrations, "TunedCluster prod").inputs).sort();
    assert.deepEqual(keys, ["access", "controlPlane", "pools", "underlay"]);
  });
});

describe("the doctor's input", () => {
  it("is the document that the doctor reads, with the reachable address in the kubeconfig", async () => {
    const args = clusterArgs({
      hcloudToken: marks.cloudToken,
      doctor: { egressTarget: "192.0.2.1:80", settleSeconds: 5 },
    });
    const { registrations } = await runCluster(args, { outputs });
    const { stdin } = find(registrations, "local.Command doctor-prod").inputs;
    const options = readInput(String(opened(stdin)), {});
    assert.match(options.kubeconfig, /^ +server: "https:\/\/198\.51\.100\.\d+:6443"$/m);
    assert.match(options.kubeconfig, /^ +tls-server-name: "api\.prod\b/m);
    assert.equal(options.egressTarget, "192.0.2.1:80");
    assert.equal(options.settleSeconds, 5);
    assert.equal(options.expectation?.nodes.length, 3);
    assert.deepEqual(options.hcloud && { ...options.hcloud, endpoint: "" }, {
      token: marks.cloudToken,
      endpoint: "",
      networkName: "prod",
    });
  });

  it("is the same at every run, so that nothing is verified again for nothing", async () => {
    const stdinOf = async (): Promise<unknown> => {
      const same = (type: string, name: string): Record<string, unknown> | undefined =>
        type.includes("server:Server") ? { ipv4Address: "198.51.100.7" } : outputs(type, name);
      const { registrations } = await runCluster(clusterArgs(), { outputs: same });
      return opened(find(registrations, "local.Command doctor-prod").inputs.stdin);
    };
    assert.equal(await stdinOf(), await stdinOf());
  });
});
