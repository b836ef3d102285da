import assert from "node:assert/strict";
import { checkCluster, planCluster } from "../../../components/plan";
import { chartKeyChanges, keyAbsence, presentValues } from "../../../components/plan/ciliumKeys";
import { imageKernels, imagesWith, kernelOf, kernelOlder } from "../../../components/plan/kernels";
import { leafPaths } from "../../../components/plan/merge";
import { serviceMapSize } from "../../../components/plan/serviceMaps";
import { testedPairs } from "../../../components/plan/versions";
import { type HetznerCluster, smallCluster } from "../clusters";

/** Arguments that come near to a rule and keep it. */
const allowed: Record<string, (args: HetznerCluster) => unknown> = {
  "netkit on the default image": (args) => (args.network = { datapath: "netkit" }),
  "netkit on the first kernel that has it": (args) => {
    args.underlay.image = "ubuntu-24.04";
    args.cilium = { values: { bpf: { datapathMode: "netkit-l2" } } };
    args.accept = ["cilium-value-planned"];
  },
  "a transparent proxy on veth": (args) => (args.cilium = { values: { bpf: { tproxy: true } } }),
  "a snapshot, with nothing that needs a certain kernel": (args) => (args.underlay.image = "123456"),
  "an old kernel with BBR on the nodes alone": (args) => {
    args.underlay.image = "ubuntu-22.04";
    args.tuning = { bbr: "node" };
  },
  "BBR in pods on the oldest image that can": (args) => (args.underlay.image = "debian-12"),
  "XDP where a NIC has it": (args) => (args.network = { xdp: "best-effort" }),
  "settings of WireGuard": (args) => {
    args.network = { encryption: "wireguard" };
    args.cilium = {
      values: { encryption: { wireguard: { persistentKeepalive: "20s" }, strictMode: { egress: { enabled: true } } } },
    };
  },
  "BIG TCP off": (args) => (args.cilium = { values: { enableIPv4BIGTCP: false } }),
  "a dispatch that nothing uses": (args) => (args.cilium = { values: { loadBalancer: { dsrDispatch: "geneve" } } }),
  "as many operators as nodes": (args) => (args.cilium = { values: { operator: { replicas: 3 } } }),
  "operators that tolerate the pool's taint": (args) => {
    args.pools = [{ name: "web", count: 1, serverType: "ccx23", taints: [{ key: "gpu", effect: "NoSchedule" }] }];
    args.cilium = { values: { operator: { replicas: 2, tolerations: [{ operator: "Exists" }] } } };
  },
  "a UI with its relay": (args) =>
    (args.cilium = { values: { hubble: { ui: { enabled: true }, relay: { enabled: true } } } }),
  "a UI of another Hubble": (args) =>
    (args.cilium = { values: { hubble: { ui: { enabled: true, standalone: { enabled: true } } } } }),
  "gateways with the proxy": (args) => (args.cilium = { values: { gatewayAPI: { enabled: true } } }),
  "no proxy and nobody who needs it": (args) => (args.cilium = { values: { l7Proxy: false } }),
  "an older first version": (args) => (args.cilium = { values: { upgradeCompatibility: "1.18" } }),
  "no masquerading at all": (args) => {
    args.tuning = { bbr: "off" };
    args.cilium = { values: { bpf: { masquerade: false }, enableIPv4Masquerade: false } };
    args.accept = ["masquerade-needs-bpf"];
  },
  "IPv6 off": (args) => (args.cilium = { values: { ipv6: { enabled: false } } }),
  "SCTP, a policy mode, sockets": (args) =>
    (args.cilium = {
      values: { sctp: { enabled: true }, policyEnforcementMode: "always", socketLB: { hostNamespaceOnly: true } },
    }),
  "small maps for few Services": (args) => {
    args.network = { expectedServices: 200, expectedEndpointsPerService: 3 };
    args.cilium = { values: { bpf: { lbMapMax: 2048 } } };
  },
  "keys of the newest chart": (args) =>
    (args.cilium = {
      values: { policyDenyResponse: "none", envoy: { xdsMode: "ads" }, bpf: { lbModeAnnotation: true } },
    }),
};

describe("plan rules leave alone", () => {
  for (const [what, change] of Object.entries(allowed)) {
    it(what, () => {
      const args = smallCluster();
      change(args);
      assert.deepEqual(checkCluster("prod", args).problems, []);
    });
  }

  it("DSR by Geneve with and without a tunnel, once the network is said to allow it", () => {
    const accept = ["dsr-needs-unchecked-sources", "cilium-value-planned"];
    const own = { loadBalancer: { mode: "dsr", dsrDispatch: "geneve" }, tunnelProtocol: "geneve" };
    const tunnel = { ...own, routingMode: "tunnel", installNoConntrackIptablesRules: false };
    for (const values of [own, tunnel, { loadBalancer: { mode: "hybrid" } }])
      assert.deepEqual(checkCluster("prod", { ...smallCluster(), cilium: { values }, accept }).problems, []);
  });

  it("WireGuard with BBR in pods, and IPsec without, once the MTU is accepted", () => {
    const accept = ["cilium-value-planned"];
    const wireguard = { values: { encryption: { enabled: true, type: "wireguard" } } };
    const ipsec = { values: { encryption: { enabled: true, type: "ipsec" } } };
    assert.deepEqual(checkCluster("prod", { ...smallCluster(), cilium: wireguard, accept }).problems, []);
    assert.deepEqual(
      checkCluster("prod", { ...smallCluster(), cilium: ipsec, tuning: { bbr: "node" }, accept }).problems,
      [],
    );
  });
});

describe("keys of Cilium's charts", () => {
  it("come at their first version and go after their last, previews included", () => {
    assert.equal(keyAbsence({ key: "x", since: "1.18" }, "1.17.18"), "not-yet");
    assert.equal(keyAbsence({ key: "x", since: "1.18" }, "1.18.0-pre.1"), undefined);
    assert.equal(keyAbsence({ key: "x", until: "1.18" }, "1.18.12"), undefined);
    assert.equal(keyAbsence({ key: "x", until: "1.18" }, "1.19.0-rc.0"), "removed");
    assert.equal(keyAbsence({ key: "x", until: "1.9" }, "1.10.0"), "removed");
    assert.equal(keyAbsence({ key: "x", since: "1.17", until: "1.18" }, "1.20.2"), "removed");
  });

  it("stand once each, and say what to use instead when they are gone", () => {
    assert.equal(new Set(chartKeyChanges.map(({ key }) => key)).size, chartKeyChanges.length);
    for (const { key, since, until, now } of chartKeyChanges) {
      assert.ok(since !== undefined || until !== undefined, key);
      assert.equal(until === undefined, now === undefined, key);
    }
  });

  /** Paths of the values of a small cluster with a version of Cilium. */
  const plannedWith = (version: string): string[] =>
    leafPaths(
      planCluster("prod", { ...smallCluster(), cilium: { version }, accept: ["versions-untested", "cilium-bad-patch"] })
        .cilium.values,
    );

  it("are left out of the plan for a chart that lacks them, and they alone", () => {
    const [newest, articles] = [plannedWith("1.20.2"), plannedWith("1.16.1")];
    assert.deepEqual(
      newest.filter((path) => !articles.includes(path)),
      ["bpf.distributedLRU.enabled"],
    );
    assert.deepEqual(
      articles.filter((path) => !newest.includes(path)),
      [],
    );
  });

  it("are all there that the plan itself sets, in every tested version", () => {
    for (const minor of [...new Set(testedPairs.map(({ cilium }) => cilium)), "1.16"]) {
      const planned = plannedWith(`${minor}.0`);
      const absent = chartKeyChanges.filter((change) => keyAbsence(change, `${minor}.0`) !== undefined);
      const used = absent.filter(({ key }) => planned.some((path) => path === key || path.startsWith(`${key}.`)));
      assert.deepEqual(used, [], minor);
    }
  });

  it("are left out of the plan where the chart has them not yet", () => {
    const args = smallCluster();
    args.cilium = { version: "1.16.1" };
    args.accept = ["versions-untested"];
    assert.deepEqual(Object.keys(planCluster("prod", args).cilium.values.bpf as object), [
      "datapathMode",
      "lbMapMax",
      "mapDynamicSizeRatio",
      "masquerade",
    ]);
  });

  it("are taken out alone, whatever stands beside them", () => {
    const values = { bpf: { distributedLRU: { enabled: true }, masquerade: true }, nodePort: { enabled: true }, x: 1 };
    assert.deepEqual(presentValues(values, "1.16.1"), { bpf: { masquerade: true }, nodePort: { enabled: true }, x: 1 });
    assert.deepEqual(presentValues(values, "1.20.2"), { bpf: values.bpf, x: 1 });
  });
});

describe("kernels of images", () => {
  it("are compared as versions, not as text", () => {
    assert.ok(kernelOlder("6.8", "6.12") && !kernelOlder("6.12", "6.8") && !kernelOlder("6.8", "6.8"));
    assert.ok(kernelOlder("5.15", "5.18"));
  });

  it("are known for listed images alone", () => {
    assert.equal(kernelOf("debian-13"), "6.12");
    assert.equal(kernelOf("123456"), undefined);
    assert.equal(kernelOf("__proto__"), undefined);
    assert.deepEqual(imagesWith("5.0"), Object.keys(imageKernels));
    assert.deepEqual(imagesWith("99.0"), []);
  });
});

describe("room for Services", () => {
  it("is the next power of two over twice the entries, and never less than the chart's", () => {
    const cases: [services: number, endpoints: number, size: number][] = [
      [1, 1, 65536],
      [2978, 10, 65536],
      [2979, 10, 131072],
      [5000, 10, 131072],
      [16384, 1, 65536],
      [16385, 1, 131072],
      [65535, 127, 16777216],
    ];
    for (const [services, endpoints, size] of cases)
      assert.equal(serviceMapSize(services, endpoints), size, `${services} of ${endpoints}`);
  });

  it("follows the arguments", () => {
    const args = smallCluster();
    args.network = { expectedServices: 20000, expectedEndpointsPerService: 20 };
    const bpf = planCluster("prod", args).cilium.values.bpf as Record<string, unknown>;
    assert.equal(bpf.lbMapMax, 1048576);
  });
});
