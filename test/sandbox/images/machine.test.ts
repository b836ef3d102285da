import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, readdirSync, readlinkSync } from "node:fs";
import { stat, writeFile, mkdir } from "node:fs/promises";
import path from "node:path";
import { parse } from "yaml";
import { containerdDropIns, kubeletDropIns } from "../../../components/plan/nodeFiles";
import { sysctlTable } from "../../../components/plan/sysctlTable";
import { ensureBaseImage } from "../../../sandbox/images/baseImage";
import { machineFiles, maskedUnits, stockSysctls } from "../../../sandbox/images/machineFiles";
import { needs } from "../../capabilities";
import { withFolder } from "../../toolchain/support";

function content(host: Parameters<typeof machineFiles>[0], file: string): string {
  const found = machineFiles(host).find((candidate) => candidate.path === file);
  assert.ok(found, `${file} is in the image`);
  return found.content;
}

const oldHost = { cgroupVersion: 1, sysResource: false } as const;
const newHost = { cgroupVersion: 2, sysResource: true } as const;

describe("machine files", () => {
  it("start every namespaced key of the tuning table at another value than the profiles'", () => {
    for (const { key, profiles } of sysctlTable.filter((row) => row.namespaced)) {
      const stock = stockSysctls[key];
      assert.notEqual(stock, undefined, `${key} has a stock value`);
      for (const { value } of Object.values(profiles))
        assert.ok(value === null || !stock?.split("|").includes(value), `${key} does not start tuned`);
    }
  });

  it("leave alone what belongs to the host", () => {
    for (const { key } of sysctlTable.filter((row) => !row.namespaced)) assert.equal(stockSysctls[key], undefined, key);
  });

  it("lie where the plan's containerd and kubelet look for drop-ins", () => {
    assert.match(content(oldHost, `${containerdDropIns}/90-machine.toml`), /^version = 3\n/);
    const kubelet = parse(content(oldHost, `${kubeletDropIns}/90-machine.conf`)) as Record<string, unknown>;
    assert.deepEqual(kubelet, {
      apiVersion: "kubelet.config.k8s.io/v1beta1",
      kind: "KubeletConfiguration",
      localStorageCapacityIsolation: false,
      failCgroupV1: false,
      cgroupDriver: "cgroupfs",
    });
  });

  it("hold only what the probed host needs", () => {
    const containerd = `${containerdDropIns}/90-machine.toml`;
    assert.match(content(oldHost, containerd), /restrict_oom_score_adj = true(.|\n)*SystemdCgroup = false/);
    assert.equal(content(newHost, containerd), "version = 3\n");
    assert.doesNotMatch(content(newHost, `${kubeletDropIns}/90-machine.conf`), /cgroup/i);
  });

  it("give cloud-init one source of data and only the modules that user data can ask for", () => {
    const config = parse(content(newHost, "/etc/cloud/cloud.cfg.d/90-machine.cfg")) as Record<string, unknown>;
    assert.deepEqual(config.datasource_list, ["NoCloud"]);
    assert.deepEqual(config.network, { config: "disabled" });
    assert.deepEqual(config.cloud_config_modules, ["runcmd"]);
  });
});

describe("stock values", () => {
  it("are written first choice first, and a key that refuses all is named", async function () {
    needs(this, "root");
    await withFolder(async (dir) => {
      const script = content(newHost, "/usr/local/sbin/zerosteal-machine");
      const loop = script.slice(script.indexOf("while IFS"));
      for (const key of ["a/b", "c"]) await mkdir(path.dirname(path.join(dir, key)), { recursive: true });
      for (const key of ["a/b", "c"]) await writeFile(path.join(dir, key), "old");
      await writeFile(path.join(dir, "stock"), "a.b=1|2\nc=\ngone.key=3\n");
      const tried = loop
        .replaceAll("/proc/sys", dir)
        .replace("/usr/local/lib/zerosteal-machine/stock-sysctls", path.join(dir, "stock"));
      assert.equal(
        execFileSync("/bin/bash", ["-euc", tried]).toString(),
        "gone.key cannot be set here: left as it is\n",
      );
      assert.equal(readFileSync(path.join(dir, "a/b"), "utf8"), "1\n");
      assert.equal(readFileSync(path.join(dir, "c"), "utf8"), "\n");
      const refusing = tried.replace("file=", "file=/dev/full; : ");
      assert.match(execFileSync("/bin/bash", ["-euc", refusing]).toString(), /^a\.b cannot be set here.*\nc cannot/);
    });
  });
});

describe("ensureBaseImage", () => {
  it("refuses a name that the cloud does not offer", async () => {
    await assert.rejects(
      ensureBaseImage("debian-11"),
      /No system image is called "debian-11"; there are debian-12 and/,
    );
  });

  it("makes a root file system that boots as a machine", async function () {
    needs(this, "root", "mmdebstrap");
    this.timeout(300_000);
    const { rootDir, runc } = await ensureBaseImage("debian-13");
    const inside = (file: string) => path.join(rootDir, file);
    assert.deepEqual(
      readdirSync(inside("etc/ssh")).filter((name) => name.startsWith("ssh_host_")),
      [],
      "every machine makes host keys of its own",
    );
    assert.equal(readFileSync(inside("etc/machine-id"), "utf8"), "");
    for (const unit of maskedUnits) assert.equal(readlinkSync(inside(`etc/systemd/system/${unit}`)), "/dev/null");
    assert.ok(existsSync(inside("usr/bin/cloud-init")) && existsSync(inside("usr/sbin/sshd")));
    assert.ok((await stat(inside("usr/local/sbin/zerosteal-machine"))).mode & 0o100);
    assert.ok(!existsSync(inside("usr/sbin/runc")), "runc comes as a node artifact");
    // By the image's own loader and libraries, without a file in the image: machines may be running on it.
    const [triplet, loader] =
      process.arch === "x64"
        ? ["x86_64-linux-gnu", "ld-linux-x86-64.so.2"]
        : ["aarch64-linux-gnu", "ld-linux-aarch64.so.1"];
    const libraries = inside(`usr/lib/${triplet}`);
    const version = execFileSync(path.join(libraries, loader), ["--library-path", libraries, runc, "--version"]);
    assert.match(version.toString(), /^runc version 1\.(.|\n)*libseccomp/);
    const again = await ensureBaseImage("debian-12");
    assert.equal(again.rootDir, rootDir, "both names give the image that this host can boot");
  });
});
