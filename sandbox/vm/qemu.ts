import { accessSync, constants, existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { defaultCacheDir } from "../../toolchain/cache";
import { type DebianRecipe, debianTreeDir, ensureDebianTree, type ImageOptions } from "../images/bootstrap";

/**
 * QEMU of Debian 13 in a root file system of its own: the host's may be any, and that of Debian 12 (7.2) ends newer kernels with a double
 * fault when it emulates the CPU.
 */
const recipe: DebianRecipe = {
  name: "qemu",
  suite: "trixie",
  packages: ["qemu-system-x86"],
  without: ["/usr/share/man/*", "/usr/share/doc/*", "/usr/share/locale/*", "/usr/share/info/*"],
  sizeMiB: 400,
};

/** Where the machine's own folder lies inside QEMU's root file system. */
export const vmFolder = "/mnt";

/**
 * Makes sure that QEMU lies in the cache. About half a minute the first time.
 * @param options cache folder and progress
 * @returns QEMU's root file system
 */
export async function ensureQemu(options: ImageOptions = {}): Promise<string> {
  return (await ensureDebianTree(recipe, options)).rootDir;
}

/** QEMU's root file system, where it is in the cache already. */
export function cachedQemu(cacheDir = defaultCacheDir()): string | undefined {
  const rootDir = path.join(debianTreeDir(recipe, cacheDir), "root");
  return existsSync(path.join(rootDir, "usr/bin/qemu-system-x86_64")) ? rootDir : undefined;
}

/**
 * Whether the host's CPU runs a stock kernel in a virtual machine. A `/dev/kvm` alone does not say so: within some virtual machines there
 * is one that takes only kernels made for it, and the CPU then shows neither of the two flags.
 */
export function hasHardwareHelp(): boolean {
  if (!/^flags\s*:.*\s(vmx|svm)(\s|$)/m.test(readFileSync("/proc/cpuinfo", "utf8"))) return false;
  try {
    accessSync("/dev/kvm", constants.R_OK | constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** When a new machine's kernel uses pages of 2 MiB: no sysctl, so the image cannot set it as one. The nodes' own choice is another. */
export const untunedHugePages = "always";

/**
 * Kernel arguments of an emulated CPU on a busy host. systemd gives a unit and a device 90 s, which is little; and the kernel, which counts
 * ticks of its timer within a few milliseconds of its own, takes a late one for a broken interrupt controller and stops.
 */
const patience = ["no_timer_check", "systemd.default_timeout_start_sec=900", "systemd.default_device_timeout_sec=900"];

/**
 * Without what an emulator pays most for and nothing here asks for: a fifth level of page tables, and the kernel's own guard around each
 * copy from and to programs. The guards against attacks by a CPU's speculation are off for the same reason: this CPU does not speculate.
 */
const emulatedCpu = "max,la57=off,smap=off";

/** A NIC of a virtual machine. */
export interface VmNic {
  mac: string;
  /**
   * A loopback port that leads to the machine's SSH server, by user networking; the host's tap device it is plugged into; or a cable with
   * nobody at its other end.
   */
  to: { sshPort: number } | { tap: string } | "nothing";
}

/** Size and NICs of a virtual machine. NICs are eth0, eth1, … in this order. */
export interface VmHardware {
  cpus: number;
  memoryMiB: number;
  nics: VmNic[];
}

/** Arguments of `qemu-system-x86_64`; its files lie in `vmFolder`. */
export function qemuArguments({ cpus, memoryMiB, nics }: VmHardware, hardwareHelp: boolean): string[] {
  return [
    ...["-M", "q35", "-nodefaults", "-no-user-config", "-display", "none"],
    ...(hardwareHelp ? ["-accel", "kvm"] : ["-accel", "tcg,thread=multi,tb-size=1024"]),
    ...["-cpu", hardwareHelp ? "max" : emulatedCpu, "-smp", String(cpus), "-m", `${memoryMiB}M`],
    ...["-kernel", `${vmFolder}/kernel`, "-initrd", `${vmFolder}/initrd`],
    ...[
      "-append",
      [
        `root=/dev/vda rw console=ttyS0 net.ifnames=0 transparent_hugepage=${untunedHugePages}`,
        ...(hardwareHelp ? [] : [...patience, "mitigations=off"]),
      ].join(" "),
    ],
    ...["-serial", `file:${vmFolder}/console.log`],
    // Nobody reads the disk after the machine is gone: what it writes need not reach the host's disk before it goes on.
    ...["-drive", `file=${vmFolder}/disk.img,format=raw,if=virtio,cache=unsafe,discard=unmap`],
    ...["-device", "virtio-rng-pci"],
    ...nics.flatMap(({ mac, to }, index) => [
      "-netdev",
      netdev(`n${index}`, to),
      "-device",
      `virtio-net-pci,netdev=n${index},mac=${mac},addr=0x${(5 + index).toString(16)},romfile=`,
    ]),
  ];
}

function netdev(id: string, to: VmNic["to"]): string {
  // Takes what is sent and passes none of it on; a hub without other ports would take nothing, and the kernel reset the NIC in vain.
  if (to === "nothing") return `user,id=${id},restrict=on,ipv6=off`;
  if ("tap" in to) return `tap,id=${id},ifname=${to.tap},script=no,downscript=no`;
  return `user,id=${id},hostfwd=tcp:127.0.0.1:${to.sshPort}-:22`;
}
