import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { dismantleScript, type HostsUnderlayPlan, planCluster, preflightScript } from "../../components/plan";
import { hostsCluster } from "./clusters";

/** What a machine answers to the programs that the preflight asks. */
interface Machine {
  cpuType: string;
  kernel: string;
  cpus: number;
  memoryKiB: number;
  systemd: boolean;
  /** Lines of `ip -4 -o address`, of `ip -4 -o route show default` and of `ip -o link`. */
  address: string;
  route: string;
  link: string;
  /** Seconds by which the clock of the source of programs is ahead; undefined: it does not answer. */
  clockAhead?: number;
  missing: string[];
  /** Kernel modules that modprobe finds. */
  modules: string[];
  /** Files that are there, with their content. */
  files: Record<string, string>;
}

const good: Machine = {
  cpuType: "x86_64",
  kernel: "6.12.38-amd64",
  cpus: 4,
  memoryKiB: 8_000_000,
  systemd: true,
  address: "3: eth1    inet 10.20.0.11/24 brd 10.20.0.255 scope global eth1",
  route: "default via 203.0.113.1 dev eth0 proto static",
  link: "3: eth1: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc fq state UP",
  clockAhead: 0,
  missing: [],
  modules: [],
  files: {},
};

const coreutils = ["awk", "cut", "date", "dirname", "grep", "head", "sed", "sort", "tail", "tr", "bash", "cat"];
const tools = ["base64", "flock", "gzip", "nft", "sha256sum", "systemctl", "tar", "tc"];

const plan = planCluster("prod", hostsCluster());
const node = plan.nodes.find(({ name }) => name === "prod-web-1");

describe("preflight of an existing host", () => {
  let root: string;
  beforeEach(() => (root = mkdtempSync(path.join(os.tmpdir(), "zerosteal-preflight-"))));
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  const run = (
    change: Partial<Machine>,
    modules: string[] = [],
    resolvConf = "",
  ): { status: number | null; lines: string[] } => {
    assert.ok(node && plan.underlay.kind === "hosts");
    buildMachine(root, { ...good, ...change });
    const underlay = { ...plan.underlay, preflight: { ...plan.underlay.preflight, modules, resolvConf } };
    const script = preflightScript(underlay, node, root);
    const bash = execFileSync("bash", ["-c", "command -v bash"], { encoding: "utf8" }).trim();
    const result = spawnSync(bash, ["--norc", "-euo", "pipefail", "-c", script], {
      encoding: "utf8",
      env: { PATH: path.join(root, "bin"), LC_ALL: "C" },
    });
    return { status: result.status, lines: result.stderr.trim().split("\n") };
  };

  it("lets a machine pass that is what the plan says", () => {
    assert.deepEqual(run({}), { status: 0, lines: [""] });
  });

  const mistakes: [string, Partial<Machine>, RegExp][] = [
    ["no systemd", { systemd: false }, /does not run systemd/],
    ["Arm CPUs", { cpuType: "aarch64" }, /CPUs of type aarch64/],
    ["a missing program", { missing: ["nft"] }, /lacks the program nft; install it/],
    [
      "a kernel too old for BBR in pods",
      { kernel: "5.15.0-91-generic" },
      /has kernel 5\.15\.0-91-generic, and the plan needs 5\.18/,
    ],
    ["fewer CPUs", { cpus: 2 }, /has 2 CPUs, and underlay\.machines says 4/],
    [
      "CPUs that are kept from the scheduler",
      { files: { "sys/devices/system/cpu/isolated": "2-3\n" } },
      /keeps CPUs 2-3 from its kernel's scheduler \(isolcpus\), .+; take isolcpus off/,
    ],
    ["less memory", { memoryKiB: 4_000_000 }, /has 3906 MiB of memory, and underlay\.machines says 8 GiB/],
    ["no private address", { address: "" }, /has no NIC with 10\.20\.0\.11/],
    [
      "the private address on another NIC",
      { address: good.address.replaceAll("eth1", "ens7") },
      /has 10\.20\.0\.11 on ens7, and the plan says eth1; set underlay\.privateInterface to ens7/,
    ],
    [
      "a smaller MTU",
      { link: good.link.replace("1500", "1450") },
      /sends at most 1450 bytes on eth1, and underlay\.mtu says 1500/,
    ],
    [
      "another public NIC",
      { route: "default via 203.0.113.1 dev ens3" },
      /default route on ens3, .* set underlay\.publicInterface to ens3/,
    ],
    ["no default route", { route: "" }, /has no default route/],
    [
      "a clock far off",
      { clockAhead: 7200 },
      /has a clock that is (7199|720[01]) s off that of https:\/\/dl\.k8s\.io\//,
    ],
    ["no way to its programs", { clockAhead: undefined }, /gets no answer from https:\/\/dl\.k8s\.io\//],
    [
      "a resolver that pods are kept from",
      { files: { "etc/resolv.conf": "nameserver 168.63.129.16\n" } },
      /has its resolver at 168\.63\.129\.16, .+ kubernetes\.kubelet\.resolvConf/,
    ],
    [
      "Kubernetes of somebody else",
      { files: { "etc/kubernetes/kubelet.conf": "" } },
      /already runs Kubernetes; take it out/,
    ],
    [
      "Kubernetes of another of our clusters",
      { files: { "etc/kubernetes/kubelet.conf": "", "etc/zerosteal/node.env": "NODE_NAME=stage-web-1\n" } },
      /already runs Kubernetes as stage-web-1/,
    ],
  ];
  for (const [what, change, message] of mistakes) {
    it(`names ${what}, and nothing else`, () => {
      const { status, lines } = run(change);
      assert.equal(status, 1);
      assert.equal(lines.length, 2, lines.join("\n"));
      assert.match(lines[0] ?? "", message);
      assert.equal(lines[1], "node prod-web-1: 1 problems, and nothing was changed on it");
    });
  }

  it("names a kernel module that is neither loaded nor to be had, and only then", () => {
    const { status, lines } = run({}, ["wireguard"]);
    assert.equal(status, 1);
    assert.match(lines[0] ?? "", /a kernel without the module wireguard, which the plan needs \(network\.encryption\)/);
  });

  it("lets a kernel pass that has the module, or has it loaded", () => {
    assert.equal(run({ modules: ["wireguard"] }, ["wireguard"]).status, 0);
    rmSync(path.join(root, "bin"), { recursive: true });
    assert.equal(run({ files: { "sys/module/wireguard/version": "1.0.0" } }, ["wireguard"]).status, 0);
  });

  it("looks for resolvers where kubeadm does, or where the kubelet is told to", () => {
    const bad = "nameserver 169.254.169.254\n";
    const status = (files: Record<string, string>, resolvConf?: string): number | null => {
      rmSync(root, { recursive: true });
      return run({ files }, [], resolvConf).status;
    };
    const resolved = { "run/systemd/resolve/resolv.conf": "nameserver 169.254.169.25\n" };
    assert.equal(status({ "etc/resolv.conf": bad, ...resolved }), 0);
    assert.equal(status({ "run/systemd/resolve/resolv.conf": bad }), 1);
    assert.equal(status({ "etc/resolv.conf": bad, "etc/own.conf": "nameserver 9.9.9.9\n" }, "/etc/own.conf"), 0);
    assert.equal(status({ "etc/own.conf": bad }, "/etc/own.conf"), 1);
  });

  it("names all problems at once", () => {
    const { lines } = run({ cpus: 1, kernel: "4.19.0", route: "" });
    assert.equal(lines.length, 4, lines.join("\n"));
    assert.match(lines.at(-1) ?? "", /3 problems/);
  });

  it("lets a node of its own cluster pass again", () => {
    const files = { "etc/kubernetes/kubelet.conf": "", "etc/zerosteal/node.env": "NODE_NAME=prod-web-1\n" };
    assert.equal(run({ files }).status, 0);
  });

  it("takes quotes in a plan's texts as text", () => {
    assert.ok(node && plan.underlay.kind === "hosts");
    const underlay: HostsUnderlayPlan = {
      ...plan.underlay,
      preflight: { ...plan.underlay.preflight, clockUrl: "http://a/'$(id)'" },
    };
    const head = preflightScript(underlay, node).split("\n").slice(0, 12).join("\n");
    assert.equal(
      execFileSync("bash", ["-c", `${head}\nprintf %s "$CLOCK_URL"`], { encoding: "utf8" }),
      "http://a/'$(id)'",
    );
  });
});

describe("what takes a node off a machine", () => {
  it("can be read by bash", () => void execFileSync("bash", ["-n"], { input: dismantleScript }));
});

/** Stands programs and files in a folder. */
function buildMachine(root: string, machine: Machine): void {
  const bin = path.join(root, "bin");
  mkdirSync(bin, { recursive: true });
  const put = (name: string, text: string): void => {
    const file = path.join(root, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, text, { mode: 0o755 });
  };
  for (const name of coreutils) {
    symlinkSync(execFileSync("bash", ["-c", `command -v ${name}`], { encoding: "utf8" }).trim(), path.join(bin, name));
  }
  const script = (name: string, text: string): void => put(`bin/${name}`, `#!/usr/bin/env -S bash\n${text}\n`);
  for (const name of tools.filter((tool) => !machine.missing.includes(tool))) script(name, "exit 0");
  script("uname", `case $1 in -m) echo ${machine.cpuType};; -r) echo ${machine.kernel};; esac`);
  script("modprobe", `[[ " ${machine.modules.join(" ")} " == *" \${@: -1} "* ]]`);
  script("nproc", `echo ${machine.cpus}`);
  script(
    "ip",
    `case "$*" in *address*) echo '${machine.address}';; *link*) echo '${machine.link}';; *route*) echo '${machine.route}';; esac`,
  );
  const { clockAhead } = machine;
  script(
    "curl",
    clockAhead === undefined
      ? "exit 7"
      : `printf 'HTTP/1.1 404 Not Found\\r\\nDate: %s\\r\\n\\r\\n' "$(date -u -R -d '+${clockAhead} seconds')"`,
  );
  put("proc/meminfo", `MemTotal: ${machine.memoryKiB} kB\n`);
  if (machine.systemd) mkdirSync(path.join(root, "run/systemd/system"), { recursive: true });
  for (const [name, text] of Object.entries(machine.files)) put(name, text);
}
