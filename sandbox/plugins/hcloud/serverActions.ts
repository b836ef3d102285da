import type { JsonBag } from "../core/values";
import type { Action, Api } from "./api";
import { changeTargets } from "./firewall";
import type { ApiServer } from "./server";

async function act(api: Api, id: number | string, name: string, body?: object): Promise<void> {
  const { action } = await api.post<{ action: Action }>(`/servers/${id}/actions/${name}`, body);
  await api.wait(action);
}

/** Changes a server's type; a running one is powered off first, and the change itself starts it again. */
export async function changeServerType(api: Api, server: ApiServer, inputs: JsonBag): Promise<void> {
  if (server.status === "running") await act(api, server.id, "poweroff");
  await act(api, server.id, "change_type", {
    server_type: inputs.serverType,
    upgrade_disk: inputs.keepDisk !== true,
  });
}

export async function setBackups(api: Api, server: ApiServer, on: boolean): Promise<void> {
  if (on !== Boolean(server.backup_window)) await act(api, server.id, on ? "enable_backup" : "disable_backup");
}

export async function setProtection(api: Api, id: string, inputs: JsonBag): Promise<void> {
  const body = { delete: inputs.deleteProtection === true, rebuild: inputs.rebuildProtection === true };
  await act(api, id, "change_protection", body);
}

/** Applies and removes firewalls until the wanted ones are on the server. */
export async function setFirewalls(api: Api, server: ApiServer, wanted: number[]): Promise<void> {
  const applied = server.public_net.firewalls.map((firewall) => firewall.id);
  const target = [{ type: "server" as const, server: { id: server.id } }];
  for (const id of applied.filter((firewall) => !wanted.includes(firewall))) {
    await changeTargets(api, id, "remove_from_resources", target);
  }
  for (const id of wanted.filter((firewall) => !applied.includes(firewall))) {
    await changeTargets(api, id, "apply_to_resources", target);
  }
}

/** Moves a server to another placement group, or out of its one (0). */
export async function setPlacementGroup(api: Api, server: ApiServer, group: number): Promise<void> {
  if (server.placement_group !== null) {
    if (server.status !== "off") {
      throw new Error(
        "removing a running server from a placement group is currently not supported in the provider. " +
          "You can shutdown the server yourself, apply the changes again and then start the server manually as a workaround",
      );
    }
    await act(api, server.id, "remove_from_placement_group");
  }
  if (group === 0) return;
  if ((await api.find(`/placement_groups/${group}`)) === undefined) {
    throw new Error(`placement group not found: ${group}`);
  }
  await act(api, server.id, "add_to_placement_group", { placement_group: group });
}
