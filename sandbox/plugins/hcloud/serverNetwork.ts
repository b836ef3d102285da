import { canonical } from "../core/diff";
import type { CloudResource } from "./cloudResource";
import type { JsonBag } from "../core/values";
import { strings } from "./fields";
import { findServer } from "./server";
import { attach, attachmentOf, changeAliases, detach } from "./serverNetworks";

function parseId(id: string): { serverId: number; networkId: number } {
  const match = /^(\d+)-(\d+)$/.exec(id);
  if (match === null) throw new Error(`unexpected id '${id}', expected '$SERVER_ID-$NETWORK_ID'`);
  return { serverId: Number(match[1]), networkId: Number(match[2]) };
}

const sameAddresses = (a: JsonBag[string] | undefined, b: JsonBag[string] | undefined): boolean =>
  canonical(strings(a).sort()) === canonical(strings(b).sort());

export const serverNetwork: CloudResource = {
  schema: {
    serverId: { kind: "int", required: true, forceNew: true },
    networkId: { kind: "int", computed: true, forceNew: true },
    subnetId: { kind: "string", forceNew: true },
    ip: { kind: "string", computed: true, forceNew: true },
    aliasIps: { kind: "set" },
    macAddress: { kind: "string", output: true },
  },
  checkTogether: (inputs) =>
    Boolean(inputs.networkId) === Boolean(inputs.subnetId)
      ? "Invalid Attribute Combination. Exactly one of these attributes must be configured: [network_id,subnet_id]"
      : undefined,
  create: async (api, inputs, made) => {
    const attachment = attachmentOf(inputs);
    await attach(api, Number(inputs.serverId), attachment);
    made(`${Number(inputs.serverId)}-${attachment.networkId}`);
  },
  read: async (api, id) => {
    const { serverId, networkId } = parseId(id);
    const found = await findServer(api, serverId);
    const net = found?.private_net.find((entry) => entry.network === networkId);
    if (net === undefined) return null;
    return { serverId, networkId, ip: net.ip, aliasIps: net.alias_ips, macAddress: net.mac_address };
  },
  update: async (api, { id, inputs, state }) => {
    const { serverId, networkId } = parseId(id);
    if (sameAddresses(inputs.aliasIps, state.aliasIps)) return;
    await changeAliases(api, serverId, { networkId, aliasIps: strings(inputs.aliasIps) });
  },
  delete: async (api, id) => {
    const { serverId, networkId } = parseId(id);
    await detach(api, serverId, networkId);
  },
};
