import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import {
  applyScript,
  type ClusterArgs,
  type CpuIsolation,
  type NodeArtifact,
  type NodeFile,
  type NodePlan,
  planCluster,
} from "../../components/plan";
import { hostsCluster, smallCluster } from "./clusters";

/** What a run inside the pretended machine printed and left behind. */
export interface MachineRun {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Stands for systemd: remembers each call and which units run, and does what the units do that are about the network. */
const systemctl = `#!/bin/bash
echo "$*" >>/machine/systemctl.log
unit=/etc/systemd/system/$2
commands() {
  case "$unit" in */zerosteal-firewall.service | */zerosteal-metadata-guard.service) ;; *) return ;; esac
  sed -n "s/^$1=-*//p" "$unit" | while read -r command; do $command || echo "$command" >>/machine/failed; done 2>/dev/null
}
begin() {
  rm -f /machine/failed
  commands ExecStartPre
  rm -f /machine/failed
  commands ExecStart
  if [ -e /machine/failed ]; then exit 1; fi
  touch "/machine/active-$1"
}
case "$1" in
  restart) if [ -e "/machine/active-$2" ]; then commands ExecStop; fi; begin "$2" ;;
  reload-or-restart) if [ -e "/machine/active-$2" ]; then commands ExecReload; else begin "$2"; fi ;;
  stop) rm -f "/machine/active-$2" ;;
  is-active) [ -e "/machine/active-$3" ] ;;
  is-enabled) [ -e "/machine/enabled-$3" ] ;;
  enable) if [ "$3" = --now ]; then touch "/machine/enabled-$4" "/machine/active-$4"; fi ;;
  disable) rm -f "/machine/enabled-$4" "/machine/active-$4" ;;
  cat) [ "$2" = ssh.service ] ;;
esac
`;

/** Tells a machine of its own from a container. */
const detectVirt = `#!/bin/bash
[ -e /machine/container ]
`;

/** Stands for a kernel without the fq module. */
const modprobe = `#!/bin/bash
if [ "$1" = sch_fq ]; then echo "modprobe: FATAL: Module sch_fq not found." >&2; exit 1; fi
`;

/** Lays everything over the host that a node's scripts write; all of it is gone when the process ends. */
const enter = `set -eu
mount -t tmpfs tmpfs /mnt
mkdir -p /mnt/up /mnt/work
mount -t overlay overlay -o lowerdir=/etc,upperdir=/mnt/up,workdir=/mnt/work /etc
for folder in /var/lib /var/cache /usr/local/bin /usr/local/sbin /opt; do mount -t tmpfs tmpfs $folder; done
mkdir -p /etc/ssh && rm -f /etc/ssh/ssh_host_*
rm -rf /etc/zerosteal
mount --bind /proc/sys/fs /proc/sys/fs
mount -o remount,bind,ro /proc/sys/fs
mount --bind "$MACHINE/swaps" /proc/swaps
mount --bind "$MACHINE/cpus" /sys/devices/system/cpu
mount --bind "$MACHINE/irq" /proc/irq
mount --bind "$MACHINE/workqueues" /sys/devices/virtual/workqueue
mount --bind "$MACHINE/huge-pages" /sys/kernel/mm/transparent_hugepage/enabled
ip link set lo up
export PATH="$MACHINE/bin:/usr/sbin:/usr/bin:/sbin:/bin"
`;

/** A folder that pretends to be a machine's state outside the overlaid paths, and an artifact mirror. */
export class PretendMachine {
  constructor(readonly folder: string) {
    mkdirSync(path.join(folder, "bin"), { recursive: true });
    mkdirSync(path.join(folder, "mirror"), { recursive: true });
    this.write("swaps", "Filename\t\t\tType\n");
    this.write("huge-pages", "always [madvise] never\n");
    this.write("workqueues/cpumask", "f\n");
    this.write("irq/default_smp_affinity", "f\n");
    this.cpus(["0", "1", "2", "3"]);
    for (const [name, text] of Object.entries({ systemctl, modprobe, "systemd-detect-virt": detectVirt })) {
      this.write(`bin/${name}`, text.replaceAll("/machine", folder));
      chmodSync(path.join(folder, "bin", name), 0o755);
    }
  }

  /** Runs bash inside new mount and network namespaces, after `enter`. */
  run(script: string): MachineRun {
    const { status, stdout, stderr } = spawnSync("unshare", ["--mount", "--net", "bash", "-c", enter + script], {
      encoding: "utf8",
      env: { MACHINE: this.folder, PATH: process.env.PATH },
      // A socket as standard input would make bash read the host's start-up files.
      stdio: ["ignore", "pipe", "pipe"],
      timeout: 60_000,
    });
    return { code: status, stdout, stderr };
  }

  /** Gives the machine these CPUs, each with the threads of its core. */
  cpus(threads: string[]): void {
    rmSync(path.join(this.folder, "cpus"), { recursive: true, force: true });
    this.write("cpus/online", `0-${threads.length - 1}\n`);
    this.write("cpus/isolated", "\n");
    threads.forEach((list, cpu) => this.write(`cpus/cpu${cpu}/topology/thread_siblings_list`, `${list}\n`));
  }

  write(name: string, text: string): string {
    const file = path.join(this.folder, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, text);
    return file;
  }

  read(name: string): string {
    return readFileSync(path.join(this.folder, name), "utf8");
  }

  private made?: NodeArtifact[];

  /**
   * Artifacts that this machine can fetch from its own folder: small files in place of the tools. Made once, as an archive made again a
   * second later has another sum.
   */
  artifacts(): NodeArtifact[] {
    this.made ??= this.makeArtifacts();
    return this.made;
  }

  private makeArtifacts(): NodeArtifact[] {
    const single = (name: string, version: string, installTo: string): NodeArtifact => {
      const file = this.write(`mirror/${name}`, `#!/bin/sh\necho ${name}\n`);
      return { name, version, url: `http://mirror.example/${name}`, sha256: sumOf(file), installTo };
    };
    return [
      ...["kubeadm", "kubectl", "kubelet"].map((name) => single(name, "1.36.4", `/usr/local/bin/${name}`)),
      single("runc", "1.4.3", "/usr/local/sbin/runc"),
      this.archive("containerd", ["bin/containerd", "bin/containerd-shim-runc-v2"], 1, "/usr/local/bin"),
      this.archive("cni-plugins", ["./loopback"], 0, "/opt/cni/bin"),
    ];
  }

  private archive(name: string, files: string[], stripComponents: number, to: string): NodeArtifact {
    const root = path.join(this.folder, "archive", name);
    for (const file of files) {
      mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
      writeFileSync(path.join(root, file), `#!/bin/sh\necho ${file}\n`);
    }
    const archive = path.join(this.folder, "mirror", name);
    execFileSync("tar", ["-czf", archive, "-C", root, ...files]);
    const members = files.map((file) => path.posix.normalize(file));
    const extract = { to, stripComponents, members };
    return { name, version: "1.0.0", url: `http://mirror.example/${name}`, sha256: sumOf(archive), extract };
  }
}

/** A worker whose artifacts come from the pretended machine's folder, by file URLs. */
export function workerOf(
  machine: PretendMachine,
  artifacts = machine.artifacts(),
  cpuIsolation: CpuIsolation = "none",
): NodePlan {
  const args = { ...smallCluster(), pools: [{ name: "web", count: 1, serverType: "ccx23", cpuIsolation }] };
  return firstWorker(machine, args, artifacts);
}

/** The same of a cluster of existing hosts. */
export function hostOf(machine: PretendMachine): NodePlan {
  return firstWorker(machine, hostsCluster(), machine.artifacts());
}

function firstWorker(machine: PretendMachine, args: ClusterArgs, artifacts: NodeArtifact[]): NodePlan {
  const plan = planCluster("prod", {
    ...args,
    // The host's kernel may lack BBR; that it is refused aloud then has a test of its own.
    tuning: { bbr: "off" },
    artifacts: { baseUrl: "http://mirror.example/", manifest: artifacts },
  });
  const worker = plan.nodes[1];
  if (worker === undefined) throw new Error("the cluster has workers");
  const files = worker.files.map((file) => ({
    ...file,
    content: file.content.replaceAll("http://mirror.example", `file://${machine.folder}/mirror`),
  }));
  return { ...worker, files };
}

/** The script that sets a node up, as a shell command. */
export function setUp(machine: PretendMachine, node: NodePlan, name = "apply.sh"): string {
  return `bash ${machine.write(name, applyScript(node.files))}`;
}

function sumOf(file: string): string {
  return execFileSync("sha256sum", [file], { encoding: "utf8" }).slice(0, 64);
}

/** The node with the text of one of its files changed. */
export function withFile(node: NodePlan, filePath: string, change: (content: string) => string): NodePlan {
  const found = node.files.some((file) => file.path === filePath && change(file.content) !== file.content);
  if (!found) throw new Error(`${filePath} would not change`);
  const files = node.files.map((file): NodeFile =>
    file.path === filePath ? { ...file, content: change(file.content) } : file,
  );
  return { ...node, files };
}
