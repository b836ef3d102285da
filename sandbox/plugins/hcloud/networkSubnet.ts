import { type Action, hasCode } from "./api";
import type { CloudResource } from "./cloudResource";
import { networkCidr, parseNetworkPart } from "./fields";
import { findNetwork } from "./network";

const types = ["cloud", "server", "vswitch"];

export const networkSubnet: CloudResource = {
  schema: {
    networkId: { kind: "int", required: true, forceNew: true },
    type: {
      kind: "string",
      required: true,
      forceNew: true,
      check: (type) =>
        types.includes(String(type))
          ? undefined
          : `expected type to be one of ["${types.join('" "')}"], got ${String(type)}`,
    },
    networkZone: { kind: "string", required: true, forceNew: true },
    ipRange: { kind: "string", required: true, forceNew: true },
    vswitchId: { kind: "int", forceNew: true },
    gateway: { kind: "string", output: true },
  },
  create: async (api, inputs, made) => {
    const range = networkCidr(String(inputs.ipRange));
    const vswitch = inputs.type === "vswitch" ? { vswitch_id: Number(inputs.vswitchId) } : {};
    const body = { type: inputs.type, ip_range: range, network_zone: inputs.networkZone, ...vswitch };
    const path = `/networks/${Number(inputs.networkId)}/actions/add_subnet`;
    const { action } = await api.retry(5, ["conflict", "vswitch_id_already_used"], () =>
      api.post<{ action: Action }>(path, body),
    );
    made(`${Number(inputs.networkId)}-${range}`);
    await api.wait(action);
  },
  read: async (api, id) => {
    const part = parseNetworkPart(id);
    const found = part === undefined ? undefined : await findNetwork(api, part.networkId);
    const subnet = found?.subnets.find((entry) => entry.ip_range === part?.cidr);
    if (found === undefined || subnet === undefined) return null;
    return {
      networkId: found.id,
      type: subnet.type,
      networkZone: subnet.network_zone,
      ipRange: subnet.ip_range,
      gateway: subnet.gateway,
      ...(subnet.type === "vswitch" ? { vswitchId: subnet.vswitch_id ?? null } : {}),
    };
  },
  delete: async (api, id, _state, call) => {
    const part = parseNetworkPart(id);
    if (part === undefined) return;
    const path = `/networks/${part.networkId}/actions/delete_subnet`;
    const inUse = (error: unknown): boolean =>
      hasCode(error, "service_error") &&
      /servers are attached|network has attached resources/.test((error as Error).message);
    const again = (error: unknown): boolean => hasCode(error, "conflict", "locked") || inUse(error);
    try {
      const action = await api.retry(50, again, async () => {
        const found = await findNetwork(api, part.networkId);
        if (!found?.subnets.some((subnet) => subnet.ip_range === part.cidr)) return null;
        return (await api.post<{ action: Action }>(path, { ip_range: part.cidr })).action;
      });
      await api.wait(action);
    } catch (error) {
      if (hasCode(error, "not_found")) return;
      if (!inUse(error)) throw error;
      call.log.warning(
        `Network Subnet (${id}) has still resources attached; assuming that its network is deleted fully`,
      );
    }
  },
};
