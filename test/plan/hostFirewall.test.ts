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
});
