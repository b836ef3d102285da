import { actionView, type Started } from "./actions";
import { Body } from "./body";
import type { Answer, Call, Context, Route } from "./context";
import { refused } from "./errors";
import { readRules } from "./firewallRules";
import { changeWithinLimits, findFirewall, serversOf, startFirewallActions } from "./firewalls";
import { firewallsOf } from "./firewallSync";
import { readResources, resourceKey, type FirewallTarget } from "./firewallTargets";
import type { Project } from "./store";
import type { FirewallRecord } from "./types";

/** Actions of firewalls. */
export function firewallActionRoutes(context: Context): Route[] {
  const actions = {
    set_rules: setRules,
    apply_to_resources: applyToResources,
    remove_from_resources: removeFromResources,
  };
  return Object.entries(actions).map(([name, act]) => ({
    method: "POST" as const,
    path: `/firewalls/:id/actions/${name}`,
    handler: (call: Call) => act(context, call),
  }));
}

async function setRules(context: Context, call: Call): Promise<Answer> {
  const { project } = call;
  const firewall = findFirewall(call);
  const body = new Body(call.body);
  if (!body.given("rules")) body.refuse("rules", "is required");
  const rules = readRules(body, context.settings);
  body.check();
  changeWithinLimits(project, firewall, { rules });
  const servers = project.state.servers.filter((server) => firewallsOf(project, server).includes(firewall));
  const set = context.actions.start(call, {
    command: "set_firewall_rules",
    resources: [{ id: firewall.id, type: "firewall" }],
    exclusive: false,
  });
  return answer(context, project, [set, ...startFirewallActions(context, call, firewall, "apply_firewall", servers)]);
}

async function applyToResources(context: Context, call: Call): Promise<Answer> {
  const { project } = call;
  const firewall = findFirewall(call);
  const targets = readTargets(call, "apply_to");
  const known = new Set(targetsOf(firewall).map(resourceKey));
  if (targets.some((target) => known.has(resourceKey(target)))) {
    throw refused("firewall_already_applied", "firewall was already applied on resource");
  }
  change(project, firewall, [...targetsOf(firewall), ...targets]);
  const servers = targets.flatMap((target) => serversOf(project, target));
  return answer(context, project, startFirewallActions(context, call, firewall, "apply_firewall", servers));
}

async function removeFromResources(context: Context, call: Call): Promise<Answer> {
  const { project } = call;
  const firewall = findFirewall(call);
  const targets = readTargets(call, "remove_from");
  const known = new Set(targetsOf(firewall).map(resourceKey));
  for (const target of targets) {
    const [server] = serversOf(project, target);
    const bySelector = server && !known.has(resourceKey(target)) && firewallsOf(project, server).includes(firewall);
    if (target.type === "server" && bySelector) {
      throw refused("firewall_managed_by_label_selector", "firewall is applied to the server by a label selector");
    }
  }
  // Since 2025-08 removing what is not applied is no error: it just makes no action.
  const removed = targets.filter((target) => known.has(resourceKey(target)));
  const gone = new Set(removed.map(resourceKey));
  const servers = removed.flatMap((target) => serversOf(project, target));
  change(
    project,
    firewall,
    targetsOf(firewall).filter((target) => !gone.has(resourceKey(target))),
  );
  return answer(context, project, startFirewallActions(context, call, firewall, "remove_firewall", servers));
}

function readTargets(call: Call, field: string): FirewallTarget[] {
  const body = new Body(call.body);
  if (!body.given(field)) body.refuse(field, "is required");
  const targets = readResources(body, field, call.project, 404);
  body.check();
  return [...new Map(targets.map((target) => [resourceKey(target), target])).values()];
}

function targetsOf(firewall: FirewallRecord): FirewallTarget[] {
  return [
    ...firewall.serverIds.map((serverId) => ({ type: "server" as const, serverId })),
    ...firewall.labelSelectors.map((selector) => ({ type: "label_selector" as const, selector })),
  ];
}

function change(project: Project, firewall: FirewallRecord, targets: FirewallTarget[]): void {
  changeWithinLimits(project, firewall, {
    serverIds: targets.flatMap((target) => (target.type === "server" ? [target.serverId] : [])),
    labelSelectors: targets.flatMap((target) => (target.type === "label_selector" ? [target.selector] : [])),
  });
}

async function answer(context: Context, project: Project, actions: Started[]): Promise<Answer> {
  await context.actions.settle(project, ...actions);
  return { status: 201, body: { actions: actions.map((action) => actionView(action.record)) } };
}
