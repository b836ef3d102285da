import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, it } from "mocha";
import { parse } from "yaml";
import { sysctlTable } from "../../../components/plan/sysctlTable";
import { makeDisk, seedFiles, type VmSeed } from "../../../sandbox/vm/disk";
import { qemuArguments } from "../../../sandbox/vm/qemu";
import { untunedSysctls, vmFiles } from "../../../sandbox/vm/vmFiles";
import { needs } from "../../capabilities";
import { withFolder } from "../../toolchain/support";

const seed: VmSeed = {
  instanceId: "7",
  hostname: "lab-web-1",
  sshKeys: ["ssh-ed25519 AAAA operator"],
  userData: "#cloud-config\n{}\n",
  nics: [
    { mac: "52:54:00:00:00:01" },
    { mac: "52:54:00:00:00:02", address: "10.20.0.10/24" },
    { mac: "52:54:00:00:00:03", address: "198.18.0.10/24", gateway: "198.18.0.1" },
  ],
};

describe("a virtual machine's image", () => {
  it("starts every key of the tuning table at another value than any profile's", () => {
    const untuned = untunedSysctls();
    for (const { key, profiles } of sysctlTable) {
      assert.notEqual(untuned[key], undefined, `${key} has a value`);
      for (const { value } of Object.values(profiles))
        assert.notEqual(untuned[key], value, `${key} does not start tuned`);
    }
    assert.deepEqual(Object.keys(untuned).sort(), sysctlTable.map(({ key }) => key).sort());
  });

  it("sets them in a file that is read after Debian's and before the node's", () => {
    const file = vmFiles().find(({ path: place }) => place.startsWith("/etc/sysctl.d/"));
    assert.ok(file);
    const names = ["50-default.conf", path.basename(file.path), "90-zerosteal.conf"];
    assert.deepEqual([...names].sort(), names);
    const lines = file.content.trimEnd().split("\n");
    assert.deepEqual(
      lines,
      Object.entries(untunedSysctls())
        .map(([key, value]) => `-${key} = ${value}`)
        .sort(),
    );
  });

  it("leaves the NICs to cloud-init", () => {
    const file = vmFiles().find(({ path: place }) => place === "/etc/cloud/cloud.cfg.d/90-machine.cfg");
    const config = parse(file?.content ?? "") as Record<string, unknown>;
    assert.deepEqual(config.datasource_list, ["NoCloud"]);
    assert.equal(config.network, undefined);
  });
});

describe("a virtual machine's seed", () => {
  it("names NICs by their order and finds them by their address", () => {
    assert.deepEqual(JSON.parse(seedFiles(seed)["network-config"]), {
      version: 2,
      ethernets: {
        eth0: { match: { macaddress: "52:54:00:00:00:01" }, dhcp4: true },
        eth1: { match: { macaddress: "52:54:00:00:00:02" }, addresses: ["10.20.0.10/24"] },
        eth2: {
          match: { macaddress: "52:54:00:00:00:03" },
          addresses: ["198.18.0.10/24"],
          routes: [{ to: "0.0.0.0/0", via: "198.18.0.1" }],
        },
      },
    });
  });

  it("has the provider's own words apart from the user's", () => {
    assert.deepEqual(JSON.parse(seedFiles(seed)["meta-data"]), {
      "instance-id": "7",
      "local-hostname": "lab-web-1",
      "public-keys": ["ssh-ed25519 AAAA operator"],
    });
    assert.equal(seedFiles(seed)["user-data"], seed.userData);
  });
});

describe("a virtual machine's disk", () => {
  /** What debugfs says of a disk, which needs no mount. */
  const ask = (disk: string, request: string): string =>
    execFileSync("debugfs", ["-R", request, disk], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });

  it("is the image, the seed over it, and the folders that cover some of it", async function () {
    needs(this, "root", "namespaces");
    await withFolder(async (dir) => {
      const image = path.join(dir, "image");
      const covering = path.join(dir, "covering");
      await mkdir(path.join(image, "var/lib/thing"), { recursive: true });
      await mkdir(covering);
      await writeFile(path.join(image, "hello"), "from the image\n");
      await writeFile(path.join(image, "var/lib/thing/hidden"), "below\n");
      await writeFile(path.join(covering, "shown"), "from the folder\n");
      const disk = path.join(dir, "disk.img");
      await mkdir(path.join(dir, "work"));
      const content = { rootDir: image, seed, folders: { "/var/lib/thing": covering, "/new/place": covering } };
      await makeDisk(disk, path.join(dir, "work"), content, 16);
      assert.equal(ask(disk, "cat /hello"), "from the image\n");
      assert.equal(ask(disk, "cat /var/lib/thing/shown"), "from the folder\n");
      assert.equal(ask(disk, "cat /var/lib/thing/hidden"), "");
      assert.equal(ask(disk, "cat /new/place/shown"), "from the folder\n");
      assert.equal(ask(disk, "cat /var/lib/cloud/seed/nocloud/user-data"), seed.userData);
      assert.match(ask(disk, "stat /var/lib/cloud/seed/nocloud/user-data"), /Mode: {2}0600/);
      assert.doesNotMatch(await readFile("/proc/mounts", "utf8"), new RegExp(dir));
    });
  });

  it("says why it could not be made", async function () {
    needs(this, "root", "namespaces");
    await withFolder(async (dir) => {
      await mkdir(path.join(dir, "work"));
      await assert.rejects(
        makeDisk(path.join(dir, "disk.img"), path.join(dir, "work"), { rootDir: path.join(dir, "gone"), seed }, 16),
        /mount/,
      );
    });
  });
});

describe("QEMU's arguments", () => {
  const hardware = {
    cpus: 2,
    memoryMiB: 3072,
    nics: [
      { mac: "52:54:00:00:00:01", to: { sshPort: 40022 } },
      { mac: "52:54:00:00:00:02", to: { tap: "zs3-up" } },
      { mac: "52:54:00:00:00:03", to: "nothing" as const },
    ],
  };

  it("emulate the CPU, or let the host's run it", () => {
    assert.match(
      qemuArguments(hardware, false).join(" "),
      /-accel tcg,thread=multi,tb-size=1024 -cpu max,la57=off,smap=off -smp 2 -m 3072M/,
    );
    assert.match(qemuArguments(hardware, true).join(" "), /-accel kvm -cpu max -smp/);
    // Where it is slow, kernel and systemd wait longer.
    assert.match(qemuArguments(hardware, false).join(" "), / no_timer_check /);
    assert.match(
      qemuArguments(hardware, false).join(" "),
      / systemd\.default_timeout_start_sec=900 .* mitigations=off /,
    );
    assert.doesNotMatch(qemuArguments(hardware, true).join(" "), /timeout|timer|mitigations/);
  });

  it("plug NICs in order, and open SSH to loopback alone", () => {
    const args = qemuArguments(hardware, false);
    assert.deepEqual(
      args.filter((_, index) => args[index - 1] === "-netdev"),
      [
        "user,id=n0,hostfwd=tcp:127.0.0.1:40022-:22",
        "tap,id=n1,ifname=zs3-up,script=no,downscript=no",
        "user,id=n2,restrict=on,ipv6=off",
      ],
    );
    const devices = args.filter((arg) => arg.startsWith("virtio-net-pci"));
    assert.deepEqual(
      devices.map((device) => /mac=([0-9a-f:]+),addr=(0x\d)/.exec(device)?.slice(1)),
      [
        ["52:54:00:00:00:01", "0x5"],
        ["52:54:00:00:00:02", "0x6"],
        ["52:54:00:00:00:03", "0x7"],
      ],
    );
  });
});
