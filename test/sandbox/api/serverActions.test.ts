import assert from "node:assert/strict";
import { at, breakMethod, finished, hold, makeNetwork, makeServer, start, type Harness, type Json } from "./harness";

describe("server actions", function () {
  // Far more than needed: a busy machine must not fail a test.
  this.timeout(60_000);
  let cloud: Harness;
  let id: number;
  const act = (name: string, body?: object): Promise<Json> => cloud.ok("POST", `/servers/${id}/actions/${name}`, body);
  const fails = (name: string, body: object | undefined, status: number, code: string): Promise<Json> =>
    cloud.fails("POST", `/servers/${id}/actions/${name}`, body, status, code);
  const server = async (): Promise<Json> => at(await cloud.ok("GET", `/servers/${id}`), "server") as Json;

  beforeEach(async () => {
    cloud = await start();
    id = await makeServer(cloud);
    cloud.driver.calls.length = 0;
  });
  afterEach(() => cloud.close());

  describe("power", () => {
    const cases: [name: string, command: string, calls: string[], status: string][] = [
      ["poweroff", "stop_server", ["powerOff"], "off"],
      ["shutdown", "shutdown_server", ["shutdown"], "off"],
      ["poweron", "start_server", ["powerOn"], "running"],
      ["reboot", "reboot_server", ["reboot"], "running"],
      ["reset", "reset_server", ["powerOff", "powerOn"], "running"],
    ];
    for (const [name, command, calls, status] of cases) {
      it(`${name} is the action ${command} and ends ${status}`, async () => {
        const { action } = await act(name);
        assert.deepEqual(at(action, "resources"), [{ id, type: "server" }]);
        assert.deepEqual([at(action, "command"), at(action, "status")], [command, "success"]);
        assert.deepEqual(cloud.driver.methods(), calls);
        assert.equal((await server()).status, status);
      });
    }

    it("reboot and reset start a machine that is off", async () => {
      for (const name of ["reboot", "reset"]) {
        await act("poweroff");
        cloud.driver.calls.length = 0;
        await act(name);
        assert.deepEqual(cloud.driver.methods(), ["powerOn"]);
        assert.equal((await server()).status, "running");
      }
    });

    it("shows the way there, and the old status if the driver fails", async () => {
      breakMethod(cloud.driver, "powerOff", "stuck");
      const { action } = await act("poweroff");
      assert.deepEqual(at(action, "error"), { code: "action_failed", message: "stuck" });
      assert.equal((await server()).status, "running");
      const slow = await start({ mode: "async" });
      const other = await makeServer(slow);
      for (
        let tries = 0;
        tries < 200 && at(await slow.ok("GET", `/servers/${other}`), "server.locked") === true;
        tries++
      ) {
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      const gate = hold(slow.driver, "shutdown");
      const started = await slow.ok("POST", `/servers/${other}/actions/shutdown`);
      assert.equal(at(await slow.ok("GET", `/servers/${other}`), "server.status"), "stopping");
      await slow.fails("POST", `/servers/${other}/actions/reboot`, undefined, 423, "locked");
      gate.fail("no ACPI");
      assert.deepEqual((await finished(slow, Number(at(started, "action.id")))).error, {
        code: "action_failed",
        message: "no ACPI",
      });
      assert.equal(at(await slow.ok("GET", `/servers/${other}`), "server.status"), "running");
      await slow.close();
    });
  });

  describe("protection", () => {
    it("needs both kinds equal and holds off delete and rebuild", async () => {
      await fails("change_protection", { delete: true }, 422, "invalid_input");
      await act("change_protection", { delete: true, rebuild: true });
      assert.deepEqual((await server()).protection, { delete: true, rebuild: true });
      const gone = await cloud.fails("DELETE", `/servers/${id}`, undefined, 423, "protected");
      assert.equal(gone.message, "server is delete protected");
      await fails("rebuild", { image: "debian-12" }, 423, "protected");
      await act("change_protection", { delete: false, rebuild: false });
      await cloud.ok("DELETE", `/servers/${id}`);
    });
  });

  describe("change_type", () => {
    it("needs the server off, a type that exists, of the same CPU architecture, with no smaller disk", async () => {
      await fails("change_type", { server_type: "ccx23", upgrade_disk: false }, 422, "server_not_stopped");
      await act("poweroff");
      await fails("change_type", { server_type: "ccx23" }, 422, "invalid_input");
      await fails("change_type", { server_type: "nope", upgrade_disk: false }, 422, "invalid_input");
      await fails("change_type", { server_type: "cx23", upgrade_disk: false }, 422, "invalid_server_type");
      await fails("change_type", { server_type: "cax31", upgrade_disk: false }, 422, "invalid_server_type");
      await fails("change_type", { server_type: "cx11", upgrade_disk: false }, 422, "invalid_server_type");
    });

    it("gives the machine its new size and starts it", async () => {
      await act("poweroff");
      const { action } = await act("change_type", { server_type: "ccx23", upgrade_disk: false });
      assert.deepEqual([at(action, "command"), at(action, "status")], ["change_server_type", "success"]);
      const machine = cloud.driver.machines.get(id);
      assert.deepEqual([machine?.spec.cores, machine?.spec.memoryGiB, machine?.running], [4, 16, true]);
      const { status, primary_disk_size: disk, server_type: type } = await server();
      assert.deepEqual([status, disk, at(type, "name")], ["running", 80, "ccx23"]);
      await act("poweroff");
      await act("change_type", { server_type: "ccx33", upgrade_disk: true });
      assert.equal((await server()).primary_disk_size, 240);
    });

    it("leaves the old type if the driver fails", async () => {
      await act("poweroff");
      breakMethod(cloud.driver, "createMachine", "no room");
      await act("change_type", { server_type: "ccx23", upgrade_disk: true });
      const { status, primary_disk_size: disk, server_type: type } = await server();
      assert.deepEqual([status, disk, at(type, "name")], ["off", 80, "ccx13"]);
    });
  });

  describe("rebuild", () => {
    it("makes the machine anew from the image, with its addresses and NICs", async () => {
      const network = await makeNetwork(cloud);
      await act("attach_to_network", { network });
      const before = await server();
      const body = await act("rebuild", { image: "debian-12", user_data: "#cloud-config" });
      assert.deepEqual([at(body, "action.command"), body.root_password], ["rebuild_server", null]);
      const machine = cloud.driver.machines.get(id);
      assert.deepEqual(
        [machine?.spec.image, machine?.spec.userData, machine?.running],
        ["debian-12", "#cloud-config", true],
      );
      const after = await server();
      assert.deepEqual([after.public_net, after.private_net], [before.public_net, before.private_net]);
      assert.equal(at(after, "image.name"), "debian-12");
      await fails("rebuild", { image: "nope" }, 422, "invalid_input");
      await fails("rebuild", {}, 422, "invalid_input");
    });
  });

  describe("placement groups", () => {
    const group = async (name = "g"): Promise<number> =>
      Number(at(await cloud.ok("POST", "/placement_groups", { name, type: "spread" }), "placement_group.id"));

    it("take a server that is off, and one only once", async () => {
      const one = await group();
      await fails("add_to_placement_group", { placement_group: one }, 422, "server_not_stopped");
      await act("poweroff");
      await fails("add_to_placement_group", { placement_group: 5 }, 404, "not_found");
      await fails("add_to_placement_group", {}, 422, "invalid_input");
      await act("add_to_placement_group", { placement_group: one });
      await fails("add_to_placement_group", { placement_group: await group("h") }, 422, "already_in_placement_group");
      assert.equal(at(await server(), "placement_group.id"), one);
      assert.deepEqual(at(await cloud.ok("GET", `/placement_groups/${one}`), "placement_group.servers"), [id]);
      const error = await cloud.fails("DELETE", `/placement_groups/${one}`, undefined, 422, "service_error");
      assert.match(String(error.message), /still contains servers/);
      await act("remove_from_placement_group");
      await fails("remove_from_placement_group", undefined, 422, "not_in_placement_group");
      assert.equal((await cloud.request("DELETE", `/placement_groups/${one}`)).status, 204);
    });

    it("take ten servers", async () => {
      const one = await group();
      for (let count = 0; count < 10; count++) await makeServer(cloud, { placement_group: one });
      const fields = { name: "x", server_type: "ccx13", image: "debian-13", placement_group: one };
      const error = await cloud.fails("POST", "/servers", fields, 422, "placement_group_member_limit_reached");
      assert.equal(error.message, `placement group with ID ${one} contains already 10 servers`);
      await act("poweroff");
      await fails("add_to_placement_group", { placement_group: one }, 422, "placement_group_member_limit_reached");
    });

    it("have their own names, labels and type, and are at most 50", async () => {
      const body = await cloud.ok("POST", "/placement_groups", { name: "g", type: "spread", labels: { a: "b" } });
      assert.equal(body.action, null);
      assert.deepEqual(Object.keys(body.placement_group as object).sort(), [
        "created",
        "id",
        "labels",
        "name",
        "servers",
        "type",
      ]);
      await cloud.fails("POST", "/placement_groups", { name: "g", type: "spread" }, 409, "uniqueness_error");
      await cloud.fails("POST", "/placement_groups", { name: "x", type: "pack" }, 422, "invalid_input");
      const url = `/placement_groups/${String(at(body, "placement_group.id"))}`;
      assert.equal(at(await cloud.ok("PUT", url, { name: "k", labels: {} }), "placement_group.name"), "k");
      assert.equal(((await cloud.ok("GET", "/placement_groups?type=spread")).placement_groups as Json[]).length, 1);
      for (let count = 1; count < 50; count++) await group(`g${count}`);
      await cloud.fails("POST", "/placement_groups", { name: "over", type: "spread" }, 403, "resource_limit_exceeded");
    });
  });
});
