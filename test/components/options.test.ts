import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { checkCluster } from "../../components";
import { idOf, opened } from "./program";
import { clusterArgs, commands, find, label, runCluster, withWorkers } from "./support";

describe("options of a cluster's resources", () => {
  it("let steps go with their machine, and Cilium with the control plane, without running anything", async () => {
    const { registrations } = await runCluster();
    const machineOf = (name: string): string => find(registrations, `Server ${name}`).urn;
    for (const { name, deletedWith } of commands(registrations).filter((found) => found.name.endsWith("-web-1"))) {
      // A worker's admission is undone on the control plane, while the worker itself may be gone already.
      const machine = name.startsWith("admit-") ? "prod-control-plane-1" : "prod-web-1";
      assert.equal(deletedWith, machineOf(machine), name);
    }
    assert.equal(find(registrations, "Release cilium-prod").deletedWith, machineOf("prod-control-plane-1"));
  });

  it("run something at deletion only where a worker leaves", async () => {
    const { registrations } = await runCluster();
    const deleting = commands(registrations).filter(({ inputs }) => inputs.delete !== undefined);
    assert.deepEqual(deleting.map(({ name }) => name).sort(), ["admit-prod-web-1", "admit-prod-web-2"]);
    const script = String(deleting[0]!.inputs.delete);
    assert.ok(script.indexOf("drain prod-web-1") < script.indexOf("delete node prod-web-1"));
  });

  it("never replace a machine for what matters at its first boot only", async () => {
    const { registrations } = await runCluster();
    for (const server of registrations.filter(({ type }) => type.endsWith(":Server"))) {
      assert.deepEqual(server.ignoreChanges, ["userData", "sshKeys", "image"]);
      assert.equal(server.deleteBeforeReplace, true, "names and private addresses are unique");
    }
  });

  it("make a machine after the subnet that its address belongs to, and attach it at once", async () => {
    const { registrations } = await runCluster();
    const subnet = find(registrations, "NetworkSubnet prod-nodes");
    const server = find(registrations, "Server prod-web-2");
    assert.ok(server.dependencies.includes(subnet.urn));
    const network = Number(idOf("hcloud:index/network:Network", "prod"));
    assert.deepEqual(opened(server.inputs.networks), [{ networkId: network, ip: "10.0.0.12", aliasIps: [] }]);
  });

  it("change the routes of a network one after the other", async () => {
    const { registrations } = await runCluster(withWorkers(3));
    const routes = registrations.filter(({ type }) => type.endsWith(":NetworkRoute"));
    for (const [index, route] of routes.entries()) {
      const before = routes.slice(0, index).filter(({ urn }) => route.dependencies.includes(urn));
      assert.deepEqual(before, routes.slice(Math.max(0, index - 1), index), route.name);
    }
  });

  it("order the steps: tune, init, admit, join, and the doctor after all", async () => {
    const { registrations } = await runCluster();
    const needs = (name: string, other: string): void => {
      const [step, before] = [find(registrations, name), find(registrations, other)];
      assert.ok(step.dependencies.includes(before.urn), `${name} needs ${other}`);
    };
    const command = (name: string): string => `remote.Command ${name}`;
    needs(command("tune-prod-web-1"), command("hostkey-prod-web-1"));
    needs(command("init-prod-control-plane-1"), command("tune-prod-control-plane-1"));
    needs(command("admit-prod-web-1"), command("init-prod-control-plane-1"));
    needs(command("join-prod-web-1"), command("admit-prod-web-1"));
    needs(command("join-prod-web-1"), command("tune-prod-web-1"));
    for (const last of ["join-prod-web-1", "join-prod-web-2"]) needs("local.Command doctor-prod", command(last));
    needs("local.Command doctor-prod", "Release cilium-prod");
    for (const node of ["control-plane-1", "web-1", "web-2"]) {
      needs("local.Command doctor-prod", `NetworkRoute prod-${node}`);
    }
  });

  it("let workers begin independently: none waits for another's step", async () => {
    const { registrations } = await runCluster();
    const first = new Set(
      commands(registrations)
        .filter(({ name }) => name.endsWith("prod-web-1"))
        .map(({ urn }) => urn),
    );
    for (const { name, dependencies } of commands(registrations).filter(({ name }) => name.endsWith("prod-web-2"))) {
      assert.deepEqual(
        dependencies.filter((urn) => first.has(urn)),
        [],
        name,
      );
    }
  });

  it("learn a machine's host key once, and anew at the address of a machine that takes its place", async () => {
    const { registrations } = await runCluster();
    const learned = find(registrations, "remote.Command hostkey-prod-web-1");
    assert.deepEqual(learned.ignoreChanges, ["create"]);
    assert.deepEqual(opened(learned.inputs.triggers), [idOf("hcloud:index/server:Server", "prod-web-1")]);
    const pinned = opened(find(registrations, "remote.Command tune-prod-web-1").inputs.connection);
    assert.equal((pinned as { hostKey: string }).hostKey, "stdout of hostkey-prod-web-1");
  });

  it("give up no step before its own bound, which is shorter than the engine's", async () => {
    const { registrations } = await runCluster();
    for (const { name, inputs, timeouts } of commands(registrations).filter(({ type }) => type.includes("remote"))) {
      const seconds = Number(/^timeout (\d+) /m.exec(String(inputs.create))?.[1]);
      assert.ok(seconds > 0 && Number.parseInt(timeouts.create, 10) * 60 >= seconds + 600, name);
      assert.equal(timeouts.update, timeouts.create, name);
    }
  });

  it("identify the cluster by a plain value, so that an unknown kubeconfig replaces nothing in it", async () => {
    const { registrations } = await runCluster(clusterArgs(), { preview: true });
    const { inputs } = find(registrations, "kubernetes prod");
    assert.equal(inputs.clusterIdentifier, "test-dev-prod");
    assert.equal(inputs.deleteUnreachable, "true");
  });
});

describe("wrong arguments", () => {
  it("come back all at once, as one error of the component, before any child is registered", async () => {
    const args = withWorkers(2, { access: { ssh: [], api: [] }, controlPlane: { count: 2, serverType: "ccx99" } });
    const { error, registrations } = await runCluster(args);
    assert.ok(error instanceof pulumi.ResourceError);
    assert.equal(error.hideStack, true);
    assert.equal(error.resource?.constructor.name, "TunedCluster");
    assert.deepEqual(registrations.map(label), ["TunedCluster prod"]);
    const { problems } = checkCluster("prod", args);
    assert.ok(problems.length >= 4, error.message);
    for (const { path, message } of problems) assert.ok(error.message.includes(`${path}: ${message}`), path);
    assert.match(error.message, /^Cluster "prod": \d+ problems\n/);
  });
});

describe("hooks into children", () => {
  it("change inputs and options of the resource that they name, and of no other", async () => {
    const names: string[] = [];
    const { registrations } = await runCluster(
      clusterArgs({
        transform: {
          server: (args, opts, name) => {
            names.push(name);
            args.backups = true;
            opts.protect = true;
          },
          network: (args) => void (args.labels = { team: "edge" }),
          firewall: (args) => void (args.name = "ours"),
          cilium: (args) => void (args.timeout = 17),
        },
      }),
    );
    assert.deepEqual(names, ["prod-control-plane-1", "prod-web-1", "prod-web-2"]);
    assert.equal(find(registrations, "Server prod-web-1").inputs.backups, true);
    assert.deepEqual(find(registrations, "Network prod").inputs.labels, { team: "edge" });
    assert.equal(find(registrations, "Firewall prod").inputs.name, "ours");
    assert.equal(find(registrations, "Release cilium-prod").inputs.timeout, 17);
    const touched = registrations.filter(({ inputs }) => inputs.backups === true).length;
    assert.equal(touched, 3);
  });
});
