import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { parse } from "yaml";
import { type NodeSteal, readSteal } from "../../components/debug/steal";
import { stealMetrics } from "../../components/debug/stealMetrics";
import { renderSteal } from "../../components/debug/stealText";

const machine = "pid:[4026531836]";
const container = "pid:[4026532500]";

/** What the script prints: a second's sample each, two CPUs; the steal of each second in ticks. */
function output(namespace: string, steal: number[], busy = 150): string {
  const samples = [0, ...steal].map((_, index) => {
    const stolen = steal.slice(0, index).reduce((sum, ticks) => sum + ticks, 0);
    const user = 1000 + index * busy - stolen;
    return `cpu  ${user} 0 0 ${5000 + index * (200 - busy)} 0 0 0 ${70 + stolen} 0 0`;
  });
  return [namespace, ...samples].join("\n");
}

const read = (text: string, limit = 2): NodeSteal => {
  const found = readSteal("lab-web-1", text, limit);
  assert.ok(found);
  return found;
};

describe("steal", () => {
  it("is judged by the whole time, and told by its worst seconds too", () => {
    // 30 of 3000 wanted ticks are 1 %, all of them within one second of 150.
    const found = read(output(machine, [...Array<number>(19).fill(0), 30]));
    assert.deepEqual([found.verdict, found.percent, found.p95, found.worst, found.load], ["ok", 1, 0, 20, 75]);
    assert.equal(read(output(machine, [...Array<number>(19).fill(0), 30]), 0.5).verdict, "stolen");
  });

  it("has seconds among the worst twentieth", () => {
    assert.equal(read(output(machine, [...Array<number>(18).fill(0), 15, 15])).p95, 10);
  });

  it("is not judged on idle CPUs, nor in a container", () => {
    assert.equal(read(output(machine, [0, 0, 0], 1)).verdict, "idle");
    assert.equal(read(output(container, Array<number>(20).fill(20))).verdict, "container");
    assert.equal(read(output(machine, Array<number>(20).fill(20))).verdict, "stolen");
  });

  it("needs two samples", () => {
    assert.equal(readSteal("lab-web-1", `${machine}\ncpu  1 2 3 4 5 6 7 8 0 0`, 2), undefined);
    assert.equal(readSteal("lab-web-1", "", 2), undefined);
  });

  it("names the machines to complain about, and no others", () => {
    const fine = { ...read(output(machine, Array<number>(20).fill(0))), node: "lab-web-2" };
    const stolen = read(output(machine, Array<number>(20).fill(20)));
    assert.match(renderSteal([stolen, fine]), /Complain about lab-web-1:/);
    assert.match(renderSteal([fine]), /No host steals more/);
    assert.match(renderSteal([read(output(container, [0, 0]))]), /nothing can be said/);
    assert.match(renderSteal([fine, read(output(machine, [0, 0], 1))]), /measure under load/);
  });

  it("is served for Prometheus, without the nodes that are gone", async () => {
    const metrics = stealMetrics();
    metrics.record([read(output(machine, Array<number>(20).fill(15)))]);
    const text = await metrics.text();
    assert.match(text, /^zerosteal_steal_ratio\{node="lab-web-1"\} 0\.1$/m);
    assert.match(text, /^zerosteal_steal_judged\{node="lab-web-1"\} 1$/m);
    metrics.record([{ ...read(output(container, [0, 0])), node: "lab-web-2" }]);
    const later = await metrics.text();
    assert.doesNotMatch(later, /lab-web-1/);
    assert.match(later, /^zerosteal_steal_judged\{node="lab-web-2"\} 0$/m);
  });

  it("has an alert that asks only for metrics that are served", async () => {
    const file = path.join(__dirname, "../../docs/alerts/steal.yaml");
    const { groups } = parse(readFileSync(file, "utf8")) as { groups: { rules: { expr: string }[] }[] };
    const metrics = stealMetrics();
    metrics.record([read(output(machine, [0, 0]))]);
    const served = await metrics.text();
    const asked = groups.flatMap(({ rules }) => rules.flatMap(({ expr }) => expr.match(/zerosteal_\w+/g) ?? []));
    assert.ok(asked.length > 0);
    for (const name of asked) assert.match(served, new RegExp(`^${name}\\{`, "m"));
  });
});
