import { actionView } from "./actions";
import type { Answer, Call, Route } from "./context";
import { ApiError } from "./errors";
import { listAnswer } from "./lists";
import { byId } from "./objects";
import type { ActionRecord, ProjectState, ResourceType } from "./types";

/** Kinds whose actions can be listed: path, type in an action, and whether an object exists. */
const kinds: readonly { path: string; type: ResourceType; list?: (state: ProjectState) => { id: number }[] }[] = [
  { path: "servers", type: "server", list: (state) => state.servers },
  { path: "networks", type: "network", list: (state) => state.networks },
  { path: "firewalls", type: "firewall", list: (state) => state.firewalls },
  { path: "primary_ips", type: "primary_ip", list: (state) => state.primaryIps },
  { path: "images", type: "image" },
];

/** Endpoints that show actions. */
export function actionRoutes(): Route[] {
  return [
    { method: "GET", path: "/actions", handler: listByIds },
    { method: "GET", path: "/actions/:id", handler: (call) => show(call, call.project.state.actions, call.params.id) },
    ...kinds.flatMap(({ path, type, list }): Route[] => {
      const ofKind = (call: Call): ActionRecord[] => actionsOf(call, (resource) => resource.type === type);
      const ofOne = (call: Call): ActionRecord[] => {
        const { id } = byId(list?.(call.project.state) ?? [], call.params.id, type);
        return actionsOf(call, (resource) => resource.type === type && resource.id === id);
      };
      return [
        { method: "GET", path: `/${path}/actions`, handler: (call) => answerList(call, ofKind(call)) },
        {
          method: "GET",
          path: `/${path}/actions/:action`,
          handler: (call) => show(call, ofKind(call), call.params.action),
        },
        { method: "GET", path: `/${path}/:id/actions`, handler: (call) => answerList(call, ofOne(call)) },
        {
          method: "GET",
          path: `/${path}/:id/actions/:action`,
          handler: (call) => show(call, ofOne(call), call.params.action),
        },
      ];
    }),
  ];
}

/** Listing the actions of a whole project was removed: ids must be named. */
function listByIds(call: Call): Promise<Answer> {
  if (!call.query.has("id")) {
    throw new ApiError(410, "deprecated_api_endpoint", "listing all actions was removed, name them by id", {
      announcement: "https://docs.hetzner.cloud/changelog#2025-01-30-listing-arbitrary-actions-is-removed",
    });
  }
  return answerList(call, call.project.state.actions);
}

function answerList(call: Call, actions: ActionRecord[]): Promise<Answer> {
  return listAnswer(call, actions, {
    key: "actions",
    sorts: {
      id: (action) => action.id,
      command: (action) => action.command,
      status: (action) => action.status,
      started: (action) => action.started,
      finished: (action) => action.finished,
    },
    filters: { id: (action) => action.id, status: (action) => action.status },
    view: actionView,
  });
}

function show(_call: Call, actions: ActionRecord[], id: string | undefined): Answer {
  return { status: 200, body: { action: actionView(byId(actions, id, "action")) } };
}

function actionsOf(call: Call, keeps: (resource: ActionRecord["resources"][number]) => boolean): ActionRecord[] {
  return call.project.state.actions.filter((action) => action.resources.some(keeps));
}
