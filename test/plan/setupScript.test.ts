import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import type { NodeFile } from "../../components/plan";
import { needs } from "../capabilities";
import { PretendMachine, setUp, withFile, workerOf } from "./machine";

describe("setup script on a pretended machine", function () {
  this.timeout(60_000);
  let machine: PretendMachine;

  before(function () {
    needs(this, "root", "namespaces");
  });
  beforeEach(() => {
    machine = new PretendMachine(mkdtempSync(path.join(os.tmpdir(), "zerosteal-machine-")));
  });
  afterEach(() => rmSync(machine.folder, { recursive: true, force: true }));

  /** Runs a script and gives its standard output; anything but success is a failure of the test. */
  function succeed(script: string): string {
    const { code, stdout, stderr } = machine.run(script);
    assert.equal(code, 0, stderr);
    return stdout;
  }

  /** Units that systemctl was asked to restart or stop, by run; runs are divided by `next` lines in its log. */
  function restarts(): string[][] {
    const runs = machine.read("systemctl.log").split("next\n");
    return runs.map((run) => run.split("\n").filter((line) => /^(restart|stop) /.test(line)));
  }

  const next = "echo next >>$MACHINE/systemctl.log\n";

  it("puts everything into effect", () => {
    const out = succeed(`${setUp(machine, workerOf(machine))}
for key in core/somaxconn ipv4/ip_local_port_range ipv4/tcp_tw_reuse; do tr -s '\t' ' ' </proc/sys/net/$key; done
sed -n '/BEGIN zerosteal/,/END zerosteal/p' /etc/hosts
ls /usr/local/bin /usr/local/sbin /opt/cni/bin
kubelet=$(/usr/local/bin/kubelet); echo "$kubelet"; /usr/local/bin/containerd-shim-runc-v2; /opt/cni/bin/loopback
ls /etc/ssh | grep ssh_host
grep -v inotify /var/lib/zerosteal/sysctl-skipped`);
    assert.equal(
      out,
      `65535
10240 65535
1
# BEGIN zerosteal
10.0.0.2 api.prod.zerosteal.internal
10.0.0.11 prod-web-1
# END zerosteal
/opt/cni/bin:
loopback

/usr/local/bin:
containerd
containerd-shim-runc-v2
kubeadm
kubectl
kubelet

/usr/local/sbin:
runc
zerosteal-cpus
zerosteal-setup
zerosteal-wait-network
kubelet
bin/containerd-shim-runc-v2
./loopback
ssh_host_ed25519_key
ssh_host_ed25519_key.pub
net.core.netdev_max_backlog: there is no such key here
`,
    );
    assert.deepEqual(restarts(), [
      ["restart zerosteal-metadata-guard.service", "restart containerd.service", "restart kubelet.service"],
    ]);
    assert.match(machine.read("systemctl.log"), /^try-reload-or-restart ssh\.service$/m);
  });

  it("does nothing the second time, and needs no mirror for it", () => {
    const node = workerOf(machine);
    const apply = setUp(machine, node);
    const changed = succeed(`${apply}
sleep 0.01; touch $MACHINE/mark; rm -rf $MACHINE/mirror; ${next}
${apply}
find /usr/local /opt /etc -newer $MACHINE/mark -type f`);
    const [, second] = restarts();
    assert.deepEqual(second, []);
    // The planned files themselves are written again, with the same content.
    const planned = node.files.map((file) => file.path);
    assert.deepEqual(
      changed.split("\n").filter((file) => file !== "" && !planned.includes(file)),
      [],
    );
  });

  it("restarts only what a change is about", () => {
    const node = workerOf(machine);
    const sysctl = withFile(node, "/etc/sysctl.d/90-zerosteal.conf", (text) => text.replace("65535\n", "4242\n"));
    const kubelet = withFile(
      node,
      "/etc/kubernetes/kubelet.conf.d/50-zerosteal.conf",
      (text) => `${text}maxPods: 60\n`,
    );
    const out = succeed(`${setUp(machine, node)}
${next} ${setUp(machine, sysctl, "sysctl.sh")}; cat /proc/sys/net/core/somaxconn
${next} ${setUp(machine, kubelet, "kubelet.sh")}
${next} echo 'oom_score = -1' >/etc/containerd/conf.d/50-image.toml; /usr/local/sbin/zerosteal-setup`);
    assert.equal(out, "4242\n");
    assert.deepEqual(restarts().slice(1), [[], ["restart kubelet.service"], ["restart containerd.service"]]);
  });

  it("starts a service again that is down", () => {
    const apply = setUp(machine, workerOf(machine));
    succeed(`${apply}; ${next} rm $MACHINE/active-containerd.service; ${apply}`);
    assert.deepEqual(restarts()[1], ["restart containerd.service"]);
  });

  it("refuses a kernel that keeps CPUs from its scheduler", () => {
    machine.write("cpus/isolated", "2-3\n");
    const { code, stderr } = machine.run(setUp(machine, workerOf(machine)));
    assert.equal(code, 1);
    assert.match(stderr, /the kernel keeps CPUs 2-3 from its scheduler \(isolcpus\).+take isolcpus off/);
  });

  it("removes files that an earlier plan had and this one has not", () => {
    const node = workerOf(machine);
    const extra = "/etc/containerd/certs.d/quay.io/hosts.toml";
    const list = (files: NodeFile[]): NodeFile[] =>
      files.map((file) =>
        file.path === "/etc/zerosteal/files" ? { ...file, content: `${file.content}${extra}\n` } : file,
      );
    const before = { ...node, files: [...list(node.files), { path: extra, mode: "0644", content: "x\n" }] };
    const out = succeed(`touch /etc/mine; ${setUp(machine, before, "before.sh")}; ls ${extra}
${setUp(machine, node)}; ls ${extra} 2>/dev/null || echo gone; ls /etc/mine`);
    assert.equal(out, `${extra}\ngone\n/etc/mine\n`);
  });

  it("replaces its block of /etc/hosts and keeps the rest", () => {
    const node = workerOf(machine);
    const moved = withFile(node, "/etc/zerosteal/hosts", (text) => text.replace("10.0.0.2", "10.0.0.9"));
    const out = succeed(`printf '127.0.0.1 localhost\n' >/etc/hosts
${setUp(machine, node)}; printf '192.0.2.1 other\n' >>/etc/hosts; ${setUp(machine, moved, "moved.sh")}; cat /etc/hosts`);
    const block = "# BEGIN zerosteal\n10.0.0.9 api.prod.zerosteal.internal\n10.0.0.11 prod-web-1\n# END zerosteal\n";
    assert.equal(out, `127.0.0.1 localhost\n192.0.2.1 other\n${block}`);
  });

  it("names and records what this kernel cannot do, and goes on", () => {
    const node = withFile(workerOf(machine), "/etc/modules-load.d/90-zerosteal.conf", (text) => `${text}sch_fq\n`);
    const { code, stdout, stderr } = machine.run(`${setUp(machine, node)}; cat /var/lib/zerosteal/modules-skipped`);
    assert.equal(code, 0, stderr);
    const reason = "modprobe: FATAL: Module sch_fq not found.";
    // A kernel that has the module loaded or built in has nothing to skip.
    const skipped = stdout === `sch_fq: ${reason}\n`;
    assert.ok(skipped || stdout === "", stdout);
    assert.equal(stderr.includes(`module sch_fq was not loaded: ${reason}`), skipped);
    assert.match(stderr, /sysctl net\.core\.netdev_max_backlog was not set: there is no such key here/);
  });

  it("fails when the kernel refuses a value that it could take", () => {
    const node = withFile(workerOf(machine), "/etc/sysctl.d/90-zerosteal.conf", (text) =>
      text.replace(/$/, "net.ipv4.tcp_congestion_control = nosuch\n"),
    );
    const { code, stderr } = machine.run(setUp(machine, node));
    assert.equal(code, 1);
    assert.match(stderr, /sysctl net\.ipv4\.tcp_congestion_control: the kernel refused 'nosuch': .+/);
  });

  it("fails when the kernel takes another value than it was given", () => {
    const node = withFile(workerOf(machine), "/etc/sysctl.d/90-zerosteal.conf", (text) =>
      text.replace(/$/, "net.ipv4.ip_local_reserved_ports = 7,5\n"),
    );
    const { code, stderr } = machine.run(setUp(machine, node));
    assert.equal(code, 1);
    assert.match(stderr, /sysctl net\.ipv4\.ip_local_reserved_ports: wrote '7,5', reads '5,7'/);
  });

  it("installs nothing when a download has another checksum", () => {
    const node = workerOf(machine);
    machine.write("mirror/kubelet", "something else\n");
    const { code, stdout, stderr } = machine.run(
      `${setUp(machine, node)} || { ls /usr/local/bin /var/cache/zerosteal | grep -E 'kube|part'; exit 1; }`,
    );
    assert.equal(code, 1);
    assert.match(stderr, /kubelet: file:.+\/mirror\/kubelet has SHA-256 [0-9a-f]{64}, the plan wants [0-9a-f]{64}/);
    assert.match(stderr, /1 artifacts could not be fetched; nothing was installed/);
    assert.equal(stdout, "");
  });

  it("names a file that its archive lacks", () => {
    const artifacts = machine.artifacts();
    const broken = artifacts.map((artifact) =>
      artifact.name === "containerd" && artifact.extract
        ? { ...artifact, extract: { ...artifact.extract, members: [...artifact.extract.members, "bin/ctr"] } }
        : artifact,
    );
    const { code, stderr } = machine.run(setUp(machine, workerOf(machine, broken)));
    assert.equal(code, 1);
    assert.match(stderr, /containerd: the archive has no member bin\/ctr/);
  });

  it("refuses swap, unless the kubelet is told to take it", () => {
    machine.write("swaps", "Filename\t\t\tType\n/dev/sda2\t\t\tpartition\n");
    const node = workerOf(machine);
    const refused = machine.run(setUp(machine, node));
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /swap is on, and the kubelet would refuse to start: swapoff -a/);
    const told = withFile(node, "/etc/zerosteal/node.env", (text) => text.replace("REFUSE_SWAP=yes", "REFUSE_SWAP=no"));
    succeed(setUp(machine, told, "told.sh"));
  });
});

describe("network scripts on a pretended machine", function () {
  this.timeout(60_000);
  let machine: PretendMachine;
  const wait = "/usr/local/sbin/zerosteal-wait-network";

  before(function () {
    needs(this, "root", "namespaces");
  });
  beforeEach(() => {
    machine = new PretendMachine(mkdtempSync(path.join(os.tmpdir(), "zerosteal-machine-")));
  });
  afterEach(() => rmSync(machine.folder, { recursive: true, force: true }));

  const plug = (name: string): string =>
    `ip link add ${name} type veth peer name peer0 && ip link set ${name} up && ip address add 10.0.0.11/32 dev ${name}`;

  it("wait for an address that is plugged in late, saying so", () => {
    const { code, stderr } = machine.run(`${setUp(machine, workerOf(machine))}
( sleep 1; ${plug("enp7s0")} ) & ${wait} 30; wait`);
    assert.equal(code, 0, stderr);
    assert.match(stderr, /prod-web-1 waits for its private address 10\.0\.0\.11/);
  });

  it("give up after the limit, naming what is missing", () => {
    const { code, stderr } = machine.run(`${setUp(machine, workerOf(machine))}; ${wait} 1`);
    assert.equal(code, 1);
    assert.match(stderr, /prod-web-1 has no NIC with 10\.0\.0\.11 after 1 s: is the server attached/);
  });

  it("refuse a NIC that Cilium would not look at, and take one that its pattern fits", () => {
    const node = workerOf(machine);
    const { code, stderr } = machine.run(`${setUp(machine, node)}; ${plug("ens10")}; ${wait} 5`);
    assert.equal(code, 1);
    assert.match(stderr, /10\.0\.0\.11 on ens10, but Cilium is told enp7s0: set underlay\.privateInterface to ens10/);
    const pattern = withFile(node, "/etc/zerosteal/node.env", (text) => text.replace("=enp7s0", "=en+"));
    const taken = machine.run(`${setUp(machine, pattern)}; ${plug("ens10")}; ${wait} 5`);
    assert.equal(taken.code, 0, taken.stderr);
  });

  it("keep pods, and not the node, from the metadata service", () => {
    const node = workerOf(machine);
    const unit = node.files.find((file) => file.path.endsWith("metadata-guard.service"))?.content ?? "";
    const commands = unit.split("\n").flatMap((line) => /^Exec(Start|StartPre)=-?(.+)$/.exec(line)?.[2] ?? []);
    const start = commands.map((command) => `${command} 2>/dev/null || true`).join("\n");
    const lookUp = (source: string): string =>
      `ip -4 route get 169.254.169.254 from ${source} iif pod0 >/dev/null 2>&1 && echo ${source} passes || echo ${source} is stopped`;
    const { code, stdout, stderr } = machine.run(`
ip link add eth0 type veth peer name peer0; ip link set eth0 up; ip link set peer0 up; ip address add 192.0.2.10/24 dev eth0; ip route add default via 192.0.2.1
ip link add pod0 type veth peer name peer1; ip link set pod0 up; ip link set peer1 up; ip route add 10.244.11.0/24 dev pod0
echo 1 >/proc/sys/net/ipv4/ip_forward; echo 0 >/proc/sys/net/ipv4/conf/all/rp_filter; echo 0 >/proc/sys/net/ipv4/conf/pod0/rp_filter
${lookUp("10.244.11.5")}
${start}
${start}
ip -4 rule show | grep -c 169.254.169.254
${lookUp("10.244.11.5")}
ip -4 route get 198.51.100.1 from 10.244.11.5 iif pod0 >/dev/null && echo others pass
ip -4 route get 169.254.169.254 >/dev/null && echo the node passes`);
    assert.equal(code, 0, stderr);
    assert.equal(stdout, "10.244.11.5 passes\n1\n10.244.11.5 is stopped\nothers pass\nthe node passes\n");
  });

  it("keep the rule as the kernel's own, which networkd leaves alone, in place of an older one, and bring it back", () => {
    const rules = "ip -4 -details rule show priority 50 | sed 's/  */ /g'";
    const { code, stdout, stderr } = machine.run(`
ip -4 rule add priority 50 from 10.244.0.0/16 to 169.254.169.254 prohibit
${setUp(machine, workerOf(machine))} && ${rules}
ip -4 rule del priority 50
/usr/local/sbin/zerosteal-setup && ${rules}`);
    assert.equal(code, 0, stderr);
    const rule = "50: from 10.244.0.0/16 to 169.254.169.254 prohibit proto kernel\n";
    assert.equal(stdout.replace(/\t/g, " "), rule + rule);
  });
});
