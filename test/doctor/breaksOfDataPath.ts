import { valueOf, type CiliumStatus, type Evidence } from "../../components/doctor/evidence";
import type { Break } from "./breaksOfCluster";
import { agentWindowOf, endpoint, hostOf, web1, web2, windowOf } from "./fixtures";

function status(from: Evidence): CiliumStatus {
  const agent = valueOf(from.agents)?.find(({ node }) => node === web1);
  const value = agent && valueOf(agent.status);
  if (!value) throw new Error("no status in the fixture");
  return value;
}

const ready = { check: "api-endpoint", subject: web1, wanted: `https://${endpoint}/readyz answers` };

/** The way to the API, Cilium's own view of the mesh, its maps and drops, queues, node ports, users' places. */
export const breaksOfDataPath: Break[] = [
  {
    what: "a node that does not know the API's name",
    change: (e) => (hostOf(e, web1).readyz[endpoint] = "Could not resolve host: api.lab.internal"),
    ...ready,
    found: "Could not resolve host: api.lab.internal",
    hint: /\/etc\/hosts/,
  },
  {
    what: "a load balancer without an API behind it",
    change: (e) => (hostOf(e, web1).readyz[endpoint] = "503"),
    ...ready,
    found: "HTTP 503",
    hint: /balances the load/,
  },
  {
    what: "a health endpoint that does not answer",
    change: (e) => {
      const { health } = agentWindowOf(e, web1);
      valueOf(health)!.find(({ node }) => node === web2)!.faults = [
        "HTTP of its health endpoint: Connection timed out",
      ];
    },
    check: "health-mesh",
    subject: `${web1} -> ${web2}`,
    wanted: "ICMP and HTTP answer",
    found: "HTTP of its health endpoint: Connection timed out",
    hint: /TCP port 4240/,
  },
  {
    what: "a firewall before Cilium's health port",
    change: (e) => (hostOf(e, web1).connects["10.0.0.4:4240"] = { ok: false, milliseconds: 2000, error: "no answer" }),
    check: "health-mesh",
    subject: `${web1} -> ${web2}`,
    wanted: "ICMP and HTTP answer",
    found: "TCP port 4240: no answer",
    hint: /let TCP port 4240/,
  },
  {
    what: "a service map that is nearly full",
    change: (e) => (agentWindowOf(e, web1).pressure.lb4_services_v2 = 0.8),
    check: "map-pressure",
    subject: web1,
    wanted: "every map below 80 %",
    found: "lb4_services_v2 at 80.0 %",
    hint: /network\.expectedServices/,
  },
  {
    what: "packets that Cilium finds no way for",
    change: (e) => (agentWindowOf(e, web1).drops.last["FIB lookup failed"] = 10),
    check: "drops",
    subject: web1,
    wanted: "fewer than 10 packets dropped without a policy",
    found: "10 × FIB lookup failed",
    hint: /cilium-dbg monitor -t drop/,
  },
  {
    what: "packets whose pieces do not all arrive",
    change: (e) => (windowOf(e, web1).fragments.last.notJoined += 3),
    check: "fragments",
    subject: web1,
    wanted: "no failure",
    found: "0 too big and not to be cut, 3 not put together, 0 pieces made",
    hint: /node-mtu and pod-mtu/,
  },
  {
    what: "a bandwidth manager without BBR",
    change: (e) => (status(e).bandwidthManager = "on"),
    check: "bandwidth-manager",
    subject: web1,
    wanted: "on with bbr",
    found: "on",
    hint: /bandwidthManager\.enabled/,
  },
  {
    what: "a NIC of which one queue is not paced",
    change: (e) => (hostOf(e, web1).qdiscs.enp7s0 = ["fq", "pfifo_fast"]),
    check: "qdisc",
    subject: web1,
    wanted: "fq on enp7s0",
    found: "fq, pfifo_fast on enp7s0",
    hint: /tc qdisc replace dev enp7s0/,
  },
  {
    what: "a node port that the outside reaches",
    change: (e) => valueOf(e.nodePorts)!.open.push("198.18.0.12:31234"),
    check: "node-ports",
    subject: "cluster",
    wanted: "no node port answers at a public address",
    found: "198.18.0.12:31234",
    hint: /nodePort\.addresses/,
  },
  {
    what: "a place of users that refuses",
    change: (e) => (windowOf(e, web1).roundTrips["198.18.0.9:443"] = { milliseconds: [], error: "Connection refused" }),
    check: "round-trips",
    subject: `${web1} -> 198.18.0.9:443`,
    wanted: "connections succeed",
    found: "Connection refused",
    hint: /does it listen/,
  },
  {
    what: "a node with another containerd",
    change: (e) => (e.nodes[1]!.containerRuntimeVersion = "containerd://1.7.24"),
    check: "versions",
    subject: web1,
    wanted: "containerd 2.3.4",
    found: "containerd 1.7.24",
    hint: /not upgraded/,
  },
  {
    what: "a kernel that is too old for BBR in pods",
    change: (e) => (e.nodes[1]!.kernelVersion = "5.15.0-122-generic"),
    check: "versions",
    subject: web1,
    wanted: "kernel 5.18 or newer",
    found: "kernel 5.15.0-122-generic",
    hint: /take an image/,
  },
];
