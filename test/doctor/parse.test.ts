import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import {
  parseAddresses,
  parseHostProbe,
  parseLookup,
  parsePing,
  parsePodProbe,
  parseSysctls,
  parseTasks,
} from "../../components/doctor/parse";
import { parseCiliumStatus, parseCiliumVersion } from "../../components/doctor/parseCilium";

function task(output: string, exitCode = 0, milliseconds = 5) {
  return { id: "x", exitCode, milliseconds, output };
}

/** A line as the probe script prints it. */
function line(id: string, output: string, exitCode = 0): string {
  return `{"id":"${id}","rc":${exitCode},"us":1500,"out":"${Buffer.from(output).toString("base64")}"}`;
}

describe("output of ping", () => {
  const header = "PING 10.0.0.4 (10.0.0.4) 1423(1451) bytes of data.\n";
  const statistics = (received: string) =>
    `\n--- 10.0.0.4 ping statistics ---\n3 packets transmitted, ${received}, 100% packet loss, time 405ms\n`;

  it("with answers", () => {
    const text = `PING 10.0.0.4 (10.0.0.4) 1422(1450) bytes of data.
1430 bytes from 10.0.0.4: icmp_seq=1 ttl=62 time=0.240 ms
1430 bytes from 10.0.0.4: icmp_seq=2 ttl=62 time=0.058 ms
1430 bytes from 10.0.0.4: icmp_seq=3 ttl=62 time=0.059 ms

--- 10.0.0.4 ping statistics ---
3 packets transmitted, 3 received, 0% packet loss, time 409ms
rtt min/avg/max/mdev = 0.058/0.119/0.240/0.085 ms`;
    assert.deepEqual(parsePing(task(text)), {
      sent: 3,
      received: 3,
      refusedLocally: false,
      milliseconds: [0.24, 0.058, 0.059],
    });
  });

  it("refused by a router, which the sender's kernel then repeats", () => {
    const text = `${header}From 10.0.0.1 icmp_seq=1 Frag needed and DF set (mtu = 1450)
ping: local error: message too long, mtu=1450
ping: local error: message too long, mtu=1450
${statistics("0 received, +3 errors")}`;
    assert.deepEqual(parsePing(task(text, 1)), {
      sent: 3,
      received: 0,
      refusedLocally: true,
      refusedBy: { address: "10.0.0.1", mtu: 1450 },
    });
  });

  it("refused by the sender alone, or by the other end of its link", () => {
    const own = `${header}ping: local error: message too long, mtu=1450\n${statistics("0 received, +3 errors")}`;
    assert.deepEqual(parsePing(task(own, 1)), { sent: 3, received: 0, refusedLocally: true });
    const link = `${header}ping: sendmsg: No buffer space available\n${statistics("0 received")}`;
    assert.deepEqual(parsePing(task(link, 1)), { sent: 3, received: 0, refusedLocally: true });
  });

  it("without an answer, with a complaint, and not run at all", () => {
    assert.deepEqual(parsePing(task(header + statistics("0 received"), 1)), {
      sent: 3,
      received: 0,
      refusedLocally: false,
    });
    const unreachable = `${header}From 10.0.0.3 icmp_seq=1 Destination Host Unreachable\n${statistics("0 received, +3 errors")}`;
    assert.equal(parsePing(task(unreachable, 1)).complaint, "Destination Host Unreachable");
    assert.deepEqual(parsePing(task("ping: invalid -M argument: probe", 2)), {
      sent: 0,
      received: 0,
      refusedLocally: false,
      complaint: "ping: invalid -M argument: probe",
    });
    assert.equal(parsePing(task("", 127)).complaint, "ping ended with 127");
  });
});

describe("output of a lookup", () => {
  const name = "kubernetes.default.svc.cluster.local.";

  it("by dig, whose own time counts", () => {
    const text = `
; <<>> DiG 9.18.27 <<>> +tries=1 +time=2 ${name} A
;; global options: +cmd
;; Got answer:
;; ->>HEADER<<- opcode: QUERY, status: NOERROR, id: 41233
;; flags: qr aa rd; QUERY: 1, ANSWER: 1, AUTHORITY: 0, ADDITIONAL: 1

;; QUESTION SECTION:
;${name}	IN	A

;; ANSWER SECTION:
${name} 30	IN	A	10.96.0.1

;; Query time: 1 msec
;; SERVER: 10.96.0.10#53(10.96.0.10) (UDP)
`;
    assert.deepEqual(parseLookup(task(text, 0, 40)), { addresses: ["10.96.0.1"], milliseconds: 1 });
    const none = text.replace("NOERROR", "NXDOMAIN").replace(/;; ANSWER SECTION:\n.*\n/, "");
    assert.deepEqual(parseLookup(task(none)), { addresses: [], milliseconds: 1, error: "NXDOMAIN" });
    const silent = ";; communications error to 10.96.0.10#53: timed out\n;; no servers could be reached";
    assert.equal(parseLookup(task(silent, 9, 2000)).error, "no answer");
  });

  it("by getent, where the image has no dig", () => {
    const text = "10.96.0.1       STREAM kubernetes.default.svc.cluster.local\n10.96.0.1       DGRAM\n";
    assert.deepEqual(parseLookup(task(text, 0, 3)), { addresses: ["10.96.0.1"], milliseconds: 3 });
    assert.equal(parseLookup(task("", 124, 2000)).error, "no answer");
    assert.equal(parseLookup(task("", 2)).error, "no address");
  });
});

describe("output of the probe script", () => {
  it("is read line by line, whatever stands between the lines", () => {
    const text = ["Welcome", line("resolv", "nameserver 1.2.3.4\n"), "{broken", line("raise", "", 2)].join("\n");
    const tasks = parseTasks(text);
    assert.deepEqual([...tasks.keys()], ["resolv", "raise"]);
    assert.deepEqual(tasks.get("raise"), { id: "raise", exitCode: 2, milliseconds: 1.5, output: "" });
  });

  it("tells a container by its PID namespace, and holds a machine that does not answer to be a real one", () => {
    assert.equal(parseHostProbe(line("pidns", "pid:[4026531836]\n")).machineIsContainer, false);
    assert.equal(parseHostProbe(line("pidns", "pid:[4026532455]\n")).machineIsContainer, true);
    assert.equal(parseHostProbe("").machineIsContainer, false);
    assert.equal(parseHostProbe(line("pidns", "readlink: permission denied", 1)).machineIsContainer, false);
  });

  it("of a node", () => {
    const probe = parseHostProbe(
      [
        line("addresses", '[{"ifname":"lo","addr_info":[{"family":"inet","local":"127.0.0.1","prefixlen":8}]}]'),
        line("resolv", "search x\nnameserver 198.18.0.1\n"),
        line("rules", "iptables-nft-save\t3\nip6tables-nft-save\terror\tdenied\nnft\t1"),
        line(
          "connect 198.18.0.1:53",
          "bash: connect: Connection refused\nbash: /dev/tcp/198.18.0.1/53: Connection refused",
          1,
        ),
        line("connect 198.18.0.2:53", "", 124),
        line("route lab-web-2", "enp7s0 1450"),
        line("route lab-web-3", "RTNETLINK answers: Network is unreachable", 2),
      ].join("\n"),
    );
    assert.deepEqual(probe.addresses, ["127.0.0.1"]);
    assert.deepEqual(probe.resolvers, ["198.18.0.1"]);
    assert.deepEqual(probe.kubeProxyRules, [
      { tool: "iptables-nft-save", lines: 3 },
      { tool: "ip6tables-nft-save", lines: 0, error: "denied" },
      { tool: "nft", lines: 1 },
    ]);
    assert.deepEqual(probe.connects["198.18.0.1:53"], { ok: false, milliseconds: 1.5, error: "Connection refused" });
    assert.equal(probe.connects["198.18.0.2:53"]?.error, "no answer");
    assert.deepEqual(probe.routes, {
      "lab-web-2": { device: "enp7s0", mtu: 1450 },
      "lab-web-3": { device: "", mtu: 0 },
    });
  });

  it("of a pod", () => {
    const probe = parsePodProbe(
      [line("api 1", ""), line("api 2", "", 143), line("lookup 1", "")].join("\n"),
      "10.244.1.5",
    );
    assert.equal(probe.address, "10.244.1.5");
    assert.deepEqual(
      probe.apiConnects.map((connect) => connect.ok),
      [true, false],
    );
    assert.equal(probe.lookups.length, 1);
  });

  it("has kernel settings with their file modes", () => {
    const text =
      "net.core.somaxconn\t644\t65535 \nnet.core.default_qdisc\tabsent\nnet.netfilter.nf_conntrack_max\t444\t262144 \n";
    assert.deepEqual(parseSysctls(`${text}net.ipv4.tcp_rmem\t644\t4096 131072  6291456 \n`), {
      "net.core.somaxconn": { present: true, writable: true, value: "65535" },
      "net.core.default_qdisc": { present: false, writable: false, value: "" },
      "net.netfilter.nf_conntrack_max": { present: true, writable: false, value: "262144" },
      "net.ipv4.tcp_rmem": { present: true, writable: true, value: "4096 131072 6291456" },
    });
  });

  it("has addresses of all interfaces, IPv4 only", () => {
    const text = '[{"addr_info":[{"local":"10.0.0.3"},{"local":"fe80::1"}]},{"addr_info":[{"local":"10.244.1.1"}]}]';
    assert.deepEqual(parseAddresses(text), ["10.0.0.3", "10.244.1.1"]);
  });
});

describe("status of a Cilium agent", () => {
  // Printed by cilium-dbg 1.20.2.
  const text = readFileSync(path.join(__dirname, "outputs/cilium-status.json"), "utf8");

  it("is read from its JSON", () => {
    assert.deepEqual(parseCiliumStatus(text), {
      version: "1.20.2",
      kubeProxyReplacement: "True",
      devices: ["eth0", "enp7s0"],
      directRoutingDevice: "enp7s0",
      directRoutingAddresses: ["10.0.0.3"],
      routingMode: "Native",
      hostRouting: "BPF",
      masquerading: "BPF",
      nativeRoutingCidr: "10.244.0.0/16",
      loadBalancerMode: "SNAT",
      bandwidthManager: "on with bbr",
      deviceMode: "veth",
      encryption: "Disabled",
      encryptionPeers: 0,
    });
  });

  it("has WireGuard's peers, and the kind of devices", () => {
    // As api/v1/openapi.yaml of Cilium 1.20.2 has them.
    const status = parseCiliumStatus(
      JSON.stringify({
        "datapath-mode": "netkit",
        encryption: {
          mode: "Wireguard",
          wireguard: { interfaces: [{ name: "cilium_wg0", "listen-port": 51871, "peer-count": 2 }] },
        },
      }),
    );
    assert.deepEqual([status.deviceMode, status.encryption, status.encryptionPeers], ["netkit", "Wireguard", 2]);
  });

  it("says disabled where nothing is masqueraded, and False where kube-proxy is not replaced", () => {
    const off = { masquerading: { enabled: true, enabledProtocols: { ipv6: true }, mode: "BPF" } };
    const status = parseCiliumStatus(`warning\n${JSON.stringify(off)}`);
    assert.equal(status.masquerading, "disabled");
    assert.equal(status.kubeProxyReplacement, "False");
    assert.deepEqual(status.devices, []);
    assert.equal(status.loadBalancerMode, "");
  });

  it("has the version also where only the version command tells it", () => {
    // Both printed by cilium-dbg 1.20.2, the second with a build that was given no revision.
    const full = "Client: 1.20.2 abcdef12 2026-10-01T10:00:00+02:00 go version go1.26.8 linux/amd64\n";
    assert.equal(parseCiliumVersion(full + full.replace("Client", "Daemon")), "1.20.2");
    assert.equal(
      parseCiliumVersion("Client: 1.20.1 go version\nDaemon: 1.20.2 go version go1.26.8 linux/amd64\n"),
      "1.20.2",
    );
    assert.equal(parseCiliumVersion("Client: 1.20.1\nDaemon:  go version go1.26.8"), "");
  });

  it("is an error without a document", () => {
    assert.throws(() => parseCiliumStatus("Is the agent running?"), SyntaxError);
  });
});
