import assert from "node:assert/strict";
import { after, before, describe, it } from "mocha";
import { applyScript } from "../../components/plan";
import { untunedHugePages } from "../../sandbox/vm/qemu";
import { untunedSysctls } from "../../sandbox/vm/vmFiles";
import { needs } from "../capabilities";
import { eventually } from "../e2e/support/wait";
import { bootNode, judgeSysctls, type KernelNode } from "./node";

/** A program that says what the kernel does, not what it was told: the accept queue, a socket's algorithm, the source ports. */
const sockets = `
import json, socket
listener = socket.create_server(("127.0.0.1", 0), backlog=1 << 30)
client = socket.create_connection(listener.getsockname())
algorithm = client.getsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, 16).rstrip(b"\\0").decode()
ports = []
for attempt in range(500):
    with socket.socket() as unbound:
        # Taken at random from the whole range, where those of connections to one address lie side by side.
        unbound.bind(("127.0.0.1", 0))
        ports.append(unbound.getsockname()[1])
info = listener.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104)
# tcpi_sacked of a listener is its backlog.
backlog = int.from_bytes(info[28:32], "little")
print(json.dumps({"algorithm": algorithm, "backlog": backlog, "ports": ports}))
`;

const hugePagesFile = "/sys/kernel/mm/transparent_hugepage/enabled";

describe("the latency profile on a stock kernel", function () {
  // An emulated CPU on a busy host is slow: this ends a hang, and judges nothing.
  this.timeout(20 * 60_000);
  let machine: KernelNode;
  let booted: KernelNode | undefined;

  before(async function () {
    needs(this, "root", "qemu");
    machine = booted = await bootNode();
    await machine.vm.answers();
    // The first boot starts the SSH server anew: a session that meets that ends.
    await eventually(() => machine.vm.run("cloud-init status --wait"), 900);
  });

  after(async () => booted?.remove());

  const failed = async (): Promise<string[]> =>
    (await judgeSysctls(machine)).flatMap(({ outcome, found }) => (outcome === "ok" ? [] : [found]));

  /** Root queue disciplines of the NICs, with those of each queue where a NIC has several. */
  const qdiscs = async (): Promise<string[]> => {
    const lines = (await machine.vm.run("tc qdisc show dev eth0; tc qdisc show dev eth1")).split("\n");
    return lines.map((line) => line.split(" ")[1] ?? "").filter((kind) => kind !== "mq");
  };

  /** When the kernel uses pages of 2 MiB: the word in brackets. */
  const hugePages = async (): Promise<string> =>
    /\[(\w+)\]/.exec(await machine.vm.run(`cat ${hugePagesFile}`))?.[1] ?? "";

  /** How often cloud-init has run the setup script to its end. */
  const setups = (): Promise<string> => machine.vm.run("grep -c 'is set up$' /var/log/cloud-init-output.log");

  it("starts on a machine that has another value for every key", () => {
    const untuned = untunedSysctls();
    for (const { key, value } of machine.plan.sysctls) {
      assert.notEqual(untuned[key], undefined, `${key} has a value before`);
      assert.notEqual(untuned[key], value, `${key} is tuned by nothing but the plan's file`);
    }
    assert.notEqual(machine.plan.transparentHugePages, untunedHugePages);
  });

  it("is in effect after the first boot, put there by cloud-init", async () => {
    assert.equal(await setups(), "1");
    const results = await judgeSysctls(machine);
    assert.deepEqual(
      results.map(({ outcome, wanted }) => `${outcome}: ${wanted}`),
      machine.plan.sysctls.map(({ key, value }) => `ok: ${key} = ${value}`),
    );
    assert.deepEqual(await qdiscs(), ["fq", "fq"]);
    assert.equal(await hugePages(), machine.plan.transparentHugePages);
  });

  it("leaves nothing out: every module and key is there", async () => {
    const skipped = await machine.vm.run("cat /var/lib/zerosteal/modules-skipped /var/lib/zerosteal/sysctl-skipped");
    assert.equal(skipped, "");
    const modules = machine.node.files.find(({ path }) => path === "/etc/modules-load.d/90-zerosteal.conf")?.content;
    for (const name of modules?.trim().split("\n") ?? []) await machine.vm.run(`test -d /sys/module/${name}`);
    assert.match(modules ?? "", /^sch_fq\ntcp_bbr$/m);
  });

  it("starts the node's services", async () => {
    const active = await machine.vm.run("systemctl is-active containerd.service zerosteal-metadata-guard.service");
    assert.equal(active, "active\nactive");
    assert.equal(await machine.vm.run("systemctl list-units --failed --no-legend --plain"), "");
  });

  it("is in effect after a second boot, which runs no setup", async () => {
    await machine.vm.reboot();
    assert.equal(await machine.vm.run("systemctl is-system-running --wait"), "running");
    assert.equal(await setups(), "1");
    assert.deepEqual(await failed(), []);
    assert.deepEqual(await qdiscs(), ["fq", "fq"]);
    assert.equal(await hugePages(), machine.plan.transparentHugePages);
  });

  it("is what sockets have", async () => {
    const { algorithm, backlog, ports } = JSON.parse(await machine.vm.run("python3 -", sockets)) as {
      algorithm: string;
      backlog: number;
      ports: number[];
    };
    assert.equal(algorithm, "bbr");
    assert.equal(backlog, 65535);
    const reserved = machine.plan.sysctls.find(({ key }) => key === "net.ipv4.ip_local_reserved_ports")?.value ?? "";
    const ranges = reserved.split(",").map((range) => range.split("-").map(Number));
    for (const port of ports) {
      assert.ok(port >= 10240, `${port} is in the planned range`);
      assert.ok(!ranges.some(([from = 0, to = from]) => from <= port && port <= to), `${port} is not reserved`);
    }
    assert.ok(
      ports.some((port) => port < 32768),
      "the kernel's own range begins at 32768",
    );
  });

  it("is missed key by key where the file is gone", async () => {
    await machine.vm.run("rm /etc/sysctl.d/90-zerosteal.conf; sysctl --quiet --system");
    const untuned = untunedSysctls();
    assert.deepEqual(
      await failed(),
      machine.plan.sysctls.map(({ key }) => `${key} = ${untuned[key]}`),
    );
  });

  it("comes back by the same script over SSH, without a boot", async () => {
    await machine.vm.run(`tc qdisc replace dev eth1 root pfifo_fast; echo ${untunedHugePages} >${hugePagesFile}`);
    assert.deepEqual(await qdiscs(), ["fq", "pfifo_fast"]);
    assert.equal(await hugePages(), untunedHugePages);
    await machine.vm.run("bash /dev/stdin", applyScript(machine.node.files));
    assert.deepEqual(await failed(), []);
    assert.deepEqual(await qdiscs(), ["fq", "fq"]);
    assert.equal(await hugePages(), machine.plan.transparentHugePages);
  });
});
