import assert from "node:assert/strict";
import { HostDriver } from "../../../sandbox/driver";
import { daemonPid, startSandbox, stopDaemon } from "../../../sandbox/control";
import { listNamespaces, removeNamespace } from "../../../sandbox/network/namespaces";
import { machineImages } from "../../../sandbox/supplies";
import { runCli } from "../support/cli";
import { act } from "../support/cloud";
import { type Cluster, controlPlane, kubeGet, type LiveNode, onNode, openCluster, worker } from "../support/cluster";
import { expectHealthy } from "../support/doctor";
import { since, tell } from "../support/evidence";
import { processesOf } from "../support/hostSnapshot";
import { shared } from "../support/shared";
import { eventually } from "../support/wait";

/** Machines, the sandbox's process and the whole host begin again. */
export function rebootSuite(): void {
  describe("reboot", function () {
    this.timeout(400_000);
    let cluster: Cluster;

    before(async () => {
      cluster = await openCluster();
    });

    it("a worker comes back by itself", () => rebootAndWait(cluster, worker(cluster, 0)));

    it("the control plane comes back by itself", () => rebootAndWait(cluster, controlPlane(cluster)));

    it("machines go on while the sandbox's process ends and starts again", async () => {
      const { instance } = cluster;
      const boots = await Promise.all(cluster.nodes.map((node) => bootMark(cluster, node)));
      await stopDaemon(instance);
      assert.equal(await daemonPid(instance), undefined);
      await startSandbox(instance);
      assert.deepEqual(await Promise.all(cluster.nodes.map((node) => bootMark(cluster, node))), boots);
      await expectHealthy(cluster);
    });

    it("after a restart of the host `up` brings all machines back with their disks", async () => {
      const { instance } = cluster;
      for (const node of cluster.nodes) await onNode(cluster, node, `echo ${node.name} >/var/lib/e2e-mark; sync`);
      await loseHost(cluster);
      assert.deepEqual(await processesOf(instance), []);
      const started = performance.now();
      const result = await runCli("up");
      shared.runs.push(result);
      assert.equal(result.exitCode, 0, result.output);
      assert.match(result.output, /^changes: none$/m);
      tell(`npm run up after the loss of every process, namespace and mount: ${since(started)}`);
      for (const node of cluster.nodes) {
        assert.equal(await onNode(cluster, node, "cat /var/lib/e2e-mark"), node.name);
      }
      await expectHealthy(cluster);
    });
  });
}

/** Reboots by the cloud's API, and waits until the doctor finds nothing wrong, without any `up`. */
async function rebootAndWait(cluster: Cluster, node: LiveNode): Promise<void> {
  const before = await bootMark(cluster, node);
  const started = performance.now();
  await act(cluster.engine, `/servers/${node.serverId}/actions/reboot`);
  await eventually(async () => assert.notEqual(await bootMark(cluster, node), before), 60);
  await eventually(async () => {
    const { status } = await kubeGet<{
      status: { conditions: { type: string; status: string; lastHeartbeatTime: string }[] };
    }>(cluster, "node", node.name);
    assert.equal(status.conditions.find(({ type }) => type === "Ready")?.status, "True");
  });
  await expectHealthy(cluster);
  tell(`${node.name}: healthy ${since(started)} after the reboot was asked for`);
}

/** Tells one boot of a machine from the next: when its first process began. */
function bootMark(cluster: Cluster, node: LiveNode): Promise<string> {
  return onNode(cluster, node, "cut -d' ' -f22 /proc/1/stat");
}

/** What a power cut leaves of a sandbox: its disks. */
async function loseHost({ instance, nodes }: Cluster): Promise<void> {
  const pid = await daemonPid(instance);
  if (pid) process.kill(pid, "SIGKILL");
  const driver = new HostDriver(instance, machineImages(instance));
  await Promise.all(nodes.map((node) => driver.powerOff(node.serverId)));
  const own = (await listNamespaces()).filter((name) => name.startsWith(`${instance.prefix}-`));
  for (const name of own) await removeNamespace(name);
}
