import assert from "node:assert/strict";
import { parseAllDocuments, parse } from "yaml";
import {
  checkCluster,
  type ClusterArgs,
  type ClusterPlan,
  planCluster,
  podSecurityContext,
  profileBbr,
  sysctlTable,
  tuningProfiles,
} from "../../components/plan";
import { portsHandedOut, reservedPorts } from "../../components/plan/ports";
import { unsafeForPods } from "../../components/plan/podSysctls";
import { acceptsValue, rowOf } from "../../components/plan/sysctl";
import { smallCluster } from "./clusters";

const planned = (tuning: ClusterArgs["tuning"], more: Partial<ClusterArgs> = {}): ClusterPlan =>
  planCluster("prod", { ...smallCluster(), ...more, tuning });

const valuesOf = ({ sysctls }: ClusterPlan): Record<string, string> =>
  Object.fromEntries(sysctls.map(({ key, value }) => [key, value]));

function fileOf(plan: ClusterPlan, path: string): string {
  const file = plan.nodes[0]?.files.find((candidate) => candidate.path === path);
  assert.ok(file, path);
  return file.content;
}

const modules = (plan: ClusterPlan): string => fileOf(plan, "/etc/modules-load.d/90-zerosteal.conf");

describe("transparent huge pages", () => {
  const environment = (plan: ClusterPlan): string => fileOf(plan, "/etc/zerosteal/node.env");

  it("are for programs that ask", () => {
    assert.match(environment(planned({})), /^HUGE_PAGES=madvise$/m);
  });

  it("are left to the system by the minimal profile, unless asked for", () => {
    const plan = planned({ profile: "minimal" });
    assert.equal(plan.transparentHugePages, "system");
    assert.match(environment(plan), /^HUGE_PAGES=$/m);
    assert.equal(planned({ profile: "minimal", transparentHugePages: "never" }).transparentHugePages, "never");
  });
});

describe("tuning table", () => {
  it("is sorted, without repeats, and says why and from where in every row and profile", () => {
    const all = sysctlTable.map(({ key }) => key);
    assert.deepEqual(all, [...new Set(all)].sort());
    for (const row of sysctlTable) {
      assert.ok(row.source.length > 8, row.key);
      assert.deepEqual(Object.keys(row.profiles), tuningProfiles, row.key);
      for (const { value, why } of Object.values(row.profiles)) {
        assert.ok(why.endsWith("."), row.key);
        // Rows of the BBR switch take no override; every other row takes its own values.
        if (value !== null) assert.equal(acceptsValue(row, value), row.bbr === undefined, row.key);
      }
    }
  });

  it("says of no key of the whole kernel that pods could have a value of their own", () => {
    for (const row of sysctlTable.filter(({ namespaced }) => !namespaced)) {
      assert.equal(row.safeForPods, undefined, row.key);
      assert.equal(row.podsInherit, false, row.key);
    }
  });

  it("reserves every port of the cluster that lies in the port range", () => {
    const reserved = reservedPorts.split(",").map((part) => part.split("-").map(Number));
    const covered = (port: number): boolean => reserved.some(([from = 0, to = from]) => port >= from && port <= to);
    for (const port of [
      2379, 2380, 4240, 4244, 6443, 8472, 9879, 9890, 9964, 10248, 10250, 10256, 10259, 30000, 32767, 51871,
    ]) {
      assert.ok(covered(port), String(port));
    }
    assert.ok(!covered(32768) && !covered(10260));
  });

  it("knows which ports a range would hand out", () => {
    assert.equal(portsHandedOut("1024 65535", undefined), reservedPorts);
    assert.equal(portsHandedOut("1024 65535", reservedPorts), "");
    assert.equal(portsHandedOut("1024 65535", "1024-51870"), "51871");
    assert.equal(portsHandedOut("10250 30001", "10252-10258"), "10250-10251,10259,30000-30001");
    assert.equal(portsHandedOut("32768 51869", undefined), "");
  });
});

describe("tuning profiles", () => {
  it("latency holds the article's keys with the article's values, but for the port range, and is the default", () => {
    const values = valuesOf(planned(undefined));
    assert.equal(values["net.core.somaxconn"], "65535");
    assert.equal(values["net.core.netdev_max_backlog"], "5000");
    assert.equal(values["net.ipv4.tcp_tw_reuse"], "1");
    assert.equal(values["net.core.default_qdisc"], "fq");
    assert.equal(values["net.ipv4.tcp_congestion_control"], "bbr");
    assert.equal(values["net.ipv4.ip_local_port_range"], "10240 65535");
    assert.deepEqual(planned({ profile: "latency" }), planned(undefined));
  });

  it("throughput is latency and buffers for 1 Gbit/s over 150 ms", () => {
    const buffers = ["net.core.rmem_max", "net.core.wmem_max", "net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem"];
    const values = valuesOf(planned({ profile: "throughput" }));
    const underWay = (1e9 / 8) * 0.15;
    for (const key of buffers) {
      const largest = Number(values[key]?.split(" ").at(-1));
      assert.ok(largest >= 2 * underWay, `${key}: half of ${largest} holds ${underWay}`);
    }
    const rest = Object.entries(values).filter(([key]) => !buffers.includes(key));
    assert.deepEqual(Object.fromEntries(rest), valuesOf(planned(undefined)));
  });

  it("minimal is what a cluster does not work without, what protects it, and no BBR", () => {
    const plan = planned({ profile: "minimal" });
    assert.deepEqual(valuesOf(plan), {
      "fs.inotify.max_user_instances": "8192",
      "net.ipv4.conf.all.rp_filter": "0",
      "net.ipv4.ip_forward": "1",
      "net.ipv4.ip_local_reserved_ports": reservedPorts,
    });
    assert.equal(plan.bbr, "off");
    assert.deepEqual(plan.cilium.values.bandwidthManager, { bbr: false, enabled: false });
    assert.equal(modules(plan), "overlay\n");
  });

  it("decide about BBR only where tuning.bbr does not", () => {
    for (const profile of tuningProfiles) {
      assert.equal(planned({ profile }).bbr, profileBbr[profile]);
      for (const bbr of ["node-and-pod", "node", "off"] as const) {
        const plan = planned({ profile, bbr });
        const { "net.core.default_qdisc": queue, "net.ipv4.tcp_congestion_control": control } = valuesOf(plan);
        assert.deepEqual([queue, control], bbr === "off" ? [undefined, undefined] : ["fq", "bbr"]);
        assert.equal(modules(plan), bbr === "off" ? "overlay\n" : "overlay\nsch_fq\ntcp_bbr\n");
        // The bandwidth manager is for pods only: without BBR it writes cubic over the node's choice.
        const both = bbr === "node-and-pod";
        assert.deepEqual(plan.cilium.values.bandwidthManager, { bbr: both, enabled: both });
      }
    }
  });

  it("take overrides: another value, or none", () => {
    const before = valuesOf(planned(undefined));
    const { "net.ipv4.tcp_tw_reuse": gone, ...kept } = before;
    assert.equal(gone, "1");
    assert.deepEqual(valuesOf(planned({ sysctls: { "net.core.somaxconn": "1024", "net.ipv4.tcp_tw_reuse": null } })), {
      ...kept,
      "net.core.somaxconn": "1024",
    });
  });

  it("take keys that none of them sets: they come into the node's file, with the module they need", () => {
    const unset = sysctlTable.filter(({ profiles }) => Object.values(profiles).every(({ value }) => value === null));
    const sysctls: Record<string, string> = {
      "fs.inotify.max_user_watches": "1048576",
      "net.core.busy_poll": "50",
      "net.core.busy_read": "0",
      "net.ipv4.tcp_notsent_lowat": "131072",
      "net.netfilter.nf_conntrack_max": "1000000",
      "vm.max_map_count": "1048576",
    };
    assert.deepEqual(
      unset.map(({ key }) => key),
      Object.keys(sysctls),
    );
    const plan = planned({ profile: "minimal", sysctls });
    const file = fileOf(plan, "/etc/sysctl.d/90-zerosteal.conf");
    for (const [key, value] of Object.entries(sysctls)) assert.ok(file.includes(`\n${key} = ${value}\n`), key);
    assert.equal(modules(plan), "nf_conntrack\noverlay\n");
    assert.deepEqual(planned({ sysctls: { "vm.max_map_count": null } }), planned(undefined));
  });

  it("leave out the reserved ports only beside a port range without them", () => {
    const problems = (range: string) =>
      checkCluster("prod", {
        ...smallCluster(),
        tuning: { sysctls: { "net.ipv4.ip_local_port_range": range, "net.ipv4.ip_local_reserved_ports": null } },
      }).problems.map(({ rule }) => rule);
    assert.deepEqual(problems("32768 51869"), []);
    assert.deepEqual(problems("52000 65535"), []);
    assert.deepEqual(problems("32768 60999"), ["ports-handed-out"]);
    for (const profile of tuningProfiles) {
      const wide = planned({ profile, sysctls: { "net.ipv4.ip_local_port_range": "1024 65535" } });
      assert.equal(valuesOf(wide)["net.ipv4.ip_local_reserved_ports"], reservedPorts);
    }
  });
});

describe("sysctls of pods", () => {
  const allowed = (plan: ClusterPlan): unknown[] => {
    const dropIn = parse(fileOf(plan, "/etc/kubernetes/kubelet.conf.d/50-zerosteal.conf")) as Record<string, unknown>;
    const init = parseAllDocuments(plan.nodes[0]?.kubeadm ?? "").map((document) => document.toJS() as typeof dropIn);
    const kubelet = init.find(({ kind }) => kind === "KubeletConfiguration");
    return [dropIn.allowedUnsafeSysctls, kubelet?.allowedUnsafeSysctls];
  };

  it("are none unless asked for", () => {
    const plan = planned({ profile: "throughput" });
    assert.deepEqual(podSecurityContext(plan), { sysctls: [] });
    assert.deepEqual(allowed(plan), [undefined, undefined]);
    assert.deepEqual(planned({ podSysctls: [] }), planned(undefined));
  });

  it("have the plan's values, sorted and once, in the securityContext", () => {
    const plan = planned({
      sysctls: { "net.core.somaxconn": "32768" },
      podSysctls: ["net.ipv4.ip_local_port_range", "net.core.somaxconn", "net.core.somaxconn"],
    });
    const context = { sysctls: [{ name: "net.core.somaxconn", value: "32768" }] };
    context.sysctls.push({ name: "net.ipv4.ip_local_port_range", value: "10240 65535" });
    assert.deepEqual(podSecurityContext(plan), context);
    assert.deepEqual(
      podSecurityContext(JSON.parse(JSON.stringify(plan)) as ClusterPlan),
      context,
      "from a plan's file",
    );
  });

  it("are allowed by the kubelet where Kubernetes counts them as unsafe", () => {
    const unsafe = planned({ podSysctls: ["net.ipv4.tcp_max_syn_backlog", "net.core.somaxconn"] });
    const both = ["net.core.somaxconn", "net.ipv4.tcp_max_syn_backlog"];
    assert.deepEqual(allowed(unsafe), [both, both]);
    const safe = planned({ podSysctls: ["net.ipv4.ip_local_port_range", "net.ipv4.ip_local_reserved_ports"] });
    assert.deepEqual(allowed(safe), [undefined, undefined]);
  });

  it("are unsafe or safe by the version of Kubernetes", () => {
    const buffers = ["net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem"];
    assert.deepEqual(unsafeForPods(buffers, "1.31.9"), buffers);
    assert.deepEqual(unsafeForPods(buffers, "1.32.0"), []);
    assert.deepEqual(unsafeForPods([...buffers, "net.core.somaxconn", "net.none"], "1.36.4"), ["net.core.somaxconn"]);
  });

  it("join what kubernetes.kubelet allows, and leave it alone where they need nothing", () => {
    const own = { kubernetes: { kubelet: { allowedUnsafeSysctls: ["net.core.somaxconn", "kernel.msg*"] } } };
    const merged = ["kernel.msg*", "net.core.somaxconn", "net.ipv4.tcp_tw_reuse"];
    const plan = planned({ podSysctls: ["net.ipv4.tcp_tw_reuse", "net.core.somaxconn"] }, own);
    assert.deepEqual(allowed(plan), [merged, merged]);
    const given = own.kubernetes.kubelet.allowedUnsafeSysctls;
    assert.deepEqual(allowed(planned({ podSysctls: ["net.ipv4.ip_local_port_range"] }, own)), [given, given]);
    assert.deepEqual(allowed(planned(undefined, own)), [given, given]);
  });

  it("can have every namespaced key of a profile that sets it", () => {
    const plan = planned({ profile: "throughput" });
    const keys = plan.sysctls.filter(({ namespaced }) => namespaced).map(({ key }) => key);
    const names = podSecurityContext(planned({ profile: "throughput", podSysctls: keys })).sysctls;
    assert.deepEqual(
      names.map(({ name }) => name),
      keys,
    );
    assert.ok(keys.every((key) => rowOf(key) !== undefined));
  });
});
