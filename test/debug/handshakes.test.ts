import assert from "node:assert/strict";
import { captureReport, parsePackets, type SeenPacket, splitHandshakes } from "../../components/debug/handshakes";
import { percentiles } from "../../components/doctor/percentiles";

/** Milliseconds as tcpdump prints them, from some moment on. */
function line(ms: number, from: string, to: string, flags: string): string {
  const at = 1_764_000_000_000_000_000n + BigInt(Math.round(ms * 1e6));
  return `${at / 1_000_000_000n}.${String(at % 1_000_000_000n).padStart(9, "0")} IP ${from} > ${to}: Flags [${flags}], seq 1, length 0`;
}

/** A handshake at one point: when its SYN and, unless it was lost, its SYN-ACK came by. */
function handshake(clientPort: number, syn: number, answer?: number): string[] {
  const [client, server] = [`10.42.1.5.${clientPort}`, "10.42.2.7.8080"];
  return [line(syn, client, server, "S"), ...(answer === undefined ? [] : [line(answer, server, client, "S.")])];
}

const packets = (...lines: string[][]): SeenPacket[] => parsePackets(lines.flat().join("\n"), 8080);

/** One handshake of 10 ms: 1 in the client's node, 6 on the wire, 2 in the server's node, 1 in the server. Every machine has a clock of its own. */
const whole = {
  clientPod: packets(handshake(40000, 0, 10)),
  clientNode: packets(handshake(40000, 100.5, 109.5)),
  serverNode: packets(handshake(40000, 9000, 9003)),
  serverPod: packets(handshake(40000, 7001, 7002)),
};

describe("handshakes", () => {
  it("are read from tcpdump's lines, and nothing else is", () => {
    const text = [
      "tcpdump: listening on eth0",
      line(0, "10.42.1.5.40000", "10.42.2.7.8080", "SEW"),
      line(1, "10.42.2.7.8080", "10.42.1.5.40000", "S.E"),
      line(2, "10.42.1.5.40000", "10.42.2.7.8080", "."),
      line(3, "10.42.2.7.9999", "10.42.1.5.40000", "S"),
    ].join("\n");
    assert.deepEqual(
      parsePackets(text, 8080).map(({ kind, clientPort }) => [kind, clientPort]),
      [
        ["syn", 40000],
        ["syn-ack", 40000],
      ],
    );
  });

  it("are split without any clock agreeing with another", () => {
    const [split] = splitHandshakes(whole).handshakes;
    assert.deepEqual(
      Object.entries(split?.parts ?? {}).map(([part, value]) => [part, Number(value.toFixed(6))]),
      [
        ["client node", 1],
        ["wire", 6],
        ["server node", 2],
        ["server pod", 1],
      ],
    );
    assert.equal(captureReport(whole)?.most, "wire");
  });

  for (const [part, change] of Object.entries({
    "client node": { clientPod: packets(handshake(40000, 0, 30)) },
    wire: {
      clientPod: packets(handshake(40000, 0, 30)),
      clientNode: packets(handshake(40000, 100.5, 129.5)),
    },
    "server node": {
      clientPod: packets(handshake(40000, 0, 30)),
      clientNode: packets(handshake(40000, 100.5, 129.5)),
      serverNode: packets(handshake(40000, 9000, 9023)),
    },
    "server pod": {
      clientPod: packets(handshake(40000, 0, 30)),
      clientNode: packets(handshake(40000, 100.5, 129.5)),
      serverNode: packets(handshake(40000, 9000, 9023)),
      serverPod: packets(handshake(40000, 7001, 7022)),
    },
  })) {
    it(`that wait 20 ms longer at the ${part} blame it`, () => {
      const report = captureReport({ ...whole, ...change });
      assert.equal(report?.most, part);
      const blamed = report.parts.find((candidate) => candidate.part === part)?.percentiles.p50 ?? 0;
      const before = captureReport(whole)?.parts.find((candidate) => candidate.part === part)?.percentiles.p50 ?? 0;
      assert.equal(Number((blamed - before).toFixed(6)), 20);
    });
  }

  it("within one node have no wire", () => {
    const report = captureReport({ ...whole, clientNode: [], serverNode: [] });
    assert.deepEqual(
      report?.parts.map(({ part }) => part),
      ["client node", "server pod"],
    );
  });

  it("that were not answered or were begun again are counted, from the first SYN on", () => {
    const lost = handshake(40001, 50);
    const again = [...handshake(40002, 60), ...handshake(40002, 1060, 1061)];
    const points = ["clientPod", "clientNode", "serverNode", "serverPod"] as const;
    const seen = Object.fromEntries(
      points.map((point) => [point, [...whole[point], ...packets(point === "clientPod" ? lost : [], again)]]),
    ) as typeof whole;
    const report = captureReport(seen);
    assert.deepEqual([report?.handshakes, report?.unanswered, report?.repeats, report?.total.max], [2, 1, 1, 1001]);
  });

  it("that no point saw whole give no report", () => {
    assert.equal(captureReport({ ...whole, clientNode: packets(handshake(40009, 0, 1)) }), undefined);
  });

  it("have percentiles by nearest rank", () => {
    const values = Array.from({ length: 100 }, (_, index) => 100 - index);
    assert.deepEqual(percentiles(values), { p50: 50, p90: 90, p99: 99, max: 100 });
    assert.deepEqual(percentiles([7]), { p50: 7, p90: 7, p99: 7, max: 7 });
  });
});
