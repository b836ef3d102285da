import assert from "node:assert/strict";
import type { DebianPackage, Host } from "../../toolchain/debian";
import { ensureDebianPackages } from "../../toolchain/debian";

const packages: DebianPackage[] = [
  { name: "nftables", why: "firewall" },
  { name: "mmdebstrap", why: "root file systems" },
];

/** A Debian host where only some packages are installed; records what apt-get was asked. */
function host(installed: string[], change: Partial<Host> = {}): Host & { apt: string[] } {
  const apt: string[] = [];
  return {
    apt,
    isRoot: true,
    osRelease: 'PRETTY_NAME="Debian GNU/Linux 13"\nID=debian\n',
    async run(command, args) {
      if (command === "apt-get") {
        apt.push(args.join(" "));
        return { exitCode: 0, output: "" };
      }
      const lines = args
        .filter((name) => installed.includes(name))
        .map((name) => `${name} installed`)
        .concat("kept-config config-files");
      return { exitCode: 1, output: lines.join("\n") };
    },
    ...change,
  };
}

describe("ensureDebianPackages", () => {
  it("does nothing when all are installed", async () => {
    const machine = host(["nftables", "mmdebstrap"], { isRoot: false });
    assert.deepEqual(await ensureDebianPackages(packages, undefined, machine), []);
    assert.deepEqual(machine.apt, []);
  });

  it("installs only what is missing, and names it before", async () => {
    const machine = host(["nftables"]);
    const told: string[] = [];
    const installed = await ensureDebianPackages(packages, (event) => told.push(event.detail), machine);
    assert.deepEqual(installed, ["mmdebstrap"]);
    assert.deepEqual(machine.apt, [
      "update -q",
      "install -y -q --no-install-recommends -o DPkg::Lock::Timeout=300 mmdebstrap",
    ]);
    assert.deepEqual(told, ["installing mmdebstrap: root file systems"]);
  });

  it("says without root what to run, and what works without", async () => {
    await assert.rejects(
      ensureDebianPackages(packages, undefined, host(["nftables"], { isRoot: false })),
      /^ToolchainError: The sandbox needs mmdebstrap; run `sudo apt-get install mmdebstrap` first\. Without that the library/,
    );
  });

  it("says on another system what is needed", async () => {
    await assert.rejects(
      ensureDebianPackages(packages, undefined, host([], { osRelease: "ID=fedora\n" })),
      /on Debian and Ubuntu only; on this system install the equivalents of nftables, mmdebstrap/,
    );
  });

  it("takes Ubuntu for a Debian", async () => {
    const machine = host(["nftables", "mmdebstrap"], { osRelease: "ID=ubuntu\nID_LIKE=debian\n" });
    assert.deepEqual(await ensureDebianPackages(packages, undefined, machine), []);
  });

  it("shows apt-get's last lines when it fails", async () => {
    const broken = host(["nftables"]);
    const run = broken.run.bind(broken);
    broken.run = async (command, args, onLine) =>
      command === "apt-get"
        ? { exitCode: 100, output: "E: Unable to locate package mmdebstrap" }
        : run(command, args, onLine);
    await assert.rejects(
      ensureDebianPackages(packages, undefined, broken),
      /apt-get update -q failed with exit code 100:\n {2}E: Unable to locate package mmdebstrap\nMend apt's sources/,
    );
  });
});
