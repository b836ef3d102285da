import { actionView, type Started } from "./actions";
import { Body } from "./body";
import type { Answer, Call, Context, Route } from "./context";
import { limitExceeded, refused } from "./errors";
import { readResources, resourceKey, type FirewallTarget } from "./firewallTargets";
import { readRules, requireFirewallLimits } from "./firewallRules";
import { matches, parseSelector } from "./labels";
import { commonSorts, listAnswer } from "./lists";
import { byId, newObject, removeById, requireUniqueName } from "./objects";
import type { Project } from "./store";
import type { FirewallRecord, RuleRecord, ServerRecord } from "./types";

const firewallsPerProject = 50;

/** Endpoints of firewalls, apart from their actions. */
export function firewallRoutes(context: Context): Route[] {
  return [
    {
      method: "GET",
      path: "/firewalls",
      handler: (call) =>
        listAnswer(call, call.project.state.firewalls, {
          key: "firewalls",
          sorts: commonSorts,
          view: (firewall) => firewallView(call.project, firewall),
        }),
    },
    { method: "POST", path: "/firewalls", handler: (call) => create(context, call) },
    {
      method: "GET",
      path: "/firewalls/:id",
      handler: (call) => ({ status: 200, body: { firewall: firewallView(call.project, findFirewall(call)) } }),
    },
    { method: "PUT", path: "/firewalls/:id", handler: update },
    { method: "DELETE", path: "/firewalls/:id", handler: remove },
  ];
}

/** The firewall in the path. @throws not_found */
export function findFirewall(call: Call): FirewallRecord {
  return byId(call.project.state.firewalls, call.params.id, "firewall");
}

/** Servers a target stands for. */
export function serversOf(project: Project, target: FirewallTarget): ServerRecord[] {
  if (target.type === "server") return project.state.servers.filter((server) => server.id === target.serverId);
  const terms = parseSelector(target.selector);
  return project.state.servers.filter((server) => matches(terms, server.labels));
}

/**
 * Starts one action for each server whose rules may have changed. They do not lock the server.
 * @param command `apply_firewall` or `remove_firewall`
 */
export function startFirewallActions(
  context: Context,
  call: Call,
  firewall: FirewallRecord,
  command: "apply_firewall" | "remove_firewall",
  servers: Iterable<ServerRecord>,
): Started[] {
  return [...new Set(servers)].map((server) =>
    context.actions.start(call, {
      command,
      resources: [
        { id: firewall.id, type: "firewall" },
        { id: server.id, type: "server" },
      ],
      exclusive: false,
      work: () => context.firewalls.apply(call.project, server),
    }),
  );
}

/** Changes a firewall, and takes the change back if a server would have too many firewalls or rules by it. */
export function changeWithinLimits(project: Project, firewall: FirewallRecord, change: Partial<FirewallRecord>): void {
  const { rules, serverIds, labelSelectors } = firewall;
  Object.assign(firewall, change);
  try {
    requireFirewallLimits(project);
  } catch (error) {
    Object.assign(firewall, { rules, serverIds, labelSelectors });
    throw error;
  }
}

async function create(context: Context, call: Call): Promise<Answer> {
  const { project } = call;
  const body = new Body(call.body);
  const name = body.requiredString("name");
  const rules = readRules(body, context.settings);
  const targets = readResources(body, "apply_to", project, 422);
  const labels = body.labels();
  body.check();
  requireUniqueName(project.state.firewalls, name);
  if (project.state.firewalls.length >= firewallsPerProject)
    throw limitExceeded("firewall_limit", "firewall limit reached");
  if (new Set(targets.map(resourceKey)).size < targets.length) {
    throw refused("server_already_added", "a resource is named more than once");
  }
  const firewall = { ...newObject(context, call, labels), name, rules, serverIds: [], labelSelectors: [] };
  project.state.firewalls.push(firewall);
  try {
    changeWithinLimits(project, firewall, withTargets(targets));
  } catch (error) {
    removeById(project.state.firewalls, firewall.id);
    throw error;
  }
  const servers = targets.flatMap((target) => serversOf(project, target));
  const actions = startFirewallActions(context, call, firewall, "apply_firewall", servers);
  await context.actions.settle(project, ...actions);
  const views = actions.map((action) => actionView(action.record));
  return { status: 201, body: { firewall: firewallView(project, firewall), actions: views } };
}

function withTargets(targets: FirewallTarget[]): Pick<FirewallRecord, "serverIds" | "labelSelectors"> {
  return {
    serverIds: targets.flatMap((target) => (target.type === "server" ? [target.serverId] : [])),
    labelSelectors: targets.flatMap((target) => (target.type === "label_selector" ? [target.selector] : [])),
  };
}

async function update(call: Call): Promise<Answer> {
  const firewall = findFirewall(call);
  const body = new Body(call.body);
  const name = body.given("name") ? body.requiredString("name") : firewall.name;
  const labels = body.labels() ?? firewall.labels;
  body.check();
  requireUniqueName(call.project.state.firewalls, name, firewall.id);
  Object.assign(firewall, { name, labels });
  await call.project.save();
  return { status: 200, body: { firewall: firewallView(call.project, firewall) } };
}

async function remove(call: Call): Promise<Answer> {
  const firewall = findFirewall(call);
  if (firewall.serverIds.length + firewall.labelSelectors.length > 0) {
    throw refused("resource_in_use", `firewall with ID ${firewall.id} is still in use`);
  }
  removeById(call.project.state.firewalls, firewall.id);
  await call.project.save();
  return { status: 204 };
}

/** A firewall as the API shows it. */
export function firewallView(project: Project, firewall: FirewallRecord): object {
  const { id, name, labels, created, rules, serverIds, labelSelectors } = firewall;
  return {
    id,
    name,
    labels,
    created,
    rules: rules.map(ruleView),
    applied_to: [
      ...serverIds.map((serverId) => ({ type: "server", server: { id: serverId } })),
      ...labelSelectors.map((selector) => ({
        type: "label_selector",
        label_selector: { selector },
        applied_to_resources: serversOf(project, { type: "label_selector", selector }).map((server) => ({
          type: "server",
          server: { id: server.id },
        })),
      })),
    ],
  };
}

function ruleView(rule: RuleRecord): object {
  return {
    direction: rule.direction,
    protocol: rule.protocol,
    port: rule.port,
    source_ips: rule.sourceIps,
    destination_ips: rule.destinationIps,
    description: rule.description,
  };
}
