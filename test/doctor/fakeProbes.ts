import { readFileSync } from "node:fs";
import path from "node:path";
import { expectation, nodeNames } from "./fixtures";

const ciliumStatus = readFileSync(path.join(__dirname, "outputs/cilium-status.json"), "utf8");

/** What a command prints in a pod of the healthy fixture cluster. */
export function healthyExec(pod: string, command: string[]): string {
  if (pod.startsWith("cilium-")) {
    // Every agent's direct routing device has its own node's address.
    if (command[0] === "sh") return agentWindow;
    return ciliumStatus.replace("10.0.0.3", `10.0.0.${Number(pod.split("-")[1]) + 2}`);
  }
  const index = Number(pod.split("-").at(-1));
  const others = nodeNames.filter((_, other) => other !== index);
  if (command[4] === "window") return windowProbe(index === 0, command[8] ?? "-");
  return pod.startsWith("host") ? hostProbe(index, others) : podProbe(index, others, command);
}

const certificate = readFileSync(path.join(__dirname, "outputs/certificate.pem")).toString("base64");
const metrics = readFileSync(path.join(__dirname, "outputs/etcd-metrics.txt"), "utf8");

const agentWindow = readFileSync(path.join(__dirname, "outputs/cilium-window.txt"), "utf8");

function hostProbe(index: number, others: string[]): string {
  return [
    line("pidns", "pid:[4026531836]"),
    line("addresses", `[{"local":"10.0.0.${index + 2}"},{"local":"10.244.${index}.1"}]`),
    line("resolv", "nameserver 198.18.0.1"),
    line(
      "sysctls",
      sysctls(() => true),
    ),
    line("isolated", ""),
    line("siblings", index === 0 ? "0\n1" : "0-1\n2-3"),
    line("hugepages", "always [madvise] never"),
    line("interrupts", "eth0\t24\tvirtio1-input.0\t0\neth0\t25\tvirtio1-output.0\t1"),
    line("allowed", `probe\t${index === 0 ? "0-1" : "2-3"}\nkubelet\t0-1`),
    line("time-services", "chronyd"),
    line("certificates", index === 0 ? `/etc/kubernetes/pki/ca.crt\t${certificate}` : ""),
    line("rules", "iptables-nft-save\t0\nnft\t0"),
    line("connect 198.18.0.1:53", ""),
    line("qdiscs", "qdisc mq 0: dev enp7s0 root \nqdisc fq 8001: dev enp7s0 parent :1 limit 10000p"),
    line("readyz api.lab.internal:6443", "200 "),
    ...others.flatMap((node) => [
      line(`route ${node}`, "enp7s0 1450"),
      line(`reach ${node}`, reached),
      line(`exact ${node}`, answered),
    ]),
  ].join("\n");
}

/** As a machine with two CPUs prints it: eight seconds, one of them busy; the first node's etcd wrote 200 times. */
function windowProbe(controlPlane: boolean, targets: string): string {
  const counters = (user: number, idle: number, packets: string): string =>
    `cpu  ${user} 0 100 ${idle} 0 0 0 0 0 0\n${packets} 00000000 00000000 00000000\n${packets} 00000000 00000000 00000000`;
  const fragments = "Ip: Forwarding ReasmFails FragFails FragCreates\nIp: 1 0 0 0";
  const later = metrics.replace(
    /^(.*_bucket\S*) (\d+)$/gm,
    (_, name: string, count: string) => `${name} ${Number(count) + 200}`,
  );
  return [
    `{"id":"clock 0","rc":0,"us":${Date.now()}000,"out":""}`,
    line("first-fragments", fragments),
    line("first-etcd", controlPlane ? metrics : ""),
    line("first", counters(5000, 90_000, "00000010")),
    line("last-fragments", fragments),
    ...(targets === "-" ? [] : targets.split(",").map((target) => line(`rtt ${target}`, "20000 us\n21000 us\n"))),
    line("last-etcd", controlPlane ? later : ""),
    line("last", counters(5300, 91_300, "000000ff")),
    "",
  ].join("\n");
}

function podProbe(index: number, others: string[], command: string[]): string {
  const egress = command[8] === "-" ? [] : (command[8] ?? "").split(",");
  return [
    line("addresses", `[{"local":"10.244.${index}.77"}]`),
    line("resolv", "nameserver 10.96.0.10"),
    line(
      "sysctls",
      sysctls((entry) => entry.podsInherit || entry.podsMaySet === true),
    ),
    ...[1, 2, 3, 4, 5].map((n) => line(`lookup ${n}`, "10.96.0.1  STREAM kubernetes")),
    ...[1, 2, 3].map((n) => line(`api ${n}`, "")),
    ...egress.map((target) => line(`connect ${target}`, "")),
    ...others.flatMap((node) => [
      line(`route ${node}`, "eth0 1450"),
      line(`reach ${node}`, reached),
      line(`exact ${node}`, answered),
      line(`more ${node}`, refused),
      line(`nodemore ${node}`, refused),
    ]),
  ].join("\n");
}

const answered = "3 packets transmitted, 3 received, 0% packet loss, time 409ms";
const reached = `64 bytes from 10.0.0.4: icmp_seq=1 ttl=62 time=0.240 ms\n${answered}`;
const refused =
  "From 10.0.0.1 icmp_seq=1 Frag needed and DF set (mtu = 1450)\n3 packets transmitted, 0 received, +3 errors, 100% packet loss";

function sysctls(which: (entry: { podsInherit: boolean; podsMaySet?: true }) => boolean): string {
  return expectation()
    .sysctls.filter(which)
    .map((entry) => `${entry.key}\t644\t${entry.value}`)
    .join("\n");
}

function line(id: string, output: string): string {
  return `{"id":"${id}","rc":0,"us":1500,"out":"${Buffer.from(output).toString("base64")}"}`;
}
