import { type ChildProcess, spawn } from "node:child_process";
import { copyFile, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import path from "node:path";
import { execa } from "execa";
import { type DiskContent, makeDisk } from "./disk";
import { ensureQemu, hasHardwareHelp, qemuArguments, type VmHardware, vmFolder } from "./qemu";
import type { VmImage } from "./vmImage";

/** Who logs in to a virtual machine, and how it is known. */
export interface VmAccess {
  address: string;
  port: number;
  /** The client's private key, OpenSSH PEM. */
  privateKey: string;
  /** Public host keys, one of which the machine must show. */
  hostKeys: string[];
}

/** How a command in a virtual machine ended. */
export interface VmResult {
  code: number | undefined;
  stdout: string;
  stderr: string;
}

/** A boot is given up after this: emulating the CPU on a busy host is slow. */
const bootLimitMs = 20 * 60_000;

/**
 * A virtual machine: QEMU with a stock kernel, by hardware help where there is any. It ends with this process; its folder is the caller's.
 */
export class VirtualMachine {
  private child: ChildProcess | undefined;

  /** @param dir an empty folder with room for the disk */
  constructor(
    private readonly dir: string,
    private readonly hardware: VmHardware,
    private readonly access: VmAccess,
  ) {}

  /** Lays the disk and what SSH needs. */
  async install(image: VmImage, content: Omit<DiskContent, "rootDir">, diskMiB: number): Promise<void> {
    const [work, machine] = [path.join(this.dir, "work"), path.join(this.dir, "machine")];
    await Promise.all([work, machine].map((folder) => mkdir(folder, { recursive: true, mode: 0o700 })));
    await makeDisk(path.join(machine, "disk.img"), work, { ...content, rootDir: image.rootDir }, diskMiB);
    await rm(work, { recursive: true });
    await copyFile(image.kernel, path.join(machine, "kernel"));
    await copyFile(image.initrd, path.join(machine, "initrd"));
    await writeFile(path.join(this.dir, "key"), this.access.privateKey, { mode: 0o600 });
    const known = this.access.hostKeys.map((key) => `* ${key}\n`);
    await writeFile(path.join(this.dir, "known_hosts"), known.join(""));
  }

  /** Switches it on. */
  async start(): Promise<void> {
    const root = await ensureQemu();
    const script = `set -eu
mount --rbind /dev '${root}/dev'
mount --bind '${path.join(this.dir, "machine")}' '${root}${vmFolder}'
exec chroot '${root}' qemu-system-x86_64 "$@"
`;
    const alone = ["--mount", "--propagation", "private", "setpriv", "--pdeathsig", "KILL", "sh", "-c", script, "sh"];
    const child = spawn("unshare", [...alone, ...qemuArguments(this.hardware, hasHardwareHelp())], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    this.child = child;
    let said = "";
    child.stderr.on("data", (text: Buffer) => (said += text.toString()));
    child.once("exit", (code, signal) => {
      if (signal === null && code !== 0) process.stderr.write(`QEMU ended with ${code}: ${said.trim()}\n`);
    });
  }

  /** Pulls the plug. */
  async stop(): Promise<void> {
    const { child } = this;
    if (!child || !this.isRunning()) return;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGKILL");
    await ended;
  }

  private isRunning(): boolean {
    return this.child?.exitCode === null && this.child.signalCode === null;
  }

  /** Runs bash in the machine, by SSH as root. */
  async try(script: string, stdin = ""): Promise<VmResult> {
    const { address, port } = this.access;
    const options = {
      BatchMode: "yes",
      ConnectTimeout: "20",
      IdentitiesOnly: "yes",
      LogLevel: "ERROR",
      ServerAliveInterval: "20",
      StrictHostKeyChecking: "yes",
      UserKnownHostsFile: path.join(this.dir, "known_hosts"),
    };
    const flags = Object.entries(options).flatMap(([name, value]) => ["-o", `${name}=${value}`]);
    const target = ["-F", "none", "-i", path.join(this.dir, "key"), "-p", String(port), `root@${address}`];
    const quoted = `bash -euo pipefail -c '${script.replaceAll("'", `'\\''`)}'`;
    const result = await execa("ssh", [...flags, ...target, quoted], { input: stdin, reject: false });
    return { code: result.exitCode, stdout: result.stdout, stderr: result.stderr || (result.shortMessage ?? "") };
  }

  /**
   * The same, for what must succeed.
   * @returns its standard output
   * @throws with the last lines of its error output
   */
  async run(script: string, stdin = ""): Promise<string> {
    const { code, stdout, stderr } = await this.try(script, stdin);
    if (code === 0) return stdout;
    throw new Error(`the machine's command ended with ${code ?? "a signal"}:\n${lastLines(stderr || stdout)}`);
  }

  /**
   * Waits until it answers by SSH, in another boot than the given one.
   * @returns the id of its boot
   * @throws with the console's last lines when QEMU ended or the time is over
   */
  async answers(except = ""): Promise<string> {
    const deadline = Date.now() + bootLimitMs;
    let last = "";
    while (Date.now() < deadline && this.isRunning()) {
      const { code, stdout, stderr } = await this.try("cat /proc/sys/kernel/random/boot_id");
      if (code === 0 && stdout.trim() !== except) return stdout.trim();
      last = stderr;
      await new Promise((resolve) => setTimeout(resolve, 1_000));
    }
    const console = await readFile(path.join(this.dir, "machine/console.log"), "utf8").catch(() => "");
    throw new Error(
      `the machine does not answer by SSH (${last.trim()}); its console ends with:\n${lastLines(console)}`,
    );
  }

  /** Restarts it from within, as its operator would, and waits until it answers again. */
  async reboot(): Promise<void> {
    const before = await this.answers();
    // The connection may end before the command does.
    await this.try("systemctl reboot");
    await this.answers(before);
  }
}

function lastLines(text: string): string {
  return text.trimEnd().split("\n").slice(-25).join("\n");
}

/** A free TCP port of loopback. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
