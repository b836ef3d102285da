import { mkdir } from "node:fs/promises";
import path from "node:path";
import { newKeyPair } from "../../components/node/keys";
import type { HostsUnderlayArgs } from "../../components/plan";
import { preloadContainerd } from "../../sandbox/images/preload";
import type { Instance } from "../../sandbox/instance";
import type { Mirror } from "../../sandbox/mirror/mirror";
import { run } from "../../sandbox/run";
import { openMirror } from "../../sandbox/supplies";
import { VirtualMachine } from "../../sandbox/vm/vm";
import { ensureVmImage } from "../../sandbox/vm/vmImage";

const hardware = { cpus: 2, memoryMiB: 6144 };
const macs = { public: "52:54:00:00:01:01", private: "52:54:00:00:01:02" };

/**
 * Where the CPU is emulated, a write of etcd waits for its turn there and not for a disk. So its folder lies in memory, and its threads come
 * before all others: what is left says of the machine what etcd's times say of a fast disk elsewhere.
 */
const etcdFirst = [
  "mkdir -m 700 -p /var/lib/etcd && mount -t tmpfs -o mode=0700,size=1g tmpfs /var/lib/etcd",
  "systemd-run --unit=etcd-first bash -c 'while sleep 5; do pgrep -x etcd | xargs -r -n 1 chrt -a -r -p 1; done'",
];

/** A virtual machine that stands for a VPS of any provider, and what its owner knows of it. */
export interface OwnedMachine {
  vm: VirtualMachine;
  mirror: Mirror;
  underlay: HostsUnderlayArgs;
  /** Private key that root lets in. */
  privateKey: string;
}

/**
 * Boots a machine beside the host: its public NIC at a tap device of the instance's name, on which the mirror listens, and a private NIC
 * with nobody else on its segment. Its container images are on its disk already.
 */
export async function bootMachine(instance: Instance): Promise<OwnedMachine> {
  const address = instance.hostAddress.replace(/\.1$/, ".10");
  const privateAddress = "10.20.0.10";
  const tap = await openTap(instance);
  const mirror = await openMirror(instance);
  const key = newKeyPair("ed25519");
  const hostKey = newKeyPair("ed25519");
  const dir = path.join(instance.stateDir, "vm");
  await mkdir(dir, { mode: 0o700 });
  const vm = new VirtualMachine(
    dir,
    {
      ...hardware,
      nics: [
        { mac: macs.public, to: { tap } },
        { mac: macs.private, to: "nothing" },
      ],
    },
    { address, port: 22, privateKey: key.private, hostKeys: [hostKey.public] },
  );
  const seed = {
    instanceId: instance.name,
    hostname: instance.name,
    sshKeys: [key.public],
    userData: `#cloud-config\n${JSON.stringify({
      disable_root: false,
      ssh_deletekeys: true,
      ssh_keys: { ed25519_private: hostKey.private },
      ssh_pwauth: false,
      runcmd: etcdFirst,
    })}\n`,
    nics: [
      { mac: macs.public, address: `${address}/24`, gateway: instance.hostAddress },
      { mac: macs.private, address: `${privateAddress}/24` },
    ],
  };
  const folders = { "/var/lib/containerd": await preloadContainerd() };
  await vm.install(await ensureVmImage(), { seed, folders }, 16384);
  await vm.start();
  return { vm, mirror, underlay: describe(address, privateAddress, hostKey.public), privateKey: key.private };
}

function describe(address: string, privateAddress: string, hostKey: string): HostsUnderlayArgs {
  return {
    kind: "hosts",
    segment: "l2",
    nodeSubnet: "10.20.0.0/24",
    machines: {
      "control-plane-1": {
        address,
        privateAddress,
        hostKey: hostKey.split(" ").slice(0, 2).join(" "),
        cpus: hardware.cpus,
        memoryGiB: hardware.memoryMiB / 1024,
      },
    },
  };
}

/** Makes the host's end of the public NIC, under the name by which the instance's end removes it. */
async function openTap(instance: Instance): Promise<string> {
  const tap = `${instance.prefix}-up`;
  await run("ip", ["tuntap", "add", "dev", tap, "mode", "tap"]);
  await run("ip", ["addr", "add", `${instance.hostAddress}/24`, "dev", tap]);
  await run("ip", ["link", "set", tap, "up"]);
  return tap;
}
