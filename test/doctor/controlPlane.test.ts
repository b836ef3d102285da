import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { judge } from "../../components/doctor/checks";
import { between, quantile } from "../../components/doctor/checks/etcd";
import type { Evidence } from "../../components/doctor/evidence";
import { parseCertificateFiles, parseCertificates, parseEtcd } from "../../components/doctor/parseControlPlane";
import { clockOf, parseFragments } from "../../components/doctor/parseMachine";
import { controlPlaneTasks } from "../../components/doctor/probeControlPlane";
import type { CheckResult } from "../../components/doctor/types";
import { changed, expectation, hostOf, nodeNames, web1, web2, windowOf } from "./fixtures";

const [controlPlane = ""] = nodeNames;
const outputs = path.join(__dirname, "outputs");
const pem = readFileSync(path.join(outputs, "certificate.pem"), "utf8");
const metrics = readFileSync(path.join(outputs, "etcd-metrics.txt"), "utf8");

function of(check: string, change: (evidence: Evidence) => void): CheckResult[] {
  return judge(expectation(), changed(change)).filter((result) => result.check === check);
}

/** Runs one function of the probe script on this machine. */
function task(name: string): string {
  return execFileSync("bash", ["-c", `${controlPlaneTasks}\n${name}`], { encoding: "utf8" });
}

describe("certificates of a control plane", () => {
  it("are read from the text of a file, each with its end", () => {
    const [first, second] = parseCertificates("a.crt", `# bundle\n${pem}${pem}`);
    assert.deepEqual(first, second);
    assert.equal(first?.file, "a.crt");
    assert.ok(first.ends > Date.UTC(2100, 0));
    assert.deepEqual(parseCertificates("empty", ""), []);
    const line = `ca.crt\t${Buffer.from(pem).toString("base64")}`;
    assert.equal(parseCertificateFiles(`${line}\n${line}\n`).length, 1);
  });

  it("are found by the command lines of its processes; keys stay where they are", () => {
    const folder = mkdtempSync(path.join(tmpdir(), "zerosteal-"));
    const config = `users:\n- user:\n    client-certificate-data: ${Buffer.from(pem).toString("base64")}\n    client-key-data: TUFSS0VS\n`;
    writeFileSync(
      path.join(folder, "own.crt"),
      `${pem}-----BEGIN PRIVATE KEY-----\nMARKER\n-----END PRIVATE KEY-----\n`,
    );
    writeFileSync(path.join(folder, "scheduler.conf"), config);
    // Named as the process that is looked for.
    const program = spawn("bash", [
      "-c",
      `exec -a kube-scheduler bash -c 'printf kube-scheduler >/proc/self/comm; read -r _' x --tls-cert-file=${folder}/own.crt --kubeconfig=${folder}/scheduler.conf --key=${folder}/own.key`,
    ]);
    try {
      let text = "";
      for (let tries = 0; tries < 50 && !text.includes(folder); tries++) text = task("sleep 0.1; certificates");
      const found = parseCertificateFiles(text).filter(({ file }) => file.startsWith(folder));
      assert.deepEqual(found.map(({ file }) => path.basename(file)).sort(), ["own.crt", "scheduler.conf"]);
      for (const line of text.split("\n"))
        assert.doesNotMatch(Buffer.from(line.split("\t")[1] ?? "", "base64").toString(), /MARKER|PRIVATE/);
    } finally {
      program.kill();
      rmSync(folder, { recursive: true });
    }
  });

  it("are judged only where a control plane is", () => {
    const results = of("certificates", () => undefined);
    assert.deepEqual(
      results.map(({ subject, outcome }) => [subject, outcome]),
      [
        [controlPlane, "ok"],
        ["cluster", "ok"],
      ],
    );
    const hidden = of("certificates", (e) => {
      hostOf(e, controlPlane).certificates = [];
      e.ownCertificates = [];
    });
    assert.deepEqual(
      hidden.map(({ outcome, hint }) => [outcome, hint]),
      [["unseen", "No process of a control plane showed its certificates."]],
    );
  });
});

describe("etcd", () => {
  it("is read from what it says of itself", () => {
    const reading = parseEtcd(metrics);
    assert.ok(reading);
    const { fsync, commit, ...state } = reading;
    assert.deepEqual(state, { healthy: true, hasLeader: true, isLeader: true, isLearner: false, activePeers: 0 });
    assert.deepEqual([fsync.length, fsync.at(-1)], [15, { upTo: Infinity, count: 2257 }]);
    assert.equal(commit[3]?.count, 862);
    assert.equal(parseEtcd("bash: connect: Connection refused"), undefined);
    const peers =
      'etcd_network_active_peers{Local="a",Remote="b"} 1\netcd_network_active_peers{Local="a",Remote="c"} 0\n';
    assert.equal(parseEtcd(metrics + peers)?.activePeers, 1);
  });

  it("is asked on its metrics port by the shell alone", async function () {
    this.timeout(20_000);
    const server = createServer((request, response) => {
      response.end(request.url === "/health" ? '{"health":"true"}\n' : metrics);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    assert.ok(address && typeof address === "object");
    try {
      const asked = spawn("bash", ["-c", `${controlPlaneTasks.replaceAll("2381", String(address.port))}\netcd`]);
      let text = "";
      for await (const chunk of asked.stdout) text += String(chunk);
      assert.equal(parseEtcd(text)?.fsync.at(-1)?.count, 2257);
      assert.ok(text.split("\n").every((line) => !line.startsWith("#")));
    } finally {
      server.close();
    }
  });

  it("misses members: a peer that does not answer, a control plane without one", () => {
    const two = (e: Evidence) => {
      const etcd = windowOf(e, controlPlane).etcd!;
      const follower = { ...structuredClone(etcd.last), isLeader: false, activePeers: 1 };
      windowOf(e, web1).etcd = { first: follower, last: follower };
    };
    const silent = of("etcd", two).filter(({ outcome }) => outcome === "failed");
    assert.deepEqual(
      silent.map(({ subject, found }) => [subject, found]),
      [[controlPlane, "0 of 1 peers"]],
    );
    const gone = of("etcd", (e) => {
      two(e);
      windowOf(e, web1).etcd!.last.activePeers = 0;
      delete windowOf(e, controlPlane).etcd;
    }).filter(({ outcome }) => outcome === "failed");
    assert.deepEqual(
      gone.map(({ subject, found }) => [subject, found]),
      [
        [controlPlane, "no etcd answers on port 2381"],
        ["cluster", "0 leaders"],
      ],
    );
  });

  it("is not judged where it runs elsewhere", () => {
    for (const check of ["etcd", "etcd-disk", "io-wait"])
      assert.deepEqual(
        of(check, (e) => delete windowOf(e, controlPlane).etcd),
        [],
      );
  });
});

describe("the disk under etcd", () => {
  it("is judged by what came within the window, by Prometheus' estimate", () => {
    const histogram = (...counts: number[]) =>
      counts.map((count, index) => ({ upTo: [1, 2, 4, Infinity][index]!, count }));
    const window = between(histogram(10, 10, 10, 10), histogram(60, 100, 109, 110));
    assert.deepEqual(window, histogram(50, 90, 99, 100));
    assert.equal(quantile(window, 0.25), 0.5);
    assert.equal(quantile(window, 0.945), 3);
    assert.equal(quantile(window, 0.999), 4);
    assert.equal(quantile(histogram(0, 0, 0, 0), 0.99), 0);
  });

  it("may have one slow write, and is not judged by a few", () => {
    const change = (slow: number, writes: number) => (e: Evidence) => {
      const etcd = windowOf(e, controlPlane).etcd!;
      for (const reading of [etcd.first, etcd.last])
        reading.fsync = [
          { upTo: 0.008, count: reading === etcd.last ? writes - slow : 0 },
          { upTo: 0.064, count: reading === etcd.last ? writes : 0 },
        ];
    };
    assert.equal(of("etcd-disk", change(1, 40))[0]?.outcome, "ok");
    assert.equal(of("etcd-disk", change(4, 40))[0]?.outcome, "failed");
    assert.equal(of("etcd-disk", change(4, 9))[0]?.outcome, "unseen");
  });
});

describe("clocks", () => {
  it("are between what was asked and what had come", () => {
    const told = [
      { node: 10_050, here: 10_040 },
      { node: 11_050, here: 11_200 },
    ];
    assert.deepEqual(clockOf(9_950, told), { atLeast: 10, atMost: 100 });
    assert.equal(clockOf(0, []), undefined);
  });

  it("are not judged away from here while that is uncertain", () => {
    const slow = of("clock", (e) => {
      for (const node of nodeNames) windowOf(e, node).clock = { atLeast: -4000, atMost: 900 };
    });
    assert.ok(slow.every(({ outcome }) => outcome === "ok"));
    const behind = of("clock", (e) => {
      for (const node of nodeNames) windowOf(e, node).clock = { atLeast: -4000, atMost: -3500 };
    }).filter(({ outcome }) => outcome === "failed");
    assert.deepEqual(
      behind.map(({ found }) => found),
      nodeNames.map(() => "0 ms from other nodes, 3500 ms from here"),
    );
  });

  it("are their host's in a container, and not seen without a probe", () => {
    const results = of("clock", (e) => {
      hostOf(e, web1).machineIsContainer = true;
      windowOf(e, web1).clock = { atLeast: 5000, atMost: 6000 };
      delete windowOf(e, web2).clock;
    });
    assert.deepEqual(
      results.filter(({ outcome }) => outcome !== "ok").map(({ subject, outcome }) => [subject, outcome]),
      [
        [web1, "unprovable"],
        [web1, "unprovable"],
        [web2, "unseen"],
      ],
    );
  });
});

describe("counters of fragments", () => {
  it("are found by their names", () => {
    assert.deepEqual(parseFragments("Ip: Forwarding ReasmFails FragOKs FragFails FragCreates\nIp: 1 4 9 3 7\n"), {
      created: 7,
      notCut: 3,
      notJoined: 4,
    });
  });
});
