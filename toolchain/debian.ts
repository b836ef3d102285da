import { access, readFile } from "node:fs/promises";
import { execa } from "execa";
import { ToolchainError } from "./cache";
import type { OnProgress } from "./progress";
import { beginStep } from "./progress";

/** A Debian package of this host and what it is for. */
export interface DebianPackage {
  name: string;
  why: string;
}

/** What the sandbox needs on the host. */
export const sandboxPackages: DebianPackage[] = [
  { name: "systemd-container", why: "systemd-nspawn boots the machines" },
  { name: "mmdebstrap", why: "makes root file systems" },
  { name: "debian-archive-keyring", why: "checks Debian's signatures" },
  { name: "nftables", why: "firewall and source check" },
  { name: "iproute2", why: "bridges, routes, namespaces" },
  { name: "iptables", why: "lists rules for the snapshot before and after" },
  { name: "procps", why: "sysctl" },
  { name: "util-linux", why: "nsenter, unshare, mount" },
  { name: "e2fsprogs", why: "disk images" },
  { name: "openssh-client", why: "ssh to the machines" },
  { name: "tar", why: "container images" },
  { name: "gcc", why: "compiles pause" },
  { name: "libc6-dev", why: "compiles pause" },
];

/** How the host is seen; replaced in tests. */
export interface Host {
  isRoot: boolean;
  /** Text of /etc/os-release. */
  osRelease: string;
  /** Runs a command; resolves with exit code and output, also when it fails or is absent. */
  run(command: string, args: string[], onLine?: (line: string) => void): Promise<{ exitCode: number; output: string }>;
}

/**
 * Installs what is missing of a list of Debian packages, naming each before.
 * @param packages default: `sandboxPackages`
 * @param onProgress is told the names, then apt-get's lines
 * @param host default: this machine
 * @returns names that were installed now; empty when nothing was missing
 * @throws ToolchainError one sentence: not Debian, not root, or apt-get failed
 */
export async function ensureDebianPackages(
  packages: DebianPackage[] = sandboxPackages,
  onProgress?: OnProgress,
  host?: Host,
): Promise<string[]> {
  const machine = host ?? (await thisHost());
  const withoutIt = "Without that the library, its plan and its component tests still work; the sandbox does not.";
  if (!/^ID(_LIKE)?=.*(debian|ubuntu)/m.test(machine.osRelease)) {
    throw new ToolchainError(
      `The sandbox installs what it needs on Debian and Ubuntu only; on this system install the equivalents of ` +
        `${packages.map((p) => p.name).join(", ")} and run it in a Debian 12 or 13 machine if some do not exist. ${withoutIt}`,
    );
  }
  const missing = await missingPackages(packages, machine);
  if (missing.length === 0) return [];
  const names = missing.map((p) => p.name);
  if (!machine.isRoot) {
    throw new ToolchainError(
      `The sandbox needs ${names.join(", ")}; run \`sudo apt-get install ${names.join(" ")}\` first. ${withoutIt}`,
    );
  }
  const step = beginStep("Debian packages", onProgress);
  try {
    for (const { name, why } of missing) step.tell(`installing ${name}: ${why}`);
    await apt(machine, ["update", "-q"], (line) => step.set(line));
    // Somebody else may be installing: a person, another run, the system itself.
    const flags = ["-y", "-q", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=300"];
    await apt(machine, ["install", ...flags, ...names], (line) => step.set(line));
  } finally {
    step.end();
  }
  return names;
}

async function missingPackages(packages: DebianPackage[], host: Host): Promise<DebianPackage[]> {
  const names = packages.map((p) => p.name);
  // dpkg-query also fails when one name is unknown; what it prints is still right.
  const { output } = await host.run("dpkg-query", ["-W", "-f", "${Package} ${db:Status-Status}\n", ...names]);
  const installed = new Set(
    output.split("\n").flatMap((line) => (line.endsWith(" installed") ? [line.split(" ")[0]] : [])),
  );
  return packages.filter((p) => !installed.has(p.name));
}

async function apt(host: Host, args: string[], onLine: (line: string) => void): Promise<void> {
  const { exitCode, output } = await host.run("apt-get", args, onLine);
  if (exitCode === 0) return;
  const last = output.trimEnd().split("\n").slice(-20);
  throw new ToolchainError(
    [
      `apt-get ${args.join(" ")} failed with exit code ${exitCode}:`,
      ...last.map((line) => `  ${line}`),
      "Mend apt's sources or the network, then run again.",
    ].join("\n"),
  );
}

async function thisHost(): Promise<Host> {
  const osRelease = await access("/etc/os-release").then(
    () => readFile("/etc/os-release", "utf8"),
    () => "",
  );
  return {
    isRoot: process.getuid?.() === 0,
    osRelease,
    async run(command, args, onLine) {
      const env = { DEBIAN_FRONTEND: "noninteractive", LC_ALL: "C" };
      const child = execa(command, args, { env, all: true, reject: false, stdin: "ignore" });
      const lines: string[] = [];
      for await (const line of child.iterable({ from: "all" })) {
        lines.push(line);
        onLine?.(line);
      }
      return { exitCode: (await child).exitCode ?? 127, output: lines.join("\n") };
    },
  };
}
