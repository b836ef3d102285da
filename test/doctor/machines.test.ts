import assert from "node:assert/strict";
import { judge } from "../../components/doctor/checks";
import type { Evidence } from "../../components/doctor/evidence";
import { parseKubelet, parseMachine, parseSoftnet } from "../../components/doctor/parseMachine";
import { probePodManifest, type PodSysctl } from "../../components/doctor/probePods";
import type { CheckResult } from "../../components/doctor/types";
import { changed, evidence, expectation, hostOf, nodeNames, podOf, web1, windowOf } from "./fixtures";

function of(results: CheckResult[], check: string, outcome: CheckResult["outcome"]): CheckResult[] {
  return results.filter((result) => result.check === check && result.outcome === outcome);
}

function judged(change: (evidence: Evidence) => void): CheckResult[] {
  return judge(expectation(), changed(change));
}

describe("what a container cannot prove of its CPUs", () => {
  const container = (change: (evidence: Evidence) => void) =>
    judged((e) => {
      hostOf(e, web1).machineIsContainer = true;
      change(e);
    });
  const cases: [string, (e: Evidence) => void, RegExp][] = [
    ["huge-pages", (e) => (hostOf(e, web1).machine.hugePages = "always"), /this setting is its host's/],
    ["irq-affinity", (e) => (hostOf(e, web1).machine.interrupts = []), /its NICs are its host's/],
    ["cpu-isolation", (e) => (hostOf(e, web1).machine.kubeletCpus = "0-3"), /cannot bind its slices/],
    ["steal", (e) => (windowOf(e, web1).ticks.last.steal += 400), /\/proc\/stat is its host's/],
    ["softnet-drops", (e) => (windowOf(e, web1).softnet.last.dropped += 1), /those of its host's CPUs/],
  ];
  for (const [check, change, reason] of cases) {
    it(`is told apart: ${check}`, () => {
      const unprovable = of(container(change), check, "unprovable");
      assert.deepEqual(
        unprovable.map(({ subject }) => subject),
        [web1],
      );
      assert.match(unprovable[0]?.hint ?? "", reason);
      assert.deepEqual(of(container(change), check, "failed"), []);
    });
  }

  it("is not what its pods and its kubelet show", () => {
    const pods = container((e) => (hostOf(e, web1).machine.probeCpus = "0-3"));
    assert.equal(of(pods, "cpu-isolation", "failed").length, 1);
    const kubelet = container((e) => (e.kubelets[web1] = { value: { policy: "none", reserved: "", options: [] } }));
    assert.equal(of(kubelet, "cpu-isolation", "failed").length, 1);
    const asked = container((e) => (podOf(e, web1).sysctls["net.ipv4.tcp_keepalive_time"]!.value = "7200"));
    assert.equal(of(asked, "sysctls-pod", "failed").length, 1);
  });
});

describe("what was not seen of CPUs", () => {
  it("is named with its reason, and nothing fails", () => {
    const gone = { unseen: "the window probe does not run there" };
    const cases: [string, (e: Evidence) => void, RegExp][] = [
      ["cpu-isolation", (e) => (e.kubelets[web1] = { unseen: "This kubeconfig may not read." }), /may not read/],
      ["cpu-isolation", (e) => (e.kubelets = {}), /was not asked/],
      ["cpu-isolation", (e) => (hostOf(e, web1).machine.probeCpus = ""), /could not tell on which CPUs/],
      ["cpu-isolation", (e) => (hostOf(e, web1).machine.kubeletCpus = ""), /no process of the kubelet/],
      ["irq-affinity", (e) => (hostOf(e, web1).machine.interrupts = []), /No NIC shows interrupts/],
      ["steal", (e) => (e.probes[1]!.window = gone), /does not run there/],
      ["steal", (e) => (windowOf(e, web1).ticks.last.busy = 1100), /steal shows on busy CPUs only/],
      ["softnet-drops", (e) => (e.probes[1]!.window = gone), /does not run there/],
      ["softnet-drops", (e) => (windowOf(e, web1).softnet.last = windowOf(e, web1).softnet.first), /No packet came/],
    ];
    for (const [check, change, reason] of cases) {
      const results = judged(change);
      assert.deepEqual(
        results.filter(({ outcome }) => outcome === "failed"),
        [],
        check,
      );
      assert.match(of(results, check, "unseen")[0]?.hint ?? "", reason, check);
    }
  });

  it("is all that needs a plan without one; what holds everywhere is judged", () => {
    const results = judge(undefined, evidence());
    for (const check of ["huge-pages", "irq-affinity"]) {
      assert.equal(of(results, check, "unseen").length, nodeNames.length, check);
      assert.match(of(results, check, "unseen")[0]?.hint ?? "", /--plan/);
    }
    for (const check of ["steal", "softnet-drops", "cpu-isolation"])
      assert.equal(of(results, check, "ok").length, nodeNames.length, check);
    // Of a machine that nobody says anything of, shared CPUs are assumed.
    assert.equal(of(results, "steal", "ok")[1]?.wanted, "at most 2 % stolen (shared CPUs)");
    const isolated = judge(
      undefined,
      changed((e) => (hostOf(e, web1).machine.isolated = "3")),
    );
    assert.equal(of(isolated, "cpu-isolation", "failed").length, 1);
  });

  it("is nothing where nothing was planned", () => {
    const results = judge({ ...expectation(), transparentHugePages: "system" }, evidence());
    assert.deepEqual(
      results.filter(({ check }) => check === "huge-pages"),
      [],
    );
    assert.ok(results.every(({ check, subject }) => check !== "irq-affinity" || subject !== nodeNames[0]));
  });
});

describe("readings of a machine", () => {
  it("come from what the probe prints", () => {
    const texts: Record<string, string> = {
      isolated: "\n",
      siblings: "0-1\n2-3\n",
      hugepages: "always madvise [never]\n",
      interrupts: "eth0\t38\tvirtio2-input.0\t1\n",
      allowed: "probe\t2-3\nkubelet\t0-1\n",
    };
    assert.deepEqual(
      parseMachine((id) => texts[id] ?? ""),
      {
        isolated: "",
        cores: ["0-1", "2-3"],
        hugePages: "never",
        interrupts: [{ nic: "eth0", irq: "38", name: "virtio2-input.0", cpus: "1" }],
        probeCpus: "2-3",
        kubeletCpus: "0-1",
      },
    );
    assert.deepEqual(
      parseMachine(() => ""),
      { isolated: "", cores: [], hugePages: "", interrupts: [], probeCpus: "", kubeletCpus: "" },
    );
  });

  it("add the packets of all CPUs up, in the kernel's hexadecimal", () => {
    const rest = " 00000000".repeat(12);
    const text = `cpu  1 2 3\n0001c0e4 00000001 00000002${rest}\n0003cc81 00000010 00000000${rest}\n`;
    assert.deepEqual(parseSoftnet(text), { packets: 0x1c0e4 + 0x3cc81, dropped: 17, squeezed: 2 });
  });

  it("take a kubelet's settings as text or as the client read them", () => {
    const kubeletconfig = {
      cpuManagerPolicy: "static",
      cpuManagerPolicyOptions: { "strict-cpu-reservation": "true", "full-pcpus-only": "false" },
      reservedSystemCPUs: "0",
    };
    const wanted = { policy: "static", reserved: "0", options: ["strict-cpu-reservation"] };
    assert.deepEqual(parseKubelet({ kubeletconfig }), wanted);
    assert.deepEqual(parseKubelet(JSON.stringify({ kubeletconfig })), wanted);
    assert.deepEqual(parseKubelet({}), { policy: "none", reserved: "", options: [] });
    assert.throws(() => parseKubelet("<html>"), SyntaxError);
  });
});

describe("the pod on the pod network", () => {
  const sysctls: PodSysctl[] = [
    { key: "net.core.somaxconn", value: "65535", podsMaySet: true },
    { key: "net.core.netdev_max_backlog", value: "5000" },
  ];

  it("asks for what the plan lets pods set, and the one on the node's network for nothing", () => {
    const pod = probePodManifest("web", "pod", 0, "image", sysctls);
    assert.deepEqual(pod.spec?.securityContext, { sysctls: [{ name: "net.core.somaxconn", value: "65535" }] });
    const host = probePodManifest("web", "host", 0, "image", sysctls);
    assert.equal(host.spec?.securityContext, undefined);
    const { env } = host.spec?.containers[0] ?? {};
    assert.equal(
      env?.find(({ name }) => name === "PROBE_SYSCTLS")?.value,
      "net.core.somaxconn net.core.netdev_max_backlog",
    );
  });
});
