import { canonical } from "../core/diff";
import type { Json, JsonBag } from "../core/values";
import { type Action, type Api, hasCode } from "./api";
import type { CloudResource } from "./cloudResource";
import { checkLabels, maps, name, ruleCidr, strings } from "./fields";

interface ApiRule {
  direction: string;
  protocol: string;
  port: string | null;
  source_ips: string[];
  destination_ips: string[];
  description: string | null;
}

/** What a firewall is applied to, in the API's form. */
export type FirewallTarget =
  { type: "server"; server: { id: number } } | { type: "label_selector"; label_selector: { selector: string } };

export interface ApiFirewall {
  id: number;
  name: string;
  labels: { [key: string]: Json };
  rules: ApiRule[];
  applied_to: FirewallTarget[];
}

export async function findFirewall(api: Api, id: number | string): Promise<ApiFirewall | undefined> {
  return (await api.find<{ firewall: ApiFirewall }>(`/firewalls/${id}`))?.firewall;
}

/** Applies a firewall, or takes it off; does nothing for an empty list. */
export async function changeTargets(
  api: Api,
  id: number | string,
  verb: "apply_to_resources" | "remove_from_resources",
  targets: FirewallTarget[],
): Promise<void> {
  if (targets.length === 0) return;
  // The API answers with more fields than it takes.
  const plain = targets.map((target) =>
    target.type === "server"
      ? { type: target.type, server: { id: target.server.id } }
      : { type: target.type, label_selector: { selector: target.label_selector.selector } },
  );
  const body = verb === "apply_to_resources" ? { apply_to: plain } : { remove_from: plain };
  const { actions } = await api.post<{ actions: Action[] }>(`/firewalls/${id}/actions/${verb}`, body);
  await api.wait(...actions);
}

function toApiRule(rule: JsonBag): ApiRule {
  return {
    direction: String(rule.direction),
    protocol: String(rule.protocol),
    port: rule.port ? String(rule.port) : null,
    source_ips: strings(rule.sourceIps).map(ruleCidr),
    destination_ips: strings(rule.destinationIps).map(ruleCidr),
    description: rule.description ? String(rule.description) : null,
  };
}

function fromApiRule(rule: ApiRule): JsonBag {
  return {
    direction: rule.direction,
    protocol: rule.protocol,
    ...(rule.port === null ? {} : { port: rule.port }),
    ...(rule.description === null ? {} : { description: rule.description }),
    sourceIps: rule.source_ips,
    destinationIps: rule.destination_ips,
  };
}

function toTarget(entry: JsonBag): FirewallTarget {
  if (entry.labelSelector) return { type: "label_selector", label_selector: { selector: String(entry.labelSelector) } };
  return { type: "server", server: { id: Number(entry.server) } };
}

function fromTarget(target: FirewallTarget): JsonBag {
  return target.type === "server" ? { server: target.server.id } : { labelSelector: target.label_selector.selector };
}

/** The order of addresses in a rule does not matter. */
function ruleKey(rule: JsonBag): string {
  const plain = toApiRule(rule);
  return canonical({
    ...plain,
    source_ips: [...plain.source_ips].sort(),
    destination_ips: [...plain.destination_ips].sort(),
  });
}

const targetKey = (entry: JsonBag): string => canonical(toTarget(entry));

function checkRules(rules: Json): string | undefined {
  for (const rule of maps(rules)) {
    if (!["in", "out"].includes(String(rule.direction))) return `${String(rule.direction)} is not a valid direction`;
    if (!["icmp", "tcp", "udp", "esp", "gre"].includes(String(rule.protocol))) {
      return `${String(rule.protocol)} is not a valid protocol`;
    }
  }
  return undefined;
}

export const firewall: CloudResource = {
  schema: {
    name,
    labels: { kind: "labels", computed: true, check: checkLabels },
    rules: { kind: "set", matches: (a, b) => ruleKey(a) === ruleKey(b), check: checkRules },
    applyTos: { kind: "set", computed: true, matches: (a, b) => targetKey(a) === targetKey(b) },
  },
  create: async (api, inputs, made) => {
    const answer = await api.post<{ firewall: ApiFirewall; actions: Action[] }>("/firewalls", {
      name: inputs.name,
      labels: inputs.labels ?? {},
      rules: maps(inputs.rules).map(toApiRule),
      apply_to: maps(inputs.applyTos).map(toTarget),
    });
    made(String(answer.firewall.id));
    await api.wait(...answer.actions);
  },
  read: async (api, id, known) => {
    const found = await findFirewall(api, id);
    if (found === undefined) return null;
    return {
      name: found.name,
      labels: found.labels,
      rules: inKnownOrder(found.rules.map(fromApiRule), maps(known.rules), ruleKey),
      applyTos: inKnownOrder(found.applied_to.map(fromTarget), maps(known.applyTos), targetKey),
    };
  },
  update: async (api, { id, inputs, state, changed }) => {
    if (changed.has("name")) await api.put(`/firewalls/${id}`, { name: inputs.name });
    // Like the real provider, an emptied list of rules changes nothing.
    const rules = maps(inputs.rules).map(toApiRule);
    if (changed.has("rules") && rules.length > 0) {
      const { actions } = await api.post<{ actions: Action[] }>(`/firewalls/${id}/actions/set_rules`, { rules });
      await api.wait(...actions);
    }
    if (changed.has("labels")) await api.put(`/firewalls/${id}`, { labels: inputs.labels ?? {} });
    if (changed.has("applyTos")) await moveTargets(api, id, maps(state.applyTos), maps(inputs.applyTos));
  },
  delete: async (api, id) => {
    const found = await findFirewall(api, id);
    if (found === undefined) return;
    await changeTargets(api, id, "remove_from_resources", found.applied_to).catch((error: unknown) => {
      if (!hasCode(error, "firewall_resource_not_found", "not_found")) throw error;
    });
    await api
      .retry(10, ["conflict", "resource_in_use"], () => api.delete(`/firewalls/${id}`))
      .catch((error: unknown) => {
        if (!hasCode(error, "not_found")) throw error;
      });
  },
};

async function moveTargets(api: Api, id: string, before: JsonBag[], after: JsonBag[]): Promise<void> {
  const without = (list: JsonBag[], others: JsonBag[]): FirewallTarget[] =>
    list.filter((entry) => !others.some((other) => targetKey(other) === targetKey(entry))).map(toTarget);
  await changeTargets(api, id, "remove_from_resources", without(before, after)).catch((error: unknown) => {
    if (!hasCode(error, "firewall_resource_not_found")) throw error;
  });
  await changeTargets(api, id, "apply_to_resources", without(after, before));
}

/** A set has no order; keeping the program's avoids differences that are none. */
function inKnownOrder(found: JsonBag[], known: JsonBag[], key: (entry: JsonBag) => string): JsonBag[] {
  const rank = new Map(known.map((entry, index) => [key(entry), index]));
  const place = (entry: JsonBag): number => rank.get(key(entry)) ?? known.length;
  return [...found].sort((a, b) => place(a) - place(b));
}
