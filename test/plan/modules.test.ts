import assert from "node:assert/strict";
import { applyScript, planCluster, renderProblem, serverTypes, withHostKey } from "../../components/plan";
import {
  addressAt,
  canonical,
  contains,
  isCanonicalRange,
  isPrivate,
  mustParse,
  overlaps,
  parseCidr,
  subrangeAt,
  subrangeCount,
} from "../../components/plan/addresses";
import { artifactTable, knownKubernetesVersions, upstreamArtifacts } from "../../components/plan/artifacts";
import { locations } from "../../components/plan/catalogue";
import { chartKeyChanges, chartKeys } from "../../components/plan/ciliumKeys";
import { cpuSettings, planCpu, reservedCpus } from "../../components/plan/cpu";
import { deepMerge, leafPaths, without } from "../../components/plan/merge";
import { nearest, suggest } from "../../components/plan/problems";
import type { ClusterArgs, CpuIsolation } from "../../components/plan";
import { defaultVersions, kubernetesTestedWith, testersOf } from "../../components/plan/versions";
import { toYaml } from "../../components/plan/yaml";
import { smallCluster } from "./clusters";

describe("addresses", () => {
  it("reads dotted ranges and nothing else", () => {
    assert.deepEqual(parseCidr("10.0.0.7/24"), { text: "10.0.0.7/24", first: 167772160, bits: 24, size: 256 });
    assert.equal(canonical(mustParse("10.0.0.7/24")), "10.0.0.0/24");
    for (const text of ["10.0.0.0", "10/8", "010.0.0.0/8", "10.0.0.0/33", "256.0.0.0/8", "::/0", "", "10.0.0.0/8 "]) {
      assert.equal(parseCidr(text), undefined, text);
    }
    assert.throws(() => mustParse("10/8"), /"10\/8" is not an IPv4 range/);
  });

  it("knows overlap and containment, also at the ends of the address space", () => {
    const cases: [string, string, boolean, boolean][] = [
      ["10.0.0.0/8", "10.244.0.0/16", true, true],
      ["10.244.0.0/16", "10.0.0.0/8", true, false],
      ["10.0.0.0/24", "10.0.1.0/24", false, false],
      ["0.0.0.0/0", "255.255.255.255/32", true, true],
      ["128.0.0.0/1", "127.255.255.255/32", false, false],
    ];
    for (const [a, b, shared, inside] of cases) {
      assert.equal(overlaps(mustParse(a), mustParse(b)), shared, `${a} ${b}`);
      assert.equal(contains(mustParse(a), mustParse(b)), inside, `${a} ${b}`);
    }
  });

  it("counts addresses and subranges, and refuses those that a range has not", () => {
    const range = mustParse("10.244.0.0/16");
    assert.equal(addressAt(range, 65535), "10.244.255.255");
    assert.throws(() => addressAt(range, 65536), /10\.244\.0\.0\/16 has no address number 65536/);
    assert.equal(subrangeAt(range, 25, 3), "10.244.1.128/25");
    assert.equal(subrangeCount(range, 24), 256);
    assert.equal(subrangeCount(range, 15), 0);
    assert.throws(() => subrangeAt(range, 24, 256), /10\.244\.0\.0\/16 has no \/24 number 256/);
  });

  it("knows private ranges and ranges of people outside", () => {
    assert.ok(isPrivate(mustParse("172.31.0.0/16")) && !isPrivate(mustParse("172.32.0.0/16")));
    assert.ok(!isPrivate(mustParse("8.0.0.0/6")));
    for (const text of ["203.0.113.7/32", "2001:db8::/64", "::/0", "0.0.0.0/0"])
      assert.ok(isCanonicalRange(text), text);
    for (const text of ["203.0.113.7", "2001:db8::1", "2001:db8::1/64", "x"]) assert.ok(!isCanonicalRange(text), text);
  });
});

describe("CPU isolation", () => {
  it("reserves more CPUs on larger machines", () => {
    const cases: [number, string][] = [
      [4, "0"],
      [8, "0-1"],
      [12, "0-1"],
      [16, "0-1"],
      [32, "0-3"],
      [48, "0-5"],
    ];
    for (const [cores, list] of cases) assert.equal(reservedCpus(cores), list, String(cores));
  });

  it("is spelled out in every kind", () => {
    const kubelet = (isolation: CpuIsolation, cores: number) =>
      cpuSettings(planCpu(isolation, { cores, cpuType: "dedicated" }));
    assert.deepEqual(kubelet("none", 4), { cpuManagerPolicy: "none" });
    const pinned = { cpuManagerPolicy: "static", topologyManagerPolicy: "best-effort" };
    assert.deepEqual(kubelet("static", 4), { ...pinned, reservedSystemCPUs: "0" });
    assert.deepEqual(kubelet("strict", 8), {
      ...pinned,
      cpuManagerPolicyOptions: { "strict-cpu-reservation": "true" },
      reservedSystemCPUs: "0-1",
    });
  });

  it("is planned with what the machine is", () => {
    assert.deepEqual(planCpu("none", { cores: 4, cpuType: "shared" }), {
      isolation: "none",
      cores: 4,
      dedicated: false,
      reserved: "",
    });
    assert.equal(planCpu("static", { cores: 32, cpuType: "dedicated" }).reserved, "0-3");
  });
});

describe("tables", () => {
  it("have server types in known locations, each once", () => {
    assert.equal(new Set(serverTypes.map(({ name }) => name)).size, serverTypes.length);
    for (const type of serverTypes) {
      assert.ok(type.locations.length > 0 && type.locations.every((location) => Object.hasOwn(locations, location)));
      assert.equal(type.cpuType === "dedicated", type.name.startsWith("ccx"), type.name);
      assert.equal(type.arch === "arm", type.name.startsWith("cax"), type.name);
    }
  });

  it("have checksums for the default versions, and none for others", () => {
    const artifacts = upstreamArtifacts(defaultVersions.kubernetes) ?? assert.fail();
    assert.deepEqual(
      artifacts.map(({ name, version }) => `${name} ${version}`),
      ["cni-plugins 1.9.1", "containerd 2.3.4", "kubeadm 1.36.4", "kubectl 1.36.4", "kubelet 1.36.4", "runc 1.4.3"],
    );
    for (const { sha256, url } of artifacts) assert.ok(/^[0-9a-f]{64}$/.test(sha256) && url.startsWith("https://"));
    assert.ok(
      artifactTable(artifacts)
        .split("\n")
        .slice(0, -1)
        .every((line) => line.split("\t").length === 8),
    );
    assert.ok(knownKubernetesVersions.includes(defaultVersions.kubernetes));
    assert.equal(upstreamArtifacts("1.36.0"), undefined);
    assert.equal(upstreamArtifacts("__proto__"), undefined);
  });

  it("have the default pair tested by this repository, and say who tested others", () => {
    assert.deepEqual(testersOf(defaultVersions.kubernetes, defaultVersions.cilium), ["e2e", "upstream"]);
    assert.deepEqual(testersOf("1.35.8", "1.19.6"), ["upstream"]);
    assert.deepEqual(testersOf("1.37.0", "1.20.2"), []);
    assert.deepEqual(kubernetesTestedWith("1.20.2"), ["1.33", "1.34", "1.35", "1.36"]);
  });

  it("have chart keys, none of them removed", () => {
    assert.ok(chartKeys.length > 180 && chartKeys.includes("kubeProxyReplacement"));
    assert.deepEqual(
      chartKeyChanges.filter(({ key, until }) => until !== undefined && chartKeys.includes(key)),
      [],
    );
  });
});

describe("small helpers", () => {
  it("find the word that was meant", () => {
    assert.equal(nearest("ccx24", ["ccx23", "cpx22", "cx23"]), "ccx23");
    assert.equal(nearest("Bandwidthmanager", ["bandwidthManager"]), "bandwidthManager");
    assert.equal(nearest("something-else", ["fsn1", "nbg1"]), undefined);
    assert.equal(nearest("x".repeat(500), ["x".repeat(501)]), undefined);
    assert.equal(suggest("q", ["fsn1"], "choose fsn1"), "choose fsn1");
  });

  it("merge objects deeply, lists whole, and leave their inputs", () => {
    const base = { a: { b: 1, c: [1, 2] }, d: 1 };
    assert.deepEqual(deepMerge(base, { a: { c: [3] }, d: { e: null } }), { a: { b: 1, c: [3] }, d: { e: null } });
    assert.deepEqual(base, { a: { b: 1, c: [1, 2] }, d: 1 });
    assert.deepEqual(leafPaths({ a: { b: 1, c: {} }, d: [1] }), ["a.b", "a.c", "d"]);
  });

  it("leave out what is at a path, and what that leaves empty", () => {
    const object = { a: { b: { c: 1 }, d: 2 }, e: null, f: {} };
    assert.deepEqual(without(object, "a.b"), { a: { d: 2 }, e: null, f: {} });
    assert.deepEqual(without(object, "a.b.c"), { a: { d: 2 }, e: null, f: {} });
    assert.deepEqual(without(without(object, "a.d"), "a.b"), { e: null, f: {} });
    assert.deepEqual(without(object, "a.x.c"), object);
    assert.deepEqual(without(object, "e.x"), object);
    assert.deepEqual(object.a.b, { c: 1 });
  });

  it("write YAML that old readers read alike", () => {
    assert.equal(
      toYaml({ b: "y", a: "1.10", c: ["on", 1, true, null], no: "x" }),
      'a: "1.10"\nb: "y"\nc:\n  - "on"\n  - 1\n  - true\n  - null\n"no": "x"\n',
    );
    assert.equal(toYaml({ a: 1 }, { b: 2 }), "a: 1\n---\nb: 2\n");
  });

  it("say how a refusal can be accepted", () => {
    const problem = { rule: "r", path: "p", message: "m", fix: "f" };
    assert.equal(renderProblem({ ...problem, acceptable: false }), "p: m; f");
    assert.equal(renderProblem({ ...problem, acceptable: true }), 'p: m; f (or accept: ["r"])');
  });

  it("put a host key of several lines in place, whatever letters it has", () => {
    assert.equal(
      withHostKey("ssh_keys:\n  k: |\n    ONE_TIME_HOST_KEY\nx: 1\n", "A\n$& B\n"),
      "ssh_keys:\n  k: |\n    A\n    $& B\nx: 1\n",
    );
  });

  it("refuse to send a file that would end its own text", () => {
    const file = { path: "/etc/x", mode: "0644", content: "a\nEND_OF_ZEROSTEAL_FILE\n" };
    assert.throws(() => applyScript([file]), /\/etc\/x cannot be sent/);
    assert.throws(() => applyScript([{ ...file, content: "no newline" }]), /\/etc\/x cannot be sent/);
  });
});

describe("plan of a cluster", () => {
  it("takes what the arguments override", () => {
    const args: ClusterArgs = {
      ...smallCluster(),
      cilium: { values: { bpf: { lbMapMax: 262144 }, debug: { enabled: true } } },
      kubernetes: { kubelet: { shutdownGracePeriod: "30s", systemReserved: { memory: "500Mi" } } },
    };
    const plan = planCluster("prod", args);
    const bpf = plan.cilium.values.bpf as Record<string, unknown>;
    assert.equal(bpf.lbMapMax, 262144);
    assert.equal(bpf.masquerade, true);
    const dropIn = plan.nodes[0]?.files.find(({ path }) => path.endsWith("50-zerosteal.conf"));
    assert.match(dropIn?.content ?? "", /shutdownGracePeriod: "30s"\n.*\nsystemReserved:\n {2}memory: "500Mi"\n/);
    assert.match(plan.nodes[0]?.kubeadm ?? "", /shutdownGracePeriod: "30s"/);
  });

  it("gives workers their taints in the Node object, and the control plane none to overwrite", () => {
    const args = smallCluster();
    args.pools = [
      {
        name: "web",
        count: 1,
        serverType: "ccx23",
        taints: [{ key: "gpu", effect: "NoExecute" }],
        labels: { tier: "y" },
      },
    ];
    const [controlPlane, worker] = planCluster("prod", args).nodes.map(
      (node) =>
        JSON.parse(node.nodeObject) as { metadata: { labels: Record<string, string> }; spec: Record<string, unknown> },
    );
    assert.ok(controlPlane && worker);
    assert.deepEqual(controlPlane.spec, {
      podCIDR: "10.244.2.0/24",
      podCIDRs: ["10.244.2.0/24"],
      providerID: "hcloud://PROVIDER_ID",
    });
    assert.deepEqual(worker.spec.taints, [{ key: "gpu", effect: "NoExecute" }]);
    assert.equal(worker.metadata.labels.tier, "y");
    assert.equal(worker.metadata.labels["node-role.kubernetes.io/worker"], "");
    assert.ok(!("node-role.kubernetes.io/worker" in controlPlane.metadata.labels));
  });

  it("opens SSH and the API to the given ranges, and nothing else", () => {
    assert.deepEqual(planCluster("prod", smallCluster()).firewall, [
      { description: "SSH", protocol: "tcp", port: "22", sourceCidrs: ["203.0.113.7/32"] },
      { description: "Kubernetes API", protocol: "tcp", port: "6443", sourceCidrs: ["203.0.113.0/24"] },
    ]);
  });

  it("sizes connection tracking by the smallest machine", () => {
    const ratio = (serverType: string): unknown => {
      const args = smallCluster();
      args.controlPlane.serverType = "ccx33";
      args.pools = [{ name: "web", count: 1, serverType }];
      return (planCluster("prod", args).cilium.values.bpf as Record<string, unknown>).mapDynamicSizeRatio;
    };
    assert.deepEqual(["cx23", "ccx13", "ccx23"].map(ratio), [0.01, 0.02, 0.08]);
  });
});

describe("an overlay", () => {
  const overlay = (change: Partial<ClusterArgs["network"]> = {}) =>
    planCluster("prod", { ...smallCluster(), network: { tunnel: "vxlan", ...change } });

  it("needs no routes, and pods' addresses outside of the network", () => {
    const plan = overlay({ podCidr: "192.168.0.0/16" });
    assert.deepEqual(
      plan.nodes.map(({ route, podCidr }) => [route, podCidr]),
      [
        [undefined, "192.168.2.0/24"],
        [undefined, "192.168.11.0/24"],
        [undefined, "192.168.12.0/24"],
      ],
    );
    assert.throws(
      () => planCluster("prod", { ...smallCluster(), network: { podCidr: "192.168.0.0/16" } }),
      /network\.podCidr: 192\.168\.0\.0\/16 does not lie inside the private network/,
    );
  });

  it("tells Cilium the underlay's MTU, which takes the overhead off by itself", () => {
    const { cilium, podMtu: planned } = overlay({ tunnel: "geneve" });
    assert.deepEqual(
      [cilium.values.MTU, cilium.values.routingMode, cilium.values.tunnelProtocol, planned],
      [1450, "tunnel", "geneve", 1400],
    );
    assert.equal(cilium.values.installNoConntrackIptablesRules, false);
  });
});
