import assert from "node:assert/strict";
import { describeStep } from "../../cli/news";
import { lostObjects } from "../../cli/recover";
import { upExit } from "../../cli/summary";
import { logicalName, type UpdateResult } from "../../cli/update";
import type { Report } from "../../components/doctor";

const update = (change: Partial<UpdateResult>): UpdateResult => ({
  changes: {},
  errors: [],
  exitCode: 0,
  doctorRan: false,
  stopped: false,
  ...change,
});
const report = (healthy: boolean): Report => ({
  cluster: "demo",
  results: [],
  notRun: [],
  counts: { ok: 1, failed: healthy ? 0 : 1, unprovable: 0, unseen: 0 },
  healthy,
});

describe("exit code of up", () => {
  it("is 0 only when the update ended well and the doctor found everything right", () => {
    assert.equal(upExit({ update: update({}), report: report(true) }), 0);
    assert.equal(upExit({ update: update({}), report: undefined }), 3);
  });
  it("is 1 when a resource failed", () => {
    const failed = update({ exitCode: 255, errors: [{ resource: "init-demo", message: "kubeadm: exit status 1" }] });
    assert.equal(upExit({ update: failed, report: report(true) }), 1);
  });
  it("is 3 when the cluster stands but a check failed, within the update or after it", () => {
    const failed = update({ exitCode: 255, errors: [{ resource: "doctor-demo", message: "exit status 1" }] });
    assert.equal(upExit({ update: failed, report: report(false) }), 3);
    assert.equal(upExit({ update: update({}), report: report(false) }), 3);
  });
  it("is 130 when it was stopped, whatever failed for that", () => {
    const stopped = update({ stopped: true, exitCode: 255, errors: [{ resource: "a", message: "context canceled" }] });
    assert.equal(upExit({ update: stopped, report: undefined }), 130);
  });
  it("is 4 when a machine could not be reached", () => {
    const message = "after 120 failed attempts: dial tcp 198.18.0.11:22: i/o timeout";
    const failed = update({ exitCode: 255, errors: [{ resource: "tune-demo-web-1", message }] });
    assert.equal(upExit({ update: failed, report: report(false) }), 4);
  });
});

describe("news of an update", () => {
  const event = {
    kind: "begin" as const,
    type: "command:remote:Command",
    op: "create",
    urn: "",
    name: "join-demo-web-1",
  };

  it("name the machine and what it does", () => {
    assert.equal(describeStep(event), "demo-web-1: kubeadm join …");
    assert.equal(describeStep({ ...event, kind: "failed" }), "demo-web-1: kubeadm join FAILED");
    assert.equal(describeStep({ ...event, op: "update", kind: "end" }), "demo-web-1: kubeadm join changed done");
  });
  it("leave out what did not change and what nobody watches", () => {
    assert.equal(describeStep({ ...event, op: "same" }), undefined);
    assert.equal(describeStep({ ...event, type: "pulumi:index:Stash" }), undefined);
  });
});

describe("recovery", () => {
  const server = { type: "hcloud:index/server:Server", name: "demo-web-1", id: "1000007" };

  it("finds what the cloud has and the state lacks, by type and id", () => {
    const route = { type: "hcloud:index/networkRoute:NetworkRoute", name: "demo-web-1", id: "5-10.244.11.0/24" };
    const state = [{ type: server.type, id: "1000007" }, { type: "pulumi:pulumi:Stack" }];
    assert.deepEqual(lostObjects([server, route], state), [route]);
    assert.deepEqual(lostObjects([{ ...server, id: "1000008" }], state), [{ ...server, id: "1000008" }]);
  });
  it("reads a resource's logical name from its URN, colons and all", () => {
    assert.equal(logicalName("urn:pulumi:demo::zerosteal::a:b:C$hcloud:index/server:Server::demo-web-1"), "demo-web-1");
    assert.equal(logicalName("urn:pulumi:demo::zerosteal::a:b:C::x::y"), "x::y");
  });
});
