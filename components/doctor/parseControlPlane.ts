import { X509Certificate } from "node:crypto";
import type { Certificate, EtcdReading, Histogram } from "./evidence";

/** The certificates in a text; the first of a file that has the same one twice. */
export function parseCertificates(file: string, text: string): Certificate[] {
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  return blocks.map((block) => ({ file, ends: Date.parse(new X509Certificate(block).validTo) }));
}

/** Lines `path<TAB>base64 of its certificates`; several processes use the same files. */
export function parseCertificateFiles(text: string): Certificate[] {
  return [...new Set(text.split("\n"))].flatMap((line) => {
    const [file = "", content = ""] = line.split("\t");
    return parseCertificates(file, Buffer.from(content, "base64").toString("latin1"));
  });
}

/** What an etcd says at /health and /metrics; undefined where none answered. */
export function parseEtcd(text: string): EtcdReading | undefined {
  const hasLeader = /^etcd_server_has_leader (\d)$/m.exec(text)?.[1];
  if (hasLeader === undefined) return undefined;
  return {
    healthy: /^\{"health":"true"/m.test(text),
    hasLeader: hasLeader === "1",
    isLeader: /^etcd_server_is_leader 1$/m.test(text),
    isLearner: /^etcd_server_is_learner 1$/m.test(text),
    activePeers: [...text.matchAll(/^etcd_network_active_peers\{.*\} 1$/gm)].length,
    fsync: parseHistogram(text, "etcd_disk_wal_fsync_duration_seconds"),
    commit: parseHistogram(text, "etcd_disk_backend_commit_duration_seconds"),
  };
}

/** Buckets of one of Prometheus' histograms. */
function parseHistogram(text: string, name: string): Histogram {
  const lines = text.matchAll(new RegExp(String.raw`^${name}_bucket\{le="([^"]+)"\} (\S+)$`, "gm"));
  return [...lines].map(([, bound = "", count]) => ({
    upTo: bound === "+Inf" ? Infinity : Number(bound),
    count: Number(count),
  }));
}
