import { copyFile, mkdir, mkdtemp, rm } from "node:fs/promises";
import path from "node:path";
import { probesOf } from "../../components/doctor/evidence";
import { expectationOf } from "../../components/doctor/expectation";
import { sysctlsNode } from "../../components/doctor/checks/sysctls";
import { parseHostProbe } from "../../components/doctor/parse";
import { probeScript } from "../../components/doctor/probeScript";
import type { CheckResult } from "../../components/doctor/types";
import { type ClusterPlan, type NodePlan, planCluster } from "../../components/plan";
import { withHostKey } from "../../components/plan/cloudInit";
import { newKeyPair } from "../../components/node/keys";
import { artifactManifest, ensureArtifacts } from "../../sandbox/mirror/artifacts";
import { freePort, VirtualMachine } from "../../sandbox/vm/vm";
import type { VmNic } from "../../sandbox/vm/qemu";
import { ensureVmImage } from "../../sandbox/vm/vmImage";
import { evidence } from "../doctor/fixtures";

/** Private address of the node, on a NIC of its own as Hetzner's servers have it. */
const privateNic = "eth1";

/** Nobody answers there: the artifacts lie in the machine's cache. */
const mirror = "http://192.0.2.1:5000/";

/** A node of a planned cluster on a virtual machine, and what was planned for it. */
export interface KernelNode {
  vm: VirtualMachine;
  plan: ClusterPlan;
  node: NodePlan;
  /** Ends the machine and removes its folder. */
  remove(): Promise<void>;
}

/** Plans a cluster of one node with the latency profile and switches its machine on, with the plan's own user data. */
export async function bootNode(): Promise<KernelNode> {
  const dir = await mkdtemp("/var/tmp/zerosteal-kernel-");
  const removeDir = (): Promise<void> => rm(dir, { recursive: true, force: true });
  try {
    const { plan, cache } = await planned(path.join(dir, "artifacts"));
    const node = plan.nodes[0] as NodePlan;
    const vm = await machineOf(dir, node, cache);
    const remove = async (): Promise<void> => {
      await vm.stop();
      await removeDir();
    };
    return { vm, plan, node, remove };
  } catch (error) {
    await removeDir();
    throw error;
  }
}

/** The plan, and a folder with its artifacts under the names of their checksums, as the setup script keeps what it has fetched. */
async function planned(cache: string): Promise<{ plan: ClusterPlan; cache: string }> {
  const served = await ensureArtifacts();
  await mkdir(cache);
  for (const { artifact, file } of served) await copyFile(file, path.join(cache, artifact.sha256));
  const plan = planCluster("kernel", {
    underlay: { kind: "hetzner", location: "fsn1", privateInterface: privateNic },
    access: { ssh: ["10.0.2.2/32"], api: ["10.0.2.2/32"] },
    controlPlane: { serverType: "ccx13" },
    pools: [],
    artifacts: { baseUrl: mirror, manifest: artifactManifest(served) },
  });
  return { plan, cache };
}

async function machineOf(dir: string, node: NodePlan, cache: string): Promise<VirtualMachine> {
  const key = newKeyPair("ed25519");
  const hostKey = newKeyPair("ecdsa");
  const sshPort = await freePort();
  const [first, second] = ["52:54:00:00:00:01", "52:54:00:00:00:02"] as const;
  const nics: VmNic[] = [
    { mac: first, to: { sshPort } },
    { mac: second, to: "nothing" },
  ];
  const vm = new VirtualMachine(
    dir,
    { cpus: 1, memoryMiB: 3072, nics },
    { address: "127.0.0.1", port: sshPort, privateKey: key.private, hostKeys: [hostKey.public] },
  );
  const seed = {
    instanceId: node.name,
    hostname: node.name,
    sshKeys: [key.public],
    userData: withHostKey(node.userData, hostKey.private),
    nics: [{ mac: first }, { mac: second, address: `${node.privateAddress}/32` }],
  };
  await vm.install(await ensureVmImage(), { seed, folders: { "/var/cache/zerosteal": cache } }, 8192);
  await vm.start();
  return vm;
}

/** What the doctor says of the node's kernel settings: its own probe, run on the machine itself, and its own check. */
export async function judgeSysctls({ vm, plan, node }: KernelNode): Promise<CheckResult[]> {
  const expectation = expectationOf(plan);
  const keys = expectation.sysctls.map(({ key }) => key).join(" ");
  const probe = `PROBE_SYSCTLS='${keys}' bash -c "$(cat)" probe host 0 0 - -`;
  const host = parseHostProbe(await vm.run(probe, probeScript));
  const base = evidence();
  const probes = probesOf(base, base.nodes[0]?.name ?? "");
  if (!probes) throw new Error("the fixture has probes");
  return sysctlsNode.run(expectation, { ...base, probes: [{ ...probes, node: node.name, host: { value: host } }] });
}
