import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { after, before, describe, it } from "mocha";
import { stackOutputs } from "../../cli/check";
import type { Engine } from "../../cli/engine";
import { alone, holdInstance } from "../../cli/hold";
import { checkInstance } from "../../cli/preflight";
import { prepareEngine, prepareSupplies, prepareTools } from "../../cli/prepare";
import { sandboxCluster, type Supplies, writeStackConfig } from "../../cli/stackConfig";
import { startOperation, type UpdateResult } from "../../cli/update";
import { expectationOf, type Report, renderReport, runDoctor } from "../../components/doctor";
import type { ClusterArgs } from "../../components/plan";
import { endSandbox } from "../../sandbox/control";
import { chooseInstance, type Instance, saveInstance } from "../../sandbox/instance";
import { needs } from "../capabilities";
import { since, tell } from "../e2e/support/evidence";
import { eventually } from "../e2e/support/wait";
import { bootMachine, type OwnedMachine } from "./machine";

const name = process.env.ZEROSTEAL_SOAK_INSTANCE ?? "soak";

/**
 * Where the CPU is emulated, kubeadm may not get an answer from the API within its ten seconds, and the disk is slow while everything
 * starts. Each `up` goes on where the last one ended.
 */
const tries = 4;

/** What a stock kernel has and the host of a sandbox may lack: netkit devices, WireGuard, fq and BBR in pods. */
function everything(instance: Instance, supplies: Supplies, machine: OwnedMachine): ClusterArgs {
  const stock = { ...supplies, bbr: true, sysResource: true, cgroupVersion: 2 as const };
  const base = sandboxCluster(instance, stock, { workers: 0 }, machine.underlay);
  return {
    ...base,
    pools: [],
    // A machine of its own passes every check of kubeadm.
    kubernetes: {},
    network: { datapath: "netkit", encryption: "wireguard" },
  };
}

describe("one node on a stock kernel, all the way", function () {
  this.timeout(2 * 60 * 60_000);
  let instance: Instance | undefined;
  let release: (() => Promise<void>) | undefined;
  let machine: OwnedMachine;
  let engine: Engine;
  let booted: OwnedMachine | undefined;
  let started = 0;

  before(async function () {
    needs(this, "root", "qemu");
    instance = await alone(async () => {
      const chosen = await chooseInstance(name);
      await checkInstance(chosen);
      await saveInstance(chosen);
      return chosen;
    });
    release = await holdInstance(instance);
    const tools = await prepareTools(instance, () => undefined);
    const supplies = await prepareSupplies(instance, () => undefined);
    engine = await prepareEngine(instance, tools);
    const booting = performance.now();
    machine = booted = await bootMachine(instance);
    await machine.vm.answers();
    tell(`boot to an answer by SSH: ${since(booting)}`);
    await eventually(() => machine.vm.run("cloud-init status --wait"), 900);
    tell(`first boot is over: ${since(booting)}`);
    const keyFile = path.join(instance.stateDir, "hosts-key");
    await writeFile(keyFile, machine.privateKey, { mode: 0o600 });
    await writeStackConfig(engine, {
      "zerosteal:name": name,
      "zerosteal:cluster": everything(instance, supplies, machine),
      "zerosteal:sshKeyFile": keyFile,
      "zerosteal:doctor": { egressTarget: `${instance.hostAddress}:${instance.mirrorPort}`, settleSeconds: 1000 },
    });
  });

  after(async () => {
    if (!instance || process.env.ZEROSTEAL_SOAK_KEEP === "1") return;
    await booted?.vm.stop();
    await booted?.mirror.close();
    await release?.();
    await endSandbox(instance);
  });

  const inAgent = (command: string): Promise<string> =>
    machine.vm.run(
      `kubectl --kubeconfig=/etc/kubernetes/admin.conf -n kube-system exec ds/cilium -c cilium-agent -- ${command}`,
    );

  const up = async (): Promise<UpdateResult> => {
    const flags = ["--yes", "--skip-preview", "--continue-on-error", "--parallel", "24"];
    return startOperation(engine, ["up", ...flags], ({ kind, name: step, op }) => {
      if (kind !== "begin" && op !== "same")
        tell(`${since(started)} ${kind === "failed" ? "FAILED " : ""}${op} ${step}`);
    }).result;
  };

  it("`pulumi up` makes the node, and its doctor is green", async () => {
    started = performance.now();
    for (let attempt = 1; ; attempt++) {
      const update = await up();
      tell(`pulumi up ${attempt}: ${since(started)}`);
      if (update.errors.length === 0) break;
      const texts = update.errors.map(({ message }) => message.trim().split("\n").slice(-3).join("\n        "));
      tell(texts.join("\n        "));
      assert.notEqual(attempt, tries, JSON.stringify(update.errors));
    }
    const report = JSON.parse((await stackOutputs(engine)).doctorReport ?? "{}") as Report;
    assert.ok(report.healthy);
  });

  it("the doctor finds no check red, and none that a machine could not prove", async () => {
    const { kubeconfig, plan } = await stackOutputs(engine);
    assert.ok(kubeconfig && plan && instance);
    const report = await eventually(async () => {
      const found = await runDoctor({
        kubeconfig,
        expectation: expectationOf(plan),
        egressTarget: `${instance?.hostAddress}:${instance?.mirrorPort}`,
        settleSeconds: 300,
      });
      assert.ok(found.healthy, renderReport(found));
      return found;
    }, 900);
    tell(renderReport(report));
    assert.equal(report.counts.unprovable, 0);
  });

  it("Cilium says netkit, WireGuard, BBR in pods with fq on the NIC, and no kube-proxy", async () => {
    const status = await inAgent("cilium-dbg status --verbose");
    tell(
      status
        .split("\n")
        .filter((line) => /^(KubeProxy|Host|Routing|Encryption|Bandwidth|Masq|Device)|Mode:/.test(line))
        .join("\n        "),
    );
    assert.match(status, /^KubeProxyReplacement:\s+True/m);
    assert.match(status, /^Routing:.*Host: BPF/m);
    assert.match(status, /^BandwidthManager:\s+EDT with BPF \[BBR\]/m);
    assert.match(status, /^Device Mode:\s+netkit/m);
    assert.match(status, /^Encryption:\s+Wireguard/m);
    assert.match(await machine.vm.run("tc qdisc show dev eth1 root"), /^qdisc fq /m);
    assert.match(await machine.vm.run("ip -br link show type wireguard"), /^cilium_wg0 /m);
    assert.match(await machine.vm.run("ip -d link show"), /netkit/);
  });

  it("a second `pulumi up` changes nothing", async () => {
    const again = await up();
    assert.deepEqual(again.errors, []);
    assert.deepEqual(Object.keys(again.changes), ["same"]);
  });
});
