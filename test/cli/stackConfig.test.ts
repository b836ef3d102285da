import assert from "node:assert/strict";
import { sandboxCluster, type Supplies } from "../../cli/stackConfig";
import { checkCluster } from "../../components/plan";
import { describeInstance } from "../../sandbox/instance";

const artifact = (name: string, version: string, rest: object): Supplies["artifacts"][number] => ({
  name,
  version,
  url: `artifacts/${name}`,
  sha256: "a".repeat(64),
  ...rest,
});
const archive = (to: string, members: string[], stripComponents = 0): object => ({
  extract: { to, stripComponents, members },
});

const supplies: Supplies = {
  artifacts: [
    ...["kubeadm", "kubelet", "kubectl"].map((name) =>
      artifact(name, "1.36.4", { installTo: `/usr/local/bin/${name}` }),
    ),
    artifact("runc", "1.4.3", { installTo: "/usr/local/sbin/runc" }),
    artifact(
      "containerd",
      "2.3.4",
      archive("/usr/local", ["bin/containerd", "bin/containerd-shim-runc-v2", "bin/ctr"]),
    ),
    artifact("cni-plugins", "1.9.1", archive("/opt/cni/bin", ["./loopback"], 1)),
  ],
  ciliumChart: "/charts/cilium",
  envoy: false,
  sysResource: false,
  cgroupVersion: 1,
  bbr: true,
};
const instance = describeInstance("demo", 3);

describe("the sandbox's cluster", () => {
  it("is made of ordinary arguments that the planner takes without a problem", () => {
    const { problems, plan } = checkCluster("demo", sandboxCluster(instance, supplies, { workers: 2 }));
    assert.deepEqual(problems, []);
    assert.equal(plan?.nodes.length, 3);
  });

  it("names the Cilium that was asked for, and says itself that nobody tested it", () => {
    const older = sandboxCluster({ ...instance, cilium: "1.16.1" }, supplies, { workers: 2 });
    const { problems, plan } = checkCluster("demo", older);
    assert.deepEqual(problems, []);
    assert.equal(plan?.versions.cilium, "1.16.1");
    assert.deepEqual(
      plan.warnings.map(({ rule }) => rule),
      ["versions-untested"],
    );
    const usual = sandboxCluster(instance, supplies, { workers: 2 });
    assert.equal(usual.accept, undefined);
    assert.match(JSON.stringify(older.cilium?.values), /"BPF","PERFMON"/);
    assert.doesNotMatch(JSON.stringify(usual.cilium?.values), /PERFMON/);
  });

  it("opens SSH and the API to the operator's address alone", () => {
    const { access } = sandboxCluster(instance, supplies, { workers: 2 });
    assert.deepEqual(access, { ssh: ["198.18.3.1/32"], api: ["198.18.3.1/32"] });
  });

  it("switches off what the host lacks, and only that", () => {
    const poor = sandboxCluster(instance, { ...supplies, bbr: false }, { workers: 0 });
    const rich = sandboxCluster(
      instance,
      { ...supplies, envoy: true, sysResource: true, cgroupVersion: 2 },
      { workers: 0 },
    );
    assert.equal(poor.tuning?.bbr, "off");
    assert.equal(poor.cilium?.values?.l7Proxy, false);
    assert.doesNotMatch(JSON.stringify(poor.cilium.values), /SYS_RESOURCE/);
    assert.equal(rich.tuning, undefined);
    assert.equal(rich.cilium?.values?.l7Proxy, undefined);
    assert.match(JSON.stringify(rich.cilium?.values), /SYS_RESOURCE/);
    assert.ok(rich.underlay.kind === "hetzner");
    assert.equal(rich.underlay.image, "debian-13");
  });
});
