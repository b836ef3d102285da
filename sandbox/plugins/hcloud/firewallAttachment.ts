import type { JsonBag } from "../core/values";
import { hasCode } from "./api";
import type { CloudResource } from "./cloudResource";
import { numbers, strings } from "./fields";
import { changeTargets, findFirewall, type FirewallTarget } from "./firewall";

function targetsOf(inputs: JsonBag): FirewallTarget[] {
  const servers = numbers(inputs.serverIds).sort((a, b) => a - b);
  const selectors = strings(inputs.labelSelectors).sort();
  return [
    ...servers.map((id): FirewallTarget => ({ type: "server", server: { id } })),
    ...selectors.map((selector): FirewallTarget => ({ type: "label_selector", label_selector: { selector } })),
  ];
}

const keyOf = (target: FirewallTarget): string =>
  target.type === "server" ? `server ${target.server.id}` : `selector ${target.label_selector.selector}`;

export const firewallAttachment: CloudResource = {
  schema: {
    firewallId: { kind: "int", required: true, forceNew: true },
    serverIds: { kind: "set" },
    labelSelectors: { kind: "set" },
  },
  create: async (api, inputs, made) => {
    const targets = targetsOf(inputs);
    if (targets.length === 0) throw new Error("no resources referenced");
    try {
      await changeTargets(api, Number(inputs.firewallId), "apply_to_resources", targets);
    } catch (error) {
      if (!hasCode(error, "firewall_already_applied")) throw error;
    }
    made(String(Number(inputs.firewallId)));
  },
  read: async (api, id) => {
    const found = await findFirewall(api, id);
    if (found === undefined) return null;
    const servers = found.applied_to.flatMap((target) => (target.type === "server" ? [target.server.id] : []));
    const selectors = found.applied_to.flatMap((target) =>
      target.type === "label_selector" ? [target.label_selector.selector] : [],
    );
    return { firewallId: found.id, serverIds: servers, labelSelectors: selectors };
  },
  update: async (api, { id, inputs }) => {
    const found = await findFirewall(api, id);
    if (found === undefined) return;
    const [wanted, applied] = [targetsOf(inputs), found.applied_to];
    const missingIn = (list: FirewallTarget[]) => (target: FirewallTarget) =>
      !list.some((other) => keyOf(other) === keyOf(target));
    await changeTargets(api, id, "remove_from_resources", applied.filter(missingIn(wanted)));
    await changeTargets(api, id, "apply_to_resources", wanted.filter(missingIn(applied)));
  },
  delete: async (api, id, state) => {
    await changeTargets(api, id, "remove_from_resources", targetsOf(state)).catch((error: unknown) => {
      if (!hasCode(error, "firewall_resource_not_found", "not_found")) throw error;
    });
  },
};
