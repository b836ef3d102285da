import type { HostTraits } from "./host";

/** A file of the machine image. */
export interface ImageFile {
  /** Absolute in the image. */
  path: string;
  /** Default 0644. */
  mode?: number;
  content: string;
}

/**
 * Values that every key of the tuning table has in a new machine before the node's own files are applied: those of a stock Debian
 * kernel. The host's may be tuned already; starting from these, a tuned value can only come from our file.
 * Keys that the kernel keeps once for the whole host are not here: a machine must not write them.
 * `|` separates second choices: a kernel whose own default is BBR refuses cubic to network namespaces, but never reno.
 */
export const stockSysctls: Readonly<Record<string, string>> = {
  "net.core.somaxconn": "128",
  "net.ipv4.conf.all.rp_filter": "2",
  "net.ipv4.ip_forward": "0",
  "net.ipv4.ip_local_port_range": "32768 60999",
  "net.ipv4.ip_local_reserved_ports": "",
  "net.ipv4.tcp_congestion_control": "cubic|reno",
  "net.ipv4.tcp_max_syn_backlog": "512",
  "net.ipv4.tcp_mtu_probing": "0",
  "net.ipv4.tcp_notsent_lowat": "4294967295",
  "net.ipv4.tcp_rmem": "4096 131072 6291456",
  "net.ipv4.tcp_slow_start_after_idle": "1",
  "net.ipv4.tcp_tw_reuse": "2",
  "net.ipv4.tcp_wmem": "4096 16384 4194304",
};

const machineScript = `#!/bin/bash
# A container gets what a virtual machine's kernel would give: writable control groups, a BPF file system of its own, shared mounts,
# and kernel values that nobody has tuned yet.
set -euo pipefail
mount --make-rshared /
for hierarchy in /sys/fs/cgroup/*/; do
  if mountpoint -q "$hierarchy"; then mount -o remount,bind,rw "$hierarchy"; fi
done
mountpoint -q /sys/fs/bpf || mount -t bpf bpf /sys/fs/bpf
while IFS='=' read -r key choices; do
  file=/proc/sys/\${key//./\\/}
  applied=
  while [ -w "$file" ] && [ -z "$applied" ]; do
    if printf '%s\\n' "\${choices%%|*}" 2>/dev/null >"$file"; then applied=yes; fi
    case $choices in *'|'*) choices=\${choices#*|} ;; *) break ;; esac
  done
  if [ -z "$applied" ]; then echo "$key cannot be set here: left as it is"; fi
done </usr/local/lib/zerosteal-machine/stock-sysctls
`;

const machineUnit = `[Unit]
Description=Make a container ready to be a Kubernetes node
DefaultDependencies=no
Before=systemd-sysctl.service sysinit.target
Conflicts=shutdown.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/local/sbin/zerosteal-machine

[Install]
WantedBy=sysinit.target
`;

/**
 * Settings of cloud-init: only what user data can ask for here; each left-out module saves its import and its lookups at boot.
 * @param network whether cloud-init configures the NICs, by what the seed says of them
 */
export function cloudConfig(network: boolean): string {
  return `datasource_list: [NoCloud]
datasource:
  NoCloud:
    seedfrom: null
${network ? "" : "network:\n  config: disabled\n"}disable_root: false
users: []
ssh_genkeytypes: [ed25519]
manage_etc_hosts: false
preserve_hostname: false
cloud_init_modules: [bootcmd, write-files, set_hostname, users-groups, ssh]
cloud_config_modules: [runcmd]
cloud_final_modules: [write-files-deferred, scripts-user, final-message]
`;
}

/** Settings of a machine's SSH server. */
export const sshConfig = `PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
UseDNS no
MaxStartups 100
MaxSessions 100
`;

/**
 * Files that make a plain Debian root file system a machine of the sandbox: what differs from a virtual machine sits here and nowhere
 * in the library.
 * @param host what was probed
 */
export function machineFiles(host: HostTraits): ImageFile[] {
  const stock = Object.entries(stockSysctls).map(([key, value]) => `${key}=${value}\n`);
  return [
    { path: "/etc/systemd/system/zerosteal-machine.service", content: machineUnit },
    { path: "/usr/local/sbin/zerosteal-machine", mode: 0o755, content: machineScript },
    { path: "/usr/local/lib/zerosteal-machine/stock-sysctls", content: stock.join("") },
    { path: "/etc/cloud/cloud.cfg.d/90-machine.cfg", content: cloudConfig(false) },
    { path: "/etc/ssh/sshd_config.d/10-machine.conf", content: sshConfig },
    { path: "/etc/containerd/conf.d/90-machine.toml", content: containerdDropIn(host) },
    { path: "/etc/kubernetes/kubelet.conf.d/90-machine.conf", content: kubeletDropIn(host) },
    // CoreDNS wants an upstream, and not one on loopback, where it finds a loop. Nothing serves names at the gateway, and it says so at
    // once; an address that stays silent would make image pulls hang.
    { path: "/etc/resolv.conf", content: "nameserver 172.31.1.1\n" },
    // Empty, not absent: each machine makes its own at first boot.
    { path: "/etc/machine-id", content: "" },
  ];
}

function containerdDropIn(host: HostTraits): string {
  const lines = ["version = 3"];
  if (!host.sysResource) {
    lines.push("", "[plugins.'io.containerd.cri.v1.runtime']", "restrict_oom_score_adj = true");
  }
  if (host.cgroupVersion === 1) {
    lines.push(
      "",
      "[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc.options]",
      "SystemdCgroup = false",
    );
  }
  return `${lines.join("\n")}\n`;
}

function kubeletDropIn(host: HostTraits): string {
  const lines = [
    "apiVersion: kubelet.config.k8s.io/v1beta1",
    "kind: KubeletConfiguration",
    // The block device behind the machine's disk is the host's and cannot be looked up from inside.
    "localStorageCapacityIsolation: false",
  ];
  if (host.cgroupVersion === 1) lines.push("failCgroupV1: false", "cgroupDriver: cgroupfs");
  return `${lines.join("\n")}\n`;
}

/** Units that a machine must not run: they wait for hardware, for networks that come from outside, or wake up on their own. */
export const maskedUnits = [
  "apt-daily.service",
  "apt-daily.timer",
  "apt-daily-upgrade.service",
  "apt-daily-upgrade.timer",
  "cloud-init-hotplugd.socket",
  "console-getty.service",
  "container-getty@.service",
  "dpkg-db-backup.timer",
  "e2scrub_all.timer",
  "e2scrub_reap.service",
  "fstrim.timer",
  "getty@.service",
  "networking.service",
  "proc-sys-fs-binfmt_misc.automount",
  "remote-fs.target",
  "sys-kernel-debug.mount",
  "sys-kernel-tracing.mount",
  "systemd-binfmt.service",
  "systemd-firstboot.service",
  "systemd-modules-load.service",
  "systemd-networkd-wait-online.service",
  "systemd-networkd.service",
  "systemd-networkd.socket",
  "systemd-pstore.service",
  "systemd-resolved.service",
  "systemd-timesyncd.service",
  "systemd-udev-settle.service",
  "systemd-udev-trigger.service",
  "systemd-udevd.service",
  "systemd-update-utmp.service",
  "systemd-update-utmp-runlevel.service",
];

/** Units that start at boot, by the target that wants them. */
export const wantedUnits = [{ unit: "zerosteal-machine.service", target: "sysinit.target" }];
