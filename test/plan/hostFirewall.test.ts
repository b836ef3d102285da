import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import type { NodePlan } from "../../components/plan";
import { needs } from "../capabilities";
import { hostOf, PretendMachine, setUp, withFile } from "./machine";

const rulesFile = "/etc/zerosteal/firewall.nft";
const dropIn = "/etc/systemd/system/kubelet.service.d/50-zerosteal-firewall.conf";

describe("firewall of an existing host on a pretended machine", function () {
  this.timeout(60_000);
  let machine: PretendMachine;
  let node: NodePlan;

  before(function () {
    needs(this, "root", "namespaces");
  });
  beforeEach(() => {
    machine = new PretendMachine(mkdtempSync(path.join(os.tmpdir(), "zerosteal-machine-")));
    node = hostOf(machine);
  });
  afterEach(() => rmSync(machine.folder, { recursive: true, force: true }));

  function succeed(script: string): string {
    const { code, stdout, stderr } = machine.run(script);
    assert.equal(code, 0, stderr);
    return stdout;
  }

  /** Calls of systemctl that are about the firewall's unit, but those that ask, after the first set-up. */
  const calls = (): string[] => {
    const [, second = ""] = machine.read("systemctl.log").split("next\n");
    return second.split("\n").filter((line) => /^(re|st).*zerosteal-firewall/.test(line));
  };
  const next = "echo next >>$MACHINE/systemctl.log";
  const drops = "nft list chain inet zerosteal input | grep -c 'policy drop'";

  it("changes in one transaction, without a stop that would open the machine", () => {
    const changed = withFile(node, rulesFile, (text) => text.replace("203.0.113.7/32", "203.0.113.8/32"));
    const out = succeed(`${setUp(machine, node)}; ${next}; ${setUp(machine, changed, "changed.sh")}
nft list table inet zerosteal | grep -o 'saddr 203[^ ]* tcp dport 22 accept'`);
    assert.equal(out, "saddr 203.0.113.8 tcp dport 22 accept\n");
    assert.deepEqual(calls(), ["reload-or-restart zerosteal-firewall.service"]);
  });

  it("comes back after somebody flushed all rules", () => {
    assert.equal(succeed(`${setUp(machine, node)}; nft flush ruleset; ${setUp(machine, node)}; ${drops}`), "1\n");
  });

  it("lets a node that leaves come in for half an hour more, and no longer after further set-ups", () => {
    const rules = (text: string): string => text.replace(/elements = {.*}/, "elements = { 10.20.0.2, 10.20.0.3 }");
    const before = withFile(node, rulesFile, rules);
    const after = withFile(node, rulesFile, (text) => rules(text).replace(", 10.20.0.3", ""));
    const apply = setUp(machine, after, "after.sh");
    const shown = "nft list set inet zerosteal nodes | grep -oE '10[.]20[.]0[.]3( timeout [0-9]+m)?' || echo gone";
    const inSet = (verb: string, more = ""): string =>
      `nft ${verb} element inet zerosteal nodes '{ 10.20.0.3${more} }'`;
    const shorten = `${inSet("delete")}; ${inSet("add", " timeout 25m")}`;
    const out = succeed(`${setUp(machine, before)}; ${shown}; ${apply}; ${shown}
${shorten}; ${apply}; ${shown}; nft flush ruleset; ${apply}; ${shown}`);
    assert.deepEqual(out.trim().split("\n"), ["10.20.0.3", "10.20.0.3 timeout 30m", "10.20.0.3 timeout 24m", "gone"]);
  });

  it("is loaded again behind each command of nftables.service that flushes all rules", () => {
    const out = succeed(`${setUp(machine, node)}
for when in ExecStartPost ExecReload ExecStopPost; do
  nft flush ruleset
  $(sed -n "s/^$when=-*//p" /etc/systemd/system/nftables.service.d/50-zerosteal.conf)
  ${drops}
done`);
    assert.equal(out, "1\n1\n1\n");
  });

  it("is loaded before the kubelet starts, which does not start without", () => {
    const out = succeed(`${setUp(machine, node)}
nft flush ruleset
load=$(sed -n 's/^ExecStartPre=//p' ${dropIn})
$load && ${drops}
echo 'no rules' >${rulesFile}
$load 2>/dev/null || echo refused`);
    assert.equal(out, "1\nrefused\n");
  });

  it("comes with a guard of each provider's metadata address, that is complete again after a rule went", () => {
    const listed = "ip -4 rule | sed -n 's/^50:.* to \\(.*\\) prohibit.*/\\1/p' | sort | tr '\\n' ' '";
    const apply = setUp(machine, node);
    const out = succeed(`${apply}; ip -4 rule del priority 50 to 192.0.0.192; ${apply}; ${listed}`);
    assert.equal(out, "100.100.100.200 168.63.129.16 169.254.169.254 192.0.0.192 ");
  });

  it("lets nobody on the public segment reach the private one through a node, or come as another node", () => {
    const content = node.files.find((file) => file.path === rulesFile)?.content ?? "";
    // A neighbour outside, the node with two NICs, and another machine on the private segment, which counts what comes to it.
    const { code, stdout, stderr } = machine.run(`
unshare --net sleep 50 & outer=$!; unshare --net sleep 50 & inner=$!
for pid in $outer $inner; do while [ "$(readlink /proc/$pid/ns/net)" = "$(readlink /proc/$$/ns/net)" ]; do sleep 0.1; done; done
outside() { nsenter --net=/proc/$outer/ns/net "$@"; }; inside() { nsenter --net=/proc/$inner/ns/net "$@"; }
ip link add eth0 type veth peer name eth0 netns $outer; ip link add eth1 type veth peer name eth1 netns $inner
ip address add 203.0.113.11/24 dev eth0; ip link set eth0 up; ip address add 10.20.0.11/24 dev eth1; ip link set eth1 up
outside ip address add 203.0.113.99/24 dev eth0; outside ip address add 10.20.0.12/32 dev eth0; outside ip link set eth0 up
outside ip route add 10.20.0.0/24 via 203.0.113.11
inside ip address add 10.20.0.50/24 dev eth1; inside ip link set eth1 up; inside ip route add default via 10.20.0.11
echo 1 >/proc/sys/net/ipv4/ip_forward; echo 0 >/proc/sys/net/ipv4/conf/all/rp_filter; echo 0 >/proc/sys/net/ipv4/conf/eth0/rp_filter
inside nft -f - <<'RULES'
table inet test {
  counter node { }
  counter neighbour { }
  chain input {
    type filter hook input priority filter; policy accept;
    icmp type echo-request ip saddr 10.20.0.12 counter name node
    icmp type echo-request ip saddr 203.0.113.99 counter name neighbour
  }
}
RULES
look() {
  for source in 10.20.0.12 203.0.113.99; do outside ping -q -c 2 -i 0.2 -W 1 -I $source 10.20.0.50 >/dev/null || true; done
  outside ping -q -c 1 -W 2 203.0.113.11 >/dev/null && echo outside reaches the node
  inside ping -q -c 1 -W 2 203.0.113.99 >/dev/null && echo inside reaches the outside
  inside ping -q -c 1 -W 2 10.20.0.11 >/dev/null && echo inside reaches the node
  inside nft reset counters table inet test | awk '/counter/ { name = $2 } /packets/ { print name, $2 }'
}
look; nft -f ${machine.write("rules.nft", content)}; look
kill $outer $inner`);
    assert.equal(code, 0, stderr);
    const reached = "outside reaches the node\ninside reaches the outside\ninside reaches the node\n";
    assert.equal(stdout, `${reached}node 2\nneighbour 2\n${reached}node 0\nneighbour 0\n`, stderr);
  });
});
