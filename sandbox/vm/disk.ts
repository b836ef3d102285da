import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { run } from "../run";

/** What a virtual machine's disk holds when it is new. */
export interface DiskContent {
  /** Root file system of the image. */
  rootDir: string;
  /** What cloud-init finds at first boot. */
  seed: VmSeed;
  /** Further folders of this host, by the absolute path at which the machine has them. */
  folders?: Record<string, string>;
}

/** What a provider tells a new machine. Secrets may stand in `userData`. */
export interface VmSeed {
  /** Changed, cloud-init takes the next boot for a first one. */
  instanceId: string;
  hostname: string;
  /** Public SSH keys that root lets in, OpenSSH lines. */
  sshKeys: string[];
  userData: string;
  nics: SeedNic[];
}

/** A NIC as cloud-init configures it. */
export interface SeedNic {
  mac: string;
  /** Address and prefix length; absent: by DHCP. */
  address?: string;
  /** Default route. */
  gateway?: string;
}

/**
 * Makes a disk: one ext4 file system without a partition table, sparse.
 * @param file the disk
 * @param work empty folder for what is laid over the image
 * @param sizeMiB how large the machine sees it
 */
export async function makeDisk(file: string, work: string, content: DiskContent, sizeMiB: number): Promise<void> {
  const own = path.join(work, "own");
  const seed = path.join(own, "var/lib/cloud/seed/nocloud");
  await mkdir(seed, { recursive: true });
  await mkdir(path.join(work, "all"));
  for (const folder of Object.keys(content.folders ?? {})) await mkdir(path.join(own, folder), { recursive: true });
  for (const [name, text] of Object.entries(seedFiles(content.seed))) {
    await writeFile(path.join(seed, name), text, { mode: 0o600 });
  }
  // Two read-only layers need no copy of the image. The mounts end with the command.
  const all = path.join(work, "all");
  const binds = Object.entries(content.folders ?? {}).map(([to, from]) => `mount --bind '${from}' '${all}${to}'\n`);
  const script = `set -eu
mount -t overlay overlay -o 'lowerdir=${own}:${content.rootDir}' '${all}'
${binds.join("")}truncate -s ${sizeMiB}M '${file}'
mke2fs -q -t ext4 -F -L root -d '${all}' '${file}'
`;
  await run("unshare", ["--mount", "--propagation", "private", "sh", "-c", script]);
}

/** Files of cloud-init's NoCloud seed. */
export function seedFiles(seed: VmSeed): Record<"user-data" | "meta-data" | "network-config", string> {
  const metaData = {
    "instance-id": seed.instanceId,
    "local-hostname": seed.hostname,
    "public-keys": seed.sshKeys,
  };
  const ethernets = Object.fromEntries(
    seed.nics.map(({ mac, address, gateway }, index) => [
      `eth${index}`,
      {
        match: { macaddress: mac },
        ...(address === undefined ? { dhcp4: true } : { addresses: [address] }),
        ...(gateway === undefined ? {} : { routes: [{ to: "0.0.0.0/0", via: gateway }] }),
      },
    ]),
  );
  return {
    "user-data": seed.userData,
    "meta-data": JSON.stringify(metaData),
    "network-config": JSON.stringify({ version: 2, ethernets }),
  };
}
