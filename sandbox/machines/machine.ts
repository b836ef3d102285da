import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { cp, mkdir, open, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import pRetry from "p-retry";
import type { MachineSpec } from "../cloud";
import { run, succeeds } from "../run";
import { createCgroup, processesIn, removeCgroup } from "./cgroups";

/** What all machines of an instance share. */
export interface MachineHost {
  /** Prefix of the instance's cgroups and namespaces. */
  prefix: string;
  /** Folder of all machines. */
  dir: string;
  /** Root file system of a system image, and optionally a prepared folder of its container runtime. */
  image(name: string): Promise<{ rootDir: string; containerdDir?: string }>;
}

/**
 * One machine: systemd-nspawn on an overlay of the system image, in a cgroup and a network namespace of its own. Its disk is a folder,
 * so it survives power-off, the sandbox's end and the host's reboot.
 */
export class Machine {
  readonly namespace: string;
  private readonly cgroup: string;
  private readonly dir: string;

  constructor(
    private readonly host: MachineHost,
    readonly serverId: number,
  ) {
    this.namespace = `${host.prefix}-s${serverId}`;
    this.cgroup = `${host.prefix}/s${serverId}`;
    this.dir = path.join(host.dir, String(serverId));
  }

  /** Lays the disk: the seed that cloud-init reads at first boot, and empty folders for what must not lie on an overlay. */
  async install(spec: MachineSpec): Promise<void> {
    if (existsSync(path.join(this.dir, "spec.json"))) return;
    const { containerdDir } = await this.host.image(spec.image);
    const seed = path.join(this.dir, "upper/var/lib/cloud/seed/nocloud");
    await Promise.all(["work", "root", "kubelet"].map((name) => mkdir(path.join(this.dir, name), { recursive: true })));
    await mkdir(seed, { recursive: true });
    await writeFile(path.join(seed, "user-data"), spec.userData, { mode: 0o600 });
    await writeFile(path.join(seed, "meta-data"), metaData(spec));
    await this.installContainerd(containerdDir);
    const { userData: _secret, ...rest } = spec;
    await writeFile(path.join(this.dir, "spec.json"), JSON.stringify(rest, null, 2));
  }

  /** Image content is never written in place, so hard links give each machine its copy at no cost; the database must be its own. */
  private async installContainerd(prepared: string | undefined): Promise<void> {
    const target = path.join(this.dir, "containerd");
    await rm(target, { recursive: true, force: true });
    if (!prepared) {
      await mkdir(target);
      return;
    }
    await run("cp", ["-al", prepared, target]);
    for (const database of (await run("find", [target, "-name", "*.db", "-type", "f"])).split("\n").filter(Boolean)) {
      await cp(database, `${database}.own`);
      await run("mv", [`${database}.own`, database]);
    }
  }

  /** Boots the machine, unless it runs. Resolves once its first process runs. */
  async start(): Promise<void> {
    if (await this.isRunning()) return;
    const spec = JSON.parse(await readFile(path.join(this.dir, "spec.json"), "utf8")) as MachineSpec;
    await this.mount((await this.host.image(spec.image)).rootDir);
    await createCgroup(this.cgroup);
    const log = await open(path.join(this.dir, "console.log"), "a", 0o600);
    const script = path.join(__dirname, "boot.sh");
    const root = path.join(this.dir, "root");
    const child = spawn("/bin/bash", [script, this.namespace, spec.name, this.cgroup, root, this.dir], {
      detached: true,
      stdio: ["ignore", log.fd, log.fd],
    });
    child.unref();
    await log.close();
    await pRetry(
      async () => {
        if (!(await this.isRunning()))
          throw new Error(`machine ${spec.name} does not start; see ${this.dir}/console.log`);
      },
      { retries: 50, minTimeout: 20, maxTimeout: 200 },
    );
  }

  /** Pulls the plug: every process of the machine ends now. */
  async kill(): Promise<void> {
    await pRetry(
      async () => {
        const processes = await processesIn(this.cgroup);
        for (const pid of processes) kill(pid, "SIGKILL");
        if (processes.length > 0) throw new Error(`processes of machine ${this.serverId} do not end`);
      },
      { retries: 100, minTimeout: 20, maxTimeout: 100 },
    );
    await removeCgroup(this.cgroup);
    await this.unmount();
  }

  /** Asks the machine's init to power off and waits; after the grace period pulls the plug. */
  async shutdown(graceMs = 30_000): Promise<void> {
    const init = await this.init();
    if (init) {
      kill(init, "SIGRTMIN+4");
      const deadline = Date.now() + graceMs;
      while (Date.now() < deadline && (await this.isRunning()))
        await new Promise((resolve) => setTimeout(resolve, 100));
    }
    await this.kill();
  }

  /** Removes the machine and its disk. */
  async destroy(): Promise<void> {
    await this.kill();
    await rm(this.dir, { recursive: true, force: true });
    // systemd-nspawn leaves this folder behind.
    await rm(`/run/systemd/nspawn/propagate/${this.namespace}`, { recursive: true, force: true });
  }

  /** Whether any process of the machine lives. */
  async isRunning(): Promise<boolean> {
    return (await processesIn(this.cgroup)).length > 0;
  }

  /** The machine's init as the host counts it: the only process whose id inside is 1. */
  private async init(): Promise<number | undefined> {
    for (const pid of await processesIn(this.cgroup)) {
      const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
      if (/^NSpid:\s+\d+\s+1$/m.test(status)) return pid;
    }
    return undefined;
  }

  private async mount(lower: string): Promise<void> {
    const root = path.join(this.dir, "root");
    if (await succeeds("mountpoint", ["-q", root])) return;
    const options = `lowerdir=${lower},upperdir=${this.dir}/upper,workdir=${this.dir}/work`;
    await run("mount", ["-t", "overlay", "overlay", "-o", options, root]);
  }

  private async unmount(): Promise<void> {
    const root = path.join(this.dir, "root");
    if (await succeeds("mountpoint", ["-q", root])) await run("umount", [root]);
  }
}

function metaData(spec: MachineSpec): string {
  return JSON.stringify({
    "instance-id": String(spec.serverId),
    "local-hostname": spec.name,
    "public-keys": spec.sshKeys,
  });
}

/** Node has no name for real-time signals; systemd's "power off" is SIGRTMIN+4. */
function kill(pid: number, signal: "SIGKILL" | "SIGRTMIN+4"): void {
  try {
    process.kill(pid, signal === "SIGKILL" ? "SIGKILL" : 38);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
