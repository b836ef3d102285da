import assert from "node:assert/strict";
import type { EtcdReading, Evidence } from "../../components/doctor/evidence";
import type { Break } from "./breaksOfCluster";
import { hostOf, nodeNames, web1, windowOf } from "./fixtures";

const [controlPlane = ""] = nodeNames;
const day = 86_400_000;

function etcd(from: Evidence): EtcdReading {
  const reading = windowOf(from, controlPlane).etcd?.last;
  assert.ok(reading);
  return reading;
}

const member = { check: "etcd", subject: controlPlane, wanted: "a healthy voter with a leader and all peers" };

/** Certificates, clocks, etcd and its disk. */
export const breaksOfControlPlane: Break[] = [
  {
    what: "a certificate that ends in 30 days",
    change: (e) => (hostOf(e, controlPlane).certificates[0]!.ends = e.takenAt + 30.5 * day),
    check: "certificates",
    subject: controlPlane,
    wanted: "good for more than 30 days",
    found: "/etc/kubernetes/pki/apiserver.crt ends in 30 days, the first of 2",
    hint: /kubeadm certs renew all/,
  },
  {
    what: "a kubeconfig that ended yesterday",
    change: (e) => (e.ownCertificates[0]!.ends = e.takenAt - day),
    check: "certificates",
    subject: "cluster",
    wanted: "good for more than 30 days",
    found: "this kubeconfig ends in -1 days, the first of 1",
    hint: /Take a new kubeconfig/,
  },
  {
    what: "a clock that is ahead of the others",
    change: (e) => (windowOf(e, web1).clock = { atLeast: 147, atMost: 390 }),
    check: "clock",
    subject: web1,
    wanted: "within 100 ms of other nodes, 1000 ms of here",
    found: "150 ms from other nodes, 147 ms from here",
    hint: /timedatectl on lab-web-1/,
  },
  {
    what: "a clock that nothing keeps",
    change: (e) => (hostOf(e, web1).timeServices = []),
    check: "clock",
    subject: web1,
    wanted: "a time service runs",
    found: "none",
    hint: /chrony/,
  },
  {
    what: "an etcd that is not healthy",
    change: (e) => (etcd(e).healthy = false),
    ...member,
    found: "not healthy",
    hint: /logs etcd-lab-control-plane-1/,
  },
  {
    what: "a member that never got its vote",
    change: (e) => (etcd(e).isLearner = true),
    ...member,
    found: "a learner, without a vote",
    hint: /etcdctl member list/,
  },
  {
    what: "no leader",
    change: (e) => (etcd(e).isLeader = false),
    check: "etcd",
    subject: "cluster",
    wanted: "1 leader",
    found: "0 leaders",
    hint: /election/,
  },
  {
    what: "a disk that takes a fiftieth of the writes slowly",
    change: (e) => {
      const [quick, slow] = etcd(e).fsync;
      assert.ok(quick && slow);
      quick.count -= 4;
      slow.count -= 4;
    },
    check: "etcd-disk",
    subject: controlPlane,
    wanted: "99 % of writes (log) within 10 ms",
    found: "16.0 ms, of 100 writes",
    hint: /faster disk/,
  },
  {
    what: "CPUs that wait for disks",
    change: (e) => (windowOf(e, controlPlane).ticks.last.ioWait = 450),
    check: "io-wait",
    subject: controlPlane,
    wanted: "at most 10 % of the time",
    found: "12.5 % of the time",
    hint: /iotop/,
  },
];
