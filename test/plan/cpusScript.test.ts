import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import type { CpuIsolation } from "../../components/plan";
import { needs } from "../capabilities";
import { PretendMachine, setUp, workerOf } from "./machine";

const script = "/usr/local/sbin/zerosteal-cpus";
const dropIn = "/etc/kubernetes/kubelet.conf.d/45-zerosteal-cores.conf";
const assignments = "/var/lib/kubelet/cpu_manager_state";

describe("CPU script on a pretended machine", function () {
  this.timeout(60_000);
  let machine: PretendMachine;

  before(function () {
    needs(this, "root", "namespaces");
  });
  beforeEach(() => {
    machine = new PretendMachine(mkdtempSync(path.join(os.tmpdir(), "zerosteal-machine-")));
    for (const [irq, action] of Object.entries({ 24: "virtio1-input.0", 25: "virtio1-output.0" })) {
      machine.write(`irq/${irq}/smp_affinity_list`, "0-3\n");
      machine.write(`irq/${irq}/${action}/empty`, "");
    }
    // Nobody handles this one.
    machine.write("irq/9/smp_affinity_list", "0-3\n");
  });
  afterEach(() => rmSync(machine.folder, { recursive: true, force: true }));

  function run(shell: string): { stdout: string; stderr: string } {
    const { code, stdout, stderr } = machine.run(shell);
    assert.equal(code, 0, stderr);
    return { stdout, stderr };
  }

  const apply = (isolation: CpuIsolation): string =>
    setUp(machine, workerOf(machine, undefined, isolation), `${isolation}.sh`);
  const interrupts = (): string[] =>
    ["default_smp_affinity", "24/smp_affinity_list", "25/smp_affinity_list", "9/smp_affinity_list"].map((file) =>
      machine.read(`irq/${file}`).trim(),
    );
  const slices = (): string[] =>
    machine
      .read("systemctl.log")
      .split("\n")
      .flatMap((line) => /^set-property --runtime (.+)$/.exec(line)?.[1] ?? []);

  it("leaves a machine without isolation alone", () => {
    const { stdout } = run(`${apply("none")}; ls ${dropIn} 2>/dev/null || echo none`);
    assert.equal(stdout, "none\n");
    assert.deepEqual(interrupts(), ["f", "0-3", "0-3", "0-3"]);
    assert.deepEqual(slices(), []);
  });

  it("moves interrupts to the reserved CPUs, and daemons with strict isolation only", () => {
    machine.write("enabled-irqbalance.service", "");
    run(apply("static"));
    assert.deepEqual(interrupts(), ["1", "0", "0", "0-3"]);
    assert.deepEqual(slices(), []);
    assert.ok(!existsSync(path.join(machine.folder, "enabled-irqbalance.service")));
    run(apply("strict"));
    assert.deepEqual(
      slices(),
      ["init.scope", "system.slice", "user.slice"].map((name) => `${name} AllowedCPUs=0`),
    );
    assert.equal(machine.read("workqueues/cpumask"), "1\n");
  });

  it("gives everything back to a pool that gives isolation up", () => {
    machine.write("enabled-irqbalance.service", "");
    run(`${apply("strict")}; ${apply("none")}`);
    assert.deepEqual(interrupts(), ["f", "0-3", "0-3", "0-3"]);
    assert.equal(machine.read("workqueues/cpumask"), "f\n");
    assert.deepEqual(
      slices().slice(3),
      ["init.scope", "system.slice", "user.slice"].map((name) => `${name} AllowedCPUs=`),
    );
    assert.ok(existsSync(path.join(machine.folder, "enabled-irqbalance.service")));
  });

  it("reserves whole cores where CPUs are threads, in either order of numbers", () => {
    for (const [threads, reserved] of [
      [["0-1", "0-1", "2-3", "2-3"], "0-1"],
      [["0,2", "1,3", "0,2", "1,3"], "0,2"],
    ] as const) {
      machine.cpus([...threads]);
      const { stdout } = run(`${apply("strict")}; cat ${dropIn}`);
      assert.match(stdout, new RegExp(`^reservedSystemCPUs: "${reserved}"$`, "m"));
      assert.match(stdout, /^ {2}full-pcpus-only: "true"\n {2}strict-cpu-reservation: "true"$/m);
      assert.equal(interrupts()[1], reserved);
    }
    const { stdout } = run(`${apply("static")}; cat ${dropIn}`);
    assert.match(stdout, /^reservedSystemCPUs: "0,2"$/m);
    assert.doesNotMatch(stdout, /full-pcpus-only/);
  });

  it("takes its word to the kubelet back when the machine shows threads no more", () => {
    machine.cpus(["0-1", "0-1", "2-3", "2-3"]);
    const list = "cpus/cpu{0,1,2,3}/topology/thread_siblings_list";
    const { stdout } = run(`${apply("strict")}; ls ${dropIn}
for file in $MACHINE/${list}; do echo 0 >$file; done; ${script}; ls ${dropIn} 2>/dev/null || echo gone`);
    assert.equal(stdout, `${dropIn}\ngone\n`);
  });

  it("names interrupts that the kernel does not let go, and moves the others", () => {
    // A file of the kernel that takes no CPU list.
    machine.write("irq/26/virtio2-req.0/empty", "");
    symlinkSync("/proc/sys/net/ipv4/tcp_congestion_control", path.join(machine.folder, "irq/26/smp_affinity_list"));
    const { stdout, stderr } = run(`${apply("static")}; cat /var/lib/zerosteal/cpus-skipped`);
    assert.match(stdout, /^interrupt 26 \(virtio2-req\.0\): stays on \w+: No such file or directory\n$/);
    assert.match(stderr, /zerosteal-cpus: interrupt 26/);
    assert.deepEqual(interrupts(), ["1", "0", "0", "0-3"]);
  });

  it("leaves to a container's host what is the host's, although it could be written", () => {
    machine.write("container", "");
    machine.write("huge-pages", "[always] madvise never\n");
    const { stdout } = run(`${apply("strict")}; cat /var/lib/zerosteal/cpus-skipped`);
    assert.equal(
      stdout,
      "huge pages: they are as the host of this machine has them: [always] madvise never\ninterrupts: they belong to the host of this machine\n",
    );
    assert.deepEqual(interrupts(), ["f", "0-3", "0-3", "0-3"]);
    assert.equal(machine.read("workqueues/cpumask"), "f\n");
    assert.equal(machine.read("huge-pages"), "[always] madvise never\n");
  });

  it("changes huge pages, and names them where it cannot", () => {
    machine.write("huge-pages", "[always] madvise never\n");
    run(apply("none"));
    assert.equal(machine.read("huge-pages"), "madvise\n");
    machine.write("huge-pages", "[always] madvise never\n");
    const { stderr } = run(`mount -o remount,bind,ro /sys/kernel/mm/transparent_hugepage/enabled; ${apply("none")}`);
    assert.match(stderr, /huge pages: read-only here/);
    assert.equal(machine.read("huge-pages"), "[always] madvise never\n");
  });

  it("writes masks of machines with more than 32 CPUs", () => {
    machine.cpus(Array.from({ length: 80 }, (_, cpu) => `${cpu % 40},${(cpu % 40) + 40}`));
    machine.write("irq/default_smp_affinity", "ffff,ffffffff,ffffffff\n");
    run(apply("static"));
    assert.deepEqual(interrupts(), ["100,00000001", "0,40", "0,40", "0-3"]);
  });

  it("forgets CPU assignments before the kubelet starts, when settings or CPUs changed, and only then", () => {
    const start = `${script} --before-kubelet; ls ${assignments} 2>/dev/null || echo gone; touch ${assignments}`;
    const { stdout } = run(`mkdir -p /var/lib/kubelet; ${apply("none")}
${start}
${start}
${apply("static")}; ls ${assignments}; ${start}
${start}
echo 0-7 >$MACHINE/cpus/online; ${script}; ls ${assignments}; ${start}`);
    assert.deepEqual(stdout.trim().split("\n"), [
      "gone",
      assignments,
      assignments,
      "gone",
      assignments,
      assignments,
      "gone",
    ]);
  });

  it("runs before each start of the kubelet, and at boot", () => {
    const files = workerOf(machine).files;
    const unit = (name: string): string => files.find((file) => file.path.endsWith(`/${name}`))?.content ?? "";
    const before = unit("kubelet.service")
      .split("\n")
      .filter((line) => line.startsWith("ExecStartPre="));
    // The private NIC, which may be plugged in late, has to be there for its interrupts to be moved.
    assert.deepEqual(before, [
      "ExecStartPre=/usr/local/sbin/zerosteal-wait-network",
      `ExecStartPre=${script} --before-kubelet`,
    ]);
    assert.match(unit("zerosteal-cpus.service"), /^Before=kubelet\.service$/m);
    run(apply("static"));
    assert.match(
      readFileSync(path.join(machine.folder, "systemctl.log"), "utf8"),
      /^enable --quiet zerosteal-cpus\.service$/m,
    );
  });
});
