import { cloudConfig, type ImageFile, sshConfig, stockSysctls } from "../images/machineFiles";

/**
 * Values that the keys of the tuning table which belong to the whole kernel have before a node's own files are applied: those of a stock
 * Debian kernel. Only a machine with a kernel of its own may set them.
 */
export const wholeKernelSysctls: Readonly<Record<string, string>> = {
  "fs.inotify.max_user_instances": "128",
  "fs.inotify.max_user_watches": "65536",
  "net.core.busy_poll": "0",
  "net.core.busy_read": "0",
  "net.core.default_qdisc": "pfifo_fast",
  "net.core.netdev_max_backlog": "1000",
  "net.core.rmem_max": "212992",
  "net.core.wmem_max": "212992",
  "net.netfilter.nf_conntrack_max": "65536",
  "vm.max_map_count": "65530",
};

/** Every key of the tuning table with its value in a new virtual machine. A stock kernel takes each first choice. */
export function untunedSysctls(): Record<string, string> {
  const chosen = Object.entries(stockSysctls).map(([key, choices]) => [key, choices.split("|")[0] ?? ""]);
  return { ...(Object.fromEntries(chosen) as Record<string, string>), ...wholeKernelSysctls };
}

/** Files that make a plain Debian root file system a virtual machine as a provider hands it out, with nothing tuned. */
export function vmFiles(): ImageFile[] {
  const untuned = Object.entries(untunedSysctls()).sort(([a], [b]) => (a < b ? -1 : 1));
  return [
    // Read after what Debian brings and before the node's own file. A key whose module is not loaded is passed over.
    { path: "/etc/sysctl.d/60-machine.conf", content: untuned.map(([key, value]) => `-${key} = ${value}\n`).join("") },
    { path: "/etc/cloud/cloud.cfg.d/90-machine.cfg", content: cloudConfig(true) },
    { path: "/etc/ssh/sshd_config.d/10-machine.conf", content: sshConfig },
    // Nothing serves names here. The gateway refuses at once, where silence would make image pulls hang.
    { path: "/etc/resolv.conf", content: "nameserver 172.31.1.1\n" },
    // Empty, not absent: each machine makes its own at first boot.
    { path: "/etc/machine-id", content: "" },
  ];
}

/** Units that wake up on their own and would disturb a short test. */
export const vmMaskedUnits = [
  "apt-daily.timer",
  "apt-daily-upgrade.timer",
  "dpkg-db-backup.timer",
  "e2scrub_all.timer",
  "fstrim.timer",
];

/** Debian's own units of its network daemon, which an image of a provider has switched on. */
export const vmWantedUnits = [
  { unit: "systemd-networkd.service", target: "multi-user.target" },
  { unit: "systemd-networkd-wait-online.service", target: "network-online.target" },
];
